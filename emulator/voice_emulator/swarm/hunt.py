"""The hunt: seed after seed, on one or more runners, until the seeds, the budget or the patience are used up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Protocol

from voice_emulator.swarm.oracles import Failure
from voice_emulator.swarm.rules import Scenario
from voice_emulator.swarm.runner import Result
from voice_emulator.swarm.shrinking import Shrinker, Shrunk
from voice_emulator.swarm.space import Space
from voice_emulator.swarm.subject import SetupError, Stopped


@dataclass(frozen=True, slots=True)
class Found:
    """One distinct failure: the seed that showed it first, and the smallest scenario."""

    seed: int
    shrunk: Shrunk

    @property
    def failure(self) -> Failure:
        """What failed."""
        return self.shrunk.failure


@dataclass
class Outcome:
    """What a hunt has found. ``ended`` says why it ended before all seeds were run; empty when they were."""

    seeds: int = 0
    runs: int = 0
    seconds: float = 0.0
    found: list[Found] = field(default_factory=list)
    again: int = 0
    ended: str = ""


class Runs(Protocol):
    """Makes runs, as :class:`voice_emulator.swarm.runner.Runner` does; ``runs`` counts them."""

    runs: int

    def run(self, scenario: Scenario, numbers: tuple[str, ...]) -> Result:
        """One run."""
        ...


class Progress(Protocol):
    """Told of what happens, from several threads where there are several runners."""

    def seed_done(self, outcome: Outcome, seed: int) -> None:
        """A seed has been run."""

    def failed(self, seed: int, failure: Failure) -> None:
        """A failure was found that was not known; it is shrunk next."""

    def shrunk(self, found: Found) -> None:
        """A failure was shrunk."""


class Silent:
    """Tells nobody."""

    def seed_done(self, outcome: Outcome, seed: int) -> None:
        """As :class:`Progress` says."""

    def failed(self, seed: int, failure: Failure) -> None:
        """As :class:`Progress` says."""

    def shrunk(self, found: Found) -> None:
        """As :class:`Progress` says."""


@dataclass
class Hunt:
    """Runs ``seeds`` on ``runners``, one thread for each. ``budget`` is in real seconds.

    ``first`` ends the hunt with the first failure.
    """

    space: Space
    runners: Sequence[Runs]
    seeds: Sequence[int]
    numbers: tuple[str, ...]
    budget: float = 600.0
    progress: Progress = field(default_factory=Silent)
    first: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)
    shrink: bool = True
    on_found: Callable[[Found], None] = lambda found: None

    def __post_init__(self) -> None:
        """Nothing is known yet."""
        self.outcome = Outcome()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._known: set[tuple[str, ...]] = set()

    def run(self) -> Outcome:
        """The whole hunt. Raises SetupError when the set-up does not work without any fault."""
        waiting = iter(self.seeds)
        try:
            self.set_up()
            if len(self.runners) == 1:
                self._work(self.runners[0], waiting)
            else:
                self._in_threads(waiting)
        except KeyboardInterrupt:
            self.stopped.set()
            self.outcome.ended = "interrupted"
        except Stopped:
            self.outcome.ended = self.outcome.ended or "interrupted"
        self.outcome.runs = sum(runner.runs for runner in self.runners)
        self.outcome.seconds = time.monotonic() - self._began
        self.outcome.found.sort(key=lambda found: found.seed)
        return self.outcome

    def set_up(self) -> None:
        """Run without faults. Raises SetupError when that fails, or when nothing reaches the tenant."""
        result = self.runners[0].run(self.space.scenario(0), self.numbers)
        self.outcome.seeds += 1
        if not result.reached and not result.failures:
            raise SetupError(
                "without any fault, no request reached the tenant: does the client use VOICE_EMULATOR_URL, and the "
                "credentials of the tenant?"
            )
        if result.failures:
            first = result.failures[0]
            raise SetupError(f"without any fault, this already fails: {first.title}: {first.message}")
        self.progress.seed_done(self.outcome, 0)

    def _in_threads(self, waiting: Iterator[int]) -> None:
        with ThreadPoolExecutor(len(self.runners)) as pool:
            working = [pool.submit(self._work, runner, waiting) for runner in self.runners]
            try:
                for done in as_completed(working):
                    done.result()
            except BaseException:
                self.stopped.set()  # the others end with their present run
                raise

    def _work(self, runner: Runs, waiting: Iterator[int]) -> None:
        while self._may_go_on():
            with self._lock:
                seed = next(waiting, None)
            if seed is None:
                return
            if seed == 0:
                continue
            result = runner.run(self.space.scenario(seed), self.numbers)
            with self._lock:
                self.outcome.seeds += 1
                new = [each for each in result.failures if each.signature not in self._known]
                self._known.update(each.signature for each in new)
                self.outcome.again += len(result.failures) - len(new)
            for failure in new:
                self.progress.failed(seed, failure)
                self._keep(runner, seed, failure, result)
            self.outcome.runs = sum(each.runs for each in self.runners)
            self.outcome.seconds = time.monotonic() - self._began
            self.progress.seed_done(self.outcome, seed)
            if new and self.first:
                return

    def _keep(self, runner: Runs, seed: int, failure: Failure, result: Result) -> None:
        """Shrink a failure; when that is interrupted, keep it as it was found."""
        shrinker = Shrinker(runner.run, failure, self._may_go_on)
        found = Found(seed, Shrunk(result.scenario, result.numbers, failure, result, 0, 0))
        try:
            if self.shrink:
                found = Found(seed, shrinker.shrink(result))
        finally:
            with self._lock:
                self.outcome.found.append(found)
            self.on_found(found)
            self.progress.shrunk(found)

    def _may_go_on(self) -> bool:
        if self.stopped.is_set():
            self.outcome.ended = self.outcome.ended or "interrupted"
            return False
        if time.monotonic() - self._began > self.budget:
            self.outcome.ended = f"the budget of {self.budget:g} s is used up"
            return False
        return True
