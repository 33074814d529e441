"""Recordings: real audio at 8000 Hz mono, generated in the length of the conversation.

Every length is bounded to 1 to :data:`LONGEST` seconds, so that one download stays below 10 MB.
"""

from __future__ import annotations

import math
from array import array
from struct import pack
from sys import byteorder

RATE = 8000
#: Longest recording that is generated, in seconds.
LONGEST = 600

_PCM, _ALAW = 1, 6
_TONE = 440
#: One cycle of a 500 Hz tone at a quarter of full scale.
_ALAW_TONE = (0, 3135, 5793, 7568, 8191, 7568, 5793, 3135, 0, -3135, -5793, -7568, -8191, -7568, -5793, -3135)
#: A frame of MPEG-2.5 layer III: sync, no checksum, 8 kbit/s, 8000 Hz, mono. Side information of zeros is
#: silence. It has 72 * 8000 / 8000 = 72 bytes and plays 576 samples.
_MP3_FRAME, _MP3_SAMPLES = bytes((0xFF, 0xE3, 0x18, 0xC0)) + bytes(68), 576


def wav(seconds: int, bits: int = 16) -> bytes:
    """A WAV file of a soft 440 Hz tone, 8 or 16 bit."""
    loudness, middle, code = (40, 128, "B") if bits == 8 else (6000, 0, "h")
    wave = (middle + round(loudness * math.sin(2 * math.pi * _TONE * n / RATE)) for n in range(RATE))
    second = array(code, wave)
    if byteorder == "big":
        second.byteswap()
    size = bits // 8
    form = pack("<HHIIHH", _PCM, 1, RATE, RATE * size, size, bits)
    return _riff(("fmt ", form), ("data", second.tobytes() * _length(seconds)))


def alaw_wav(seconds: int) -> bytes:
    """A WAV file in 8-bit A-law (G.711): one second of a 500 Hz tone, one of silence, over and over."""
    tone = bytes(map(alaw, _ALAW_TONE)) * (RATE // len(_ALAW_TONE))
    length = _length(seconds) * RATE
    data = ((tone + bytes([alaw(0)]) * RATE) * (length // (2 * RATE) + 1))[:length]
    form = pack("<HHIIHHH", _ALAW, 1, RATE, RATE, 1, 8, 0)
    return _riff(("fmt ", form), ("fact", pack("<I", length)), ("data", data))


def mp3(seconds: int) -> bytes:
    """An MP3 file of at least ``seconds`` seconds of silence, 1000 bytes a second."""
    return _MP3_FRAME * -(-_length(seconds) * RATE // _MP3_SAMPLES)


def alaw(sample: int) -> int:
    """The A-law code (G.711, even bits inverted) of a signed 16-bit sample."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min((sample if sample >= 0 else ~sample) >> 3, 4095)
    exponent = max(magnitude.bit_length() - 5, 0)
    mantissa = (magnitude >> 1 if exponent == 0 else magnitude >> exponent) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def _length(seconds: int) -> int:
    return max(1, min(seconds, LONGEST))


def _riff(*chunks: tuple[str, bytes]) -> bytes:
    body = b"WAVE" + b"".join(name.encode() + pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + pack("<I", len(body)) + body
