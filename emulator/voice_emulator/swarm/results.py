"""What a hunt leaves behind: a scenario file for each failure, and the whole as JSON, JUnit XML or Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice_emulator.core.clock import rfc3339
from voice_emulator.errors import FileError, UsageError
from voice_emulator.report.junit import Case, write_junit
from voice_emulator.report.markdown import code_block, table
from voice_emulator.swarm.hunt import Found, Outcome
from voice_emulator.swarm.rules import Rule, Scenario
from voice_emulator.swarm.shrinking import REPEATS

#: The line of a result file that holds the options of the run.
MARK = "# swarm: "
#: Lines of the timeline, and of a message, that a file shows.
TIMELINE_LINES = 60
MESSAGE_LINES = 20
#: Version of the JSON document's shape.
SHAPE = 1


def result_text(found: Found, options: Mapping[str, Any], version: str) -> str:
    """The scenario of a failure, with comments that say what failed and how, and the options to replay it with."""
    failure, shrunk = found.failure, found.shrunk
    again = (
        "it repeats" if shrunk.stable else f"it came again {shrunk.repeated} times of {REPEATS}; not shrunk"
    )
    comments = [
        f"Found by voice-emulator swarm {version}, seed {found.seed}; {again}.",
        f"What failed: {failure.title}",
        *_lines(failure.message, MESSAGE_LINES),
        *(["Numbers: " + ", ".join(failure.numbers[:10])] if failure.numbers else []),
        "",
        *_lines(shrunk.result.timeline, TIMELINE_LINES),
        "",
        "Run it again: voice-emulator swarm replay FILE",
    ]
    known = {"seed": found.seed, "version": version, "numbers": list(shrunk.numbers), **options}
    lines = [f"# {line}".rstrip() for line in comments]
    lines.append(MARK + json.dumps(known, ensure_ascii=False))
    return "\n".join(lines) + "\n" + shrunk.scenario.text


def _lines(text: str, limit: int) -> list[str]:
    """At most ``limit`` lines, none of which can end the comment it becomes."""
    lines = ["".join(c if c.isprintable() else " " for c in line) for line in text.splitlines()]
    return [*lines[:limit], *([f"... and {len(lines) - limit} more lines"] if len(lines) > limit else [])]


def save(found: Found, directory: Path, options: Mapping[str, Any], version: str) -> Path:
    """Write the file of a failure: ``DIR/<what-failed>.yaml``. Raises UsageError where that is not possible."""
    path = directory / f"{found.failure.slug}.yaml"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(result_text(found, options, version), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    return path


@dataclass(frozen=True, slots=True)
class Kept:
    """A result file as it was read: scenario, numbers to dial, and options by name."""

    scenario: Scenario
    numbers: tuple[str, ...]
    options: Mapping[str, Any]


def read(path: Path, seed: int | None = None) -> Kept:
    """Read a result file. Any other scenario has no options.

    Raises UsageError for a file that cannot be read, FileError for anything but a scenario.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    options: Any = {}
    for line in text.splitlines():
        if line.startswith(MARK):
            try:
                options = json.loads(line.removeprefix(MARK))
            except ValueError as error:
                raise UsageError(f"{path}: the line {MARK.strip()!r} is not JSON: {error}") from error
    try:
        # As text: what the file says must reach the emulator as it is written.
        document = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - the base loader makes text, lists and mappings only
    except yaml.YAMLError as error:
        raise FileError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict) or not isinstance(options, dict):
        raise FileError(f"{path}: not a scenario")
    return Kept(_scenario(document, options, seed), tuple(options.get("numbers", ())), options)


def _scenario(document: dict[str, Any], options: Mapping[str, Any], seed: int | None) -> Scenario:
    from voice_emulator.swarm.space import START

    rest = dict(document)
    clock = rest.pop("clock", None)
    start = clock.get("start") if isinstance(clock, dict) else None
    rules: list[Rule] = [rule for rule in rest.pop("rules", None) or [] if isinstance(rule, dict)]
    name, own = str(rest.pop("name", "replay")), rest.pop("seed", None)
    chosen = next((each for each in (seed, own, options.get("seed")) if each is not None), 1)
    return Scenario(int(chosen), str(start or START), tuple(rules), name, rest)


def document_of(
    outcome: Outcome, files: Mapping[int, str], options: Mapping[str, Any], version: str, at: int
) -> dict[str, Any]:
    """The hunt as JSON values; ``files`` names the file of each failure by its position, ``at`` is the real time."""
    return {
        "shape": SHAPE,
        "generator": f"voice-emulator {version}",
        "at": rfc3339(at),
        "seeds": outcome.seeds,
        "runs": outcome.runs,
        "seconds": round(outcome.seconds, 3),
        "ended": outcome.ended or None,
        "options": dict(options),
        "failures": [_shown(found, files.get(index)) for index, found in enumerate(outcome.found)],
    }


def _shown(found: Found, file: str | None) -> dict[str, Any]:
    shrunk = found.shrunk
    return found.failure.shown() | {
        "seed": found.seed,
        "file": file,
        "shrunk": shrunk.stable,
        "repeated": shrunk.repeated,
        "runs": shrunk.runs,
        "rules": len(shrunk.scenario.rules),
        "scenario": shrunk.scenario.text,
        "called": list(shrunk.numbers),
    }


def render(document: Mapping[str, Any], kind: str) -> bytes:
    """The document as ``json``, ``junit`` or ``markdown``."""
    if kind == "json":
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    return _junit(document) if kind == "junit" else _markdown(document)


def sentence(document: Mapping[str, Any]) -> str:
    """The whole in one sentence."""
    count = len(document["failures"])
    what = "found nothing" if not count else f"found {count} failure{'' if count == 1 else 's'}"
    ended = f" ({document['ended']})" if document["ended"] else ""
    seeds = f"{document['seeds']:,} seed{'' if document['seeds'] == 1 else 's'}"
    return f"{what} in {seeds}, {document['runs']:,} runs, {document['seconds']:.0f} s{ended}"


def _title(failure: Mapping[str, Any]) -> str:
    return " ".join(failure[name] for name in ("oracle", "rule", "provider", "operation") if failure[name])


def _junit(document: Mapping[str, Any]) -> bytes:
    cases = [
        Case(
            "swarm", _title(failure), failure=failure["message"].partition("\n")[0], kind=failure["oracle"],
            text=f"{failure['message']}\n\nseed {failure['seed']}\n{failure['scenario']}",
        )
        for failure in document["failures"]
    ] or [Case("swarm", f"{document['seeds']} seeds")]  # fmt: skip
    return write_junit("voice-emulator swarm", cases, {"generator": document["generator"]})


def _markdown(document: Mapping[str, Any]) -> bytes:
    lines = ["## Swarm", "", f"**{sentence(document).capitalize()}.**", ""]
    if document["failures"]:
        rows = [
            (_title(each), each["message"].partition("\n")[0], each["seed"], each["file"] or "")
            for each in document["failures"]
        ]
        lines += [*table(("what failed", "how", "seed", "file"), rows), ""]
    for failure in document["failures"]:
        lines += [f"### {_title(failure)}", "", *code_block(failure["scenario"].splitlines()), ""]
    return ("\n".join(lines).rstrip() + "\n").encode()
