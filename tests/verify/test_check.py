from __future__ import annotations

from voice_emulator.verify.check import check
from voice_emulator.verify.model import Plan


def test_check_says_why_in_the_words_of_its_docstring():
    @check("a-name", "error", sends="one", expects="two")
    def made(factory: object) -> Plan:
        """It matters
        very much.
        """
        raise NotImplementedError

    assert (made.name, made.why, made.order) == ("a-name", "It matters very much.", "any")
