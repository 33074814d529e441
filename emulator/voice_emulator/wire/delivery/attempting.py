"""Carrying pushes to the customer's receiver. Every failure becomes an outcome; nothing is raised.

One push client (:mod:`voice_emulator.wire.delivery.push_client`) serves the whole process. A target is judged by the
address actually dialled (:mod:`voice_emulator.wire.delivery.target_policy`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from ssl import SSLContext, SSLError
from typing import Any

import aiohttp
from yarl import URL

from voice_emulator.core.attempts import Attempt, Trouble
from voice_emulator.core.masking import Masker
from voice_emulator.core.pushes import Push, PushOutcome
from voice_emulator.core.scenario import PLAIN_RECEIPT
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.urls import ascii_url
from voice_emulator.errors import ContractBug
from voice_emulator.providers.provider import Envelope, Provider, PushRequest, ReceiptKind
from voice_emulator.providers.spoiling import spoil
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.delivery.connections import is_own
from voice_emulator.wire.delivery.push_client import KeptConnectionClosed, PushClient
from voice_emulator.wire.delivery.session_client import SessionChannel
from voice_emulator.wire.delivery.target_policy import Reach, Resolver, blocked_by
from voice_emulator.wire.delivery.transport_faults import send_and_reset, slowly, time_of
from voice_emulator.wire.http.aiohttp_versions import BARE_PUSHES
from voice_emulator.wire.http.connection_errors import connection_error

log = logging.getLogger(__name__)

#: Parsed and judged URLs kept: receivers are few, but a provider may put the receipt into the query.
TARGETS_REMEMBERED = 256

Watch = Callable[[Tenant, Attempt], None]
#: Awaited before the first byte of an attempt leaves.
Ahead = Callable[[Tenant, Attempt], Awaitable[None]]


class Delivery:
    """Carries one attempt at a time; whoever calls decides how many run at once."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        schemas: SchemaSet,
        masker: Masker,
        *,
        reach: Reach | None = None,
        rewrites: Sequence[tuple[str, str]] = (),
        timeout: float = 10.0,
        strict: bool = False,
        on_bug: Callable[[str], None] | None = None,
        ssl: SSLContext | None = None,
    ) -> None:
        """``timeout`` is in real seconds, ``rewrites`` are (prefix, replacement) pairs for URLs."""
        self._providers = providers
        self._schemas = schemas
        self._masker = masker
        self._reach = reach or Reach()
        self._rewrites = tuple(rewrites)
        self._seconds = timeout
        self._strict = strict
        self._on_bug = on_bug
        self._ssl = ssl
        self._channel: PushClient | SessionChannel | None = None
        self._told: set[tuple[str, str]] = set()
        self._targets: dict[str, tuple[URL, str | None]] = {}
        #: Called with each finished attempt.
        self.watchers: list[Watch] = []
        #: Awaited before the first byte of an attempt leaves: that it is on the wire must be known by then.
        self.ahead: Ahead | None = None

    async def open(self) -> None:
        """Make the channel; needs the running loop."""
        make = PushClient if BARE_PUSHES.usable() else SessionChannel
        self._channel = make(Resolver(self._reach), self._seconds, self._ssl)

    async def close(self) -> None:
        """Close the channel and its connections."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def carry(self, tenant: Tenant, push: Push) -> Attempt:
        """Make one attempt of ``push``, which is in flight, and settle it.

        Cancelled (tenant reset or deleted, shutdown) it leaves no trace but the cancellation.
        """
        kind = self._providers[push.provider].receipts[push.kind]
        attempt = self._prepare(tenant, push, kind)
        sends = attempt.outcome is PushOutcome.PENDING
        started = time.perf_counter()
        try:
            # What is never sent is rendered too: the journal shows what was lost, or had nowhere to go.
            attempt.fields = self._fields(tenant, push, kind)
            if sends:
                await self._exchange(tenant, push, kind, attempt)
        except ContractBug as error:
            attempt.fail("own", str(error))
            log.error("%s", error)
            if self._on_bug is not None:
                self._on_bug(str(error))
        except Exception as error:
            attempt.fail("own", f"{type(error).__name__}: {error}")
            log.exception("a push of %s failed in the emulator itself", push.id)
        attempt.duration = int((time.perf_counter() - started) * 1e6)
        self._settle(tenant, push, attempt)
        return attempt

    # --- before -------------------------------------------------------------------------------

    def _prepare(self, tenant: Tenant, push: Push, kind: ReceiptKind) -> Attempt:
        url = kind.target(tenant, push) or tenant.callback_urls.get(kind.url_key)
        now = tenant.now
        attempt = Attempt(
            id=f"{push.id}.{push.attempt}", push=push, number=push.attempt, at=now, url=url, method="",
            headers=(),
            body=b"", fields={}, outcome=PushOutcome.PENDING, masker=self._masker.within(tenant.secrets),
            faults=() if push.by_hand or push.effect is PLAIN_RECEIPT else push.effect.faults,
            lateness=max(0, now - push.due),
        )  # fmt: skip
        if push.effect.lost and not push.by_hand:
            attempt.outcome, attempt.reason = PushOutcome.LOST, "lost by a rule"
        elif not url:
            attempt.outcome, attempt.reason = PushOutcome.NO_URL, "no receiver is configured"
            self._tell_once(
                tenant, kind.url_key,
                f"tenant {tenant.id!r} has no receiver for {kind.url_key}: start with --callback-url URL, or "
                f"PATCH /v1/tenants/{tenant.id} with {{\"callback_urls\": {{\"{kind.url_key}\": \"http://...\"}}}}",
            )  # fmt: skip
        return attempt

    def _rewritten(self, url: str) -> str:
        for prefix, replacement in self._rewrites:
            if url.startswith(prefix):
                return replacement + url[len(prefix) :]
        return url

    def _fields(self, tenant: Tenant, push: Push, kind: ReceiptKind) -> dict[str, Any]:
        """The receipt's fields, spoilt as the rule says. Raises ContractBug when ours break their schema."""
        fields = kind.fields(tenant, push)
        if self._strict:
            schema = self._schemas.get(kind.schema)
            if not schema.accepts(fields):
                wrong = "; ".join(f"{v.pointer}: {v.message}" for v in schema.violations(fields))
                raise ContractBug(f"our receipt {push.id} breaks {schema.name}: {wrong}")
        return fields if push.by_hand else spoil(fields, push.effect, kind.corrupt, push.copy)

    def _encode(
        self, tenant: Tenant, push: Push, kind: ReceiptKind, attempt: Attempt, receiver: str
    ) -> PushRequest:
        envelope = Envelope(tenant, push, dict(attempt.fields), receiver, attempt.at, push.effect)
        request = kind.encode(envelope)
        attempt.fields = envelope.fields
        attempt.method, attempt.headers, attempt.body = request.method, request.headers, request.body
        attempt.url = request.url
        return request

    # --- the exchange -------------------------------------------------------------------------

    async def _exchange(self, tenant: Tenant, push: Push, kind: ReceiptKind, attempt: Attempt) -> None:
        try:
            receiver = ascii_url(self._rewritten(attempt.url or ""))
        except ValueError as error:
            attempt.fail("url", f"the URL cannot be used: {error}")
            return
        request = self._encode(tenant, push, kind, attempt, receiver)
        try:
            url, refusal = self._target(request.url)
        except ValueError as error:
            attempt.fail("url", f"the URL cannot be used: {error}")
            return
        if refusal is not None:
            self._block(tenant, attempt, refusal)
            return
        effect = push.effect
        pace = effect.slow_body if not push.by_hand else None
        # The timing of a rule is not the receiver's.
        sending = time_of(request.body, *pace) if pace is not None else 0.0
        try:
            if effect.reset and not push.by_hand:
                if self.ahead is not None:
                    await self.ahead(tenant, attempt)
                await asyncio.wait_for(send_and_reset(url, request, self._reach, self._ssl), self._seconds)
                attempt.fail("rule", "reset by a rule in the middle of the push")
                return
            if self._channel is None:
                attempt.fail("own", "the emulator is shutting down")
                return
            attempt.reply = await self._channel.exchange(
                request.method, url, request.headers, request.body,
                announce=partial(self.ahead, tenant, attempt) if self.ahead is not None else None,
                pieces=slowly(request.body, *pace) if pace is not None else None, sending=sending,
            )  # fmt: skip
        except TimeoutError:
            attempt.fail("timeout", f"no answer within {self._seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            blocked = blocked_by(error)
            if blocked is not None:
                self._block(tenant, attempt, str(blocked))
                return
            attempt.fail(_trouble(error), _reason(error, request.url))
            if attempt.trouble == "connection":
                self._tell_unreachable(tenant, kind, url, attempt.reason)
            elif attempt.trouble == "own":
                self._tell_once(tenant, "own", f"a push failed on this machine's side: {attempt.reason}")
        else:
            reply = attempt.reply
            refused = kind.judge(reply)
            odd = kind.tolerate(tenant.settings[push.provider], reply) if refused is not None else None
            reply.shorten()
            delivered = refused is None or odd is not None
            attempt.outcome = PushOutcome.DELIVERED if delivered else PushOutcome.REFUSED
            attempt.reason = odd or refused or ""

    def _target(self, text: str) -> tuple[URL, str | None]:
        """The URL, and why it may not be pushed to (None when it may). Raises ValueError for what is no URL."""
        known = self._targets.get(text)
        if known is None:
            if not text.isprintable() or " " in text:
                # It goes into the request's first line as it is.
                raise ValueError("it has blanks or control characters")
            url = URL(text, encoded=True)
            known = (url, self._reach.check(url))
            if len(self._targets) >= TARGETS_REMEMBERED:
                self._targets.clear()
            self._targets[text] = known
        return known

    def give_up(self, tenant: Tenant, push: Push, at: int) -> None:
        """Enter an attempt, begun at ``at``, that was on the wire when the process died: nobody knows how it went.

        It is never made again by itself: a receipt may have arrived, and twice is worse than uncertain.
        """
        attempt = self._prepare(tenant, push, self._providers[push.provider].receipts[push.kind])
        attempt.at, attempt.lateness = at, 0
        attempt.outcome = PushOutcome.UNCERTAIN
        attempt.reason = "it was on the wire when the emulator died; it may or may not have arrived"
        tenant.outbox.in_flight[push.id, push.attempt] = push
        self._settle(tenant, push, attempt)

    # --- after --------------------------------------------------------------------------------

    def _settle(self, tenant: Tenant, push: Push, attempt: Attempt) -> None:
        known = tenant.outbox.in_flight.get((push.id, push.attempt))
        if known is not push or tenant.closed:
            return  # reset or deleted meanwhile: nobody is left to hear of it
        now = tenant.now
        if attempt.reason:
            # It may quote what the receiver said, or its URL.
            attempt.reason = tenant.secrets.hide(attempt.reason)
        entry = tenant.journal.append("callback", now, attempt)
        attempt.entry_id = entry.id
        tenant.attempts.add(attempt)
        tenant.totals.pushed(push.provider, attempt.outcome)
        tenant.outbox.settle(push, attempt.outcome, now)
        tenant.events.publish("callback", now, attempt, weight=attempt.weight)
        for watch in self.watchers:
            watch(tenant, attempt)

    def _block(self, tenant: Tenant, attempt: Attempt, reason: str) -> None:
        attempt.outcome, attempt.reason = PushOutcome.BLOCKED, reason
        self._tell_once(tenant, f"blocked {reason}", f"push blocked: {reason}")

    def _tell_unreachable(self, tenant: Tenant, kind: ReceiptKind, url: URL, reason: str) -> None:
        remedy = ""
        if url.host in ("localhost", "127.0.0.1", "::1"):
            remedy = (
                " (if the emulator runs in a container, localhost is the container itself: use "
                "--rewrite-callback http://localhost=http://host.docker.internal)"
            )
        self._tell_once(
            tenant, f"unreachable {url.origin()}", f"receiver {url.origin()} unreachable: {reason}{remedy}"
        )

    def _tell_once(self, tenant: Tenant, what: str, message: str) -> None:
        if (tenant.id, what) in self._told or len(self._told) > 10_000:
            return
        self._told.add((tenant.id, what))
        log.warning("%s", tenant.secrets.hide(message))


def _trouble(error: BaseException) -> Trouble:
    if isinstance(error, KeptConnectionClosed):
        return "unclear"
    if is_own(error):
        return "own"
    tls = (aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, SSLError)
    return "tls" if isinstance(error, tls) else "connection"


def _reason(error: BaseException, url: str) -> str:
    # What a kept connection leaves open, its own sentence says best.
    return str(error) if isinstance(error, KeptConnectionClosed) else connection_error(error, url)
