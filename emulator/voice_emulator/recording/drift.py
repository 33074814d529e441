"""Where the real provider and the emulator differ, in three levels: schemas, behaviour, and what we have assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from voice_emulator.core.clock import SECOND
from voice_emulator.core.masking import MASK
from voice_emulator.recording.comparison import TOLERANCE, Comparison, Finding, name_of
from voice_emulator.recording.exchanges import Exchange, Read, Reader, leaves
from voice_emulator.recording.replay import Pair, replayed
from voice_emulator.schemas.validate import Schema

_CODES = frozenset({"enum", "const"})
_KINDS = {"type": "type", "required": "missing", "additionalProperties": "unknown"}


@dataclass(frozen=True, slots=True)
class Assumption:
    """A field that no page documents for certain, which the recording has."""

    provider: str
    operation: str
    field: str
    certainty: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """The result: ``findings`` with what a lock accepts still among them, and how much was compared."""

    findings: list[Finding]
    assumptions: list[Assumption]
    exchanges: int
    providers: tuple[str, ...]


async def drift(reader: Reader, exchanges: Sequence[Exchange]) -> Drift:
    """Compare a recording with the emulator."""
    made = _Drift(reader)
    for one in exchanges:
        made.against_schemas(reader.read(one))
    replay = await replayed(reader, exchanges)
    for pair in replay.requests:
        made.request(pair)
    for (provider, kind, _), (recorded, here) in replay.pushes.items():
        made.pushes(provider, kind, recorded, here)
    made.rising(exchanges)
    findings = made.comparison.close()
    providers = tuple(sorted({one.provider for one in exchanges}))
    return Drift(findings, made.assumptions(findings), len(exchanges), providers)


class _Drift:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.comparison = Comparison()
        self._parts: dict[tuple[str, str, int], Schema] = {}

    # --- level 1: schemas ---------------------------------------------------------------------

    def against_schemas(self, read: Read) -> None:
        """An unknown or missing field, a wrong type, a code outside the table."""
        exchange = read.exchange
        if exchange.is_push:
            if not read.schema:
                self.comparison.found(
                    Finding(exchange.provider, "push", "", "unreadable", read.unclear, exchange.target[:100])
                )
            for receipt in read.receipts if read.schema else ():
                self._judge(exchange.provider, read.name, self._reader.schemas.get(read.schema), receipt)
        elif read.name and read.answer is not None:
            operation = self._reader.providers[exchange.provider].operations[read.name]
            self._judge(exchange.provider, read.name, self._reader.schemas.get(operation.reply), read.answer)

    def _judge(self, provider: str, operation: str, schema: Schema, value: Any) -> None:
        if schema.accepts(value):
            return
        known = self.comparison.fields(schema)
        before = len(self.comparison.findings)
        for path, leaf in leaves(value):
            one = known.get(path)
            if one is None:
                if leaf is not None and not any(other.startswith(f"{path}/") for other in known):
                    self._found(provider, operation, path, "unknown", "no page documents this field", leaf)
                continue
            schemas = [self._part(schema, path, index, each) for index, each in enumerate(one.documents)]
            if MASK in str(leaf) or one.secret or any(each.accepts(leaf) for each in schemas):
                continue
            violation = next(iter(schemas[0].violations(leaf)), None)
            keyword = violation.keyword if violation is not None else ""
            kind = "code" if keyword in _CODES else _KINDS.get(keyword, "format")
            message = violation.message if violation is not None else "it does not fit its schema"
            self._found(provider, operation, path, kind, message, leaf)
        if len(self.comparison.findings) > before:
            return
        for violation in schema.violations(value):
            if violation.keyword in _KINDS:
                kind, message = _KINDS[violation.keyword], violation.message
                self._found(provider, operation, violation.pointer, kind, message, violation.value)

    def _part(self, schema: Schema, path: str, index: int, document: Mapping[str, Any]) -> Schema:
        """The schema of one field, which may refer to the definitions of the whole."""
        key = (schema.name, path, index)
        if key not in self._parts:
            shared = {"$defs": schema.document["$defs"]} if "$defs" in schema.document else {}
            self._parts[key] = Schema(f"{schema.name} {path}", {**shared, **document})
        return self._parts[key]

    def _found(self, provider: str, operation: str, path: str, kind: str, message: str, value: Any) -> None:
        shown = "" if value is None else str(value)[:200]
        self.comparison.found(Finding(provider, operation, name_of(path), kind, message, shown))

    # --- level 2: behaviour -------------------------------------------------------------------

    def request(self, pair: Pair) -> None:
        """A reply against the one that the same request gets here."""
        recorded, here = pair.recorded, pair.here
        if recorded is None or here is None or not recorded.name or not recorded.exchange.status:
            return
        provider, operation = recorded.exchange.provider, recorded.name
        compare = self.comparison
        before, after = recorded.exchange, here.exchange
        compare.plain(
            provider, operation, "HTTP status", "status", "the status differs", before.status, after.status
        )
        compare.headers(provider, operation, before.reply_headers, after.reply_headers)
        if isinstance(recorded.answer, Mapping) and isinstance(here.answer, Mapping):
            schema = self._reader.schemas.get(self._reader.providers[provider].operations[operation].reply)
            compare.values(provider, operation, schema, recorded.answer, here.answer)
        elif (recorded.answer is None) != (here.answer is None):
            compare.plain(
                provider,
                operation,
                "body",
                "type",
                "only one of the two is JSON",
                before.reply[:50],
                after.reply[:50],
            )

    def pushes(self, provider: str, kind: str, recorded: Sequence[Read], here: Sequence[Read]) -> None:
        """The pushes about one number, or with one id, on both sides."""
        if not kind:
            return  # told by level 1
        compare = self.comparison
        if len(recorded) != len(here):
            message = "the number of pushes about a call differs"
            compare.plain(provider, kind, "pushes", "count", message, len(recorded), len(here))
        elif len(recorded) > 1:
            gaps = zip(pairwise(recorded), pairwise(here), strict=True)
            for (a, b), (c, d) in gaps:
                apart = b.exchange.at - a.exchange.at, d.exchange.at - c.exchange.at
                if abs(apart[0] - apart[1]) > TOLERANCE * SECOND:
                    compare.plain(
                        provider, kind, "pushes", "spacing", "the time between pushes differs",
                        f"{apart[0] / SECOND:.0f} s", f"{apart[1] / SECOND:.0f} s",
                    )  # fmt: skip
        for one, other in zip(recorded, here, strict=False):
            compare.headers(provider, kind, one.exchange.headers, other.exchange.headers)
            compare.plain(
                provider,
                kind,
                "HTTP method",
                "method",
                "the method differs",
                one.exchange.method,
                other.exchange.method,
            )
            schema = self._reader.schemas.get(one.schema)
            for mine, theirs in zip(one.receipts, other.receipts, strict=False):
                compare.values(provider, kind, schema, dict(mine), dict(theirs))

    def rising(self, exchanges: Sequence[Exchange]) -> None:
        """Record ids count: in the order of first pushes they rise."""
        last: dict[tuple[str, str, str], int] = {}
        seen: Counter[tuple[str, str, str, int]] = Counter()
        for read in (self._reader.read(one) for one in exchanges if one.is_push):
            if not read.schema:
                continue
            known = self.comparison.fields(self._reader.schemas.get(read.schema))
            for receipt in read.receipts:
                for path, value in leaves(receipt):
                    one = known.get(path)
                    if one is None or one.kind != "id" or not one.whole_number or not isinstance(value, int):
                        continue
                    place = (read.exchange.provider, read.name, path)
                    again = seen[(*place, value)]
                    seen[(*place, value)] += 1
                    if not again and value < last.get(place, 0):
                        self._found(*place, "id", "a record id is lower than one before it", value)
                    last[place] = max(value, last.get(place, 0))

    # --- level 3: assumptions -----------------------------------------------------------------

    def assumptions(self, findings: Sequence[Finding]) -> list[Assumption]:
        """What was inferred or chosen, and the recording shows: confirmed, or contradicted by a finding."""
        against = {(each.provider, each.operation, each.field) for each in findings}
        found = []
        for (provider, operation, path), one in sorted(
            self.comparison.seen.items(), key=lambda item: item[0]
        ):
            if one.provenance != "documented":
                name = name_of(path)
                confirmed = (provider, operation, name) not in against
                found.append(Assumption(provider, operation, name, one.provenance, confirmed))
        return found
