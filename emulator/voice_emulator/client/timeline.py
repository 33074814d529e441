"""The journal of a tenant as text, a line each: what a failing test shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from voice_emulator.client.entries import Entry
from voice_emulator.core.shapes import Call, Tenant

#: Entries shown at most; the oldest are left out.
SHOWN = 200
#: Columns of a line.
WIDTH = 200
NUMBERS = 3


def timeline(tenant: Tenant, entries: Sequence[Entry], calls: Iterable[Call] = ()) -> str:
    """``entries`` with their times since the first one, each with the rule and fault that acted on it.

    ``calls`` lets the pushes say how the call went that they report.
    """
    head = f"tenant {tenant.id}, scenario {tenant.scenario}, clock {tenant.clock}"
    if not entries:
        return f"{head}: nothing came over the wire"
    start = entries[0].at
    by_id = {call.id: call for call in calls}
    lines = [f"{head}, times since {start.isoformat(' ', 'milliseconds')}"]
    if len(entries) > SHOWN:
        lines.append(f"  ... {len(entries) - SHOWN} earlier entries left out ...")
    lines += [_line(entry, start, by_id) for entry in entries[-SHOWN:]]
    return "\n".join(lines)


def _line(entry: Entry, start: datetime, calls: Mapping[str, Call]) -> str:
    words = {"request": _request, "callback": _callback, "violation": _violation}.get(entry.kind, _system)(
        entry, calls
    )
    causes = [*(f"rule {name!r}" for name in entry.rules), *(f"fault {name}" for name in entry.faults)]
    acted = f"  [{', '.join(causes)}]" if causes else ""
    line = f"{(entry.at - start).total_seconds():+12.3f}  {entry.kind:<9}  {' '.join(words.split())}{acted}"
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def _request(entry: Entry, calls: Mapping[str, Call]) -> str:
    total = entry.document.get("number_count") or len(entry.numbers)
    numbers = ",".join(entry.numbers[:NUMBERS]) + (f" and {total - NUMBERS} more" if total > NUMBERS else "")
    what = " ".join(
        filter(None, (entry.provider, entry.operation or f"{entry.method} {entry.path}", numbers))
    )
    if entry.status is None:
        note = (entry.document.get("reply") or {}).get("note") if entry.document.get("reply") else "not yet"
        answer = f"no reply ({note})" if note else "no reply"
    else:
        answer = str(entry.status) + (f" code {entry.code}" if entry.code else "")
    if not entry.attributed:
        answer += ", with the credentials of no tenant"
    wrong = "; ".join(
        f"{found.get('place')}: {found.get('message')}".strip(": ") for found in entry.violations
    )
    return f"{what} -> {answer}{f' ({wrong})' if wrong else ''}"


def _callback(entry: Entry, calls: Mapping[str, Call]) -> str:
    attempt = entry.subject
    call = calls.get(str(attempt.get("call_id")))
    number = ",".join(attempt.get("numbers") or ()) or (call.number if call else "")
    went = f"({call.outcome}{f', {call.cause}' if call.cause else ''})" if call and call.outcome else ""
    which = str(attempt.get("label") or "").removesuffix(", attempt 1")
    what = " ".join(filter(None, (entry.provider, which, number, went)))
    answer = str(attempt.get("outcome"))
    if entry.status is not None:
        answer += f": {entry.status} {entry.reply[:60]!r}"
    reason = attempt.get("reason")
    return f"{what} -> {answer}{f' ({reason})' if reason else ''}"


def _violation(entry: Entry, calls: Mapping[str, Call]) -> str:
    found = entry.subject
    where = " ".join(filter(None, (entry.provider, entry.operation)))
    return f"{found.get('severity')} {found.get('rule')} {where}: {found.get('message')}"


def _system(entry: Entry, calls: Mapping[str, Call]) -> str:
    subject = entry.subject
    return str(subject.get("message") or subject.get("text") or subject.get("what") or dict(subject))
