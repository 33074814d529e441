"""Every code the service may answer with, and how a problem is rendered.

``ret`` values and ``errors.code`` values: "Common API - Global error and status codes" up to 1018;
the rest is what a public client of the same service knows.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice_emulator.providers.infin8linx import envelopes
from voice_emulator.providers.infin8linx.texts import AUTHORIZATION_FAILED, CHINESE, CODE_TEXTS, say, say_code
from voice_emulator.providers.provider import ErrorCode
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.providers.settings import Provenance
from voice_emulator.schemas.validate import Violation

#: Codes of a refused request; any other is an operation that failed.
REFUSALS = frozenset({"400", "404", "500", "600", "601", "602", "603", "604"})
#: Failures that say something of the service rather than of the request.
_OF_THE_SERVICE = frozenset({"1001", "1002", "1003"})

_RULE = "by a rule's reply.error only: "
_ON_EXTENSIONS = _RULE + "belongs to operations on extensions, which are not served"
_ON_TASKS = _RULE + "belongs to operations on tasks, which are not served"
_ON_STRATEGIES = _RULE + "no operation served here has a strategy"

#: code -> (symbolic name, meaning, provenance, how to provoke it).
_CODES: Mapping[str, tuple[str, str, Provenance, str]] = {
    "400": ("invalid_parameter", "parameter not acceptable", "documented", "a missing or bad parameter"),
    "404": ("unknown_service", "no such service", "inferred", "an unknown service"),
    "500": ("system_error", "server error", "documented", _RULE + "nothing a client sends breaks the server"),
    "600": (
        "token_invalid",
        "token invalid, log in again",
        "documented",
        "an unknown, expired or cleared token",
    ),
    "601": (
        "appid_not_authorized",
        "unknown appid; in the batch flavour also a wrong accesskey",
        "documented",
        "an unknown appid",
    ),
    "602": ("licence_expired", "the appid's licence has expired", "documented", "setting licence_until"),
    "603": ("module_not_licensed", "module not licensed", "documented", "setting modules"),
    "604": (
        "ip_not_allowed",
        "the caller's IP is not on the allow list",
        "documented",
        "setting allowed_ips",
    ),
    "1001": (
        "server_connection_failed",
        "server connection failed",
        "documented",
        _RULE + "there is no server behind this one",
    ),
    "1002": ("abnormal_operation", "a check failed", "documented", _RULE + "no page says which check"),
    "1003": (
        "operation_failed",
        "operation failed: authorization, logout, a command",
        "documented",
        "Login with a wrong accesskey",
    ),
    "1010": (
        "extension_exception",
        "extension exception",
        "documented",
        "transfer; setting extension_states: exception",
    ),
    "1011": (
        "extension_illegal",
        "extension of another company",
        "documented",
        "transfer; setting extension_states: foreign",
    ),
    "1012": (
        "extension_missing",
        "extension does not exist",
        "documented",
        "transfer to a group not in agent_groups",
    ),
    "1013": (
        "extension_disabled",
        "extension disabled",
        "documented",
        "transfer; setting extension_states: disabled",
    ),
    "1014": (
        "extension_unregistered",
        "extension not registered",
        "documented",
        "transfer; setting extension_states: unregistered",
    ),
    "1015": ("extension_not_in_call", "extension not in a call", "documented", _ON_EXTENSIONS),
    "1016": ("extension_enabled", "extension enabled already", "documented", _ON_EXTENSIONS),
    "1017": ("extension_registered", "extension registered already", "documented", _ON_EXTENSIONS),
    "1018": (
        "number_enabled",
        "number enabled already",
        "documented",
        _RULE + "belongs to operations on numbers",
    ),
    "1019": (
        "number_disabled",
        "caller number disabled",
        "inferred",
        "token flavour; setting caller_pool: disabled",
    ),
    "1020": (
        "number_missing",
        "caller number does not exist",
        "inferred",
        "token flavour; setting caller_pool: missing",
    ),
    "1021": (
        "number_illegal",
        "caller number of another company",
        "inferred",
        "token flavour; a disnumber not in caller_pool",
    ),
    "1024": ("task_missing", "task does not exist", "inferred", _ON_TASKS),
    "1025": ("task_not_started", "task not started", "inferred", _ON_TASKS),
    "1026": ("task_running", "task running", "inferred", _ON_TASKS),
    "1027": ("task_paused", "task paused", "inferred", _ON_TASKS),
    "1028": ("task_finished", "task finished", "inferred", _ON_TASKS),
    "1029": (
        "file_missing",
        "file does not exist",
        "inferred",
        "GetRecodeFile of an unknown or too old recording",
    ),
    "1031": ("strategy_badly_set", "strategy badly set", "inferred", _ON_STRATEGIES),
    "1032": ("strategy_violated", "strategy rule violated", "inferred", _ON_STRATEGIES),
    "1033": ("strategy_without_resource", "no strategy resource", "inferred", _ON_STRATEGIES),
}

#: Shared names whose code differs by operation.
_ALIASES = (
    ("auth_failed", "1003", AUTHORIZATION_FAILED[0], ("Login",)),
    ("auth_failed", "601", CODE_TEXTS["601"][0], ("PlayVoice",)),
    ("auth_failed", "600", CODE_TEXTS["600"][0], ("Logout", "GetBill", "GetRecodeFile")),
    ("invalid_number", "400", CODE_TEXTS["400"][0], ("PlayVoice",)),
)

ERRORS: tuple[ErrorCode, ...] = (
    *(
        ErrorCode(name, code, CODE_TEXTS[code][0], meaning, frozenset(), provenance, how)
        for code, (name, meaning, provenance, how) in _CODES.items()
    ),
    *(
        ErrorCode(name, code, text, _CODES[code][1], frozenset(operations), "choice", _CODES[code][3])
        for name, code, text, operations in _ALIASES
    ),
)

#: Which of several problems is answered. The framework reads parameters before it looks at anything
#: else, so a bad one comes before bad credentials; the account's own conditions come last.
ORDER = (
    "malformed", "method", "encoding", "404", "400", "601", "600", "1003", "604", "602", "603",
    *(code for code in _CODES if code not in REFUSALS and code != "1003"), "500",
)  # fmt: skip


def explain(request: Request, violation: Violation) -> Problem:
    """What a schema violation amounts to: 400, with the parameter's name and what is wrong."""
    name = violation.field
    if violation.keyword == "required" or violation.value == "":
        what = say(envelopes.language(request), "missing", name=name)
    elif violation.keyword in ("enum", "const"):
        what = say(envelopes.language(request), "range", name=name, wanted=_WANTED.get(name, "1"))
    else:
        what = say(envelopes.language(request), "format", name=name)
    return illegal(request, f"{name}: {violation.message}", name, what)


