"""The recording behind a link: a real WAV file of the platform's own format.

A-law, mono, 8 bit, 8000 Hz is what uploads are converted to ("Uploading IVR Voice Files", cec_07_1039).
"""

from __future__ import annotations

import struct

RATE = 8000
_ALAW = 6
#: One cycle of a 500 Hz tone at a quarter of full scale: 16 samples, encoded by the table of G.711.
_TONE = (0, 3135, 5793, 7568, 8191, 7568, 5793, 3135, 0, -3135, -5793, -7568, -8191, -7568, -5793, -3135)
#: Longer recordings are cut, so that one download stays below 5 MB.
LONGEST_SECONDS = 600


def alaw(sample: int) -> int:
    """The A-law code (G.711, even bits inverted) of a signed 16-bit sample."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min((sample if sample >= 0 else ~sample) >> 3, 4095)
    exponent = max(magnitude.bit_length() - 5, 0)
    mantissa = (magnitude >> 1 if exponent == 0 else magnitude >> exponent) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def recording(seconds: int) -> bytes:
    """A WAV file: one second of tone and one of silence, over and over, ``seconds`` long (at most 600)."""
    tone = bytes(map(alaw, _TONE)) * (RATE // len(_TONE))
    silence = bytes([alaw(0)]) * RATE
    length = max(1, min(seconds, LONGEST_SECONDS)) * RATE
    data = ((tone + silence) * (length // (2 * RATE) + 1))[:length]
    format_chunk = struct.pack("<4sIHHIIHHH", b"fmt ", 18, _ALAW, 1, RATE, RATE, 1, 8, 0)
    fact_chunk = struct.pack("<4sII", b"fact", 4, length)
    data_chunk = struct.pack("<4sI", b"data", length) + data
    chunks = b"WAVE" + format_chunk + fact_chunk + data_chunk
    return struct.pack("<4sI", b"RIFF", len(chunks)) + chunks
