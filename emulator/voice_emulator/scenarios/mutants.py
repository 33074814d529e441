"""The mutants: providers that are each wrong in one way. Data in ``scenarios/mutants/``, one file each.

A file has ``name``, ``cost`` (a sentence: what it costs in production), ``caught_by`` (the shipped scenario that shows the
same), ``rules`` and ``settings`` as scenarios have them, ``providers`` (absent: every provider whose receipts and operations
have what the rules name), and ``role``: which operations the rules are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, cast

import yaml

from voice_emulator.core.faults import FaultEffect
from voice_emulator.core.overlay import Overlay
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.values import plain_value
from voice_emulator.core.words import nearest
from voice_emulator.errors import FileError, UsageError
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation
from voice_emulator.resources import data_path
from voice_emulator.scenarios.loader import SUFFIX, ScenarioLoader

FOLDER = "mutants"
KEYS = frozenset({"name", "cost", "caught_by", "rules", "settings", "providers", "role"})
#: The operations that the rules of a mutant are about, by its ``role``.
ROLES: Mapping[str, Callable[[Provider, Operation], bool]] = {
    "submissions": lambda provider, operation: operation.places_calls,
    "tokens": lambda provider, operation: operation.issues_token,
    "queries": lambda provider, operation: operation.queries_calls,
    "token users": lambda provider, operation: operation.name in provider.contract.uses_token,
}


@plain_value
class Mutant:
    """One way in which one provider is wrong. ``rule`` is the name that its rules have in the journal."""

    name: str
    provider: str
    cost: str
    caught_by: str
    overlay: Overlay

    @property
    def rule(self) -> str:
        """What its rules are called."""
        return f"mutant {self.name}"

    @property
    def receipt(self) -> ReceiptEffect | None:
        """What it does to receipts, if anything."""
        return next((rule.receipt for rule in self.overlay.rules), None)

    @property
    def fault(self) -> FaultEffect | None:
        """How it breaks replies, if at all."""
        return next((rule.fault for rule in self.overlay.rules), None)


@cache
def _files() -> Mapping[str, Mapping[str, Any]]:
    paths = sorted(data_path("scenarios", FOLDER).iterdir())
    return {
        path.stem: read_mutant(path.read_text(encoding="utf-8")) for path in paths if path.suffix == SUFFIX
    }


def read_mutant(text: str) -> Mapping[str, Any]:
    """The members of a file. Raises ValueError for one that no mutant has, and for one that it lacks."""
    document = yaml.safe_load(text)
    unknown, missing = document.keys() - KEYS, {"name", "cost", "caught_by"} - document.keys()
    if unknown or missing or document.get("role", "submissions") not in ROLES:
        raise ValueError(
            f"not a mutant: unknown {sorted(map(str, unknown))}, missing {sorted(missing)}, or a bad role"
        )
    return cast("Mapping[str, Any]", document)


def mutant_names() -> list[str]:
    """The names of all mutants, in alphabetical order."""
    return list(_files())


def find_mutants(name: str, loader: ScenarioLoader, providers: Mapping[str, Provider]) -> list[Mutant]:
    """The mutant of this name, once for each provider that it applies to. Raises UsageError for an unknown name."""
    document = _files().get(name)
    if document is None:
        raise UsageError(f"there is no mutant {name!r}{nearest(name, mutant_names())}")
    named = document.get("providers")
    found = []
    for provider in providers.values():
        if named is not None and provider.id not in named:
            continue
        try:
            overlay = _overlay(document, provider, loader)
        except FileError:
            if named is not None:
                raise
            continue
        if overlay is not None:
            found.append(Mutant(name, provider.id, document["cost"], document["caught_by"], overlay))
    return found


def all_mutants(loader: ScenarioLoader, providers: Mapping[str, Provider]) -> list[Mutant]:
    """All mutants, by name, then in the order of the providers."""
    return [mutant for name in mutant_names() for mutant in find_mutants(name, loader, providers)]


def _overlay(document: Mapping[str, Any], provider: Provider, loader: ScenarioLoader) -> Overlay | None:
    """What is laid over scenarios; None for a provider that has none of the operations."""
    rules = list(_rules(document, provider))
    settings = (document.get("settings") or {}).get(provider.id)
    if not rules and not settings:
        return None
    scenario: dict[str, Any] = {"name": document["name"]}
    if rules:
        scenario["rules"] = rules
    if settings:
        scenario["providers"] = {provider.id: settings}
    read = loader.mapping(scenario)
    return Overlay(read.rules, read.providers)


def _rules(document: Mapping[str, Any], provider: Provider) -> Iterator[dict[str, Any]]:
    role = ROLES.get(document.get("role", ""))
    for rule in document.get("rules", ()):
        match = dict(rule.get("match") or {})
        if match.setdefault("provider", provider.id) != provider.id:
            continue
        if role is not None:
            # Else a rule that counts arrivals would count those that cannot fail in its way.
            error = rule.get("reply", {}).get("error")
            match["operation"] = [
                each.name
                for each in provider.operations.values()
                if role(provider, each) and (error is None or provider.find_error(error, each.name))
            ]
            if not match["operation"]:
                continue
        yield {**rule, "name": f"mutant {document['name']}", "match": match}
