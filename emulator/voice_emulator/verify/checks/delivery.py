"""The ways receipts arrive: again, early, late, all at once, slowly, and in malformed requests."""

from __future__ import annotations

from dataclasses import replace

from voice_emulator.core.clock import SECOND
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.provider import PushRequest
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import accepted, last_refused, no_server_error
from voice_emulator.verify.model import NotApplicable, Plan, TestPush
from voice_emulator.verify.receipt_factory import ReceiptFactory

BURST = 50
#: Real microseconds between the pieces of a slow sender.
PAUSE = 150_000


@check("repeat", "error", sends="the same receipt three times", expects="accepted each time")
def repeat(factory: ReceiptFactory) -> Plan:
    """Networks repeat, and support desks push again. If a receiver refuses what it has already stored, the
    provider counts the receipt as lost.
    """
    draft = factory.draft()
    return Plan([[factory.push(draft)] for _ in range(3)], accepted)


@check(
    "out-of-order",
    "error",
    sends="the receipt of a later call before that of an earlier one",
    expects="both accepted",
)
def out_of_order(factory: ReceiptFactory) -> Plan:
    """Receipts overtake each other; nothing promises their order."""
    late, early = factory.draft(), factory.draft(Outcome.NO_ANSWER, earlier=600 * SECOND)
    return Plan([[factory.push(late)], [factory.push(early)]], accepted)


@check(
    "before-reply", "error",
    sends="a receipt whose id the receiver cannot know yet",
    expects="a reply that is not a server error: accepted, or refused with a client error",
)  # fmt: skip
def before_reply(factory: ReceiptFactory) -> Plan:
    """A receipt may overtake the reply that tells the id. A receiver that fails then loses the receipt; one
    that keeps it for a moment does not.
    """
    return Plan([[factory.stranger().plain()]], no_server_error)


@check(
    "unknown-id", "warning",
    sends="a receipt whose id was never issued (all zeros)",
    expects="accepted: acknowledged, and set aside",
)  # fmt: skip
def unknown_id(factory: ReceiptFactory) -> Plan:
    """Another environment shares the receiver, or a row was lost. No provider sends a refused receipt again,
    so what it reports is gone; a receipt that is acknowledged and set aside can still be matched by a person.
    """
    zeros = "0" * len(factory.make_id(0))
    return Plan([[factory.push(factory.draft(id=zeros))]], accepted)


@check(
    "fifty-at-once", "error", order="last",
    sends=f"{BURST} receipts of as many calls at the same time", expects="all accepted",
)  # fmt: skip
def fifty_at_once(factory: ReceiptFactory) -> Plan:
    """A batch ends all at once: a thousand calls of thirty seconds each bring their receipts together."""
    return Plan([[factory.plain() for _ in range(BURST)]], accepted)


@check("slow-sender", "error", sends="a receipt whose body comes in pieces over some seconds")
def slow_sender(factory: ReceiptFactory) -> Plan:
    """The provider's machine is under load as well; a receiver that gives up after a second loses receipts."""
    effect = ReceiptEffect() if factory.plain().request.body else ReceiptEffect(encoding="form")
    return Plan([[factory.push(factory.draft(), effect, pause=PAUSE)]], accepted)


@check("wrong-method", "warning", sends="the fields of a receipt by GET", expects="refused")
def wrong_method(factory: ReceiptFactory) -> Plan:
    """Crawlers and link previews fetch URLs by GET: a GET must not change anything."""
    push = factory.push(factory.draft(), ReceiptEffect(encoding="query"))
    return Plan([[_with(push, method="GET", body=b"", headers=())]], last_refused)


@check("wrong-content-type", "warning", sends="a receipt announced as text/plain")
def wrong_content_type(factory: ReceiptFactory) -> Plan:
    """The header can be wrong although the body is right: a change at the provider, or a proxy in between.
    A receiver that reads the body anyway loses no receipt.
    """
    push = factory.plain()
    if not push.request.body:
        raise NotApplicable("the receipt has no body, so it needs no content type")
    return Plan([[_with(push, headers=(("Content-Type", "text/plain"),))]], accepted)


@check("no-fields", "warning", sends="a push without any field", expects="refused")
def no_fields(factory: ReceiptFactory) -> Plan:
    """A receiver that acknowledges an empty push replies before it looks."""
    push = factory.plain()
    url = push.request.url.partition("?")[0]
    body = b"{}" if push.request.body else b""
    return Plan([[replace(_with(push, url=url, body=body), fields={})]], last_refused)


@check(
    "half-a-body", "warning", sends="JSON that stops in the middle", expects="refused, with no server error"
)
def half_a_body(factory: ReceiptFactory) -> Plan:
    """A broken connection leaves half a receipt; once that is acknowledged, the other half is lost for good."""
    push = factory.plain()
    body = push.request.body
    if not body.startswith(b"{"):
        raise NotApplicable("the receipt is not JSON")
    broken = _with(push, body=body[: len(body) // 2])
    return Plan([[broken]], lambda evidence: last_refused(evidence) or no_server_error(evidence))


def _with(push: TestPush, **changes: object) -> TestPush:
    request: PushRequest = replace(push.request, **changes)  # type: ignore[arg-type]  # named by their fields
    return replace(push, request=request)


CHECKS = (
    repeat, out_of_order, before_reply, unknown_id, fifty_at_once, slow_sender, wrong_method, wrong_content_type,
    no_fields, half_a_body,
)  # fmt: skip
