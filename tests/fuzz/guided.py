"""Fuzzing that looks where it gets: ``python -m tests.fuzz.guided TARGET --seconds N``, with atheris.

atheris is on PyPI for some platforms and Pythons only, and no requirement of anything here: ``pip install atheris``.
An input that breaks a promise is left in the target's corpus as ``found-...``, where tests/fuzz/test_corpus.py
replays it from then on.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

try:
    import atheris  # type: ignore[import-untyped]
except ImportError:
    sys.exit(
        "guided fuzzing needs atheris, and it is not installed: pip install atheris (not every platform has it)"
    )

# Only what is imported within is watched.
with atheris.instrument_imports(include=["voice_emulator", "yaml"]):
    from tests.fuzz import targets

from tests.fuzz.inputs import CORPUS, FORM_WORDS, HTTP_WORDS, JSON_WORDS, PART_WORDS, YAML_WORDS
from tests.fuzz.server import Server

WORDS = {
    "scenario": YAML_WORDS, "play": YAML_WORDS, "scenario_json": JSON_WORDS + YAML_WORDS, "control_json": JSON_WORDS,
    "body": FORM_WORDS + JSON_WORDS + PART_WORDS, "query": FORM_WORDS, "traffic": HTTP_WORDS, "control": HTTP_WORDS,
}  # fmt: skip


def dictionary(words: tuple[bytes, ...]) -> str:
    """``words`` in the form of libFuzzer's ``-dict``."""
    quoted = ("".join(f"\\x{byte:02x}" for byte in word) for word in sorted(set(words)) if 0 < len(word) < 64)
    return "".join(f'"{word}"\n' for word in quoted)


def main() -> None:
    """Fuzz one target until the time is over, or a promise is broken (exit status 77)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted([*targets.PURE, *targets.LIVE]))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--longest", type=int, default=4096, help="bytes of an input at most")
    options = parser.parse_args()
    kept = CORPUS / options.target
    logging.getLogger().setLevel(logging.ERROR)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "new").mkdir()
        (folder / "words").write_text(dictionary(WORDS[options.target]))
        known = targets.PURE
        if options.target in targets.LIVE:
            known = targets.live(stack.enter_context(Server("manual")))
        arguments = [
            sys.argv[0], f"-max_total_time={options.seconds}", f"-artifact_prefix={kept}/found-", f"-dict={folder / 'words'}",
            f"-max_len={options.longest}", "-timeout=30", "-rss_limit_mb=2048", "-print_final_stats=1", str(folder / "new"), str(kept),
        ]  # fmt: skip
        atheris.Setup(arguments, known[options.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
