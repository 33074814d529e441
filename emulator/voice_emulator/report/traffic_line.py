"""One line for each request and each push, as `serve` and `tail` print them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from voice_emulator.core.words import one_line

#: Lines in one second; what is beyond is summed up in one.
LINES_PER_SECOND = 100
#: Characters of a path or URL, and of a reason.
TARGET_LIMIT = 160
REASON_LIMIT = 400
_KINDS = (("request", "request", "requests", "refused"), ("callback", "push", "pushes", "not delivered"))


def traffic_line(row: Mapping[str, Any], tenant: str = "default") -> str:
    """The line of a request (a row of the journal) or of a push (an entry of ``callbacks``)."""
    return one_line(_request(row, tenant) if "request" in row else _push(row, tenant))


def _request(row: Mapping[str, Any], tenant: str) -> str:
    target = f"{row['request']['method']} {_short(row['request']['path'], TARGET_LIMIT)}"
    status = (row["reply"] or {}).get("status")
    facts = [f"code {row['code']}"] if row["code"] else []
    if status != 200 or not facts:
        facts.append(f"status {status}" if status else "no reply sent")
    return _line(row, target, row["operation"], facts, row["why"][:1], "refused: ", tenant)


def _push(row: Mapping[str, Any], tenant: str) -> str:
    # The query of a push by GET is the whole receipt.
    target = f"PUSH {_short((row['url'] or '(no receiver)').partition('?')[0], TARGET_LIMIT)}"
    facts = [row["outcome"].replace("_", " ")] + ([f"status {row['status']}"] if row["status"] else [])
    why = [row["reason"]] if row["reason"] and row["outcome"] != "delivered" else []
    what = f"{row['kind']} {row['number']}" if row["number"] else row["kind"]
    return _line(row, target, what, facts, why, "", tenant)


def _line(
    row: Mapping[str, Any],
    target: str,
    what: str | None,
    facts: list[str],
    why: list[str],
    verb: str,
    tenant: str,
) -> str:
    faults = [row["fault"]] if row.get("fault") else row.get("faults", [])
    facts += [f"{row['duration_ms']:.1f} ms", *(f"fault {fault}" for fault in faults)]
    names = [row["provider"], what, f"(tenant {tenant})" if tenant != "default" else None]
    subject = " ".join([target, *(name for name in names if name)])
    reason = f"; {verb}{_short(why[0], REASON_LIMIT)}" if why else ""
    return f"{row['at'][:23]}Z {subject}: {', '.join(facts)}{reason}"


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."


class Loop(Protocol):
    """What :class:`LineLimit` needs of an event loop."""

    def time(self) -> float:
        """Seconds of a clock that never goes back."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> object:
        """Call ``callback`` in ``delay`` seconds."""


class LineLimit:
    """Lets :data:`LINES_PER_SECOND` lines through in a second, and sums up the others when it is over."""

    def __init__(self, loop: Loop, write: Callable[[str], object]) -> None:
        """``write`` takes the line that sums up."""
        self._loop = loop
        self._write = write
        self._until = 0.0
        self._lines = 0
        self._more: Counter[tuple[str, bool]] = Counter()

    def admit(self, kind: str, wrong: bool) -> bool:
        """Whether the line of one more request or push (``kind``) is to be printed; if not, it is counted.

        ``wrong``: the request was refused, or the push did not succeed.
        """
        now = self._loop.time()
        if now >= self._until:
            self.sum_up()
            self._until, self._lines = now + 1, 0
        self._lines += 1
        if self._lines <= LINES_PER_SECOND:
            return True
        if not self._more:
            self._loop.call_later(self._until - now, self.sum_up)
        self._more[kind, wrong] += 1
        return False

    def sum_up(self) -> None:
        """Write the line about those that were counted since the last one, if there are any."""
        more, self._more = self._more, Counter()
        told = []
        for kind, one, several, failed in _KINDS:
            bad = more[kind, True]
            count = bad + more[kind, False]
            if count:
                told.append(
                    f"{count:,} more {one if count == 1 else several}"
                    + (f" ({bad:,} {failed})" if bad else "")
                )
        if told:
            self._write(f"... {' and '.join(told)} in this second")
