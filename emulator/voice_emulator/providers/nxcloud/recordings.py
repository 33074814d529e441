"""The recordings that receipts name: real audio, generated on download.

A V-block receipt names the file; an agent record names an address that redirects to it
(302, Call Detail Records Callback).
"""

from __future__ import annotations

from collections.abc import Iterable

from voice_emulator.core.calls import Call
from voice_emulator.providers.kit.access import issued_to
from voice_emulator.providers.kit.audio import wav
from voice_emulator.providers.kit.replies import file_reply, own_failure
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.agent import SESSIONS
from voice_emulator.providers.nxcloud.sending import MESSAGEIDS
from voice_emulator.providers.request import Reply, Request

#: The path in agent records, and the path of the sound.
REDIRECTS = "/record/"
SOUNDS = "/voice_record/"


def redirect_url(call: Call) -> str:
    """Address of an agent call's recording, in its record."""
    return f"{call.submission.details['base']}{REDIRECTS}{call.batch_id}"


def sound_url(call: Call) -> str:
    """Address of a verification call's recording, in its receipt."""
    return f"{call.submission.details['base']}{SOUNDS}{call.batch_id}.wav"


def serve_redirect(request: Request) -> Reply:
    """302 to the sound of an agent call."""
    sessionid = request.path.removeprefix(REDIRECTS)
    if _find(request, SESSIONS, sessionid) is None:
        return own_failure(404, f"there is no recording {sessionid[:80]!r}")
    location = f"{SOUNDS}{sessionid}.wav"
    return Reply(302, b"", "text/plain; charset=utf-8", "302", headers=(("Location", location),))


def serve_sound(request: Request) -> Reply:
    """A WAV file as long as the call."""
    name = request.path.removeprefix(SOUNDS).removesuffix(".wav")
    call = _find(request, MESSAGEIDS, name) or _find(request, SESSIONS, name)
    if call is None:
        return own_failure(404, f"there is no recording {name[:80]!r}")
    return file_reply(wav(call.talk_seconds, bits=8), "audio/wav")


def _find(request: Request, space: str, batch_id: str) -> Call | None:
    """The ended call of that id, of any tenant, if it was answered."""
    tenant = issued_to(request, space, batch_id)
    calls: Iterable[Call] = tenant.ledger.of_provider(PROVIDER_ID) if tenant is not None else ()
    return next((call for call in calls if call.batch_id == batch_id and call.ended and call.answered), None)
