"""An explanation (:mod:`voice_emulator.report.explanation`) as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.words import counted


def explanation_text(told: Mapping[str, Any]) -> str:
    """The explanation as lines of text."""
    lines = [
        f"Entry {told['entry']}, {told['kind']} at {told['at']}: {told['what']} (scenario {told['scenario']})"
    ]
    if told.get("note"):
        lines.append(f"Note: {told['note']}.")
    if told["kind"] == "request":
        lines += [f"Refused: {reason}" for reason in told["refused"]]
        lines.append(
            f"Reply code {told['code']!r}"
            + (f" through the fault {told['fault']}." if told["fault"] else ".")
        )
    else:
        reason = f": {told['reason']}" if told["reason"] else ""
        lines.append(f"Outcome: {told['outcome']}{reason}. Expected: {told['expected']}.")
        if told["faults"]:
            lines.append(f"Changed by a rule: {', '.join(told['faults'])}.")
    lines += _acted_text(told, "")
    for call in told["calls"]:
        lines += [
            "",
            f"Call {call['call']}, the {ordinal(call['attempt'])} to {call['number']}; fate: {call['fate']}",
        ]
        lines += _acted_text(call, "  ")
        lines.append("  Timeline:")
        lines += [
            f"    {step['at']}  {step['event']}" + (f": {step['detail']}" if step["detail"] else "")
            for step in call["timeline"]
        ]
    if told.get("more_calls"):
        lines.append(f"and {counted(told['more_calls'], 'more call')}")
    return "\n".join(lines)


def ordinal(count: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``4th``, ``11th``."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _acted_text(told: Mapping[str, Any], indent: str) -> list[str]:
    lines = [
        f"{indent}{effect.capitalize()}: by the rule {rule!r}." for effect, rule in told["acted"].items()
    ]
    if not told["acted"]:
        lines.append(f"{indent}No rule acted.")
    if told["nearest"]:
        lines.append(f"{indent}Nearest: {told['nearest']['rule']!r}: {told['nearest']['because']}")
    for rule in told["rules"]:
        verb, effects = "acted " if rule["acted"] else "passed", ", ".join(rule["effects"])
        lines.append(f"{indent}  {verb} {rule['rule']!r} ({effects}): {rule['because']}")
    lines += [
        f"{indent}  drew {each['drawn']} for {each['purpose']}"
        + (f" of {each['rule']!r}" if each["rule"] else "")
        + f": {each['means']}"
        for each in told["draws"]
    ]
    return lines
