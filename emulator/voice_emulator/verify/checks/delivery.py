"""The ways receipts arrive: again, early, late, all at once, slowly, and in requests that are none."""

from __future__ import annotations

from dataclasses import replace

from voice_emulator.core.clock import SECOND
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.provider import PushRequest
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import answered_politely, last_refused, taken
from voice_emulator.verify.model import NotApplicable, Plan, TestPush
from voice_emulator.verify.receipt_factory import ReceiptFactory

BURST = 50
#: Real microseconds between the pieces of a slow sender.
PAUSE = 150_000
UNKNOWN_ID = "0"


@check("repeat", "error", sends="the same receipt three times", expects="taken each time")
def repeat(bench: ReceiptFactory) -> Plan:
    """Networks repeat and support desks push again. A receiver that refuses what it has already makes the
    provider count a receipt as lost that is not.
    """
    draft = bench.draft()
    return Plan([[bench.letter(draft)] for _ in range(3)], taken)


@check(
    "out-of-order",
    "error",
    sends="the receipt of a later call before that of an earlier one",
    expects="both taken",
)
def out_of_order(bench: ReceiptFactory) -> Plan:
    """Receipts overtake each other; nothing promises their order."""
    late, early = bench.draft(), bench.draft(Outcome.NO_ANSWER, earlier=600 * SECOND)
    return Plan([[bench.letter(late)], [bench.letter(early)]], taken)


@check(
    "before-reply", "error",
    sends="a receipt whose id the receiver cannot know yet",
    expects="an answer that is no server error: taken, or refused in good order",
)  # fmt: skip
def before_reply(bench: ReceiptFactory) -> Plan:
    """A receipt may overtake the reply that tells the id. A receiver that fails then loses it; one that
    keeps it for a moment does not.
    """
    stranger = bench.stranger()
    return Plan([[stranger.plain()]], answered_politely)


@check("unknown-id", "warning", sends="a receipt whose id was never issued (all zeros)", expects="refused")
def unknown_id(bench: ReceiptFactory) -> Plan:
    """Who takes a receipt for a call nobody placed takes forged ones too."""
    zeros = UNKNOWN_ID * len(bench.make_id(0))
    return Plan([[bench.letter(bench.draft(id=zeros))]], last_refused)


@check(
    "fifty-at-once", "error", order="last",
    sends=f"{BURST} receipts of as many calls at the same time", expects="all taken",
)  # fmt: skip
def fifty_at_once(bench: ReceiptFactory) -> Plan:
    """A batch ends all at once: a thousand calls of thirty seconds each bring their receipts together."""
    return Plan([[bench.plain() for _ in range(BURST)]], taken)


@check(
    "slow-sender", "error", sends="a receipt whose body comes in pieces over some seconds", expects="taken"
)
def slow_sender(bench: ReceiptFactory) -> Plan:
    """The provider's machine is under load as well; a receiver that gives up after a second loses receipts."""
    draft = bench.draft()
    effect = ReceiptEffect(encoding="form") if not _has_body(bench, draft.push.kind) else ReceiptEffect()
    return Plan([[bench.letter(draft, effect, pause=PAUSE)]], taken)


def _has_body(bench: ReceiptFactory, kind: str) -> bool:
    return bool(bench.plain().request.body)


@check("wrong-method", "warning", sends="the fields of a receipt by GET", expects="refused")
def wrong_method(bench: ReceiptFactory) -> Plan:
    """Links are fetched by GET, by crawlers, previews and mistake: fetching must not change anything."""
    letter = bench.letter(bench.draft(), ReceiptEffect(encoding="query"))
    return Plan([[_with(letter, method="GET", body=b"", headers=())]], last_refused)


@check("wrong-content-type", "warning", sends="a receipt announced as text/plain", expects="refused")
def wrong_content_type(bench: ReceiptFactory) -> Plan:
    """The provider says what it sends. Something else comes from somebody else, for instance from a page in
    a browser, which may send text/plain anywhere without asking.
    """
    letter = bench.plain()
    if not letter.request.body:
        raise NotApplicable("the receipt has no body, so it needs no content type")
    return Plan([[_with(letter, headers=(("Content-Type", "text/plain"),))]], last_refused)


@check("no-fields", "warning", sends="a push without any field", expects="refused")
def no_fields(bench: ReceiptFactory) -> Plan:
    """Acknowledging nothing is a sign that the receiver answers before it looks."""
    letter = bench.plain()
    url = letter.request.url.partition("?")[0]
    body = b"{}" if letter.request.body else b""
    return Plan([[_with(letter, url=url, body=body)]], last_refused)


@check(
    "half-a-body", "warning", sends="JSON that stops in the middle", expects="refused, with no server error"
)
def half_a_body(bench: ReceiptFactory) -> Plan:
    """A connection that breaks leaves half a receipt; acknowledged, the other half is lost for good."""
    letter = bench.plain()
    body = letter.request.body
    if not body.startswith(b"{"):
        raise NotApplicable("the receipt is no JSON")
    broken = _with(letter, body=body[: len(body) // 2])
    return Plan([[broken]], lambda evidence: last_refused(evidence) or answered_politely(evidence))


def _with(letter: TestPush, **changes: object) -> TestPush:
    request: PushRequest = replace(letter.request, **changes)  # type: ignore[arg-type]  # named by their fields
    return replace(letter, request=request)


CHECKS = (
    repeat, out_of_order, before_reply, unknown_id, fifty_at_once, slow_sender, wrong_method, wrong_content_type,
    no_fields, half_a_body,
)  # fmt: skip
