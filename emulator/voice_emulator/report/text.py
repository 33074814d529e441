"""The contract report as text for a terminal, and as workflow commands for GitHub Actions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voice_emulator.report.wording import by_provider, called, counted, fate_counts, verdict_line, where

#: Calls and examples of a group that are shown.
CALLS = 5
EXAMPLES = 3


def contract_text(document: Mapping[str, Any]) -> Iterator[str]:
    """The verdict, the findings by rule, and where the accepted numbers are; line by line."""
    summary, accounts = document["summary"], document["conservation"]
    yield verdict_line(summary)
    for group in document["findings"]:
        yield f"  {group['severity']:<8} {group['count']:>6,}  {group['rule']} ({by_provider(group)}): {group['title']}"
        yield f"      how to fix it: {group['fix']}"
        if group["calls"]:
            yield f"      calls: {called(group, CALLS)}"
        for each in group["examples"][:EXAMPLES]:
            yield f"      {where(each) or 'the run'}: {each['message']}"
        if group["count"] > EXAMPLES:
            yield f"      and {group['count'] - min(EXAMPLES, len(group['examples'])):,} more"
    fates = fate_counts(accounts)
    accepted = counted(accounts["accepted"], "number")
    yield f"{accepted} accepted: {fates}" if fates else "No number was accepted."
    idle = [
        name
        for name, each in document["coverage"]["providers"].items()
        if not each["operations"]["exercised"]
    ]
    if idle and summary["judged"]:
        yield f"Not exercised: {', '.join(idle)}."


def workflow_commands(document: Mapping[str, Any], *, allow_empty: bool = False) -> Iterator[str]:
    """One GitHub workflow command per group of findings."""
    if not document["summary"]["judged"] and not allow_empty:
        yield _command("error", "judged", verdict_line(document["summary"]))
    for group in document["findings"]:
        lines = [group["title"], f"How to fix it: {group['fix']}"]
        if group["calls"]:
            lines.append(f"Calls: {called(group, CALLS)}")
        lines += [f"{where(each) or 'the run'}: {each['message']}" for each in group["examples"][:EXAMPLES]]
        yield _command(group["severity"], f"{group['rule']} ({by_provider(group)})", "\n".join(lines))


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_escaped(title, ':,')}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """Escaped as the runner reads it: in a property, colon and comma too."""
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
