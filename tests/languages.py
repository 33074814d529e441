"""The reminder service in five languages: where each lies, how its tests are run, and what that needs.

docs/languages.md is generated from it, and tests/test_languages.py runs them.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
#: Where Debian's package junit5 puts it.
_JARS = Path("/usr/share/java")
_JUNIT = _JARS / "junit-platform-console-standalone.jar"
_COMPILED_WITH = ("junit-jupiter-api", "apiguardian-api", "opentest4j", "junit-platform-commons")
#: The test that the planted bug breaks; it is what docs/languages.md shows of each.
TWICE = re.compile(r"a_?receipt_?that_?comes_?twice_?is_?charged_?once", re.IGNORECASE)


@dataclass(frozen=True)
class Language:
    """One of the five. ``commands`` get a folder for what is built; ``block`` is how code of it is marked in Markdown."""

    name: str
    folder: str
    block: str
    framework: str
    helper: str
    service: str
    test: str
    by_hand: str
    commands: Callable[[Path], Sequence[Sequence[str]]]
    missing: Callable[[], str]
    dear: bool = False

    def text(self, name: str) -> str:
        return (EXAMPLES / self.folder / name).read_text(encoding="utf-8")

    def twice(self) -> str:
        """The test of repeated receipts, as it stands in the file of tests."""
        lines = self.text(self.test).splitlines()
        start = next(
            number
            for number, line in enumerate(lines)
            if TWICE.search(re.sub(r"[ '\"]", "_", line).replace("__", "_"))
        )
        if lines[start - 1].strip() == "@Test":
            start -= 1
        indent = len(lines[start]) - len(lines[start].lstrip())
        end = next(
            (number for number, line in enumerate(lines) if number > start and not line.strip()), len(lines)
        )
        return "\n".join(line[indent:] for line in lines[start:end])


def _absent(*commands: str) -> Callable[[], str]:
    return lambda: ", ".join(command for command in commands if shutil.which(command) is None)


def _junit_absent() -> str:
    return _absent("java", "javac")() or ("" if _JUNIT.exists() else f"JUnit 5 ({_JUNIT})")


def _java(folder: Path) -> Sequence[Sequence[str]]:
    jars = ":".join(str(_JARS / f"{name}.jar") for name in _COMPILED_WITH)
    sources = sorted(str(path) for path in (EXAMPLES / "java").glob("*.java"))
    # Short programs are fastest without the second compiler.
    quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    return (
        ("javac", *(f"-J{option}" for option in quick), "-d", str(folder), "-cp", jars, *sources),
        ("java", *quick, "-jar", str(_JUNIT), "--disable-banner", "-cp", str(folder), "--scan-classpath"),
    )


LANGUAGES = (
    Language(
        "Python", "python", "python", "unittest", "emulator.py", "reminders.py", "test_reminders.py",
        "python -m unittest", lambda folder: ((sys.executable, "-m", "unittest"),), lambda: "",
    ),
    Language(
        "Java", "java", "java", "JUnit 5", "Emulator.java", "Reminders.java", "RemindersTest.java",
        "make test-examples", _java, _junit_absent, dear=True,
    ),
    Language(
        "PHP", "php", "php", "PHPUnit", "Emulator.php", "Reminders.php", "RemindersTest.php",
        "phpunit .", lambda folder: (("phpunit", "--no-configuration", "--do-not-cache-result", "."),),
        _absent("php", "phpunit"),
    ),
    Language(
        "Go", "go", "go", "go test", "emulator_test.go", "reminders.go", "reminders_test.go",
        "go test -count=1", lambda folder: (("go", "test", "-count=1", "."),), _absent("go"), dear=True,
    ),
    Language(
        "JavaScript", "javascript", "js", "node:test", "emulator.mjs", "reminders.mjs", "reminders.test.mjs",
        "node --test", lambda folder: (("node", "--test"),), _absent("node"),
    ),
)  # fmt: skip
