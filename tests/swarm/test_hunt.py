"""Whole hunts: each bug of the clients is found, and what ends a hunt keeps what it found."""

from __future__ import annotations

import threading

import pytest

from tests.swarm.clients.mutants import MUTANTS
from tests.swarm.rig import catalogue, hunt, make_runner, serving
from voice_emulator.swarm.hunt import Hunt, Silent
from voice_emulator.swarm.oracles import Failure
from voice_emulator.swarm.space import make_space, numbers
from voice_emulator.swarm.subject import SetupError

#: The rest is hunted by `make swarm-demo`, and in the long tests.
QUICK = {"nxcloud-bills-every-receipt", "huawei-cec-knows-every-reason", "infin8linx-trusts-the-lifetime"}


@pytest.fixture(scope="module")
def own():
    with serving() as own:
        yield own


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in MUTANTS]
)
def test_a_bug_is_found_and_shrunk(own, name):
    outcome = hunt(own, name, range(1, 201))
    smallest = min(outcome.found, key=lambda found: len(found.shrunk.scenario.rules)).shrunk
    assert smallest.stable
    assert len(smallest.scenario.rules) <= 2
    assert len(smallest.scenario.text.splitlines()) <= 15
    assert smallest.runs <= 60


class Broken:
    """A subject that does nothing, or fails."""

    steps = False

    def __init__(self, failures=()):
        self.failures = failures
        self.drives = 0

    def begin(self, stage):
        return ()

    def drive(self, stage):
        self.drives += 1
        return self.failures

    def stepped(self, stage, now):
        return ()

    def check(self, stage):
        return ()

    def end(self, stage):
        return ()


def a_hunt(own, subject, **options):
    runner = make_runner(own, "nxcloud")
    runner.subject = subject
    runner.books = lambda stage, record: ()
    return Hunt(make_space(catalogue()), [runner], range(1, 9), numbers(2), **options)


def test_a_client_that_never_reaches_the_tenant_is_a_wrong_set_up(own):
    with pytest.raises(SetupError, match="no request reached the tenant"):
        a_hunt(own, Broken()).run()


def test_a_failure_without_any_fault_is_a_wrong_set_up(own):
    failing = Broken([Failure("command", "CMD", message="CMD ended with exit status 3")])
    with pytest.raises(SetupError, match="without any fault, this already fails: command CMD"):
        a_hunt(own, failing).run()


class EndsAfterTheFirst(Silent):
    """Sets the event as Ctrl-C does, when the first failure was shrunk."""

    def __init__(self, stopped):
        self.stopped = stopped
        self.seen = []

    def shrunk(self, found):
        self.seen.append(found)
        self.stopped.set()


def test_what_was_found_is_kept_when_the_hunt_is_stopped(own):
    stopped = threading.Event()
    runner = make_runner(own, "nxcloud-dials-again")
    told = EndsAfterTheFirst(stopped)
    kept = []
    outcome = Hunt(
        make_space(catalogue(), providers=["nxcloud"]), [runner], range(1, 100), numbers(4), progress=told,
        stopped=stopped, on_found=kept.append,
    ).run()  # fmt: skip
    assert outcome.ended == "interrupted"
    assert outcome.found
    assert kept == told.seen
    assert outcome.seeds < 100


def test_the_budget_ends_a_hunt(own):
    runner = make_runner(own, "nxcloud")
    space = make_space(catalogue(), providers=["nxcloud"])
    outcome = Hunt(space, [runner], range(1, 10_000), numbers(1), budget=0.5).run()
    assert outcome.ended == "the budget of 0.5 s is used up"
    assert 1 <= outcome.seeds < 9_000


def test_each_failure_is_shrunk_once_however_often_it_comes(own):
    outcome = hunt(own, "huawei-cec-knows-every-reason", range(1, 10), first=False, shrink=False)
    signatures = [found.failure.signature for found in outcome.found]
    assert len(set(signatures)) == len(signatures)
    assert outcome.again >= 1
