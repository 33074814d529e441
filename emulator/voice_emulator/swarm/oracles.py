"""What must hold at the end of a run, read from what the emulator has noted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from voice_emulator.client import Call, Callback, Entry, Violation
from voice_emulator.core.durations import parse_duration
from voice_emulator.core.vocabulary import CONNECTED
from voice_emulator.swarm.reconciliation import Reconciliation
from voice_emulator.swarm.rules import Rule

#: The rule of a call whose end the client never learned (voice_emulator.contract.rules.derived).
ORPHAN = "orphaned-call"
STORM = "retry-storm"
#: A storm is judged in real time; repetitions that this much tenant time lies between are none.
CALM = timedelta(seconds=1)
#: A drawn duration may be anything up to this.
LONGEST_DRAWN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that did not hold. ``numbers`` are the called numbers it is about, if that is known."""

    oracle: str
    rule: str = ""
    provider: str = ""
    operation: str = ""
    message: str = ""
    numbers: tuple[str, ...] = ()

    @property
    def signature(self) -> tuple[str, str, str, str]:
        """Failures with the same signature are the same failure."""
        return self.oracle, self.rule, self.provider, self.operation

    @property
    def title(self) -> str:
        """What failed, in a few words."""
        return " ".join(part for part in self.signature if part)

    @property
    def slug(self) -> str:
        """The title as the name of a file, and of a scenario."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")

    def shown(self) -> dict[str, Any]:
        """The failure as JSON values."""
        return {
            "oracle": self.oracle, "rule": self.rule, "provider": self.provider, "operation": self.operation,
            "message": self.message, "numbers": list(self.numbers),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """All that a run left behind: the journal in order, the calls in the order of submission, the findings."""

    journal: Sequence[Entry]
    calls: Sequence[Call]
    callbacks: Sequence[Callback]
    violations: Sequence[Violation]
    rules: Mapping[str, Rule]

    @property
    def requests(self) -> list[Entry]:
        """The requests of the client."""
        return [entry for entry in self.journal if entry.kind == "request"]


def judge(record: Record) -> list[Failure]:
    """Everything that the emulator itself can tell to be wrong."""
    return [*findings(record), *dialled_again(record), *server_errors(record)]


# --- findings -------------------------------------------------------------------------------------------------------


def findings(record: Record) -> Iterator[Failure]:
    """Error findings against the client, orphans among them."""
    by_id = {call.id: call for call in record.calls}
    entries = {entry.id: entry for entry in record.journal}
    for found in record.violations:
        if found.severity != "error" or (found.rule == STORM and not _stormed(found, record, entries)):
            continue
        call = by_id.get(found.call_id or "")
        entry = entries.get(found.entry) if found.entry is not None else None
        numbers = (call.number,) if call is not None else entry.numbers if entry is not None else ()
        oracle = "orphan" if found.rule == ORPHAN else "finding"
        rule = "" if found.rule == ORPHAN else found.rule
        yield Failure(
            oracle, rule, found.provider or "", found.operation or "", found.message, tuple(numbers)
        )


def _stormed(found: Violation, record: Record, entries: Mapping[int, Entry]) -> bool:
    """Whether no tenant time passed between the repetitions: a client whose clock is the tenant's did pause."""
    last = entries.get(found.entry or 0)
    if last is None:
        return True
    same = [
        entry.at
        for entry in record.requests
        if entry.id <= last.id and (entry.operation, entry.body) == (last.operation, last.body)
    ]
    return len(same) < 2 or same[-1] - same[-min(6, len(same))] < CALM


# --- dialled again --------------------------------------------------------------------------------------------------


def dialled_again(record: Record) -> Iterator[Failure]:
    """Numbers that were accepted again while an earlier call to them was open, or known to be answered."""
    by_id = {call.id: call for call in record.calls}
    delivered: dict[str, int] = {}
    for entry in record.journal:
        if entry.kind == "callback" and entry.subject.get("outcome") == "delivered":
            delivered.setdefault(str(entry.subject.get("call_id")), entry.id)
    earlier: dict[tuple[str, str], list[Call]] = {}
    lags = _lags(record)
    for entry in record.requests:
        for call in (by_id[name] for name in entry.calls if name in by_id):
            before = earlier.setdefault((call.provider, call.number), [])
            for old in before:
                why = _still_open(old, entry) or _known(old, entry, delivered.get(old.id), lags.get(old.id))
                if why:
                    yield Failure(
                        "dialled-again", "", call.provider, call.operation,
                        f"{call.number} was accepted again although its call {old.id} {why}", (call.number,),
                    )  # fmt: skip
                    break
            before.append(call)


def _still_open(old: Call, entry: Entry) -> str:
    return "was still open" if old.ended_at is None or old.ended_at > entry.at else ""


