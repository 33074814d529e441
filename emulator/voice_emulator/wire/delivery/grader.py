"""Runs the receiver checks: carries their letters, reads the probe, and gathers the results."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import Provider
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.check import Check
from voice_emulator.verify.judging import shown
from voice_emulator.verify.model import Answer, Evidence, NotApplicable, Options, Plan, State, TestPush
from voice_emulator.verify.receipt_factory import ReceiptFactory
from voice_emulator.verify.suite import check_id, suite
from voice_emulator.wire.delivery.connections import is_own
from voice_emulator.wire.delivery.push_client import KeptConnectionClosed, PushClient
from voice_emulator.wire.delivery.target_policy import Reach, Resolver, blocked_by
from voice_emulator.wire.delivery.transport_faults import slowly, time_of
from voice_emulator.wire.http.agent import AGENT
from voice_emulator.wire.machine_time import wall_now

log = logging.getLogger(__name__)

#: Checks under way at once, at most and unless told otherwise.
AT_ONCE_LIMIT = 50
AT_ONCE = 10
#: Real seconds between the beginnings of two checks, so that a receiver is graded and not stormed.
PACE = 0.01
PROBE_LIMIT = 64 * 1024 * 1024
_SLOW_PIECE = 64


@dataclass(frozen=True, slots=True)
class Graded:
    """The result of one check. ``verdict`` is passed, failed, unwise (a failed warning) or skipped."""

    id: str
    check: Check
    provider: str
    verdict: str
    reason: str
    received: str
    seconds: float

    def shown(self) -> dict[str, Any]:
        """As the report has it."""
        return {
            "id": self.id,
            "provider": self.provider,
            "severity": self.check.severity,
            "verdict": self.verdict,
            "sent": self.check.sends,
            "expected": self.check.expects,
            "received": self.received,
            "reason": self.reason,
            "why": self.check.why,
            "seconds": round(self.seconds, 3),
        }


class ProbeFailed(Exception):
    """The user's own endpoint did not show the business state."""


