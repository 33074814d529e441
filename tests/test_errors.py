from __future__ import annotations

from voice_emulator.errors import FileFinding


def test_a_finding_reads_like_a_compilers():
    assert (
        str(FileFinding("bad.yaml", 3, 7, "seed must be a number", "/seed"))
        == "bad.yaml:3:7: seed must be a number"
    )


def test_without_lines_the_pointer_says_where():
    assert (
        str(FileFinding("scenario", 0, 0, "is empty", "/rules/0/name")) == "scenario:/rules/0/name: is empty"
    )
    assert str(FileFinding("scenario", 0, 0, "is empty")) == "scenario:/: is empty"
