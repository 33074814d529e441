"""PlayVoice: one audio for many numbers (batch), or for one number (with a token).

Sources: "Batch IVR - Call out ivr voice in batches"; for the token flavours "播放IVR语音" and
"语音呼叫API - IVR语音通知接口" (a key press leads to a group of agents).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import DAY, HOUR, SECOND
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.core.plan import SETUP, Limits, Plan
from voice_emulator.core.scenario import Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import Outcome, Party
from voice_emulator.providers.infin8linx.access import PROVIDER_ID, authentic
from voice_emulator.providers.infin8linx.envelopes import accepted, done, is_batch
from voice_emulator.providers.infin8linx.errors import illegal
from voice_emulator.providers.infin8linx.recordings import claim_link
from voice_emulator.providers.infin8linx.settings import UTC_OFFSET
from voice_emulator.providers.request import Problem, Reply, Request, comma_separated

#: "A single submission should not exceed 5000 numbers."
MOST_NUMBERS = 5000
_BLANKS = " \t"


@plain_value
class RequestOptions:
    """What the record of a call needs from its request (``submission.details["options"]``).

    ``transfer_key`` transfers to the agent at ``extension`` (either may be empty); ``base_url`` is the
    address that the client used, for links to recordings; ``soundless`` is whether the calls fail
    because the account has no such voice file.
    """

    custom: str
    customuuid: str
    memberid: str
    callmethod: int
    transfer_key: str = ""
    extension: str = ""
    base_url: str = ""
    soundless: bool = False


def called_numbers(request: Request) -> Sequence[str]:
    """The items of destnumber without surrounding blanks; empty items are ignored."""
    return tuple(
        item for part in comma_separated(request.text("destnumber")) if (item := part.strip(_BLANKS))
    )


def check(request: Request) -> Iterator[Problem]:
    """What the schema cannot check: the number of numbers, and the account's files and callers."""
    destination = request.text("destnumber")
    if (count := destination.count(",") + 1) > MOST_NUMBERS:
        message = f"{count} numbers, at most {MOST_NUMBERS} are allowed"
        yield illegal(request, message, "destnumber", "too_many", wanted=MOST_NUMBERS)
    if "+" in destination and not request.settings["accept_plus"]:
        yield illegal(
            request, "a number has a leading +; see the setting accept_plus", "destnumber", "format"
        )
    if not authentic(request):
        return
    if _unknown_file(request) and request.settings["unknown_voice_file"] == "refuse":
        message = f"{request.text('voicefile')!r} is not one of the account's voice_files"
        yield illegal(request, message, "voicefile", "no_file")
    yield from _check_caller(request)
    yield from _check_transfer(request)


def _unknown_file(request: Request) -> bool:
    files = request.settings["voice_files"]
    if files is None or request.text("voicetype") != "1":
        return False
    wanted = request.text("voicefile")
    return bool(wanted) and _stem(wanted) not in {_stem(name) for name in files} and wanted not in files


def _stem(name: str) -> str:
    """The name without its extension: no page says whether voicefile has one."""
    for extension in (".mp3", ".wav"):
        if name.lower().endswith(extension):
            return name[: -len(extension)]
    return name


def _check_caller(request: Request) -> Iterator[Problem]:
    pool = request.settings["caller_pool"]
    if pool is None:
        return
    wanted = request.text("disnumber").strip(_BLANKS)
    if wanted:
        state = pool.get(wanted)
        code = {"enabled": "", "disabled": "1019", "missing": "1020", None: "1021"}[state]
        reason = f"caller number {wanted!r} is {state or 'not in the pool'} (caller_pool)"
    else:
        code = "" if "enabled" in pool.values() else "1020"
        reason = "no caller number of the pool is enabled (caller_pool)"
    if not code:
        return
    if is_batch(request):
        yield illegal(request, reason, "disnumber", "no_caller")
    else:
        yield Problem(code, reason, "/disnumber")


def _transfer(request: Request) -> tuple[str, str]:
    """Key and group of the transfer flavour, both empty in the others."""
    if is_batch(request):
        return "", ""
    key, _, group = request.text("userid").partition("@")
    return (key, group) if group else ("", "")


