"""Recordings are real audio of the right length."""

from __future__ import annotations

import io
import wave

import pytest

from voice_emulator.providers.infin8linx import audio


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
    length = len(frames_of(audio.mp3(seconds))) * 576 / 8000
    assert seconds <= length < seconds + 0.1


@pytest.mark.parametrize("seconds", [1, 7])
def test_a_wav_is_telephone_audio_and_not_silent(seconds: int) -> None:
    with wave.open(io.BytesIO(audio.wav(seconds))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert file.getnframes() == seconds * 8000
        assert any(file.readframes(8000))


def test_the_extension_chooses_the_format() -> None:
    assert audio.render("a.wav", 1)[0] == "audio/wav"
    assert audio.render("a.mp3", 1)[0] == "audio/mpeg"


def test_length_is_bounded_on_both_sides() -> None:
    assert audio.mp3(0) == audio.mp3(1)
    assert audio.mp3(10**9) == audio.mp3(audio.LONGEST)
