"""Rules about the client's receiver: what it does with the pushes it gets."""

from __future__ import annotations

from collections.abc import Iterator

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.providers.contract import When, finding
from voice_emulator.providers.provider import ReceiptKind

#: A reply later than this is slow, in real microseconds.
SLOW = 3_000_000


@plain_value
class PushContext:
    """What a rule about pushes works with."""

    tenant: Tenant
    attempt: Attempt
    kind: ReceiptKind

    @property
    def spoiled(self) -> bool:
        """Whether a rule changed the push so that a receiver may refuse it."""
        push = self.attempt.push
        return not push.by_hand and any(is_spoiled(part.effect) for part in push.parts)

    @property
    def dribbled(self) -> bool:
        """Whether a rule sent the push so slowly that a receiver may give up."""
        return self.attempt.push.effect.slow_body is not None and not self.attempt.push.by_hand

    @property
    def status(self) -> int:
        """HTTP status of the reply; 0 without one."""
        return self.attempt.reply.status if self.attempt.reply is not None else 0


def is_spoiled(effect: ReceiptEffect) -> bool:
    """Whether a rule breaks the contents, signature or transport of a push; one more field breaks nothing."""
    return bool(
        effect.set or effect.repeat_set or effect.drop or effect.corrupt or effect.bad_signature or effect.stale_timestamp
        or effect.duplicate_nonce or effect.wrong_content_type or effect.encoding or effect.reset or effect.slow_body
    )  # fmt: skip


@finding("push-not-acknowledged", "error", When.PUSHED)
def push_not_acknowledged(context: PushContext) -> Iterator[str]:
    """The receiver replied to a push with an HTTP success, but did not acknowledge it.

    NXCloud expects the body `success`; Huawei expects JSON whose `retCode` is the text `"0"` (`returnCode`
    for the review of an upload). HTTP 200 alone does not acknowledge it there: the provider counts the receipt
    as not received. Pushes that a rule of the scenario has changed do not count, since a receiver may refuse
    those; a field more is not a reason to refuse.

    How to fix it: reply exactly what the page says, for every push that was stored.
    """
    if context.attempt.outcome is PushOutcome.REFUSED and 200 <= context.status < 300 and not context.spoiled:
        reason, wanted = context.attempt.reason, context.kind.acknowledgement or "an acknowledgement"
        yield reason if wanted in reason else f"{reason}; expected {wanted}"


@finding("push-answered-with-error", "error", When.PUSHED)
def push_answered_with_error(context: PushContext) -> Iterator[str]:
    """The receiver replied to a push with an HTTP error.

    A status of 400 or above means that the receiver did not accept a receipt that the provider's documents
    allow. No provider promises to send it again: NXCloud pushes once. Pushes that a rule of the scenario has
    changed do not count, unless it only added a field.

    How to fix it: accept every receipt, also for an unknown id; store it raw if it looks odd, and examine it later.
    """
    if context.attempt.outcome is PushOutcome.REFUSED and context.status >= 400 and not context.spoiled:
        yield f"HTTP status {context.status}"


@finding(
    "push-redirected",
    "error",
    When.PUSHED,
    source="the receipt pages do not mention redirects; the emulator follows none",
)
def push_redirected(context: PushContext) -> Iterator[str]:
    """The receiver replied to a push with a redirect.

    Providers do not follow redirects of pushes: the receipt is lost. Often the path lacks a
    slash at its end, or a server redirects all requests from http to https.

    How to fix it: register the URL that the redirect leads to.
    """
    if context.attempt.outcome is PushOutcome.REFUSED and 300 <= context.status < 400:
        headers = context.attempt.reply.headers if context.attempt.reply is not None else ()
        where = next((value for name, value in headers if name.lower() == "location"), "")
        yield f"HTTP status {context.status}" + (f" to {where[:200]}" if where else "")


@finding("push-timed-out", "error", When.PUSHED)
def push_timed_out(context: PushContext) -> Iterator[str]:
    """The receiver did not reply to a push in time.

    The provider gives up after some seconds (ten by default here, less where its page says so) and counts the
    receipt as not received, even if the receiver is still working on it. Pushes that a rule of the scenario
    slowed down do not count.

    How to fix it: store the receipt, reply at once, and do the work afterwards.
    """
    if context.attempt.trouble == "timeout" and not context.dribbled:
        yield context.attempt.reason


