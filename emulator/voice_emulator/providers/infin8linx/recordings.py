"""Recordings: their names, the link that GetRecodeFile gives out, and the download behind it.

Source: "Call recording download link interface": recordings are kept 3 months; the sample's link
lives 300 seconds. Whether IVR calls are recorded no page says, so the setting ``recordings`` decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import DAY, SECOND, parse_wall_text, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import CONNECTED
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.envelopes import done, language
from voice_emulator.providers.infin8linx.errors import refuse
from voice_emulator.providers.infin8linx.settings import UTC_OFFSET
from voice_emulator.providers.infin8linx.state import Account, Link, notes_of
from voice_emulator.providers.infin8linx.texts import translated
from voice_emulator.providers.kit.access import issued_to
from voice_emulator.providers.kit.audio import mp3, wav
from voice_emulator.providers.kit.replies import file_reply, own_failure
from voice_emulator.providers.request import Problem, Reply, Request

#: Where recordings are downloaded, on the traffic port.
DOWNLOADS = "/infin8linx/recordings/"
#: Life of a link: reqtime and expiredtime of the provider's sample are this far apart.
LINK_LIFE = 300 * SECOND
LINK_SPACE = "in8-recording"


def claim_link(tenant: Tenant, call: Call) -> None:
    """Give a call that will be recorded the link in its record (``recordurl``)."""
    if not tenant.settings[PROVIDER_ID]["recordings"] or call.plan.outcome not in CONNECTED:
        return
    link = tenant.ids.hexadecimal(LINK_SPACE, 32, call.number, call.ordinal)
    notes_of(call).link = link
    tenant.account_state(PROVIDER_ID, Account).links[link] = Link(call.id, None)


def is_recorded(call: Call) -> bool:
    """Whether there is a recording: the account records, and the call was answered."""
    return call.answered and notes_of(call).link != ""


def file_name(tenant: Tenant, call: Call) -> str:
    """``YYYYMMDDhhmmss_<called>_<caller>.mp3``, dial time in UTC+8; repeated calls carry their count.

    The called number comes second in the samples of outgoing calls; a client takes that part for the customer's.
    """
    stamp = wall_text(call.dialled_at or call.submitted_at, UTC_OFFSET, "%Y%m%d%H%M%S")
    caller = "".join(sign for sign in call.caller if sign.isascii() and sign.isalnum())[:32]
    repeat = f"_{call.ordinal}" if call.ordinal > 1 else ""
    extension = tenant.settings[PROVIDER_ID]["recording_format"]
    return f"{stamp}_{call.number.lstrip('+')}_{caller}{repeat}.{extension}"


def record_url(base_url: str, call: Call) -> str:
    """The direct link to a call's recording."""
    return f"{base_url}{DOWNLOADS}{notes_of(call).link}"


def server_name(base_url: str) -> str:
    """Host that serves recordings, without its port."""
    return urlsplit(base_url).hostname or ""


def answer_link(request: Request, calls: Sequence[Call]) -> Reply:
    """A new link to the recording called ``filename``; 1029 for an unknown or deleted one."""
    tenant = request.tenant
    wanted = request.text("filename").strip()
    call = _find(tenant, wanted, request.now)
    if call is None:
        return refuse(request, Problem("1029", f"there is no recording {wanted!r}", "/filename"))
    value = tenant.ids.hexadecimal(LINK_SPACE, 32, "link", wanted, *request.key)
    expires_at = request.now + LINK_LIFE
    tenant.account_state(PROVIDER_ID, Account).links[value] = Link(call.id, expires_at)
    result = {
        "downurl": f"{request.scheme}://{request.host}{DOWNLOADS}{value}",
        "expiredtime": translated(language(request), "expires") + wall_text(expires_at, UTC_OFFSET),
    }
    return done(request, result)


def _find(tenant: Tenant, wanted: str, now: int) -> Call | None:
    try:
        second = parse_wall_text(wanted[:14], UTC_OFFSET, "%Y%m%d%H%M%S") // SECOND
    except ValueError:
        return None
    for call in tenant.ledger.of_provider(PROVIDER_ID):
        if call.dialled_at is None or call.dialled_at // SECOND != second or not call.ended:
            continue
        if is_recorded(call) and file_name(tenant, call) == wanted:
            return call if now < _kept_until(tenant, call) else None
    return None


def _kept_until(tenant: Tenant, call: Call) -> int:
    kept: int = tenant.settings[PROVIDER_ID]["recording_days"]
    return (call.ended_at or 0) + kept * DAY


def serve(request: Request) -> Reply:
    """The audio of a link: 404 for an unknown link, 410 for an expired one."""
    value = request.path.removeprefix(DOWNLOADS).partition(".")[0]
    tenant = issued_to(request, LINK_SPACE, value)
    if tenant is None:
        return own_failure(404, "there is no such recording link")
    request.tenant, request.attributed = tenant, True
    link = tenant.account_state(PROVIDER_ID, Account).links.get(value)
    call = tenant.ledger.get(link.call_id) if link is not None else None
    if link is None or call is None:
        return own_failure(404, "the recording of this link is forgotten")
    if not call.ended or not is_recorded(call):
        return own_failure(404, "the link has no recording (yet)")
    if tenant.now >= min(_kept_until(tenant, call), link.expires_at or _kept_until(tenant, call)):
        return own_failure(410, "this recording link has expired (300 seconds of the tenant's time)")
    name = file_name(tenant, call)
    sound, kind = (wav, "audio/wav") if name.endswith(".wav") else (mp3, "audio/mpeg")
    return file_reply(sound(call.talk_seconds), kind, name=name)
