"""A small calling service: it dials numbers through one provider, takes receipts, and looks up what it missed.

    POST /dial     numbers, comma-separated      submits each
    POST /tick     {"now": RFC 3339}             its clock: what is due is done
    POST /check                                  looks up everything that is open; 500 if something stays open
    GET  /calls    {"calls": {id: {...}}}        its books
    GET  /bill     number,id,charge              its bill, as CSV
    POST /reset                                  forgets everything
    POST anything else                           a receipt

:class:`Service` is correct. The clients with bugs are in :mod:`tests.swarm.clients.mutants`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

#: Where its clock begins.
START = "2026-01-05T01:00:00+00:00"
#: How long a call may stay open before its record is looked up.
PATIENCE = timedelta(minutes=10)
#: How long a refused request waits before it is sent again.
PAUSE = timedelta(minutes=1)
#: How often a number is called until somebody answers.
ATTEMPTS = 2


class Refused(Exception):
    """The provider placed no call, and said so."""


class Unknown(Exception):
    """No usable reply came: the call may have been placed."""


class NotNow(Exception):
    """A lookup gave no answer."""


@dataclass(frozen=True)
class Report:
    """What a receipt or a record says. ``id`` is None where it has none; ``complete`` when nothing is missing."""

    id: str | None
    number: str
    seconds: int = 0
    charge: Decimal = Decimal(0)
    complete: bool = True


@dataclass
class Attempt:
    """One submission of one number. ``state``: sent, open, unknown, refused, done or nothing (was never placed)."""

    number: str
    key: str
    since: datetime
    state: str = "sent"
    id: str | None = None
    seconds: int = 0
    charge: Decimal = Decimal(0)
    asked: datetime | None = None


class Provider(Protocol):
    """The wire of one provider."""

    acknowledgement: tuple[str, bytes]
    priced: bool
    now: datetime | None

    def forget(self) -> None:
        """Forget token and time."""
        ...

    def try_again(self) -> None:
        """Ask for a token even if that failed a moment ago."""
        ...

    def submit(self, number: str, key: str) -> str | None:
        """Submit; the id of the call, None where the provider gives none. Raises Refused or Unknown."""
        ...

    def lookup(self, attempt: Attempt, others: Collection[str]) -> Report | None:
        """The record of a call; ``others`` are the ids of other attempts. Raises NotNow."""
        ...

    def read(self, target: str, body: bytes) -> Report | None:
        """A receipt; None when it is about something else."""
        ...


@dataclass
class Service:
    """The correct one."""

    provider: Provider
    now: datetime = field(default_factory=lambda: datetime.fromisoformat(START))
    attempts: dict[str, list[Attempt]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.counter = 0

    # --- dialling ----------------------------------------------------------------------------------

    def dial(self, numbers: list[str]) -> None:
        for number in numbers:
            self.submit(number)

    def submit(self, number: str) -> None:
        with self.lock:
            self.counter += 1
            attempt = Attempt(number, f"k{self.counter:04d}", self.now)
            self.attempts.setdefault(number, []).append(attempt)
        try:
            call_id = self.provider.submit(number, attempt.key)
        except Refused:
            self.refused(attempt)
        except Unknown:
            self.unknown(attempt)
        else:
            self.accepted(attempt, call_id)

    def accepted(self, attempt: Attempt, call_id: str | None) -> None:
        with self.lock:
            attempt.id = attempt.id or call_id
            if attempt.state == "sent":  # a receipt may have come before the reply
                attempt.state = "open"

    def refused(self, attempt: Attempt) -> None:
        with self.lock:
            if attempt.state == "sent":
                attempt.state = "refused"

    def unknown(self, attempt: Attempt) -> None:
        with self.lock:
            if attempt.state == "sent":
                attempt.state = "unknown"

    # --- receipts ----------------------------------------------------------------------------------

    def receive(self, target: str, body: bytes) -> tuple[int, str, bytes]:
        kind, text = self.provider.acknowledgement
        report = self.provider.read(target, body)
        if report is not None:
            self.book(report)
        return 200, kind, text

    def find(self, report: Report) -> Attempt | None:
        """The attempt that a receipt is about: by its id, else the one of this number that has none yet."""
        mine = self.attempts.get(report.number, [])
        if report.id is not None:
            for attempt in mine:
                if report.id in (attempt.id, attempt.key):
                    return attempt
        waiting = [attempt for attempt in mine if attempt.state in ("sent", "unknown")]
        return waiting[-1] if waiting else None

    def book(self, report: Report) -> None:
        with self.lock:
            attempt = self.find(report)
            if attempt is None or attempt.state == "done":
                return
            attempt.id = attempt.id or report.id
            if report.complete:
                self.settle(attempt, report)

    def settle(self, attempt: Attempt, report: Report) -> None:
        attempt.state, attempt.seconds, attempt.charge = "done", report.seconds, report.charge

    # --- what time brings --------------------------------------------------------------------------

    def tick(self, now: datetime) -> None:
        self.now = self.provider.now = now
        unwell = False
        for number, attempts in list(self.attempts.items()):
            last = attempts[-1]
            if last.state in ("open", "unknown") and now - (last.asked or last.since) >= PATIENCE:
                if not unwell:
                    unwell = not self.look_up(last)
            elif (last.state == "refused" and now - last.since >= PAUSE and len(attempts) < 5) or (
                last.state == "done" and not last.seconds and self.placed(attempts) < ATTEMPTS
            ):
                self.submit(number)

    @staticmethod
    def placed(attempts: list[Attempt]) -> int:
        return sum(attempt.state not in ("refused", "nothing") for attempt in attempts)

    def look_up(self, attempt: Attempt) -> bool:
        """Whether the provider answered."""
        attempt.asked = self.now
        mine = self.attempts[attempt.number]
        others = {other.id for other in mine if other is not attempt and other.id is not None}
        try:
            report = self.provider.lookup(attempt, others)
        except NotNow:
            return False
        # No record proves nothing: the call may go on, and the record may come late. Some show a call that goes on.
        if report is not None and report.complete:
            with self.lock:
                attempt.id = attempt.id or report.id
                self.settle(attempt, report)
        return True

    def check(self) -> bool:
        """All is over and the provider is well: whatever is open has a record now."""
        self.provider.try_again()
        for attempts in self.attempts.values():
            for attempt in attempts:
                if attempt.state in ("open", "unknown"):
                    self.look_up(attempt)
                if attempt.state == "unknown":
                    attempt.state = "nothing"
        return not any(each.state == "open" for attempts in self.attempts.values() for each in attempts)

    # --- books -------------------------------------------------------------------------------------

    def books(self) -> Mapping[str, Any]:
        return {
            attempt.id: {"answered": attempt.seconds > 0, "talk_seconds": attempt.seconds}
            | self.price(attempt)
            for attempts in self.attempts.values()
            for attempt in attempts
            if attempt.state == "done" and attempt.id is not None
        }

    def bill(self) -> str:
        rows = [
            f"{attempt.number},{attempt.id},{attempt.charge}\n"
            for attempts in self.attempts.values()
            for attempt in attempts
            if attempt.state == "done"
        ]
        return "number,id,charge\n" + "".join(rows)

    def price(self, attempt: Attempt) -> dict[str, str]:
        return {"charge": str(attempt.charge)} if self.provider.priced else {}

    def reset(self) -> None:
        self.attempts.clear()
        self.provider.forget()
        self.now = datetime.fromisoformat(START)
        self.counter = 0


class Handler(BaseHTTPRequestHandler):
    """The service's own HTTP port."""

    service: Service

    def do_GET(self) -> None:
        if self.path == "/bill":
            self.reply(200, "text/csv", self.service.bill().encode())
        else:
            self.reply(200, "application/json", json.dumps({"calls": self.service.books()}).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service = self.service
        try:
            if self.path == "/dial":
                service.dial(body.decode().split(","))
            elif self.path == "/tick":
                service.tick(datetime.fromisoformat(json.loads(body)["now"]))
            elif self.path == "/reset":
                service.reset()
            elif self.path == "/check":
                if not service.check():
                    self.reply(500, "text/plain", b"calls are still open")
                    return
            else:
                self.reply(*service.receive(self.path, body))
                return
        except Exception as error:  # noqa: BLE001 - a bug of the client, as a web framework shows it
            self.reply(500, "text/plain", repr(error).encode())
            return
        self.reply(200, "text/plain", b"ok")

    def reply(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    """The port of one service."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Half a push needs no report."""

    def __init__(self, service: Service, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), type("Bound", (Handler,), {"service": service}))
