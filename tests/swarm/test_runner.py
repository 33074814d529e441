"""Runs of correct clients: nothing is found in them, and a seed repeats byte for byte."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.swarm.rig import catalogue, hunt, make_runner, serving
from voice_emulator.swarm.rules import Scenario
from voice_emulator.swarm.runner import Runner
from voice_emulator.swarm.space import START, make_space, numbers
from voice_emulator.swarm.subject import SetupError

PROVIDERS = ["nxcloud", "huawei_cec", "infin8linx"]


@pytest.fixture(scope="module")
def own():
    with serving() as own:
        yield own


def assert_nothing_found(outcome, seeds):
    assert [(found.seed, found.failure) for found in outcome.found] == []
    assert outcome.seeds == seeds + 1
    assert not outcome.ended


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_correct_client_passes_50_seeds(own, name):
    assert_nothing_found(hunt(own, name, range(1, 51), shrink=False), 50)


@pytest.mark.long
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_correct_client_passes_2000_seeds(own, name):
    assert_nothing_found(hunt(own, name, range(1, 2_001), shrink=False), 2_000)


# --- a seed means the same run ---------------------------------------------------------------------


def journal(result, stage):
    """The journal without ports, folders and real durations."""
    documents = [entry.document for entry in result.record.journal]
    for document in documents:
        document.pop("duration_ms", None)
        document.get("callback", {}).pop("duration_ms", None)
    text = json.dumps(documents, ensure_ascii=False)
    return re.sub(r"127\.0\.0\.1:[0-9]+", "HOST", text).replace(f":{stage.port}", ":PORT")


def one_run(own, name, seed):
    runner = make_runner(own, name)
    space = make_space(catalogue(), providers=[name])
    result = runner.run(space.scenario(seed), numbers(6))
    stage = runner._stage
    return journal(result, stage)


@pytest.mark.parametrize(
    ("name", "seed", "times"),
    [
        ("nxcloud", 3, 2), ("huawei_cec", 6, 2), ("infin8linx", 6, 2),
        *(pytest.param(name, seed, 20, marks=pytest.mark.long) for name in PROVIDERS for seed in (3, 7, 12)),
    ],
)  # fmt: skip
def test_a_seed_gives_the_same_journal(own, name, seed, times):
    journals = {one_run(own, name, seed) for _ in range(times)}
    assert len(journals) == 1
    assert len(journals.pop()) > 500


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.long)])
def test_a_seed_gives_the_same_journal_beside_others(own, rounds, monkeypatch):
    """With two jobs: what each seed does is what it does alone."""
    seeds = range(1, 7)
    alone = {seed: one_run(own, "nxcloud", seed) for seed in seeds}
    for _ in range(rounds):
        beside = {}
        run = Runner.run

        def keeping(runner, scenario, called, run=run, beside=beside):
            result = run(runner, scenario, called)
            if scenario.seed:
                beside[scenario.seed] = journal(result, runner._stage)
            return result

        monkeypatch.setattr(Runner, "run", keeping)
        hunt(own, "nxcloud", seeds, first=False, shrink=False, jobs=2)
        monkeypatch.undo()
        assert beside == alone


# --- the order of a run ----------------------------------------------------------------------------


class Recorder:
    """A subject that notes each step and what it sees of the tenant."""

    steps = False

    def __init__(self, own):
        self.client = make_runner(own, "nxcloud").client
        self.log = []

    def begin(self, stage):
        self.log.append("begin")
        return ()

    def drive(self, stage):
        self.client.place(stage.tenant, "nxcloud", "6281234567891")
        self.log.append("drive")
        return ()

    def stepped(self, stage, now):
        self.log.append("step")
        return ()

    def check(self, stage):
        tenant = self.client.tenant(stage.tenant)
        (call,) = self.client.calls(stage.tenant)
        page = self.client.callbacks(stage.tenant)
        self.log.append(("check", tenant.scenario, tenant.now, call.state, [push.outcome for push in page]))
        return ()

    def end(self, stage):
        self.log.append("end")
        return ()


def recorded(own, *rules, steps=False):
    subject = Recorder(own)
    subject.steps = steps
    runner = Runner(subject.client, own.url, subject, ("nxcloud",))
    result = runner.run(Scenario(1, START, rules), numbers(1))
    return subject.log, result


def test_check_comes_when_all_is_over_and_every_lag_has_passed(own):
    log, result = recorded(own, {"name": "lags", "receipt": {"lost": True, "query_lag": "26h"}})
    assert [each if isinstance(each, str) else each[0] for each in log] == ["begin", "drive", "check", "end"]
    _, _, now, state, outcomes = log[2]
    (call,) = result.record.calls
    assert state == "ended"
    assert outcomes == ["lost"]
    assert (now - call.ended_at).total_seconds() == 26 * 3600


def test_a_subject_that_asks_for_steps_is_told_of_each_and_once_when_idle(own):
    log, _ = recorded(own, steps=True)
    # answered, ended, pushed; then nothing is pending, before and after it was healed
    assert log.count("step") >= 4
    assert log[0] == "begin"
    assert log[-1] == "end"


def test_a_held_receipt_leaves_before_the_check(own):
    log, _ = recorded(own, {"name": "held", "receipt": {"hold": 3}})
    assert log[2][4] == ["failed"]  # nothing listens there, but it was pushed


def test_a_tenant_with_a_running_clock_is_refused(own):
    subject = Recorder(own)
    subject.client.create_tenant("runs", clock="60x")
    runner = Runner(subject.client, own.url, subject, ("nxcloud",), tenant="runs")
    with pytest.raises(SetupError, match="needs a manual one"):
        runner.run(Scenario(1, START), numbers(1))


def test_a_tenant_of_its_own_is_reset_between_runs(own):
    logs = []
    subject = Recorder(own)
    subject.client.create_tenant("kept")
    runner = Runner(subject.client, own.url, subject, ("nxcloud",), tenant="kept")
    for _ in range(2):
        result = runner.run(Scenario(1, START), numbers(1))
        logs.append([(call.id, call.submitted_at) for call in result.record.calls])
    assert logs[0] == logs[1]
    assert len(logs[0]) == 1


# --- the client's clock ----------------------------------------------------------------------------


class ReadsItsClock(Recorder):
    """Notes the clock that libfaketime would show."""

    steps = True

    def shown(self, stage):
        assert stage.environment["FAKETIME_TIMESTAMP_FILE"] == str(stage.directory / "faketime")
        assert stage.environment["LD_PRELOAD"].split()[0] == "/lib/faketime.so"
        offset = float((stage.directory / "faketime").read_text(encoding="ascii"))
        return datetime.now(UTC) + timedelta(seconds=offset)

    def drive(self, stage):
        self.log.append(self.shown(stage))
        return super().drive(stage)

    def check(self, stage):
        self.log.append(self.shown(stage))
        return ()


def test_the_file_of_libfaketime_follows_the_tenant(own):
    subject = ReadsItsClock(own)
    runner = Runner(subject.client, own.url, subject, ("nxcloud",), faketime=Path("/lib/faketime.so"))
    runner.run(Scenario(1, START, ({"name": "late", "receipt": {"delay": "26h"}},)), numbers(1))
    begun, checked = (each for each in subject.log if not isinstance(each, str))
    start = datetime.fromisoformat(START)
    assert timedelta() <= begun - start < timedelta(minutes=5)
    assert timedelta() <= checked - start - timedelta(hours=26) < timedelta(minutes=5)
