"""Calls of a ledger and the bill that is right for them, for tests of reconciliation."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from voice_emulator.core.billing import Tariff, bill
from voice_emulator.core.shapes import Billing, Call, TimelineStep

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
GROUP = Tariff(60, Decimal("0.036"), Decimal("0.005"))
FREE = Tariff()
OPERATIONS = {"nxcloud": "gpsend", "huawei_cec": "createVoiceNotification", "infin8linx": "PlayVoice"}


def call(
    index: int = 1, *, provider: str = "nxcloud", talk: float = 61, answered: bool = True, ring: float = 8,
    tariff: Tariff | None = None, at: datetime | None = None, **changes: Any,
) -> Call:  # fmt: skip
    """An ended call, the ``index``-th of a minute each; its number and ids follow from the index."""
    begun = at or START + timedelta(minutes=index)
    answered_at = begun + timedelta(seconds=ring) if answered else None
    ended_at = begun + timedelta(seconds=ring + (talk if answered else 0))
    tariff = tariff or (GROUP if provider == "nxcloud" else FREE)
    seconds = int(talk) if answered else 0
    priced = bill(tariff, answered, seconds)
    values: dict[str, Any] = {
        "id": f"call{index:06}", "provider": provider, "operation": OPERATIONS[provider],
        "number": f"62812{index:08}", "caller": "100", "state": "ended",
        "outcome": "answered" if answered else "no_answer", "cause": None, "ended_by": "callee",
        "submitted_at": begun, "ring_at": begun, "answered_at": answered_at, "ended_at": ended_at,
        "talk_seconds": seconds, "keys": "",
        "billing": Billing(priced.cycle, priced.cycles, priced.unit_price, priced.basic_price, priced.charge),
        "provider_id": f"{provider}-{index:06}", "batch_id": "", "references": (), "rule": None,
        "receipt": "delivered", "timeline": (TimelineStep(ended_at, "callback", "delivered"),), "document": {},
    }  # fmt: skip
    return Call(**(values | changes))


def mixed(count: int, start: datetime = START) -> list[Call]:
    """Calls over all three providers, three of four answered, of all lengths."""
    providers = tuple(OPERATIONS)
    return [
        call(
            index,
            provider=providers[index % 3],
            talk=1 + index * 37 % 240,
            answered=index % 4 != 3,
            at=start + timedelta(minutes=index),
        )
        for index in range(1, count + 1)
    ]


def row_of(one: Call, **changes: Any) -> dict[str, Any]:
    """The row that is right for a call."""
    charge = one.billing.charge if one.billing is not None else Decimal(0)
    row = {
        "id": one.provider_id, "number": one.number, "charge": format(charge, "f"),
        "seconds": str(one.talk_seconds), "at": one.submitted_at.isoformat(),
    }  # fmt: skip
    return row | changes


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Iterable[str] | None = None, **dialect: Any) -> bytes:
    """The rows as CSV with a header."""
    out = io.StringIO()
    names = list(columns if columns is not None else rows[0])
    writer = csv.DictWriter(out, names, extrasaction="ignore", lineterminator="\n", **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