class Grader:
    """Grades one receiver."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        schemas: SchemaSet,
        options: Options,
        *,
        reach: Reach | None = None,
        at_once: int = AT_ONCE,
        timeout: float = 10.0,
        on_graded: Callable[[Graded, int, int], None] | None = None,
    ) -> None:
        """``timeout`` is in real seconds; ``on_graded`` hears of each result, how many are done, and of how many."""
        self._providers = providers
        self._schemas = schemas
        self._options = options
        self._reach = reach or Reach()
        self._at_once = max(1, min(at_once, AT_ONCE_LIMIT))
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._seconds = timeout
        self._tell = on_graded or (lambda graded, done, total: None)
        self._channel: PushClient | None = None
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> list[Graded]:
        """Grade with every provider's suite, one provider after the other."""
        resolver = Resolver(self._reach)
        self._channel = PushClient(resolver, self._seconds)
        # For the probe alone; letters go the way that pushes go.
        connector = aiohttp.TCPConnector(force_close=True, resolver=resolver)
        async with aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": AGENT}, auto_decompress=False,
        ) as session:  # fmt: skip
            self._session = session
            suites = [(provider, suite(provider)) for provider in self._providers.values()]
            self._total = sum(len(checks) for _, checks in suites)
            self._results: list[Graded] = []
            try:
                for provider, checks in suites:
                    await self._grade(provider, checks)
            finally:
                await self._channel.close()
        return self._results

    async def _grade(self, provider: Provider, checks: Sequence[Check]) -> None:
        usual: Answer | None = None
        for check in checks:
            if check.order == "first":
                evidence = await self._one(provider, check, usual)
                usual = usual or (evidence.usual if evidence is not None else None)
        taken = usual is not None and usual.reply is not None and 200 <= usual.reply.status < 300
        if not taken:
            said = usual.shown if usual is not None else "nothing"
            for check in checks:
                if check.order != "first":
                    self._note(
                        provider,
                        check,
                        "skipped",
                        f"not judged: a plain receipt is not taken ({said})",
                        "",
                        0,
                    )
            return
        gate = asyncio.Semaphore(self._at_once)
        running = []
        for check in checks:
            if check.order == "any":
                await gate.acquire()
                task = asyncio.create_task(self._one(provider, check, usual))
                task.add_done_callback(lambda _: gate.release())
                running.append(task)
                await asyncio.sleep(PACE)
        await asyncio.gather(*running)
        for check in checks:
            if check.order == "last":
                await self._one(provider, check, usual)

    async def _one(self, provider: Provider, check: Check, usual: Answer | None) -> Evidence | None:
        """Run one check and note its result; None when it had nothing to do."""
        started = time.perf_counter()
        try:
            if check.needs_probe and self._options.probe_url is None:
                raise NotApplicable("--probe is not given: what the receiver made of it cannot be seen")
            bench = ReceiptFactory(provider, self._schemas, self._options, check.name, wall_now)
            plan = check.plan(bench)
            evidence = await self._carry_out(check, plan, usual)
        except NotApplicable as unfit:
            self._note(provider, check, "skipped", str(unfit), "", 0)
            return None
        except ProbeFailed as failed:
            self._note(
                provider, check, "failed", f"the probe failed: {failed}", "", time.perf_counter() - started
            )
            return None
        reason = plan.judge(evidence)
        verdict = "passed" if reason is None else "failed" if check.severity == "error" else "unwise"
        seconds = time.perf_counter() - started
        self._note(provider, check, verdict, reason or "", shown(evidence.answers), seconds)
        return evidence

    def _note(
        self, provider: Provider, check: Check, verdict: str, reason: str, received: str, seconds: float
    ) -> None:
        graded = Graded(check_id(provider, check), check, provider.id, verdict, reason, received, seconds)
        self._results.append(graded)
        self._tell(graded, len(self._results), self._total)

    async def _carry_out(self, check: Check, plan: Plan, usual: Answer | None) -> Evidence:
        states: list[State] | None = [await self._probe()] if check.needs_probe else None
        stages: list[list[Answer]] = []
        for letters in plan.stages:
            answers = list(await asyncio.gather(*(self._send(letter) for letter in letters)))
            for answer in answers:
                if answer.ours:
                    raise NotApplicable(f"not judged: the emulator could not send it ({answer.trouble})")
            stages.append(answers)
            if states is not None:
                states.append(await self._probe())
        return Evidence(stages, usual or stages[0][0], states, self._options.slow_after)

    # --- the wire -----------------------------------------------------------------------------

    async def _send(self, letter: TestPush) -> Answer:
        """Carry one letter; whatever goes wrong is part of the answer."""
        request = letter.request
        started = time.perf_counter()
        reply, trouble, ours = None, "", False
        try:
            url = URL(request.url, encoded=True)
            refusal = self._reach.check(url)
            if refusal is not None:
                return Answer(letter, None, 0.0, f"blocked: {refusal}")
            reply = await self._post(letter, url)
        except TimeoutError:
            trouble = f"no answer within {self._seconds:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            blocked = blocked_by(error)
            trouble = (
                f"blocked: {blocked}" if blocked is not None else f"{type(error).__name__}: {error}"[:300]
            )
            ours = isinstance(error, KeptConnectionClosed) or is_own(error)
        return Answer(letter, reply, time.perf_counter() - started, trouble, ours)

    async def _post(self, letter: TestPush, url: URL) -> PushReply:
        if self._channel is None:
            raise ConnectionError("not running")
        request, pause = letter.request, letter.pause
        return await self._channel.exchange(
            request.method, url, request.headers, request.body,
            pieces=slowly(request.body, pause, _SLOW_PIECE) if pause else None,
            sending=time_of(request.body, pause, _SLOW_PIECE) if pause else 0.0,
        )  # fmt: skip

    async def _probe(self) -> State:
        """The business state now. Raises ProbeFailed."""
        probe = self._options.probe_url
        if self._session is None or probe is None:
            raise ProbeFailed("there is none")
        try:
            url = URL(probe)
            refusal = self._reach.check(url)
            if refusal is not None:
                raise ProbeFailed(refusal)
            async with self._session.get(url, allow_redirects=False) as response:
                text = await response.content.read(PROBE_LIMIT)
                if response.status != 200:
                    raise ProbeFailed(f"HTTP {response.status}")
                document = json.loads(text)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise ProbeFailed(f"{type(error).__name__}: {error}"[:300]) from error
        calls = document.get("calls") if isinstance(document, dict) else None
        if not isinstance(calls, dict):
            raise ProbeFailed('it shows no {"calls": {...}}')
        return calls


def conformance_document(options: Options, graded: Sequence[Graded], version: str, at: str) -> dict[str, Any]:
    """The results as one JSON document (schemas/conformance.schema.json)."""
    counts = dict.fromkeys(("passed", "failed", "unwise", "skipped"), 0)
    for each in graded:
        counts[each.verdict] += 1
    verdict = "violations" if counts["failed"] else "warnings" if counts["unwise"] else "clean"
    return {
        "shape": 1,
        "generator": f"voice-emulator {version}",
        "callback_url": options.callback_url,
        "seed": options.seed,
        "at": at,
        "summary": {"verdict": verdict, "checks": len(graded), **counts},
        "checks": [each.shown() for each in graded],
    }


def suite_ids(
    providers: Mapping[str, Provider], schemas: SchemaSet, options: Options
) -> dict[str, list[str]]:
    """The ids that a run with these options uses, by provider, so that a receiver can be told beforehand."""
    ids: dict[str, list[str]] = {}
    for provider in providers.values():
        found: dict[str, None] = {}
        for check in suite(provider):
            bench = ReceiptFactory(provider, schemas, options, check.name, wall_now)
            try:
                plan = check.plan(bench)
            except NotApplicable:
                continue
            if check.name not in ("unknown-id", "before-reply"):
                found |= dict.fromkeys(letter.id for stage in plan.stages for letter in stage)
        ids[provider.id] = list(found)
    return ids
