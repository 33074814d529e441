"""Shrinking: delta debugging on its own, and from what a run did to concrete rules."""

from __future__ import annotations

import pytest

from tests.swarm.rig import hunt, make_runner, serving
from voice_emulator.client import Invalid
from voice_emulator.swarm.oracles import Failure, Record
from voice_emulator.swarm.rules import Scenario
from voice_emulator.swarm.runner import Result
from voice_emulator.swarm.shrinking import REPEATS, Shrinker, concrete, minimal
from voice_emulator.swarm.space import START
from voice_emulator.swarm.subject import Stopped

FAILURE = Failure("orphan", provider="nxcloud", operation="gpsend")


@pytest.mark.parametrize("needed", [set(), {0}, {49}, {3, 40}, {1, 2, 3}, set(range(0, 50, 7))])
def test_minimal_keeps_what_is_needed_and_nothing_else(needed):
    tried = []

    def fails(items):
        tried.append(tuple(items))
        return needed <= set(items)

    assert minimal(range(50), fails) == sorted(needed)
    assert len(set(tried)) <= 12 * (len(needed) + 1) ** 2


def test_minimal_leaves_no_single_item_that_can_be_left_out():
    """Not only a set: any two of them fail."""
    found = minimal(range(20), lambda items: len(items) >= 2)
    assert len(found) == 2


class Scripted:
    """Runs that fail as a predicate of the scenario's text says."""

    def __init__(self, fails):
        self.fails = fails
        self.texts = []

    def __call__(self, scenario, numbers):
        self.texts.append(scenario.text)
        failures = (FAILURE,) if self.fails(scenario) else ()
        return Result(scenario, numbers, failures, Record([], [], [], [], {}))


def scenario(*rules):
    return Scenario(5, START, tuple(rules))


RULES = [{"match": {"provider": "nxcloud"}, "receipt": {"delay": f"{index}s"}} for index in range(1, 9)]


def test_rules_that_are_not_needed_go():
    run = Scripted(lambda each: any(rule["receipt"]["delay"] == "3s" for rule in each.rules))
    shrunk = Shrinker(run, FAILURE).shrink(run(scenario(*RULES), ("62", "63")))
    assert [rule["receipt"] for rule in shrunk.scenario.rules] == [{"delay": "3s"}]
    assert shrunk.stable
    assert shrunk.numbers == ("62",)
    assert shrunk.runs <= 20


def test_a_failure_that_does_not_repeat_is_kept_as_it_was():
    run = Scripted(lambda each: False)
    found = Result(scenario(*RULES), ("62",), (FAILURE,), Record([], [], [], [], {}))
    shrunk = Shrinker(run, FAILURE).shrink(found)
    assert not shrunk.stable
    assert shrunk.repeated < REPEATS
    assert shrunk.scenario.rules == found.scenario.rules


def test_a_failure_that_repeats_now_and_then_is_not_shrunk():
    coins = iter([True, True, False] * 50)
    run = Scripted(lambda each: next(coins))
    found = Result(scenario(*RULES), ("62",), (FAILURE,), Record([], [], [], [], {}))
    assert Shrinker(run, FAILURE).shrink(found).repeated == 2


def test_candidates_that_fail_otherwise_do_not_count():
    other = Failure("orphan", provider="nxcloud", operation="notsend")
    run = Scripted(lambda each: len(each.rules) >= 4)
    found = Result(scenario(*RULES), ("62",), (FAILURE,), Record([], [], [], [], {}))

    def differently(each, numbers):
        result = run(each, numbers)
        return result if result.failures else Result(each, numbers, (other,), result.record)

    assert len(Shrinker(differently, FAILURE).shrink(found).scenario.rules) == 4


def test_the_same_scenario_is_run_once_but_for_the_repeats():
    run = Scripted(lambda each: len(each.rules) >= 2)
    Shrinker(run, FAILURE).shrink(run(scenario(*RULES), ("62",)))
    again = [text for text in set(run.texts) if run.texts.count(text) > 1]
    assert len(again) <= 2  # the concrete one, and the one with chances


def test_runs_are_bounded_and_the_best_so_far_is_kept():
    run = Scripted(lambda each: {rule["receipt"]["delay"] for rule in each.rules} >= {"1s", "8s"})
    shrunk = Shrinker(run, FAILURE, limit=14).shrink(run(scenario(*RULES), ("62",)))
    assert shrunk.runs == 14
    assert 2 <= len(shrunk.scenario.rules) < 8


def test_what_was_reached_is_kept_when_it_is_stopped():
    run = Scripted(lambda each: {rule["receipt"]["delay"] for rule in each.rules} >= {"1s", "8s"})
    found = run(scenario(*RULES), ("62",))

    def stopped_at_last(each, numbers):
        if len(run.texts) > 14:
            raise Stopped
        return run(each, numbers)

    shrunk = Shrinker(stopped_at_last, FAILURE).shrink(found)
    assert shrunk.stable
    assert 2 <= len(shrunk.scenario.rules) < 8


def test_parts_that_do_not_go_together_do_not_end_it():
    def run(each, numbers):
        if len(each.rules) == 1:
            raise Invalid(422, "scenario")
        failures = (FAILURE,) if each.rules else ()
        return Result(each, numbers, failures, Record([], [], [], [], {}))

    shrunk = Shrinker(run, FAILURE).shrink(run(scenario(*RULES), ("62",)))
    assert len(shrunk.scenario.rules) == 2


@pytest.mark.parametrize(
    "fault", [{"reset": True, "placed": False}, {"placed": "part"}], ids=["reset", "part"]
)
def test_chances_become_what_happened(fault):
    """Every effect of a run with chances comes again under the concrete rules, by number and attempt."""
    rules = (
        {
            "name": "lost",
            "match": {"provider": "nxcloud"},
            "chance": "50%",
            "receipt": {"lost": True, "query_lag": "1m"},
        },
        {"name": "busy", "match": {"provider": "nxcloud"}, "chance": "50%", "call": {"outcome": "busy"}},
        {"name": "gone", "match": {"operation": "gpsend"}, "chance": "40%", "fault": fault},
    )
    numbers = tuple(f"628123456{index}11" for index in range(8))
    with serving() as own:
        runner = make_runner(own, "nxcloud")
        drawn = runner.run(Scenario(3, START, rules), numbers)
        atoms = concrete(drawn.record)
        assert {atom.kind for atom in atoms} == {"receipt", "call", "fault"}
        from voice_emulator.swarm.shrinking import _scenario

        again = runner.run(_scenario(Scenario(3, START), atoms), numbers)
    assert what_happened(again) == what_happened(drawn)


def what_happened(result):
    calls = [(call.number, call.outcome, call.talk_seconds, call.ended_at) for call in result.record.calls]
    pushes = [(push.number, push.outcome, push.at, push.faults) for push in result.record.callbacks]
    requests = [
        (entry.operation, entry.numbers, entry.status, entry.faults) for entry in result.record.requests
    ]
    return calls, pushes, requests


def test_two_faults_that_must_come_together_both_stay():
    with serving() as own:
        outcome = hunt(own, "infin8linx-logs-in-once", range(3, 60))
    (found,) = outcome.found
    assert len(found.shrunk.scenario.rules) == 2
    assert found.shrunk.runs <= 60
