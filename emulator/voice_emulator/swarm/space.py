"""The space of faults: which scenario each seed stands for.

Every choice is a keyed draw (:mod:`voice_emulator.core.draws`), so a seed always means the same scenario. Effects of one
kind that are on together are merged into one rule, since the first rule that matches wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voice_emulator.core.draws import draw, integer
from voice_emulator.core.words import nearest
from voice_emulator.errors import FileError, UsageError
from voice_emulator.providers.provider import Provider
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.swarm.families import FAMILIES, ROLES, Drawing, Effect, Family
from voice_emulator.swarm.rules import Rule, Scenario, joined, rule_of

#: The share of seeds in which a family is on: usual ones, those that hide others, and all slow ones together.
USUAL_SHARE, HIDING_SHARE, SLOW_SHARE = 1 / 2, 1 / 3, 1 / 6
#: Every such seed has all families on but those that hide others or cost real time.
ALL_ON = 3
#: How much of what it can hit a family hits, in a seed in which it is on.
INTENSITIES = (0.1, 0.25, 0.5)
#: So many different receipts and calls a seed has for each provider, at most.
VARIANTS = 6
#: A window in which everything of a provider fails.
WINDOWS = ("1m", "10m", "2h")
#: The clock of every run begins here.
START = "2026-01-05T09:00:00+08:00"


@dataclass(frozen=True, slots=True)
class Space:
    """What is drawn from: families with their share of the seeds (None for the usual one), and providers.

    ``base`` holds what every scenario has besides seed, clock and rules: settings of the accounts.
    """

    catalogue: Catalogue
    providers: tuple[Provider, ...]
    families: tuple[Family, ...]
    shares: Mapping[str, float] = field(default_factory=dict)
    start: str = START
    base: Mapping[str, Any] = field(default_factory=dict)
    #: For experiments: ``subsets`` is the real way; ``all`` has all families on, ``single`` one at a time.
    way: str = "subsets"

    def scenario(self, seed: int) -> Scenario:
        """The scenario of a seed; seed 0 has no faults."""
        on = self.families_of(seed)
        rules = [rule for provider in self.providers for rule in self._rules(seed, provider, on)]
        return Scenario(seed, self.start, tuple(rules), base=self.base)

    def families_of(self, seed: int) -> list[Family]:
        """The families that are on in a seed."""
        if seed == 0:
            return []
        if self.way == "single":
            return [self.families[integer(len(self.families), seed, "only")]]
        everything = seed % ALL_ON == 0 or self.way == "all"
        slow = [family for family in self.families if family.slow]
        chosen = None
        if slow and draw(seed, "slow") < SLOW_SHARE:
            chosen = slow[integer(len(slow), seed, "slow family")]
        return [family for family in self.families if self._on(seed, family, everything, chosen)]

    def _on(self, seed: int, family: Family, everything: bool, slow: Family | None) -> bool:
        share = self.shares.get(family.name)
        coin = draw(seed, "family", family.name)
        if family.slow:
            return family is slow and (share is None or coin < share)
        if family.hides:
            return coin < min(HIDING_SHARE, HIDING_SHARE if share is None else share)
        return coin < share if share is not None else everything or coin < USUAL_SHARE

    def _rules(self, seed: int, provider: Provider, on: Sequence[Family]) -> Iterator[Rule]:
        for kind in ("call", "receipt"):
            families = [family for family in on if family.kind == kind]
            yield from self._variants(
                seed, provider, kind, [family for family in families if not family.slow]
            )
            for family in families:
                if family.slow and provider is self._slowed(seed):
                    effect = family.draw(self._drawing(seed, provider, family.name))
                    if effect is not None:
                        yield self._rule(seed, provider, family, {}, {kind: effect}, times=1)
        for family in on:
            if family.kind in ("reply", "fault"):
                yield from self._on_requests(seed, provider, family)

    def _slowed(self, seed: int) -> Provider:
        """The one provider whose request a slow family hits."""
        return self.providers[integer(len(self.providers), seed, "slow provider")]

    def _variants(
        self, seed: int, provider: Provider, kind: str, families: Sequence[Family]
    ) -> Iterator[Rule]:
        """Rules that each hit an equal share of the numbers, each with some of the families."""
        found = []
        for index in range(VARIANTS):
            effects = []
            for family in self._shuffled(families, seed, provider.id, index):
                key = (seed, provider.id, index, family.name)
                if draw(*key, "in") < self._intensity(seed, family):
                    effect = family.draw(self._drawing(seed, provider, f"{family.name} {index}"))
                    effects += [] if effect is None else [effect]
            effect = joined(kind, effects)
            if effect:
                found.append(effect)
        for index, effect in enumerate(found):
            # The next rule is tried where the chance of this one says no: each gets 1 / VARIANTS of all numbers.
            chance = 1 / (VARIANTS - index)
            name = f"{provider.id} {kind} {index + 1}"
            yield rule_of({"provider": provider.id}, {kind: effect}, name=name, **_chance(chance))

    @staticmethod
    def _shuffled(families: Sequence[Family], *key: object) -> list[Family]:
        return sorted(families, key=lambda family: draw(*key, family.name, "order"))

    def _on_requests(self, seed: int, provider: Provider, family: Family) -> Iterator[Rule]:
        operations = tuple(provider.operations.values())
        if family.whole:
            drawing = self._drawing(seed, provider, family.name, operations)
            effect = family.draw(drawing)
            if effect is not None:
                window = {"before": drawing.choose(WINDOWS, "window")}
                yield self._rule(seed, provider, family, window, {family.kind: effect}, chance=0.8)
            return
        for role in family.roles:
            hit = tuple(each for each in operations if ROLES[role](each))
            effect = family.draw(self._drawing(seed, provider, f"{family.name} {role}", hit)) if hit else None
            if effect is None or draw(seed, provider.id, family.name, role, "in") >= 1 / 2:
                continue
            if family.slow and provider is not self._slowed(seed):
                continue
            match = {"operation": [each.name for each in hit] if len(hit) > 1 else hit[0].name}
            limits = {"times": 1} if family.slow else {"chance": self._intensity(seed, family)}
            yield self._rule(seed, provider, family, match, {family.kind: effect}, role=role, **limits)
            if family.slow:
                return

    def _rule(
        self,
        seed: int,
        provider: Provider,
        family: Family,
        match: Mapping[str, Any],
        effects: Mapping[str, Effect],
        *,
        role: str = "",
        chance: float = 1,
        times: int | None = None,
    ) -> Rule:
        name = " ".join(part for part in (provider.id, family.name, role) if part)
        limits = _chance(chance) | ({} if times is None else {"times": times})
        return rule_of({"provider": provider.id, **match}, effects, name=name, **limits)

    def _drawing(self, seed: int, provider: Provider, purpose: str, operations: Any = ()) -> Drawing:
        return Drawing(provider, self.catalogue, operations, (seed, provider.id, purpose))

    @staticmethod
    def _intensity(seed: int, family: Family) -> float:
        return INTENSITIES[integer(len(INTENSITIES), seed, family.name, "intensity")]


def _chance(chance: float) -> dict[str, Any]:
    return {} if chance >= 1 else {"chance": f"{chance * 100:.4g}%"}


def numbers(count: int) -> tuple[str, ...]:
    """The numbers to dial, valid for every provider; none of them ends in a magic number."""
    return tuple(f"62812{3_456_000 + index * 1_111 + 1_117:07d}1" for index in range(count))


def make_space(
    catalogue: Catalogue,
    *,
    mode: str = "legal",
    providers: Sequence[str] = (),
    file: Path | None = None,
    start: str = START,
    way: str = "subsets",
) -> Space:
    """The space of ``mode`` (legal or hostile), narrowed to ``providers`` and changed by a ``--space`` file.

    Raises UsageError for an unknown provider, FileError for a bad file.
    """
    known = catalogue.providers
    for name in providers:
        if name not in known:
            raise UsageError(f"there is no provider {name!r}{nearest(name, known)}")
    chosen = tuple(known[name] for name in providers or known)
    shares, base = _read(file) if file is not None else ({}, {})
    families = tuple(
        family
        for family in FAMILIES
        if shares.get(family.name, 1) > 0 and (family.legal or mode == "hostile" or family.name in shares)
    )
    return Space(catalogue, chosen, families, shares, start, base, way)


def _read(path: Path) -> tuple[dict[str, float], dict[str, Any]]:
    """Shares of families, and the base of every scenario, of a ``--space`` file."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FileError(f"cannot read {path}: {' '.join(str(error).split())}", []) from error
    if not isinstance(document, dict) or not document.keys() <= {"families", "scenario"}:
        raise FileError(f"{path}: expected a mapping with families and scenario", [])
    shares = {}
    for name, value in (document.get("families") or {}).items():
        if name not in {family.name for family in FAMILIES}:
            close = nearest(str(name), [family.name for family in FAMILIES])
            raise FileError(f"{path}: there is no family {name!r}{close}", [])
        shares[name] = _share(path, name, value)
    base = document.get("scenario") or {}
    if not isinstance(base, dict) or base.keys() & {"name", "seed", "clock", "rules"}:
        raise FileError(f"{path}: scenario takes providers, extends and magic_numbers", [])
    return shares, base


def _share(path: Path, name: str, value: Any) -> float:
    """``off``, ``on``, or a percentage of the seeds."""
    if isinstance(value, bool):
        return float(value)
    text = str(value)
    try:
        share = (
            {"off": 0.0, "on": 1.0}[text] if text in ("on", "off") else float(text.removesuffix("%")) / 100
        )
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise FileError(
            f"{path}: families.{name} must be on, off or a share such as 30%, not {text[:40]!r}", []
        )
    return share
