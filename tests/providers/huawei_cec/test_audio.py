from __future__ import annotations

import struct

import pytest

from voice_emulator.providers.huawei_cec.audio import LONGEST_SECONDS, RATE, alaw, recording


def decode(code: int) -> int:
    """G.711 A-law to 16-bit PCM, by the expansion table's formula."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return value if code & 0x80 else -value


@pytest.mark.parametrize("sample", [0, 1, 7, 100, 255, 256, 1000, 8191, 32767, -1, -100, -5793, -32768])
def test_a_sample_survives_within_the_precision_of_alaw(sample: int) -> None:
    assert abs(decode(alaw(sample)) - sample) <= max(8, abs(sample) // 16)


@pytest.mark.parametrize(("asked", "seconds"), [(1, 1), (7, 7), (0, 1), (9999, LONGEST_SECONDS)])
def test_the_file_is_alaw_mono_8_bit_8000_hz(asked: int, seconds: int) -> None:
    wave = recording(asked)
    assert (b"RIFF", len(wave) - 8, b"WAVE", b"fmt ", 18) == struct.unpack_from("<4sI4s4sI", wave)
    assert struct.unpack_from("<HHIIHHH", wave, 20) == (6, 1, RATE, RATE, 1, 8, 0)
    assert (b"fact", 4, seconds * RATE) == struct.unpack_from("<4sII", wave, 38)
    assert (b"data", seconds * RATE) == struct.unpack_from("<4sI", wave, 50)
    assert len(wave) == 58 + seconds * RATE
