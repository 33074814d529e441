"""The verdicts of ``mutate`` as one document, and as text, JSON, JUnit XML or Markdown: survivors first."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from voice_emulator.report.junit import Case, write_junit
from voice_emulator.report.markdown import table
from voice_emulator.swarm.mutation import KILLED, NOT_REACHED, SURVIVED, VERDICTS, Verdict


def document_of(verdicts: Sequence[Verdict], version: str) -> dict[str, Any]:
    """The verdicts as JSON values, survivors first."""
    ordered = sorted(verdicts, key=lambda each: VERDICTS.index(each.verdict))
    return {
        "generator": f"voice-emulator {version}",
        "mutants": [_shown(each) for each in ordered],
        **{word: sum(each.verdict == word for each in verdicts) for word in (KILLED, SURVIVED, NOT_REACHED)},
    }


def _shown(each: Verdict) -> dict[str, Any]:
    mutant = each.mutant
    return {
        "name": mutant.name,
        "provider": mutant.provider,
        "verdict": each.verdict,
        "cost": mutant.cost,
        "caught_by": mutant.caught_by,
        "load": f'voice_emulator.load("{mutant.caught_by}")',
        "seconds": round(each.seconds, 3),
    }


def sentence(document: Mapping[str, Any]) -> str:
    """The whole in one sentence."""
    return f"{document[SURVIVED]} survived, {document[KILLED]} killed, {document[NOT_REACHED]} not reached"


def text(document: Mapping[str, Any]) -> list[str]:
    """Lines for a terminal: a row for each mutant that acted, and below each survivor its cost and what catches it."""
    mutants = [each for each in document["mutants"] if each["verdict"] != NOT_REACHED]
    widths = [max((len(each[name]) for each in mutants), default=0) for name in ("name", "provider")]
    lines = []
    for each in mutants:
        verdict = each["verdict"].replace("_", " ")
        lines.append(f"{each['name']:<{widths[0]}}  {each['provider']:<{widths[1]}}  {verdict}")
        if each["verdict"] == SURVIVED:
            lines += [f"    {each['cost']}", f"    {each['load']}"]
    idle: dict[str, list[str]] = {}
    for each in document["mutants"]:
        if each["verdict"] == NOT_REACHED:
            idle.setdefault(each["provider"], []).append(each["name"])
    lines += [f"not reached: {provider}: {', '.join(names)}" for provider, names in idle.items()]
    return [*lines, sentence(document)]


def render(document: Mapping[str, Any], kind: str) -> bytes:
    """The document as ``json``, ``junit`` or ``markdown``."""
    if kind == "json":
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
    return _junit(document) if kind == "junit" else _markdown(document)


def _junit(document: Mapping[str, Any]) -> bytes:
    cases = [
        Case(
            each["provider"], each["name"], failure="survived" if each["verdict"] == SURVIVED else None, kind="survivor",
            text=f"{each['cost']}\n{each['load']}" if each["verdict"] == SURVIVED else "", seconds=each["seconds"],
            skipped="not reached" if each["verdict"] == NOT_REACHED else None,
        )
        for each in document["mutants"]
    ]  # fmt: skip
    return write_junit("voice-emulator mutate", cases, {"generator": document["generator"]})


def _markdown(document: Mapping[str, Any]) -> bytes:
    lines = ["## Mutants", "", f"**{sentence(document).capitalize()}.**", ""]
    survivors = [each for each in document["mutants"] if each["verdict"] == SURVIVED]
    if survivors:
        rows = [(each["name"], each["provider"], each["cost"], each["load"]) for each in survivors]
        lines += [
            *table(("survivor", "provider", "what it costs in production", "what catches it"), rows),
            "",
        ]
    for word in (KILLED, NOT_REACHED):
        named = [
            f"{each['name']} ({each['provider']})" for each in document["mutants"] if each["verdict"] == word
        ]
        if named:
            lines += [f"{word.replace('_', ' ').capitalize()}: {', '.join(named)}.", ""]
    return ("\n".join(lines).rstrip() + "\n").encode()
