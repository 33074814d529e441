"""Attempts to deliver pushes. Every failure becomes an outcome; nothing is raised.

The process has one push client (:mod:`voice_emulator.wire.delivery.push_client`). Targets are checked by the address
of the connection (:mod:`voice_emulator.wire.delivery.target_policy`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Mapping, Sequence
from functools import partial
from ssl import SSLContext, SSLError
from typing import Any

import aiohttp
from yarl import URL

from voice_emulator.core.attempts import Attempt, Trouble
from voice_emulator.core.listeners import Listeners
from voice_emulator.core.masking import Masker
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import PLAIN_RECEIPT
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.urls import ascii_url
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.errors import ContractBug
from voice_emulator.providers.provider import Envelope, Provider, PushRequest, ReceiptKind
from voice_emulator.providers.spoiling import spoil
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.settings import option
from voice_emulator.wire.delivery.connections import is_own
from voice_emulator.wire.delivery.push_client import KeptConnectionClosed, PushClient
from voice_emulator.wire.delivery.session_client import SessionPushClient
from voice_emulator.wire.delivery.target_policy import Resolver, TargetBlocked, TargetPolicy, blocked_by
from voice_emulator.wire.delivery.transport_faults import send_and_reset
from voice_emulator.wire.http.aiohttp_versions import BARE_PUSHES
from voice_emulator.wire.http.connection_errors import connection_error

log = logging.getLogger(__name__)

#: Parsed and checked URLs in the cache: receivers are few, but a provider may put the receipt into the query.
TARGETS_CACHED = 256


class Delivery:
    """Makes attempts; the caller decides how many run at once."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        schemas: SchemaSet,
        masker: Masker,
        *,
        policy: TargetPolicy | None = None,
        rewrites: Sequence[tuple[str, str]] = (),
        timeout: float = 10.0,
        strict: bool = False,
        ssl: SSLContext | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        """``timeout`` is in real seconds, ``rewrites`` are (prefix, replacement) pairs for URLs."""
        self._providers = providers
        self._schemas = schemas
        self._masker = masker
        self._policy = policy or TargetPolicy()
        self._rewrites = tuple(rewrites)
        self._seconds = timeout
        self._strict = strict
        self._listeners = listeners or Listeners()
        self._ssl = ssl
        self._client: PushClient | SessionPushClient | None = None
        self._logged: set[tuple[str, str]] = set()
        self._targets: dict[str, tuple[URL, str | None]] = {}

    async def open(self) -> None:
        """Open the push client; needs the running loop."""
        make = PushClient if BARE_PUSHES.usable() else SessionPushClient
        self._client = make(Resolver(self._policy), self._seconds, self._ssl)

    async def close(self) -> None:
        """Close the push client and its connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def refusal(self, url: str) -> str | None:
        """Why pushes to ``url`` would be blocked; None if they would not, or if its name does not resolve now."""
        target, refusal = self._target(ascii_url(self._rewritten(url)))
        if refusal is None:
            try:
                await Resolver(self._policy).resolve(target.host or "", target.port or 0, socket.AF_UNSPEC)
            except TargetBlocked as error:
                return str(error)
            except OSError:
                return None
        return refusal

    async def attempt(self, tenant: Tenant, push: Push) -> Attempt:
        """Make one attempt of ``push``, which is in flight, and record it.

        When it is cancelled (tenant reset or deleted, shutdown), nothing is recorded.
        """
        kind = self._providers[push.provider].receipts[push.kind]
        attempt = self._prepare(tenant, push, kind)
        sends = attempt.outcome is PushOutcome.PENDING
        started = time.perf_counter()
        try:
            # Also for a push that is not sent: the journal shows what was lost, or had no receiver.
            attempt.fields = self._fields(tenant, push, kind)
            if push.others:
                attempt.others = tuple([self._fields(tenant, part, kind) for part in push.others])
            if sends:
                await self._exchange(tenant, push, kind, attempt)
        except ContractBug as error:
            attempt.fail("own", str(error))
            log.error("%s", error)
            for told in self._listeners.bug_found:
                told(str(error))
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
            body=b"", fields={}, outcome=PushOutcome.PENDING,
            masker=tenant.secrets.masker or self._masker.within(tenant.secrets),
            faults=_faults(push),
            lateness=max(0, now - push.due),
        )  # fmt: skip
        if push.effect.lost and not push.by_hand:
            attempt.outcome, attempt.reason = PushOutcome.LOST, "lost by a rule"
        elif not url:
            attempt.outcome, attempt.reason = PushOutcome.NO_URL, "no receiver is configured"
            self._warn_once(
                tenant, kind.url_key,
                f"tenant {tenant.id!r} has no receiver for {kind.url_key}: " + option(
                    f"start with --callback-url URL, or PATCH /v1/tenants/{tenant.id} with "
                    f"{{\"callback_urls\": {{\"{kind.url_key}\": \"http://...\"}}}}",
                    f"set callback_urls[{kind.url_key!r}]",
                ),
            )  # fmt: skip
        return attempt

    def _rewritten(self, url: str) -> str:
        for prefix, replacement in self._rewrites:
            if url.startswith(prefix):
                return replacement + url[len(prefix) :]
        return url

    def _fields(self, tenant: Tenant, push: Push, kind: ReceiptKind) -> dict[str, Any]:
        """The receipt's fields, with the rule's faults. Raises ContractBug when they violate their schema."""
        fields = kind.fields(tenant, push)
        if self._strict:
            schema = self._schemas.get(kind.schema)
            if not schema.accepts(fields):
                wrong = "; ".join(f"{v.pointer}: {v.message}" for v in schema.violations(fields))
                raise ContractBug(f"our receipt {push.id} violates {schema.name}: {wrong}")
        return fields if push.by_hand else spoil(fields, push.effect, kind.corrupt, push.copy)

    def _encode(
        self, tenant: Tenant, push: Push, kind: ReceiptKind, attempt: Attempt, receiver: str
    ) -> PushRequest:
        envelope = Envelope(
            tenant, push, dict(attempt.fields), receiver, attempt.at, push.effect, kind.array,
            tuple([dict(fields) for fields in attempt.others]) if attempt.others else (),
        )  # fmt: skip
        request = kind.encode(envelope)
        attempt.fields, attempt.others = envelope.fields, envelope.others
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
        seconds = kind.answer_within(tenant.settings[push.provider]) or self._seconds
        seconds = min(seconds, self._seconds)
        pace = effect.slow_body if not push.by_hand else None
        try:
            if effect.reset and not push.by_hand:
                await self._announce(tenant, attempt)
                await asyncio.wait_for(send_and_reset(url, request, self._policy, self._ssl), seconds)
                attempt.fail("rule", "reset by a rule in the middle of the push")
                return
            if self._client is None:
                attempt.fail("own", "the emulator is shutting down")
                return
            announce = partial(self._announce, tenant, attempt) if self._listeners.attempt_starting else None
            attempt.reply = await self._client.exchange(
                url, request, announce=announce, pace=pace, seconds=seconds
            )
        except TimeoutError:
            attempt.fail("timeout", f"no answer within {seconds:g} s")
        except (aiohttp.ClientError, OSError) as error:
            blocked = blocked_by(error)
            if blocked is not None:
                self._block(tenant, attempt, str(blocked))
                return
            attempt.fail(_trouble(error), _reason(error, request.url))
            if attempt.trouble == "connection":
                self._warn_unreachable(tenant, kind, url, attempt.reason)
            elif attempt.trouble == "own":
                self._warn_once(tenant, "own", f"a push failed on this machine's side: {attempt.reason}")
        else:
            reply = attempt.reply
            refused = kind.judge(reply)
            odd = kind.tolerate(tenant.settings[push.provider], reply) if refused is not None else None
            reply.shorten()
            delivered = refused is None or odd is not None
            attempt.outcome = PushOutcome.DELIVERED if delivered else PushOutcome.REFUSED
            attempt.reason = odd or refused or ""

    async def _announce(self, tenant: Tenant, attempt: Attempt) -> None:
        for told in self._listeners.attempt_starting:
            await told(tenant, attempt)

    def _target(self, text: str) -> tuple[URL, str | None]:
        """The URL, and why it is not allowed (None when it is). Raises ValueError for an invalid URL."""
        known = self._targets.get(text)
        if known is None:
            if not text.isprintable() or " " in text:
                # It goes into the request line unchanged.
                raise ValueError("it contains spaces or control characters")
            url = URL(text, encoded=True)
            known = (url, self._policy.check(url))
            if len(self._targets) >= TARGETS_CACHED:
                self._targets.clear()
            self._targets[text] = known
        return known

    def give_up(self, tenant: Tenant, push: Push, at: int) -> None:
        """Record an attempt, begun at ``at``, that was being sent when the process died: its outcome is unknown.

        It is never repeated automatically: the receipt may have arrived, and twice is worse than uncertain.
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
            return  # reset or deleted meanwhile
        now = tenant.now
        if attempt.reason:
            # It may quote the receiver's answer or URL.
            attempt.reason = tenant.secrets.hide(attempt.reason)
        attempt.weigh()
        attempt.entry_id = tenant.journal.append("callback", now, attempt).id
        tenant.attempts.add(attempt)
        tenant.totals.pushed(push.provider, attempt.outcome)
        tenant.outbox.settle(push, attempt.outcome, now)
        tenant.events.publish("callback", now, attempt, weight=attempt.weight)
        for told in self._listeners.attempt_finished:
            told(tenant, attempt)

    def _block(self, tenant: Tenant, attempt: Attempt, reason: str) -> None:
        attempt.outcome, attempt.reason = PushOutcome.BLOCKED, reason
        self._warn_once(tenant, f"blocked {reason}", f"push blocked: {reason}")

    def _warn_unreachable(self, tenant: Tenant, kind: ReceiptKind, url: URL, reason: str) -> None:
        remedy = ""
        if url.host in ("localhost", "127.0.0.1", "::1"):
            remedy = option(
                " (if the emulator runs in a container, localhost is the container itself: use "
                "--rewrite-callback http://localhost=http://host.docker.internal)",
                "",
            )
        self._warn_once(
            tenant, f"unreachable {url.origin()}", f"receiver {url.origin()} unreachable: {reason}{remedy}"
        )

    def _warn_once(self, tenant: Tenant, what: str, message: str) -> None:
        if (tenant.id, what) in self._logged or len(self._logged) > 10_000:
            return
        self._logged.add((tenant.id, what))
        log.warning("%s", tenant.secrets.hide(message))


def _faults(push: Push) -> tuple[str, ...]:
    """What rules changed about a push, or about one of its receipts."""
    if push.by_hand or (push.effect is PLAIN_RECEIPT and not push.others):
        return ()
    return tuple(dict.fromkeys(name for part in push.parts for name in part.effect.faults))


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
