"""The documentation pages of the finding rules, made from their docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from voice_emulator.contract.rules import all_rules
from voice_emulator.providers.contract import FindingRule
from voice_emulator.providers.provider import Provider

_MADE = "<!-- Made from the rule's docstring by `python -m voice_emulator.contract.rules docs/rules`; edit it there. -->\n"
INDEX = "README.md"
#: The paragraph of a rule's docstring that says what to do about a finding.
_FIX = re.compile(r"How to fix it: (.+?)(?:\n\n|\Z)", re.DOTALL)


def rule_page(rule: FindingRule) -> str:
    """The page of one rule."""
    title, _, rest = rule.text.partition("\n")
    providers = ", ".join(sorted(rule.providers)) if rule.providers else "all"
    source = rule.source or "the page of the operation or receipt it is about; each finding names it"
    return (
        f"{_MADE}\n# {rule.id}\n\n{title}\n\n"
        f"| severity | providers | stated by |\n| --- | --- | --- |\n"
        f"| {rule.severity} | {providers} | {source} |\n\n{rest.strip()}\n"
    )


def rule_summaries(providers: Iterable[Provider]) -> list[dict[str, str]]:
    """Every rule by id: its title, and the paragraph of its page that says how to fix a finding."""
    return [
        {"id": rule.id, "severity": rule.severity, "title": rule.title, "fix": _fix(rule)}
        for rule in sorted(all_rules(providers), key=lambda rule: rule.id)
    ]


def _fix(rule: FindingRule) -> str:
    found = _FIX.search(rule.text)
    text = " ".join(found[1].split()) if found is not None else ""
    return text[:1].upper() + text[1:]


def index_page(rules: Iterable[FindingRule]) -> str:
    """The list of all rules."""
    lines = [
        _MADE, "# Contract rules", "",
        "What `voice-emulator report`, the control API's `violations` and `assert_no_violations()` may find.", "",
        "| rule | severity | providers | what |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for rule in sorted(rules, key=lambda rule: rule.id):
        providers = ", ".join(sorted(rule.providers)) if rule.providers else "all"
        lines.append(f"| [{rule.id}]({rule.id}.md) | {rule.severity} | {providers} | {rule.title} |")
    return "\n".join(lines) + "\n"


def pages(providers: Iterable[Provider]) -> Mapping[str, str]:
    """Every page by its file name."""
    rules = all_rules(providers)
    return {f"{rule.id}.md": rule_page(rule) for rule in rules} | {INDEX: index_page(rules)}


def write_pages(folder: Path, providers: Iterable[Provider]) -> None:
    """Write all pages into ``folder``, and remove those of rules that are gone."""
    wanted = pages(list(providers))
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
