"""MAP: the YAML file that says which column of a bill means what, and what the bill is measured by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voice_emulator.core.billing import Tariff
from voice_emulator.errors import FileFinding, UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.providers.settings import Setting
from voice_emulator.scenarios.diagnostics import Diagnostics, Members
from voice_emulator.scenarios.nodes import Location, Scalar, as_value
from voice_emulator.scenarios.yaml_events import from_yaml
from voice_emulator.swarm.bill_values import read_offset

#: What a column can mean.
MEANINGS = ("number", "id", "charge", "seconds", "at", "currency")
_TARIFFS = Setting("tariffs", "tariffs", {}, "Prices by provider.")


@dataclass(frozen=True, slots=True)
class BillMap:
    """``columns`` by meaning; None says that the bill has none. What is not in it is recognised by its name.

    ``zone`` is that of times without one, in seconds east of UTC (default: the one that fits most rows). ``tariffs``
    are the user's prices by provider, for those that state none, in place of the ledger's.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    zone: int | None = None
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def read_map(body: bytes, label: str) -> BillMap:
    """The map in ``body``. Raises UsageError with ``label:line:column: what`` of the first mistake."""
    try:
        node, findings = from_yaml(body.decode(), label)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{label}:{line}: not UTF-8") from error
    reading = Diagnostics(label)
    known = (*MEANINGS, "zone", "tariffs")
    members = reading.mapping(node, "the map", known) if node is not None else None
    columns: dict[str, str | None] = {}
    for meaning in MEANINGS:
        member = members.get(meaning) if members else None
        if isinstance(member, Scalar) and member.null:
            columns[meaning] = None
        elif members and (column := members.read(meaning, Diagnostics.text, meaning)):
            columns[meaning] = column
    zone = _zone(members) if members else None
    tariffs = _tariffs(members) if members else {}
    _raise(findings or reading.in_order())
    places = {meaning: _place(label, members.key(meaning)) for meaning in columns} if members else {}
    return BillMap(columns, zone, tariffs, places)


def _place(label: str, where: Location) -> str:
    return f"{label}:{where.line}:{where.column}"


def _zone(members: Members) -> int | None:
    text = members.read("zone", Diagnostics.text, "zone")
    try:
        return read_offset(text) if text is not None else None
    except ValueError as error:
        members.error("zone", str(error))
        return None


def _tariffs(members: Members) -> Mapping[str, Tariff]:
    if "tariffs" not in members:
        return {}
    reading = Diagnostics("")
    named = reading.mapping(members["tariffs"], "tariffs", tuple(discover()))
    try:
        found: Mapping[str, Tariff] = _TARIFFS.read(as_value(members["tariffs"]))
    except ValueError as error:
        members.error("tariffs", f"tariffs: {error}")
        return {}
    if named is None or reading.findings:
        members.error("tariffs", reading.findings[0].message)
    return found


def _raise(findings: list[FileFinding]) -> None:
    if findings:
        raise UsageError(str(findings[0]))
