"""Every code of the service, and how a problem is rendered.

``ret`` values and ``errors.code`` values: "Common API - Global error and status codes" up to 1018;
the others come from a public client of the same service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from voice_emulator.providers.infin8linx import envelopes
from voice_emulator.providers.infin8linx.texts import AUTHORIZATION_FAILED, CHINESE, CHINESE_CODES, translated
from voice_emulator.providers.kit.replies import own_failure
from voice_emulator.providers.kit.tables import errors
from voice_emulator.providers.provider import ErrorCode as Code
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.schemas.validate import Violation

#: Codes of a refused request; any other is an operation that failed.
REFUSALS = frozenset({"400", "404", "500", "600", "601", "602", "603", "604"})
#: Failures of the service rather than of the request.
_OF_THE_SERVICE = frozenset({"1001", "1002", "1003"})

_RULE = "by a rule's reply.error only: "
_ON_EXTENSIONS = _RULE + "belongs to operations on extensions, which are not served"
_ON_TASKS = _RULE + "belongs to operations on tasks, which are not served"
_ON_STRATEGIES = _RULE + "no operation served here has a strategy"

#: Every code, with the English text; :data:`~voice_emulator.providers.infin8linx.texts.CHINESE_CODES` has the Chinese one.
_CODES = (
    Code("invalid_parameter", "400", "illegal request", "a missing or bad parameter",
         meaning="parameter not acceptable"),
    Code("unknown_service", "404", "service does not exist", "an unknown service", "inferred",
         meaning="no such service"),
    Code("system_error", "500", "server error", _RULE + "nothing a client sends breaks the server"),
    Code("token_invalid", "600", "token is invalid, please log in again",
         "an unknown, expired or cleared token"),
    Code("appid_not_authorized", "601", "appid is not authorized", "an unknown appid",
         meaning="unknown appid; in the batch flavour also a wrong accesskey"),
    Code("licence_expired", "602", "appid authorization has expired", "setting licence_until",
         meaning="the appid's licence has expired"),
    Code("module_not_licensed", "603", "module is not authorized", "setting modules",
         meaning="module not licensed"),
    Code("ip_not_allowed", "604", "IP is not authorized", "setting allowed_ips",
         meaning="the caller's IP is not on the allow list"),
    Code("server_connection_failed", "1001", "server connection failed",
         _RULE + "there is no server behind this one"),
    Code("abnormal_operation", "1002", "abnormal operation", _RULE + "no page says which check",
         meaning="a check failed"),
    Code("operation_failed", "1003", "operation failed", "Login with a wrong accesskey",
         meaning="operation failed: authorization, logout, a command"),
    Code("extension_exception", "1010", "extension exception",
         "transfer; setting extension_states: exception"),
    Code("extension_illegal", "1011", "illegal extension", "transfer; setting extension_states: foreign",
         meaning="extension of another company"),
    Code("extension_missing", "1012", "extension does not exist", "transfer to a group not in agent_groups"),
    Code("extension_disabled", "1013", "extension is disabled",
         "transfer; setting extension_states: disabled"),
    Code("extension_unregistered", "1014", "extension is not registered",
         "transfer; setting extension_states: unregistered"),
    Code("extension_not_in_call", "1015", "extension is not in a call", _ON_EXTENSIONS),
    Code("extension_enabled", "1016", "extension is enabled", _ON_EXTENSIONS,
         meaning="extension enabled already"),
    Code("extension_registered", "1017", "extension is registered", _ON_EXTENSIONS,
         meaning="extension registered already"),
    Code("number_enabled", "1018", "number is enabled", _RULE + "belongs to operations on numbers",
         meaning="number enabled already"),
    Code("number_disabled", "1019", "number is disabled", "token flavour; setting caller_pool: disabled",
         "inferred", meaning="caller number disabled"),
    Code("number_missing", "1020", "number does not exist", "token flavour; setting caller_pool: missing",
         "inferred", meaning="caller number does not exist"),
    Code("number_illegal", "1021", "illegal number", "token flavour; a disnumber not in caller_pool",
         "inferred", meaning="caller number of another company"),
    Code("task_missing", "1024", "task does not exist", _ON_TASKS, "inferred"),
    Code("task_not_started", "1025", "task is not started", _ON_TASKS, "inferred"),
    Code("task_running", "1026", "task is running", _ON_TASKS, "inferred"),
    Code("task_paused", "1027", "task is paused", _ON_TASKS, "inferred"),
    Code("task_finished", "1028", "task is finished", _ON_TASKS, "inferred"),
    Code("file_missing", "1029", "file does not exist",
        "GetRecodeFile of an unknown or too old recording", "inferred"),
    Code("strategy_badly_set", "1031", "strategy is badly set", _ON_STRATEGIES, "inferred"),
    Code("strategy_violated", "1032", "strategy rule is violated", _ON_STRATEGIES, "inferred"),
    Code("strategy_without_resource", "1033", "strategy has no resource", _ON_STRATEGIES, "inferred",
         meaning="no strategy resource"),
)  # fmt: skip
BY_CODE: Mapping[str, Code] = {error.code: error for error in _CODES}


def _alias(name: str, code: str, *operations: str, text: str = "") -> Iterator[Code]:
    """A shared name whose code differs by operation."""
    known = BY_CODE[code]
    return errors(operations, replace(known, name=name, text=text or known.text, provenance="choice"))


ERRORS: tuple[Code, ...] = (
    *_CODES,
    *_alias("auth_failed", "1003", "Login", text=AUTHORIZATION_FAILED[0]),
    *_alias("auth_failed", "601", "PlayVoice"),
    *_alias("auth_failed", "600", "Logout", "GetBill", "GetRecodeFile"),
    *_alias("invalid_number", "400", "PlayVoice"),
)

#: Which of several problems the reply reports. The framework reads the parameters first, so a bad one comes
#: before bad credentials; the conditions of the account come last.
ORDER = (
    "malformed", "method", "encoding", "404", "400", "601", "600", "1003", "604", "602", "603",
    *(code for code in BY_CODE if code not in REFUSALS and code != "1003"), "500",
)  # fmt: skip


def explain(request: Request, violation: Violation) -> Problem:
    """What a schema violation amounts to: 400, with the parameter's name and what is wrong."""
    name = violation.field
    if violation.keyword == "required" or violation.value == "":
        text = "missing"
    else:
        text = "range" if violation.keyword in ("enum", "const") else "format"
    return illegal(request, f"{name}: {violation.message}", name, text, wanted=_WANTED.get(name, "1"))