_WANTED = {
    "voicetype": "1/2",
    "userkey": "0/1",
    "todayonly": "1/2",
    "nationcode": "in/id/ph/mx/co/tha/vn",
    "syncflag": "1/2/3",
    "direction": "1/2/3",
    "callmethod": "0/1/2/3/4/5/6",
}


def illegal(request: Request, message: str, place: str, what: str) -> Problem:
    """A 400; ``message`` is for the journal, ``what`` goes to the client behind the usual prefix."""
    pointer = f"/{place}" if place else ""
    return Problem("400", message, pointer, say(envelopes.language(request), "illegal") + what)


def refuse(request: Request, problem: Problem) -> Reply:
    """The refusal that ``problem`` is answered with, in the envelope of the request's flavour."""
    language = envelopes.language(request)
    code = problem.code
    if code == "method":
        return _not_served(problem)
    if code == "404" and request.settings["unknown_service"] == "400":
        code = "400"
    if code not in CODE_TEXTS:
        # Trouble with the encoding, which has no code of its own.
        text = say(language, "illegal") + say(language, "undecodable")
        return envelopes.refused(request, "400", text)
    text = _text(request, problem, language)
    if code in REFUSALS:
        return envelopes.refused(request, code, text)
    if envelopes.uses_envelope_k(request):
        # Envelope K has no place for these codes, so the nearest refusal carries the text.
        return envelopes.refused(request, "500" if code in _OF_THE_SERVICE else "400", text)
    return envelopes.failed(request, code, text)


def _text(request: Request, problem: Problem, language: str) -> str:
    standard = CODE_TEXTS[problem.code]
    if problem.text is not None and problem.text != standard[0]:
        return problem.text
    if problem.code == "1003" and request.operation is not None and request.operation.name == "Login":
        return AUTHORIZATION_FAILED[1] if language == CHINESE else AUTHORIZATION_FAILED[0]
    return say_code(language, problem.code)


def _not_served(problem: Problem) -> Reply:
    """A method besides POST and GET is refused by the emulator itself: no page and no client speaks of one."""
    line = " ".join(problem.message.split()).encode("ascii", "backslashreplace").decode()
    headers = (("Emulator-Error", line), ("Allow", "GET, POST"))
    return Reply(405, f"{line}\n".encode(), "text/plain; charset=utf-8", "405", True, headers=headers)
