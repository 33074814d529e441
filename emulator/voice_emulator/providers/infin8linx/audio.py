"""The sound of a recording: real audio, generated, of the length of the conversation.

The provider's recordings are 8000 Hz mono files named ``.mp3`` ("Call recording download link
interface"); its console also takes WAV. An MP3 is a run of MPEG-2.5 layer III frames whose side
information is all zero, which every decoder plays as silence; a WAV carries a soft tone.
"""

from __future__ import annotations

import math
from array import array
from sys import byteorder

RATE = 8000
#: Longest recording that is generated, in seconds.
LONGEST = 600

# Sync, MPEG-2.5 layer III without checksum; 8 kbit/s at 8000 Hz; mono. Such a frame has
# 72 * 8000 / 8000 = 72 bytes and plays 576 samples.
_FRAME = bytes((0xFF, 0xE3, 0x18, 0xC0)) + bytes(68)
_FRAME_SAMPLES = 576

_TONE = 440
_LOUDNESS = 6000


def mp3(seconds: int) -> bytes:
    """A valid MP3 file of at least ``seconds`` seconds (1 to LONGEST) of silence, 1000 bytes a second."""
    frames = -(-_clamp(seconds) * RATE // _FRAME_SAMPLES)
    return _FRAME * frames


def wav(seconds: int) -> bytes:
    """A valid WAV file: ``seconds`` seconds (1 to LONGEST) of a 440 Hz tone, 16 bit mono."""
    length = _clamp(seconds)
    one = array("h", (round(_LOUDNESS * math.sin(2 * math.pi * _TONE * n / RATE)) for n in range(RATE)))
    if byteorder == "big":
        one.byteswap()
    data = one.tobytes() * length
    header = b"".join((
        b"RIFF", (36 + len(data)).to_bytes(4, "little"), b"WAVEfmt ", (16).to_bytes(4, "little"),
        (1).to_bytes(2, "little"), (1).to_bytes(2, "little"), RATE.to_bytes(4, "little"),
        (2 * RATE).to_bytes(4, "little"), (2).to_bytes(2, "little"), (16).to_bytes(2, "little"),
        b"data", len(data).to_bytes(4, "little"),
    ))  # fmt: skip
    return header + data


def render(name: str, seconds: int) -> tuple[str, bytes]:
    """Media type and bytes of the recording called ``name``, by its extension."""
    if name.endswith(".wav"):
        return "audio/wav", wav(seconds)
    return "audio/mpeg", mp3(seconds)


def _clamp(seconds: int) -> int:
    return max(1, min(LONGEST, seconds))
