from __future__ import annotations

import pytest

from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.infin8linx.texts import CHINESE, CHINESE_CODES, ENGLISH, translated


def test_code_texts_exist_in_chinese_for_every_error():
    for error in PROVIDER.errors:
        assert not CHINESE_CODES[error.code].isascii()


def test_texts_have_their_places_filled_in():
    assert (
        translated(ENGLISH, "range", name="voicetype", wanted="1, 2")
        == "parameter voicetype should be one of 1, 2"
    )
    assert "voicetype" in translated(CHINESE, "range", name="voicetype", wanted="1, 2")
    # What fills a place is not taken for a place itself.
    assert translated(ENGLISH, "missing", name="{wanted}") == "missing required parameter {wanted}"


@pytest.mark.parametrize("operation", list(PROVIDER.operations))
def test_texts_of_every_operation_tell_success_and_failure_apart(operation: str):
    for language in (ENGLISH, CHINESE):
        assert translated(language, operation) != translated(language, f"{operation} failed")
