"""Twelve clients that are each wrong in one way. What each one needs to fail is in :data:`MUTANTS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.swarm.clients.service import Attempt, Refused, Report, Service, Unknown
from tests.swarm.clients.wires import WIRES, HuaweiCec, Infin8linx, NXCloud, Wire


class DialsAgainAfterALostReply(Service):
    """No reply means no call, it thinks."""

    def unknown(self, attempt: Attempt) -> None:
        super().unknown(attempt)
        if len(self.attempts[attempt.number]) < 3:
            self.submit(attempt.number)


class BillsEveryReceipt(Service):
    """Each receipt of a call is added to its bill, repeats too."""

    def book(self, report: Report) -> None:
        with self.lock:
            attempt = self.find(report)
            if attempt is not None and attempt.state == "done":
                attempt.charge += report.charge
        super().book(report)


class ForgetsLateReceipts(Service):
    """Calls that are older than an hour are taken out of the books; their receipts are acknowledged and dropped."""

    def book(self, report: Report) -> None:
        attempt = self.find(report)
        if attempt is not None and self.now - attempt.since > timedelta(hours=1):
            return
        super().book(report)

    def tick(self, now: datetime) -> None:
        self.now = self.provider.now = now

    def check(self) -> bool:
        for attempts in self.attempts.values():
            for attempt in attempts:
                if attempt.state in ("open", "unknown") and self.now - attempt.since <= timedelta(hours=1):
                    self.look_up(attempt)
        return True


class AsksOnce(Service):
    """A missing receipt is looked up once; a record that is not there then is never asked for again."""

    def look_up(self, attempt: Attempt) -> bool:
        return super().look_up(attempt) if attempt.asked is None else True

    def check(self) -> bool:
        super().check()
        return True


class WaitsForAReceipt(Service):
    """After a lost reply it waits for the receipt. One that came before the reply went unnoticed."""

    def find(self, report: Report) -> Attempt | None:
        found = super().find(report)
        return None if found is not None and found.state == "sent" else found

    def check(self) -> bool:
        for attempts in self.attempts.values():
            for attempt in attempts:
                if attempt.state == "open":
                    self.look_up(attempt)
        return True

    def tick(self, now: datetime) -> None:
        self.now = self.provider.now = now
        for attempts in self.attempts.values():
            if attempts[-1].state == "open" and now - attempts[-1].since >= timedelta(minutes=10):
                self.look_up(attempts[-1])


class TrustsTheLifetime(Infin8linx):
    """A token is good for twelve hours, says the page."""

    def refuse_token(self) -> None:
        """Keep it."""


class LogsInOnce(Infin8linx):
    """It renews a refused token, but nobody catches a failure of that."""

    def forget(self) -> None:
        super().forget()
        self.renewing = False

    def refuse_token(self) -> None:
        self.token = None
        self.renewing = True

    def get_token(self) -> str:
        try:
            return super().get_token()
        except Refused as error:
            if self.renewing:
                raise RuntimeError("cannot renew the token") from error
            raise


class TakesNoJsonForARefusal(Infin8linx):
    """A reply that cannot be parsed is a refusal, and refused numbers are sent again."""

    def submit(self, number: str, key: str) -> str | None:
        try:
            return super().submit(number, key)
        except Unknown as error:
            raise Refused("not parsed") from error


class AddsUpSeconds(Service):
    """Repeats are recognised for ten minutes; later ones are added to the call."""

    def book(self, report: Report) -> None:
        with self.lock:
            attempt = self.find(report)
            if (
                attempt is not None
                and attempt.state == "done"
                and self.now - attempt.since > timedelta(minutes=10)
            ):
                attempt.seconds += report.seconds
        super().book(report)


class KnowsEveryReason(HuaweiCec):
    """The table of release reasons is complete, it thinks."""

    REASONS: Mapping[str, str] = dict.fromkeys(
        ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"), "known"
    )

    def read(self, target: str, body: bytes) -> Report | None:
        import json

        fields = json.loads(body)
        if "releaseReason" in fields:
            self.REASONS[fields["releaseReason"]]
        return super().read(target, body)


class RefusesUnknownIds(Service):
    """A receipt for an id that it does not know yet is refused."""

    def receive(self, target: str, body: bytes) -> tuple[int, str, bytes]:
        report = self.provider.read(target, body)
        known = report is not None and any(
            each.id == report.id for each in self.attempts.get(report.number, [])
        )
        if report is not None and not known and self.find(report) is not None:
            return 404, "text/plain", b"unknown call"
        return super().receive(target, body)


class CallsBackAtOnce(Service):
    """Each receipt of a call that nobody answered starts the next one, a repeated receipt too."""

    def book(self, report: Report) -> None:
        attempt = self.find(report)
        super().book(report)
        if attempt is not None and not report.seconds and len(self.attempts[report.number]) <= 3:
            self.submit(report.number)

    def tick(self, now: datetime) -> None:
        self.now = self.provider.now = now
        for attempts in list(self.attempts.values()):
            if attempts[-1].state in ("open", "unknown") and now - attempts[-1].since >= timedelta(
                minutes=10
            ):
                self.look_up(attempts[-1])


@dataclass(frozen=True)
class Mutant:
    """A client with a bug: its parts, and how many faults must come together to show it."""

    service: type[Service]
    wire: type[Wire]
    faults: int


MUTANTS: Mapping[str, Mutant] = {
    "nxcloud-dials-again": Mutant(DialsAgainAfterALostReply, NXCloud, 1),
    "nxcloud-bills-every-receipt": Mutant(BillsEveryReceipt, NXCloud, 1),
    "nxcloud-forgets-late-receipts": Mutant(ForgetsLateReceipts, NXCloud, 1),
    "nxcloud-asks-once": Mutant(AsksOnce, NXCloud, 2),
    "nxcloud-waits-for-a-receipt": Mutant(WaitsForAReceipt, NXCloud, 2),
    "infin8linx-trusts-the-lifetime": Mutant(Service, TrustsTheLifetime, 1),
    "infin8linx-logs-in-once": Mutant(Service, LogsInOnce, 2),
    "infin8linx-takes-no-json-for-a-refusal": Mutant(Service, TakesNoJsonForARefusal, 1),
    "infin8linx-adds-up-seconds": Mutant(AddsUpSeconds, Infin8linx, 1),
    "huawei-cec-knows-every-reason": Mutant(Service, KnowsEveryReason, 1),
    "huawei-cec-refuses-unknown-ids": Mutant(RefusesUnknownIds, HuaweiCec, 1),
    "huawei-cec-calls-back-at-once": Mutant(CallsBackAtOnce, HuaweiCec, 2),
}
#: The correct clients, by provider.
CORRECT: Mapping[str, Mutant] = {name: Mutant(Service, wire, 0) for name, wire in WIRES.items()}
EVERY: Mapping[str, Mutant] = {**MUTANTS, **CORRECT}


def provider_of(name: str) -> str:
    """The provider that a client uses."""
    return next(provider for provider, wire in WIRES.items() if issubclass(EVERY[name].wire, wire))