def _known(old: Call, entry: Entry, delivered: int | None, lag: timedelta | None) -> str:
    """Why the client could know that ``old`` was answered; empty when it was not, or when it could not know."""
    if old.answered_at is None or old.ended_at is None:
        return ""
    if delivered is not None and delivered < entry.id:
        return "had been answered, and its receipt was acknowledged"
    if entry.at > old.ended_at + (lag or timedelta()):
        return "had been answered, and the record query showed it"
    return ""


def _lags(record: Record) -> dict[str, timedelta]:
    """How long the record query denies a call, by call id; the longest where it is drawn."""
    found = {}
    for push in record.callbacks:
        effect = (record.rules.get(str(push.rule)) or {}).get("receipt") or {}
        if push.call_id is not None and "query_lag" in effect:
            found[push.call_id] = span(effect["query_lag"])
    return found


def span(value: Any) -> timedelta:
    """A duration of a scenario; :data:`LONGEST_DRAWN` where it is drawn."""
    return timedelta(microseconds=parse_duration(value)) if isinstance(value, str) else LONGEST_DRAWN


def longest_lag(rules: Iterable[Rule]) -> timedelta:
    """The longest time for which the record query denies a call under these rules."""
    lags = [span(lag) for rule in rules if (lag := rule.get("receipt", {}).get("query_lag")) is not None]
    return max(lags, default=timedelta())


# --- the receiver ---------------------------------------------------------------------------------------------------


def server_errors(record: Record) -> Iterator[Failure]:
    """Pushes that the receiver answered with a server error, whatever was wrong with them."""
    by_id = {call.id: call for call in record.calls}
    for push in record.callbacks:
        if push.status is not None and push.status >= 500:
            call = by_id.get(push.call_id or "")
            yield Failure(
                "server-error", push.kind, push.provider, call.operation if call else "",
                f"the receiver answered a push with HTTP {push.status}",
                (push.number,) if push.number else (),
            )  # fmt: skip


# --- the client's own books -----------------------------------------------------------------------------------------

#: Members of ``receipt`` that change what it says.
CHANGING = frozenset({"set", "drop", "repeat_set", "corrupt"})
#: Members of a call in the probe that are compared, with what the ledger has.
COMPARED = ("answered", "talk_seconds", "charge")


def probe(record: Record, calls: Mapping[str, Any]) -> Iterator[Failure]:
    """Calls that the client learned of and its probe lacks or tells otherwise.

    ``calls`` is the probe's ``{id: {...}}``, by any id that the provider gave the call. What a rule has changed in a
    receipt is not held against the client.
    """
    known: dict[str, list[Call]] = {}
    for call in record.calls:
        for name in {call.provider_id, call.batch_id, *call.references} - {""}:
            known.setdefault(name, []).append(call)
    changed = _changed(record)
    learned = {push.call_id for push in record.callbacks if push.delivered}
    for call in record.calls:
        if call.ended_at is None or call.outcome is None:
            continue
        names = [name for name in (call.provider_id, *call.references) if name and known[name] == [call]]
        found = next((calls[name] for name in names if name in calls), None)
        if found is None:
            if names and call.id in learned and call.id not in changed and call.provider_id not in calls:
                yield _probe_failure(call, "missing", f"the probe does not show call {names[0]}")
            continue
        if call.id in changed or not isinstance(found, Mapping):
            continue
        for member, wrong in _differences(call, found):
            yield _probe_failure(call, member, f"call {names[0]}: {wrong}")


def _changed(record: Record) -> set[str | None]:
    """The calls of whose receipts a rule has changed the contents."""
    return {
        push.call_id
        for push in record.callbacks
        if (record.rules.get(str(push.rule)) or {}).get("receipt", {}).keys() & CHANGING
    }


def ledger(record: Record, found: Reconciliation) -> Iterator[Failure]:
    """What the client's bill has otherwise than the ledger, but for receipts whose contents a rule has changed."""
    changed = _changed(record)
    for each in found.differences:
        call, row = each.call, each.row
        if call is not None and call.id in changed:
            continue
        rule = f"{each.kind} {each.cause}".strip() if each.cause != each.kind else each.kind
        number = call.number if call is not None else row.number if row is not None else ""
        yield Failure(
            "ledger", rule, call.provider if call is not None else "", call.operation if call is not None else "",
            f"{number}: {each.kind}: {each.text}", (number,) if number else (),
        )  # fmt: skip


def _probe_failure(call: Call, rule: str, message: str) -> Failure:
    return Failure("probe", rule, call.provider, call.operation, message, (call.number,))


def _differences(call: Call, found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    charge = call.billing.charge if call.billing is not None else Decimal(0)
    right = {"answered": call.outcome in CONNECTED, "talk_seconds": call.talk_seconds, "charge": charge}
    for member in COMPARED:
        told, wanted = found.get(member), right[member]
        if told is None:
            continue
        if isinstance(wanted, bool):
            same = told is wanted
        else:
            try:
                same = Decimal(str(told)) == wanted
            except InvalidOperation:
                same = False
        if not same:
            yield member, f"{member} is {told!r} in the probe, and {wanted} in the ledger"