def _check_transfer(request: Request) -> Iterator[Problem]:
    _, group = _transfer(request)
    groups = request.settings["agent_groups"]
    if not group or groups is None:
        return
    extension = groups.get(group)
    states = request.settings["extension_states"]
    state = "missing" if extension is None else states.get(extension, "registered")
    code = {
        "registered": "", "exception": "1010", "foreign": "1011", "missing": "1012", "disabled": "1013",
        "unregistered": "1014",
    }[state]  # fmt: skip
    if code:
        reason = f"the extension of group {group!r} is {state} (agent_groups, extension_states)"
        yield Problem(code, reason, "/userid")


def submit(request: Request) -> Submission:
    """The calls, in the order of the numbers: until midnight UTC+8, or longer."""
    settings = request.settings
    batch = is_batch(request)
    key, group = _transfer(request)
    version = settings["record_version"]
    kind = "record" if version == "2025" else f"record{version}"
    waits = (settings["callback_interval"] * SECOND,) * (settings["callback_attempts"] - 1)
    options = RequestOptions(
        custom=request.text("chengshudu") or request.text("ext") or "0",
        customuuid=request.text("customuuid"),
        memberid=request.text("memberid") or "0",
        callmethod=6 if batch else int(settings["single_call_method"]),
        transfer_key=key,
        extension=(settings["agent_groups"] or {}).get(group, ""),
        base_url=f"{request.scheme}://{request.host}",
        soundless=_unknown_file(request),
    )
    return Submission(
        provider=PROVIDER_ID,
        operation="PlayVoice",
        caller=_caller(request),
        kind="batch" if batch else "transfer" if key else "single",
        receipts=(ReceiptPlan(kind, retry=Retry(waits), dropped=settings["dropped_records"]),),
        limits=Limits(
            ring=_seconds(request, "waittime") * SECOND, talk=_seconds(request, "conntime") * SECOND
        ),
        drop_at=None if request.text("todayonly") == "2" or not batch else next_midnight(request.now),
        concurrency=settings["dial_concurrency"],
        wants_keys=request.text("userkey") == "1" or bool(key),
        details={"options": options},
    )


def _seconds(request: Request, name: str) -> int:
    """A time in seconds; the account's default when it is absent or not positive."""
    text = request.text(name).strip(_BLANKS)
    given = int(text) if text else 0
    default: int = request.settings[f"default_{name}"]
    return given if given > 0 else default


def next_midnight(now: int) -> int:
    """The first 00:00:00 UTC+8 after ``now``: the end of the provider's day."""
    offset = UTC_OFFSET * HOUR
    return ((now + offset) // DAY + 1) * DAY - offset


def _caller(request: Request) -> str:
    wanted = request.text("disnumber").strip(_BLANKS)
    if wanted:
        return wanted
    tenant = request.tenant
    pool: Mapping[str, str] | None = request.settings["caller_pool"]
    if pool is None:
        # Newer samples: 21, the company code, a running number.
        running = 1 + tenant.ids.drawn_integer(9, "in8-caller", *request.key)
        return f"21{request.settings['company_code']}{running:03}"
    enabled = [number for number, state in pool.items() if state == "enabled"]
    return enabled[tenant.ids.drawn_integer(len(enabled), "in8-caller", *request.key)]


def prepare_call(tenant: Tenant, request: Request, call: Call, index: int) -> str:
    """Apply the account's settings to one new call. The client gets no id before the record."""
    options: RequestOptions = call.submission.details["options"]
    if options.soundless:
        # Accepted (setting unknown_voice_file), but the call fails: there is no sound to play.
        call.plan = Plan(Outcome.NETWORK_FAILURE, Party.NETWORK, setup=SETUP.value, cause="10020")
    claim_link(tenant, call)
    return ""


def answer(request: Request, calls: Sequence[Call]) -> Reply:
    """Accepted: no call id, no result per number, whatever the flavour."""
    return accepted(request) if is_batch(request) else done(request)
