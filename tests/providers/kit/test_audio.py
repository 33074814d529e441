"""Recordings are real audio of the right length."""

from __future__ import annotations

import io
import struct
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.providers.kit.audio import LONGEST, RATE, alaw, alaw_wav, mp3, wav


def frames_of(content: bytes) -> list[bytes]:
    """The MPEG audio frames of a file, found by reading each header (ISO 13818-3, with the 2.5 extension)."""
    frames = []
    position = 0
    while position < len(content):
        first, second, third, fourth = content[position : position + 4]
        assert first == 0xFF
        assert second >> 5 == 0b111, "sync"
        assert (second >> 3) & 3 == 0, "MPEG-2.5"
        assert (second >> 1) & 3 == 1, "layer III"
        bitrate = {1: 8000}[third >> 4]
        rate = {2: 8000}[(third >> 2) & 3]
        assert fourth >> 6 == 3, "mono"
        size = 72 * bitrate // rate + ((third >> 1) & 1)
        frames.append(content[position : position + size])
        assert len(frames[-1]) == size
        position += size
    return frames


@pytest.mark.parametrize("seconds", [1, 7, 60])
def test_an_mp3_is_a_run_of_whole_frames_as_long_as_the_talk(seconds: int) -> None:
    length = len(frames_of(mp3(seconds))) * 576 / 8000
    assert seconds <= length < seconds + 0.1


@pytest.mark.parametrize("seconds", [1, 7])
def test_a_wav_is_telephone_audio_and_not_silent(seconds: int) -> None:
    with wave.open(io.BytesIO(wav(seconds))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == seconds * 8000
        assert any(file.readframes(8000))


def test_length_is_bounded_on_both_sides() -> None:
    assert mp3(0) == mp3(1)
    assert mp3(10**9) == mp3(LONGEST)


@given(st.integers(-1, 700))
def test_wav_is_a_wav_of_that_length(seconds: int) -> None:
    with wave.open(io.BytesIO(wav(seconds, bits=8))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 1)
        assert sound.getnframes() == 8000 * max(1, min(seconds, 600))


def decode(code: int) -> int:
    """G.711 A-law to 16-bit PCM, by the expansion table's formula."""
    code ^= 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = (mantissa << 4) + 8 if exponent == 0 else ((mantissa << 4) + 0x108) << (exponent - 1)
    return value if code & 0x80 else -value


@pytest.mark.parametrize("sample", [0, 1, 7, 100, 255, 256, 1000, 8191, 32767, -1, -100, -5793, -32768])
def test_a_sample_survives_within_the_precision_of_alaw(sample: int):
    assert abs(decode(alaw(sample)) - sample) <= max(8, abs(sample) // 16)


@pytest.mark.parametrize(("asked", "seconds"), [(1, 1), (7, 7), (0, 1), (9999, LONGEST)])
def test_the_file_is_alaw_mono_8_bit_8000_hz(asked: int, seconds: int):
    wave = alaw_wav(asked)
    assert (b"RIFF", len(wave) - 8, b"WAVE", b"fmt ", 18) == struct.unpack_from("<4sI4s4sI", wave)
    assert struct.unpack_from("<HHIIHHH", wave, 20) == (6, 1, RATE, RATE, 1, 8, 0)
    assert (b"fact", 4, seconds * RATE) == struct.unpack_from("<4sII", wave, 38)
    assert (b"data", seconds * RATE) == struct.unpack_from("<4sI", wave, 50)
    assert len(wave) == 58 + seconds * RATE
