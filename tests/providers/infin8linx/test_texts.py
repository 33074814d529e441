from __future__ import annotations

import pytest

from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.infin8linx.texts import CHINESE, CODE_TEXTS, ENGLISH, say, say_code


def test_code_texts_exist_in_both_languages_for_every_error():
    for error in PROVIDER.errors:
        assert say_code(ENGLISH, error.code).isascii()
        assert not say_code(CHINESE, error.code).isascii()
    assert len(CODE_TEXTS) >= len({error.code for error in PROVIDER.errors})


def test_texts_have_their_places_filled_in():
    assert (
        say(ENGLISH, "range", name="voicetype", wanted="1, 2") == "parameter voicetype should be one of 1, 2"
    )
    assert "voicetype" in say(CHINESE, "range", name="voicetype", wanted="1, 2")
    # What fills a place is not taken for a place itself.
    assert say(ENGLISH, "missing", name="{wanted}") == "missing required parameter {wanted}"


@pytest.mark.parametrize("operation", list(PROVIDER.operations))
def test_texts_of_every_operation_tell_success_and_failure_apart(operation: str):
    for language in (ENGLISH, CHINESE):
        assert say(language, operation) != say(language, f"{operation} failed")
