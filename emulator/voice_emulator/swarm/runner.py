"""One run: a scenario, a tenant on a manual clock, the client under test, and what must hold in the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from voice_emulator.client import Client, ClientError, Conflict, NotFound
from voice_emulator.client.pages import PAGE_LIMIT
from voice_emulator.client.timeline import timeline
from voice_emulator.swarm import oracles
from voice_emulator.swarm.oracles import Failure, Record
from voice_emulator.swarm.processes import free_port
from voice_emulator.swarm.rules import Scenario
from voice_emulator.swarm.subject import SetupError, Stage, Subject, stage_environment

#: A run goes on for at most this much tenant time after CMD, and again after it was healed.
HORIZON = timedelta(days=7)
#: Steps of time in which a client may be told of each; a client that keeps itself busy is stopped there.
STEP_LIMIT = 2_000

#: Reads the client's own books once a run is over.
Books = Callable[[Stage, Record], Iterable[Failure]]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    scenario: Scenario
    numbers: tuple[str, ...]
    failures: tuple[Failure, ...]
    record: Record
    #: What went over the wire, as lines; of a run in which something failed.
    timeline: str = ""

    @property
    def reached(self) -> bool:
        """Whether any request of the client reached the tenant."""
        return bool(self.record.requests)

    def failed_as(self, failure: Failure) -> Failure | None:
        """The failure of this run that is the same one."""
        return next((each for each in self.failures if each.signature == failure.signature), None)


@dataclass
class Runner:
    """Runs scenarios, one at a time, on tenants of one emulator.

    ``tenant`` is the one to use for every run, reset in between; None: each run has a new one, named after its seed.
    ``callback_url`` may hold placeholders; empty for none.
    """

    client: Client
    url: str
    subject: Subject
    receivers: tuple[str, ...]
    tenant: str | None = None
    callback_url: str = "http://127.0.0.1:{port}/"
    books: Books = lambda stage, record: ()
    faketime: Path | None = None
    keep_stage: bool = False
    runs: int = 0
    _stage: Stage | None = field(default=None, repr=False)
    _made: str | None = None

    def run(self, scenario: Scenario, numbers: tuple[str, ...]) -> Result:
        """One run of ``scenario``. Raises SetupError when the set-up does not work, Stopped from outside."""
        self.runs += 1
        name = self.tenant or f"swarm-{scenario.seed}"
        stage = self._open(name, scenario, numbers)
        failures: list[Failure] = []
        try:
            self._tell(stage)
            failures += self.subject.begin(stage)
            failures += self.subject.drive(stage)
            found, record, told = self.conclude(stage, scenario, failed=bool(failures))
            failures += found
        finally:
            failures += self.subject.end(stage)
            self._close(stage)
        return Result(scenario, numbers, distinct(failures), record, told)

    def conclude(
        self, stage: Stage, scenario: Scenario, *, failed: bool = False
    ) -> tuple[list[Failure], Record, str]:
        """Let time pass, heal, check, and read what happened: failures, the record, and its lines if anything failed.

        ``failed`` is whether something has failed before.
        """
        failures = self._settle(stage)
        self._heal(stage, scenario)
        failures += self._settle(stage)
        failures += self.subject.check(stage)
        failures += self._settle(stage)
        record = self.read(stage, scenario)
        failures += oracles.judge(record)
        failures += self.books(stage, record)
        told = ""
        if failures or failed:
            told = timeline(self.client.tenant(stage.tenant), record.journal, record.calls)
        return failures, record, told

    # --- the tenant -------------------------------------------------------------------------------------------------

    def _open(self, id: str, scenario: Scenario, numbers: tuple[str, ...]) -> Stage:
        kept = self._stage if self.keep_stage else None
        port = kept.port if kept is not None else free_port()
        directory = kept.directory if kept is not None else Path(tempfile.mkdtemp(prefix="voice-emulator-"))
        url = self.callback_url.replace("{port}", str(port)).replace("{dir}", str(directory))
        urls = dict.fromkeys(self.receivers, url or None)
        if self.tenant is None:
            tenant = self._create(id, scenario, urls)
        else:
            tenant = self._take_over(id, scenario, urls)
        environment = stage_environment(
            self.url, self.client.url, id, numbers, port, directory, tenant.credentials
        )
        if self.faketime is not None:
            preloaded = [str(self.faketime), *os.environ.get("LD_PRELOAD", "").split()]
            environment |= {
                "LD_PRELOAD": " ".join(preloaded), "FAKETIME_NO_CACHE": "1",
                "FAKETIME_TIMESTAMP_FILE": str(directory / "faketime"),
            }  # fmt: skip
        stage = Stage(self.url, self.client.url, id, numbers, port, directory, environment)
        self._stage = stage
        return stage

    def _create(self, id: str, scenario: Scenario, urls: Mapping[str, str | None]) -> Any:
        given: Any = {key: url for key, url in urls.items() if url}
        try:
            return self.client.create_tenant(
                id, scenario=scenario.text, seed=scenario.seed, callback_urls=given
            )
        except Conflict:
            self.client.delete_tenant(id)  # left by a run that was stopped
            return self.client.create_tenant(
                id, scenario=scenario.text, seed=scenario.seed, callback_urls=given
            )

    def _take_over(self, id: str, scenario: Scenario, urls: Mapping[str, str | None]) -> Any:
        try:
            tenant = self.client.load_scenario(id, scenario.text)
        except NotFound:
            self._made = id
            return self._create(id, scenario, urls)
        if not tenant.manual:
            raise SetupError(
                f"tenant {id!r} was created with the clock {tenant.clock}, and a run needs a manual one: create it "
                "with the clock manual, or without a clock"
            )
        changes: Any = urls if self.callback_url else {}
        self.client.change_tenant(id, seed=scenario.seed, callback_urls=changes)
        return self.client.reset(id)

    def _close(self, stage: Stage) -> None:
        if self.tenant is None:
            self.client.delete_tenant(stage.tenant)
        if not self.keep_stage:
            shutil.rmtree(stage.directory, ignore_errors=True)

    def close(self) -> None:
        """Remove what was kept between runs: the folder, and a tenant that was not there before."""
        if self._made is not None:
            with suppress(ClientError):
                self.client.delete_tenant(self._made)
        if self._stage is not None:
            shutil.rmtree(self._stage.directory, ignore_errors=True)

    # --- time -------------------------------------------------------------------------------------------------------

    def _settle(self, stage: Stage) -> list[Failure]:
        """Advance until nothing is pending, at most :data:`HORIZON`; the client is told of each step if it wants to be."""
        advance, tenant = self.client.advance, stage.tenant
        if not self.subject.steps:
            end = self.client.tenant(tenant).now + HORIZON
            while True:
                done = advance(tenant, to="idle", at_most=_seconds(end - self.client.tenant(tenant).now))
                if done.complete or done.next_due is None or done.next_due > end:
                    return []
        failures: list[Failure] = []
        done = advance(tenant, 0)
        end, idle = done.now + HORIZON, False
        for _ in range(STEP_LIMIT):
            if done.next_due is not None and done.next_due > end:
                break
            self._tell(stage, done.next_due)  # before the pushes that are due then
            done = advance(tenant, to="next")
            moved = bool(done.fired or done.callbacks)
            if idle and not moved:
                break  # nothing was pending, and being told of it made the client start nothing
            idle = not moved
            self._tell(stage)
            failures += self.subject.stepped(stage, done.now.isoformat())
        return failures

    def _heal(self, stage: Stage, scenario: Scenario) -> None:
        """End all rules, and let every query lag pass. What was lost stays lost; what was held has left."""
        self.client.load_scenario(stage.tenant, scenario.healed().text)
        lag = oracles.longest_lag(scenario.rules)
        if lag:
            self.client.advance(stage.tenant, lag)
            self._tell(stage)

    def _tell(self, stage: Stage, at: datetime | None = None) -> None:
        """Set the client's clock (libfaketime) to ``at``, or to the tenant's."""
        if self.faketime is not None:
            now = at or self.client.tenant(stage.tenant).now
            offset = (now - datetime.now(now.tzinfo)).total_seconds()  # noqa: TID251 - it is the client's own clock
            part = stage.directory / "faketime.part"
            part.write_text(f"{offset:+.6f}\n", encoding="ascii")
            part.replace(stage.directory / "faketime")

    # --- reading ----------------------------------------------------------------------------------------------------

    def read(self, stage: Stage, scenario: Scenario) -> Record:
        """What the emulator has noted until now."""
        client, tenant = self.client, stage.tenant
        rules = {str(rule.get("name", f"rule {at}")): rule for at, rule in enumerate(scenario.rules, 1)}
        return Record(
            client.every(client.journal(tenant, limit=PAGE_LIMIT)),
            client.every(client.calls(tenant, limit=PAGE_LIMIT)),
            client.every(client.callbacks(tenant, limit=PAGE_LIMIT)),
            client.every(client.violations(tenant, limit=PAGE_LIMIT)),
            rules,
        )


def _seconds(length: timedelta) -> str:
    return f"{max(0.0, length.total_seconds()):.3f}s"


def distinct(failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """The first failure of each signature, with all the numbers of those that are the same."""
    found: dict[tuple[str, ...], Failure] = {}
    numbers: dict[tuple[str, ...], dict[str, None]] = {}
    for failure in failures:
        found.setdefault(failure.signature, failure)
        numbers.setdefault(failure.signature, {}).update(dict.fromkeys(failure.numbers))
    return tuple(
        Failure(each.oracle, each.rule, each.provider, each.operation, each.message, tuple(numbers[key]))
        for key, each in found.items()
    )
