"""Warnings about rules that are valid and can never act, or never do all that they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voice_emulator.core.matchers import Globs, Match, compile_glob
from voice_emulator.core.scenario import Rule
from voice_emulator.providers.provider import Provider
from voice_emulator.scenarios.catalogue import Catalogue

#: Pairs of rules that are compared; the rest of a scenario of thousands of rules is not looked at.
PAIRS_LIMIT = 500_000
#: Kinds of effect: for each, the first rule that matches wins.
EFFECTS = ("reply", "fault", "call", "receipt")
#: Members of ``receipt`` that change a signature.
SIGNING = ("bad_signature", "stale_timestamp", "duplicate_nonce")

#: A provider's id and the name of one of its operations.
Pair = tuple[str, str]


def never_acting(rules: Sequence[Rule], catalogue: Catalogue) -> Iterator[tuple[int, str]]:
    """(position, warning) of each rule, in the order of the rules."""
    reach = [_reach(rule.match, catalogue) for rule in rules]
    left = PAIRS_LIMIT
    for position, rule in enumerate(rules):
        for message in _on_its_own(rule, reach[position], catalogue):
            yield position, message
        effects = [effect for effect in EFFECTS if getattr(rule, effect) is not None]
        for effect in effects:
            left -= position
            if left < 0:
                return
            placing = reach[position]
            if effect in ("call", "receipt"):
                placing = {pair for pair in placing if _places_calls(pair, catalogue)}
            for earlier, wider in zip(rules[:position], reach, strict=False):
                if (
                    _always_wins(earlier, rule, effect)
                    and placing <= wider
                    and covers(earlier.match, rule.match)
                ):
                    what = "" if len(effects) == 1 else f"{effect} of "
                    yield (
                        position,
                        (
                            f"{what}rule {rule.name!r} never acts: the earlier rule {earlier.name!r} matches all that it "
                            "matches; put it first, or narrow the other"
                        ),
                    )
                    break


def _on_its_own(rule: Rule, reach: set[Pair], catalogue: Catalogue) -> Iterator[str]:
    match, providers = rule.match, [catalogue.providers[name] for name in sorted({pair[0] for pair in reach})]
    if rule.chance == 0:
        yield f"rule {rule.name!r} never acts: its chance is 0%"
    if match.number is not None and reach and not any(_places_calls(pair, catalogue) for pair in reach):
        operations = ", ".join(sorted({operation for _, operation in reach}))
        yield f"rule {rule.name!r} never acts: it matches a number, and requests of {operations} have none"
    if match.provider is not None:
        for idle in sorted(match.provider - {provider.id for provider in providers}):
            yield f"rule {rule.name!r} never acts on {idle}: {idle} has none of these operations"
    nth = match.nth
    if nth is not None and nth.every is None and rule.times is not None and rule.times > len(nth.numbers):
        yield (
            f"times {rule.times} of rule {rule.name!r} is never reached: nth lets it act "
            f"{len(nth.numbers)} time{'' if len(nth.numbers) == 1 else 's'}"
        )
    if rule.receipt is not None:
        signing = [name for name in SIGNING if getattr(rule.receipt, name)]
        if signing and providers and not any(_signs(provider) for provider in providers):
            names = " and ".join(provider.id for provider in providers)
            verb = "does" if len(providers) == 1 else "do"
            yield f"{signing[0]} of rule {rule.name!r} has no effect: {names} {verb} not sign receipts"


def _signs(provider: Provider) -> bool:
    grading = provider.contract.grading
    return grading is not None and grading.signed


def _places_calls(pair: Pair, catalogue: Catalogue) -> bool:
    provider, operation = pair
    return catalogue.providers[provider].operations[operation].places_calls


def _reach(match: Match, catalogue: Catalogue) -> set[Pair]:
    """The operations that a rule can match."""
    return {
        (provider.id, operation)
        for provider in catalogue.providers.values()
        if match.provider is None or provider.id in match.provider
        for operation in provider.operations
        if match.operation is None or operation in match.operation
    }


def _always_wins(earlier: Rule, later: Rule, effect: str) -> bool:
    """Whether ``earlier``, where both match, is always the one whose ``effect`` acts."""
    if getattr(earlier, effect) is None or earlier.match.nth is not None or earlier.times is not None:
        return False
    if earlier.chance is not None and earlier.chance < 1:
        return False
    # For calls, rules that name a number precede the others (:meth:`RuleBook.for_number`).
    return not (effect == "call" and earlier.match.number is None and later.match.number is not None)


def covers(wide: Match, narrow: Match) -> bool:
    """Whether ``wide`` certainly matches all that ``narrow`` does; providers and operations are not compared.

    Sound, and complete but for unions: two globs that cover a third only together are not recognised.
    """
    if wide.number is not None and (narrow.number is None or not _cover(wide.number, narrow.number)):
        return False
    if wide.attempt is not None and (narrow.attempt is None or not narrow.attempt <= wide.attempt):
        return False
    if wide.after is not None and (narrow.after is None or narrow.after < wide.after):
        return False
    if wide.before is not None and (narrow.before is None or narrow.before > wide.before):
        return False
    fields = dict(narrow.fields)
    return all(name in fields and _cover(globs, fields[name]) for name, globs in wide.fields)


def _cover(wide: Globs, narrow: Globs) -> bool:
    return all(any(glob_covers(one, other) for one in wide.patterns) for other in narrow.patterns)


def glob_covers(wide: str, narrow: str) -> bool:
    """Whether every text that fits the glob ``narrow`` fits ``wide`` too."""
    if "*" not in narrow and "?" not in narrow:
        return compile_glob(wide)(narrow)
    if "*" not in wide and "?" not in wide:
        return False
    # For each beginning of `wide`: which beginnings of `narrow` it covers.
    reached = [True] + [False] * len(narrow)
    for token in wide:
        if token == "*":
            for at in range(len(narrow)):
                reached[at + 1] = reached[at + 1] or reached[at]
            continue
        reached = [False] + [
            reached[at] and (narrow[at] == token or (token == "?" and narrow[at] != "*"))
            for at in range(len(narrow))
        ]
    return reached[-1]
