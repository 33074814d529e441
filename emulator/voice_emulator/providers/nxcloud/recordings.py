"""Recordings named in receipts: real audio, generated when somebody fetches it.

A V-block receipt names the file itself; an agent record names an address that redirects to it
("answers 302", Call Detail Records Callback).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from struct import pack

from voice_emulator.core.calls import Call
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.agent import SESSIONS
from voice_emulator.providers.nxcloud.files import not_found
from voice_emulator.providers.nxcloud.sending import MESSAGEIDS
from voice_emulator.providers.request import Reply, Request

#: Where the agent's record addresses point, and where the sound itself lies.
REDIRECTS = "/record/"
SOUNDS = "/voice_record/"

_RATE = 8000
_TONE = 440
#: Longest recording that is generated, in seconds.
_LONGEST = 600


def redirect_url(call: Call) -> str:
    """Address of an agent call's recording, as its record tells it."""
    return f"{call.submission.details['base']}{REDIRECTS}{call.batch_id}"


def sound_url(call: Call) -> str:
    """Address of a verification call's recording, as its receipt tells it."""
    return f"{call.submission.details['base']}{SOUNDS}{call.batch_id}.wav"


def serve_redirect(request: Request) -> Reply:
    """302 to the sound of an agent call."""
    sessionid = request.path.removeprefix(REDIRECTS)
    if _find(request, SESSIONS, sessionid) is None:
        return not_found(f"there is no recording {sessionid[:80]!r}")
    location = f"{SOUNDS}{sessionid}.wav"
    return Reply(302, b"", "text/plain; charset=utf-8", "302", headers=(("Location", location),))


def serve_sound(request: Request) -> Reply:
    """A WAV file as long as the call."""
    name = request.path.removeprefix(SOUNDS).removesuffix(".wav")
    call = _find(request, MESSAGEIDS, name) or _find(request, SESSIONS, name)
    if call is None:
        return not_found(f"there is no recording {name[:80]!r}")
    return Reply(200, wav(call.talk_seconds), "audio/wav", "200")


def wav(seconds: int) -> bytes:
    """``seconds`` (at most 600) of a soft tone, 8000 Hz, 8 bit, mono."""
    length = max(1, min(seconds, _LONGEST))
    second = array("B", (128 + round(40 * math.sin(2 * math.pi * _TONE * n / _RATE)) for n in range(_RATE)))
    sound = second.tobytes() * length
    form = b"fmt " + pack("<IHHIIHH", 16, 1, 1, _RATE, _RATE, 1, 8)
    data = b"data" + pack("<I", len(sound)) + sound
    return b"RIFF" + pack("<I", 4 + len(form) + len(data)) + b"WAVE" + form + data


def _find(request: Request, space: str, batch_id: str) -> Call | None:
    """The connected, ended call of that id, whosever it is."""
    tenant = request.tenant.directory.find([("id", space, batch_id)])
    calls: Iterable[Call] = tenant.ledger.of_provider(PROVIDER_ID) if tenant is not None else ()
    return next((call for call in calls if call.batch_id == batch_id and call.ended and call.answered), None)
