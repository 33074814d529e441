"""Runs the receiver checks: sends their pushes, reads the probe, and collects the results."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.clock import SECOND
from voice_emulator.providers.provider import Provider
from voice_emulator.report.curl import curl_line, url_secrets, without_secrets
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.check import Check
from voice_emulator.verify.judging import shown
from voice_emulator.verify.model import (
    PIECE,
    Evidence,
    NotApplicable,
    Options,
    Plan,
    Response,
    State,
    TestPush,
)
from voice_emulator.verify.receipt_factory import ReceiptFactory
from voice_emulator.verify.suite import check_id, suite
from voice_emulator.wire.delivery.connections import is_own
from voice_emulator.wire.delivery.push_client import KeptConnectionClosed, PushClient
from voice_emulator.wire.delivery.target_policy import Resolver, TargetBlocked, TargetPolicy, blocked_by
from voice_emulator.wire.http.agent import AGENT
from voice_emulator.wire.http.connection_errors import connection_error
from voice_emulator.wire.machine_time import wall_now

log = logging.getLogger(__name__)

#: Checks that run at the same time: the most, and the default.
AT_ONCE_LIMIT = 50
AT_ONCE = 10
#: Real seconds between the starts of two checks, so that the suite does not overload the receiver.
PACE = 0.01
PROBE_LIMIT = 64 * 1024 * 1024
#: What the plain receipt that is sent before all checks has in place of a check's name.
USUAL = "usual"
#: Pushes of a failed check that its result shows, the one that failed included.
PUSHES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Graded:
    """The result of one check.

    ``verdict`` is passed, failed, warning (a check of that severity failed) or skipped. ``pushes`` are those to
    send again to see the failure: the last is the one that failed.
    """

    id: str
    check: Check
    provider: str
    verdict: str
    reason: str
    received: str
    seconds: float
    pushes: tuple[TestPush, ...] = ()

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
            "pushes": [shown_push(push) for push in self.pushes],
        }


def shown_push(push: TestPush) -> dict[str, Any]:
    """A push as it was sent, without the secrets of the receiver's URL, and as a curl line."""
    request, secrets = push.request, url_secrets(push.receiver)
    rate = PIECE * SECOND // push.pause if push.pause else 0
    return {
        "kind": push.kind.name,
        "method": request.method,
        "url": without_secrets(request.url, secrets),
        "headers": [list(pair) for pair in request.headers],
        "fields": dict(push.fields),
        "body": request.body.decode("utf-8", "replace"),
        "curl": curl_line(
            request.method, request.url, request.headers, request.body, secrets, bytes_per_second=rate
        ),
    }


class ProbeFailed(Exception):
    """The user's probe endpoint did not show the business state."""