@finding("receiver-unreachable", "error", When.PUSHED)
def receiver_unreachable(context: PushContext) -> Iterator[str]:
    """The receiver could not be reached, or broke the connection off.

    Nothing listens there, the name does not resolve, or the server closed the connection before it replied
    (often a crash). Pushes that a rule of the scenario slowed down do not count.

    How to fix it: check the callback URL; inside a container, localhost is the container itself
    (`--rewrite-callback http://localhost=http://host.docker.internal`).
    """
    if context.attempt.trouble in ("connection", "url") and not context.dribbled:
        yield context.attempt.reason


@finding(
    "receiver-tls-trouble",
    "error",
    When.PUSHED,
    occasional=True,
    source="Configuring the Voice Notification Function (Huawei CEC, cec_04_0028): TLS 1.2 or newer",
)
def receiver_tls_trouble(context: PushContext) -> Iterator[str]:
    """TLS with the receiver failed.

    The certificate is expired, self-signed, for another name, or lacks its intermediates; or the two sides have
    no TLS version in common. The provider will not make an exception.

    How to fix it: serve the whole chain of a valid certificate, with TLS 1.2 or newer.
    """
    if context.attempt.trouble == "tls":
        yield context.attempt.reason


@finding("push-answered-slowly", "warning", When.PUSHED)
def push_answered_slowly(context: PushContext) -> Iterator[str]:
    """The receiver took more than three seconds to reply to a push.

    It was in time here, but under load it will not be. Receivers are slow when they do all their work before
    they reply.

    How to fix it: store the receipt, reply at once, and do the work afterwards.
    """
    if context.attempt.duration > SLOW and context.attempt.reply is not None and not context.dribbled:
        yield f"replied after {context.attempt.duration / 1e6:.1f} s"


@finding("acknowledgement-in-quotes", "warning", When.PUSHED)
def acknowledgement_in_quotes(context: PushContext) -> Iterator[str]:
    """The receiver acknowledged with the right word, but in JSON quotes.

    NXCloud expects the body `success`; this one was `"success"`, which is what a framework makes of a text that
    it turns into JSON. A production receiver replies like this, so the receipt counts as delivered here. No page
    says whether the provider accepts it as an acknowledgement; with the setting `strict_acknowledgement` the
    emulator does not.

    How to fix it: reply with the bare text and `Content-Type: text/plain`.
    """
    if is_odd(context.attempt):
        yield context.attempt.reason


def is_odd(attempt: Attempt) -> bool:
    """Whether an acknowledgement counts although it is not exactly what the provider expects."""
    return attempt.outcome is PushOutcome.DELIVERED and attempt.reason != ""


@finding("acknowledgement-content-type", "warning", When.PUSHED)
def acknowledgement_content_type(context: PushContext) -> Iterator[str]:
    """The receiver replied with JSON under another content type.

    Where the provider expects a JSON object, the reply should have `Content-Type: application/json`. The
    emulator reads the body anyway; a stricter reader would not.

    How to fix it: set the content type of the reply.
    """
    if context.attempt.outcome is PushOutcome.DELIVERED and calls_json_otherwise(
        context.attempt, context.kind
    ):
        yield f"expected application/json, got {content_type(context.attempt) or 'none'}"


def calls_json_otherwise(attempt: Attempt, kind: ReceiptKind) -> bool:
    """Whether JSON was expected as acknowledgement and the reply has another content type."""
    if not kind.acknowledgement.startswith("{") or attempt.reply is None:
        return False
    return "json" not in content_type(attempt)


def content_type(attempt: Attempt) -> str:
    """The reply's content type in lower case; empty without one."""
    for name, value in attempt.reply.headers if attempt.reply is not None else ():
        if len(name) == 12 and name.lower() == "content-type":
            return value.lower()
    return ""


RULES = (
    push_not_acknowledged, push_answered_with_error, push_redirected, push_timed_out, receiver_unreachable,
    receiver_tls_trouble, push_answered_slowly, acknowledgement_in_quotes, acknowledgement_content_type,
)  # fmt: skip