_WANTED = {
    "voicetype": "1/2", "userkey": "0/1", "todayonly": "1/2", "nationcode": "in/id/ph/mx/co/tha/vn",
    "syncflag": "1/2/3", "direction": "1/2/3", "callmethod": "0/1/2/3/4/5/6",
}  # fmt: skip


def illegal(request: Request, message: str, field: str, text: str, **values: object) -> Problem:
    """A 400; ``message`` is for the journal, the client gets the text called ``text`` behind the usual prefix."""
    language = envelopes.language(request)
    told = translated(language, "illegal") + translated(language, text, name=field, **values)
    return Problem("400", message, f"/{field}" if field else "", told)


def refuse(request: Request, problem: Problem) -> Reply:
    """The refusal for ``problem``, in the envelope of the request's flavour."""
    language = envelopes.language(request)
    code = problem.code
    if code == "method":
        # No page and no client uses a method other than POST and GET.
        return own_failure(405, problem.message, allow=("GET", "POST"))
    if code == "404" and request.settings["unknown_service"] == "400":
        code = "400"
    if code not in BY_CODE:
        # The encoding is bad, which has no code of its own.
        text = translated(language, "illegal") + translated(language, "undecodable")
        return envelopes.refused(request, "400", text)
    text = _text(request, problem, language)
    if code in REFUSALS:
        return envelopes.refused(request, code, text)
    if envelopes.uses_envelope_k(request):
        # Envelope K cannot carry these codes: the nearest refusal has the text.
        return envelopes.refused(request, "500" if code in _OF_THE_SERVICE else "400", text)
    return envelopes.failed(request, code, text)


def _text(request: Request, problem: Problem, language: str) -> str:
    standard = BY_CODE[problem.code].text
    if problem.text is not None and problem.text != standard:
        return problem.text
    if problem.code == "1003" and request.operation_name == "Login":
        return AUTHORIZATION_FAILED[language == CHINESE]
    return CHINESE_CODES[problem.code] if language == CHINESE else standard