class Grader:
    """Grades one receiver."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        schemas: SchemaSet,
        options: Options,
        *,
        reach: TargetPolicy | None = None,
        only: Collection[str] = (),
        at_once: int = AT_ONCE,
        timeout: float = 10.0,
        on_graded: Callable[[Graded, int, int], None] | None = None,
    ) -> None:
        """``only`` names the checks to run, by name or by provider and name; all when empty.

        ``timeout`` is in real seconds. ``on_graded`` gets each result, how many are done, and of how many.
        Raises UsageError for a check that does not exist.
        """
        self._suites = [(each, suite(each, only)) for each in providers.values()]
        self._schemas = schemas
        self._options = options
        self._reach = reach or TargetPolicy()
        self._at_once = max(1, min(at_once, AT_ONCE_LIMIT))
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._seconds = timeout
        self._tell = on_graded or (lambda graded, done, total: None)
        self._channel: PushClient | None = None
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> list[Graded]:
        """Run every provider's suite, one provider after the other."""
        resolver = Resolver(self._reach)
        self._channel = PushClient(resolver, self._seconds)
        # For the probe alone: test pushes are sent as pushes are.
        connector = aiohttp.TCPConnector(force_close=True, resolver=resolver)
        async with aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": AGENT}, auto_decompress=False, skip_auto_headers=("Accept-Encoding",),
        ) as session:  # fmt: skip
            self._session = session
            self._total = sum(len(checks) for _, checks in self._suites)
            self._results: list[Graded] = []
            try:
                for provider, checks in self._suites:
                    await self._grade(provider, checks)
            finally:
                await self._channel.close()
        return self._results

    async def _grade(self, provider: Provider, checks: Sequence[Check]) -> None:
        usual = await self._usual(provider) if checks else None
        for check in checks:
            if check.order == "first":
                await self._one(provider, check, usual)
        rest = [check for check in checks if check.order != "first"]
        if usual is None or usual.reply is None or not 200 <= usual.reply.status < 300:
            why = f"not judged: a plain receipt is not accepted ({usual.shown if usual is not None else 'none'})"
            for check in rest:
                self._note(provider, check, "skipped", why)
            return
        gate = asyncio.Semaphore(self._at_once)
        running = []
        for check in rest:
            if check.order == "any":
                await gate.acquire()
                task = asyncio.create_task(self._one(provider, check, usual))
                task.add_done_callback(lambda _: gate.release())
                running.append(task)
                await asyncio.sleep(PACE)
        await asyncio.gather(*running)
        for check in rest:
            if check.order == "last":
                await self._one(provider, check, usual)

    async def _usual(self, provider: Provider) -> Response | None:
        """What comes back for a plain receipt."""
        try:
            return await self._send(self._factory(provider, USUAL).plain())
        except NotApplicable:
            return None

    def _factory(self, provider: Provider, name: str) -> ReceiptFactory:
        return _factory(provider, self._schemas, self._options, name)

    async def _one(self, provider: Provider, check: Check, usual: Response | None) -> None:
        """Run one check and note its result."""
        started = time.perf_counter()
        try:
            if check.needs_probe and self._options.probe_url is None:
                raise NotApplicable("--probe is not given: the receiver's business state cannot be seen")
            plan = check.make(self._factory(provider, check.name))
            evidence = await self._carry_out(check, plan, usual)
        except NotApplicable as unmet:
            self._note(provider, check, "skipped", str(unmet))
            return
        except ProbeFailed as failed:
            self._note(provider, check, "failed", f"the probe failed: {failed}", seconds=_since(started))
            return
        failure = plan.judge(evidence)
        reason, verdict = "", "passed"
        pushes: tuple[TestPush, ...] = ()
        if failure is not None:
            verdict = "failed" if check.severity == "error" else "warning"
            reason, pushes = failure.reason, _to_send_again(evidence, failure.response)
        self._note(provider, check, verdict, reason, shown(evidence.responses), _since(started), pushes)

    def _note(
        self,
        provider: Provider,
        check: Check,
        verdict: str,
        reason: str,
        received: str = "",
        seconds: float = 0.0,
        pushes: tuple[TestPush, ...] = (),
    ) -> None:
        graded = Graded(
            check_id(provider, check), check, provider.id, verdict, reason, received, seconds, pushes
        )
        self._results.append(graded)
        self._tell(graded, len(self._results), self._total)

    async def _carry_out(self, check: Check, plan: Plan, usual: Response | None) -> Evidence:
        states: list[State] | None = [await self._probe()] if check.needs_probe else None
        stages: list[list[Response]] = []
        for pushes in plan.stages:
            responses = await asyncio.gather(*(self._send(push) for push in pushes))
            for response in responses:
                if response.ours:
                    raise NotApplicable(f"not judged: the emulator could not send it ({response.trouble})")
            stages.append(responses)
            if states is not None:
                states.append(await self._probe())
        return Evidence(stages, usual or stages[0][0], states, self._options.slow_after)

    # --- the wire -----------------------------------------------------------------------------

    async def _send(self, push: TestPush) -> Response:
        """Send one push. Whatever goes wrong is part of the response."""
        started = time.perf_counter()
        reply, trouble, ours = None, "", False
        try:
            reply = await self._exchange(push)
        except TargetBlocked as blocked:
            trouble = f"blocked: {blocked}"
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            blocked_target = blocked_by(error)
            trouble = (
                f"blocked: {blocked_target}"
                if blocked_target is not None
                else connection_error(error, push.request.url, seconds=self._seconds)
            )
            ours = isinstance(error, KeptConnectionClosed) or is_own(error)
        return Response(push, reply, _since(started), trouble, ours)

    async def _exchange(self, push: TestPush) -> PushReply:
        if self._channel is None:
            raise ConnectionError("not running")
        pace = (push.pause, PIECE) if push.pause else None
        seconds = push.kind.answer_within(push.settings)
        return await self._channel.exchange(
            self._target(push.request.url), push.request, pace=pace, seconds=seconds
        )

    def _target(self, text: str) -> URL:
        """Raises TargetBlocked for a target that is not allowed."""
        url = URL(text, encoded=True)
        refusal = self._reach.check(url)
        if refusal is not None:
            raise TargetBlocked(refusal)
        return url

    async def _probe(self) -> State:
        """The business state now. Raises ProbeFailed."""
        if self._session is None:
            raise ConnectionError("not running")
        url = self._options.probe_url or ""
        try:
            async with self._session.get(self._target(url), allow_redirects=False) as response:
                text = await response.content.read(PROBE_LIMIT)
                if response.status != 200:
                    raise ProbeFailed(f"it replied with HTTP {response.status}")
        except TargetBlocked as blocked:
            raise ProbeFailed(f"blocked: {blocked}") from blocked
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            why = connection_error(error, url, seconds=self._seconds, hint="is the probe running?")
            raise ProbeFailed(why) from error
        try:
            calls = json.loads(text)["calls"]
            return dict(calls)
        except (ValueError, LookupError, TypeError, AttributeError):
            raise ProbeFailed('its body is not JSON like {"calls": {"<id>": {...}}}') from None


