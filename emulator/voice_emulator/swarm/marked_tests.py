"""``@pytest.mark.voice_swarm``: one test, run for many seeds, each with function-scoped fixtures of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from voice_emulator.client import VoiceEmulator
from voice_emulator.swarm.hunt import Found, Hunt
from voice_emulator.swarm.oracles import Failure, Record
from voice_emulator.swarm.rules import Scenario
from voice_emulator.swarm.runner import Result, Runner, distinct
from voice_emulator.swarm.session import make_catalogue
from voice_emulator.swarm.space import make_space
from voice_emulator.swarm.subject import SetupError, Stage

MARKER = "voice_swarm"
#: What the marker may say, with its defaults.
ARGUMENTS = {"seeds": 50, "mode": "legal"}
#: Real seconds for all seeds of one test.
BUDGET = 600.0
_log = logging.getLogger(__name__)


class _Nothing:
    """A subject for runs that the test itself drives."""

    steps = False

    def nothing(self, *arguments: object) -> Iterable[Failure]:
        """Each step but the test's own."""
        return ()

    begin = drive = stepped = check = end = nothing


@dataclass
class MarkedTest:
    """A test with the marker. Its plugin asks :attr:`scenario` for each run, and tells :meth:`called`."""

    item: pytest.Item
    scenario: Scenario | None = None
    runs: int = 0
    reports: list[pytest.TestReport] = field(default_factory=list)
    _results: list[Result] = field(default_factory=list)

    def run(self, scenario: Scenario, numbers: tuple[str, ...]) -> Result:
        """One run of the test, with its setup and teardown; fixtures of its module and session stay."""
        self.runs += 1
        self.scenario = scenario
        self._results.clear()
        # New fixtures, as pytest-rerunfailures does it.
        self.item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001
        self.reports = runtestprotocol(self.item, log=False, nextitem=self.item.parent)  # type: ignore[arg-type]
        if any(report.skipped for report in self.reports):
            raise _AsItIs
        broken = next((report for report in self.reports if report.failed), None)
        result = (self._results or [Result(scenario, (), (), Record([], [], [], [], {}))])[-1]
        if broken is None:
            return result
        failure = Failure("test", str(broken.when), message=broken.longreprtext)
        return replace(result, failures=distinct([*result.failures, failure]))

    def called(self, held: VoiceEmulator | None, error: BaseException | None) -> None:
        """The test function has returned, or raised ``error``; its fixtures still live."""
        scenario = self.scenario
        if held is None or scenario is None:
            raise SetupError(f"a test with @pytest.mark.{MARKER} takes the fixture voice_emulator")
        runner = Runner(held.client, "", _Nothing(), ())
        stage = Stage("", held.control_url, held.id, (), 0, Path(), {})
        if error is not None:
            record = runner.read(stage, scenario)
            text = "".join(str(error).splitlines(keepends=True)[:20])
            failure = Failure("test", type(error).__name__, message=f"{type(error).__name__}: {text}")
            self._results.append(Result(scenario, (), (failure,), record, held.timeline()))
            return
        failures, record, told = runner.conclude(stage, scenario)
        self._results.append(Result(scenario, (), distinct(failures), record, told))


class _AsItIs(Exception):
    """The test was skipped: report that."""


def run_marked(
    item: pytest.Item, nextitem: pytest.Item | None, begin: Callable[[MarkedTest | None], None]
) -> list[pytest.TestReport]:
    """Run a marked test for all its seeds; its reports, as of one test. ``begin`` tells the plugin of it."""
    marked = MarkedTest(item)
    begin(marked)
    try:
        why = _hunt(marked)
    except _AsItIs:
        why = ""
    except SetupError as error:
        why = str(error)
    finally:
        begin(None)
    setup = [report for report in marked.reports if report.when == "setup"]
    call = pytest.CallInfo.from_call(lambda: _fail(why), "call")
    if not why and any(report.skipped for report in marked.reports):
        middle = [report for report in marked.reports if report.when == "call"]
    else:
        middle = [item.ihook.pytest_runtest_makereport(item=item, call=call)]
        setup = [report for report in setup if report.passed]
    # What other tests do not need any more ends now.
    ending = pytest.CallInfo.from_call(lambda: item.session._setupstate.teardown_exact(nextitem), "teardown")  # noqa: SLF001
    return [*setup, *middle, item.ihook.pytest_runtest_makereport(item=item, call=ending)]


def _fail(why: str) -> None:
    if why:
        pytest.fail(why, pytrace=False)


def _hunt(marked: MarkedTest) -> str:
    """What was found, in words; empty for nothing."""
    arguments = _arguments(marked.item)
    if isinstance(arguments, str):
        return arguments
    space = make_space(make_catalogue(), mode=arguments["mode"])
    hunt = Hunt(space, [marked], range(1, arguments["seeds"] + 1), (), BUDGET)
    outcome = hunt.run()
    if outcome.ended == "interrupted":
        raise KeyboardInterrupt
    return "\n\n".join(_told(found) for found in outcome.found)


def _arguments(item: pytest.Item) -> dict[str, Any] | str:
    """What the marker says, or what is wrong with it."""
    marker = item.get_closest_marker(MARKER)
    given = dict(marker.kwargs) if marker is not None else {}
    found = ARGUMENTS | given
    if marker is None or marker.args or given.keys() - ARGUMENTS.keys():
        return f"@pytest.mark.{MARKER} takes {' and '.join(ARGUMENTS)} by name"
    if found["mode"] not in ("legal", "hostile") or not isinstance(found["seeds"], int) or found["seeds"] < 1:
        return f"@pytest.mark.{MARKER}: seeds is a number from 1, mode is legal or hostile"
    return found


def _told(found: Found) -> str:
    shrunk = found.shrunk
    again = "" if shrunk.stable else f" (it came again {shrunk.repeated} times of 3, and is not shrunk)"
    return "\n".join(
        (
            f"seed {found.seed}: {found.failure.title}{again}",
            found.failure.message,
            "under this scenario:",
            shrunk.scenario.text,
            shrunk.result.timeline,
        )
    )
