"""Everything a hunt needs, opened and closed together: emulator, runners, the client's commands."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from voice_emulator.client import Client
from voice_emulator.client.voice import VoiceEmulator
from voice_emulator.embedded import embedded
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover, receiver_keys
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.swarm import oracles
from voice_emulator.swarm.bill_map import BillMap, read_map
from voice_emulator.swarm.bill_source import read_source, shown_source
from voice_emulator.swarm.oracles import Failure, Record
from voice_emulator.swarm.reconciliation import reconcile_text
from voice_emulator.swarm.runner import Runner
from voice_emulator.swarm.subject import Commands, CommandSubject, SetupError, Stage, read_calls

FAKETIME = "faketime"
#: Where distributions put libfaketime (Debian package faketime).
FAKETIME_PLACES = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib*/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
)  # fmt: skip
#: Journal entries that a tenant keeps: a run must not lose any.
JOURNAL = 100_000


@dataclass(frozen=True, slots=True)
class Setup:
    """How runs are made. ``control`` is an emulator that runs already; ``url`` its traffic port, None to ask it."""

    commands: Commands
    control: str | None = None
    url: str | None = None
    token: str | None = None
    trust: ssl.SSLContext | None = None
    tenant: str | None = None
    callback_url: str = "http://127.0.0.1:{port}/"
    probe: str | None = None
    ledger: str | None = None
    map: Path | None = None
    jobs: int = 1

    @property
    def alone(self) -> bool:
        """Whether all runs use the same tenant or the same app, so that only one can go on at a time."""
        return self.control is not None or self.tenant is not None or self.commands.keep_app


def make_catalogue() -> Catalogue:
    """The installed providers."""
    providers = discover()
    return Catalogue(providers, SchemaSet.load(providers))


@contextmanager
def opened(setup: Setup, stopped: threading.Event) -> Iterator[list[Runner]]:
    """Runners that are ready, one for each job; everything is ended afterwards, processes with their children."""
    faketime = find_faketime() if setup.commands.client_clock == FAKETIME else None
    receivers = tuple(receiver_keys(discover()))
    own = None if setup.control is not None else embedded(journal_limit=JOURNAL)
    if own is not None:
        own.start()
    books = _Books(setup)
    runners: list[Runner] = []
    subjects: list[CommandSubject] = []
    try:
        control = own.control_url if own is not None else str(setup.control)
        held = VoiceEmulator(
            control, url=setup.url if own is None else own.url, token=setup.token, ssl_context=setup.trust
        )
        url = held.url
        held.close()
        for _ in range(1 if setup.alone else setup.jobs):
            subject = CommandSubject(setup.commands, stopped)
            subjects.append(subject)
            runners.append(
                Runner(
                    Client(control, token=setup.token, ssl_context=setup.trust),
                    url,
                    subject,
                    receivers,
                    tenant=(setup.tenant or "swarm") if setup.alone else None,
                    callback_url=setup.callback_url,
                    books=books.read,
                    faketime=faketime,
                    keep_stage=setup.commands.keep_app,
                )
            )
        yield runners
    finally:
        for subject in subjects:
            subject.close()
        for runner in runners:
            runner.close()
            runner.client.close()
        if own is not None:
            own.stop()


class _Books:
    """The client's own books, read over ``--probe`` and ``--ledger``."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._map = BillMap() if setup.map is None else read_map(read_source(str(setup.map)), str(setup.map))

    def read(self, stage: Stage, record: Record) -> Iterable[Failure]:
        """What they say otherwise than the ledger."""
        setup = self._setup
        if setup.probe is not None:
            try:
                calls = read_calls(stage.fill(setup.probe), setup.commands.timeout)
            except UsageError as error:
                yield Failure("probe", "unreadable", message=str(error))
            else:
                yield from oracles.probe(record, calls)
        if setup.ledger is not None and any(call.billing is not None for call in record.calls):
            source = stage.fill(setup.ledger)
            try:
                found = reconcile_text(
                    read_source(source), shown_source(source), record.calls, chosen=self._map
                )
            except UsageError as error:
                yield Failure("ledger", "unreadable", message=str(error))
            else:
                yield from oracles.ledger(record, found)


def find_faketime() -> Path:
    """The library of libfaketime. Raises SetupError where it is not installed."""
    for place in FAKETIME_PLACES:
        for path in glob(place):  # noqa: PTH207 - the patterns are absolute
            return Path(path)
    raise SetupError(
        "--client-clock faketime needs libfaketime, and it is not here: install the package faketime (Debian, Ubuntu), "
        "or use --client-clock tick=URL"
    )