def _to_send_again(evidence: Evidence, failed: Response) -> tuple[TestPush, ...]:
    """The pushes that show a failure: those of the stages before, then the one that failed."""
    before: list[Response] = []
    for stage in evidence.stages:
        if failed in stage:
            break
        before += stage
    return tuple(each.push for each in [*before[1 - PUSHES_SHOWN :], failed])


def _since(started: float) -> float:
    return time.perf_counter() - started


def conformance_document(options: Options, graded: Sequence[Graded], version: str, at: str) -> dict[str, Any]:
    """The results as one JSON document (schemas/conformance.schema.json)."""
    counts = dict.fromkeys(("passed", "failed", "warning", "skipped"), 0)
    for each in graded:
        counts[each.verdict] += 1
    judged = len(graded) - counts["skipped"]
    found = "violations" if counts["failed"] else "warnings" if counts["warning"] else "clean"
    verdict = found if judged else "empty"
    return {
        "shape": 1,
        "generator": f"voice-emulator {version}",
        "callback_url": without_secrets(options.callback_url, url_secrets(options.callback_url)),
        "seed": options.seed,
        "at": at,
        "summary": {"verdict": verdict, "checks": len(graded), **counts},
        "checks": [each.shown() for each in graded],
    }


def suite_ids(
    providers: Mapping[str, Provider], schemas: SchemaSet, options: Options
) -> dict[str, list[str]]:
    """The ids that a run with these options uses, by provider, so that a receiver can know them beforehand."""
    ids: dict[str, list[str]] = {}
    for provider in providers.values():
        checks = [check for check in suite(provider) if check.name not in ("unknown-id", "before-reply")]
        if not checks:
            continue
        found = {_factory(provider, schemas, options, USUAL).plain().id: None}
        for check in checks:
            try:
                plan = check.make(_factory(provider, schemas, options, check.name))
            except NotApplicable:
                continue
            found |= dict.fromkeys(push.id for stage in plan.stages for push in stage)
        ids[provider.id] = list(found)
    return ids


def _factory(provider: Provider, schemas: SchemaSet, options: Options, name: str) -> ReceiptFactory:
    return ReceiptFactory(provider, schemas, options, name, wall_now)
