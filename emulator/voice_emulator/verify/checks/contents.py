"""Contents the real provider may send although a quick reading of its page does not show them."""

from __future__ import annotations

from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.verify.check import check
from voice_emulator.verify.judging import accepted, last_not_accepted, last_refused
from voice_emulator.verify.model import NotApplicable, Plan, TestPush
from voice_emulator.verify.receipt_factory import ReceiptFactory


@check("optional-fields-absent", "error", sends="a receipt with only its required fields")
def optional_fields_absent(factory: ReceiptFactory) -> Plan:
    """Optional fields are missing one day; a receiver that reads them unconditionally fails then."""
    draft = factory.draft()
    gone = factory.optional(draft)
    if not gone:
        raise NotApplicable("every field of this receipt is required")
    return Plan([[factory.push(draft, drop=gone)]], accepted)


@check(
    "empty-required-field",
    "error",
    sends="a receipt whose field for the pressed key is empty",
    applies=lambda grading: grading.empty is not None,
)
def empty_required_field(factory: ReceiptFactory) -> Plan:
    """Required means present, not filled: the pages' own samples send this field empty."""
    return Plan([[factory.push(factory.draft(), changes={str(factory.grading.empty): ""})]], accepted)


@check("unknown-field", "error", sends="a receipt with a field that no page names")
def unknown_field(factory: ReceiptFactory) -> Plan:
    """Providers add fields without notice (all three have done so); a strict parser then loses every receipt."""
    return Plan([[factory.push(factory.draft(), changes={"newField2031": "1"})]], accepted)


@check("unknown-cause", "error", sends="a receipt whose cause is in no table")
def unknown_cause(factory: ReceiptFactory) -> Plan:
    """Tables of causes are never complete. The call has ended and must be closed, whatever its cause."""
    name, value = factory.grading.cause
    return Plan([[factory.push(factory.draft(Outcome.NETWORK_FAILURE), changes={name: value})]], accepted)


@check("non-ascii", "error", sends="a receipt with Chinese and accented text in UTF-8")
def non_ascii(factory: ReceiptFactory) -> Plan:
    """Results, names and the customer's own data come in any language, percent-encoded or as UTF-8 JSON."""
    return Plan([[factory.push(factory.draft(), changes=factory.grading.words)]], accepted)


@check(
    "special-characters", "error",
    sends="a receipt that echoes the customer's data with &, =, +, % and a blank in it",
    applies=lambda grading: bool(grading.customer),
)  # fmt: skip
def special_characters(factory: ReceiptFactory) -> Plan:
    """What the customer sent comes back as it was; a receiver that splits before it decodes cuts it."""
    grading = factory.grading
    draft = factory.draft(operation=grading.customer_operation)
    return Plan([[factory.push(draft, changes=grading.customer)]], accepted)


@check(
    "other-encoding",
    "error",
    sends="a receipt in the other documented encoding",
    applies=lambda grading: bool(grading.encodings),
)
def other_encoding(factory: ReceiptFactory) -> Plan:
    """Which encoding an account gets depends on when it was opened; a move brings the other one."""
    pushes = [
        factory.push(factory.draft(), ReceiptEffect(encoding=name)) for name in factory.grading.encodings
    ]
    return Plan([pushes], accepted)


def _corrupt(factory: ReceiptFactory, kind: str) -> TestPush:
    draft = factory.draft()
    if kind not in factory.provider.receipts[draft.push.kind].corrupt:
        raise NotApplicable("no field of this receipt can be wrong in this way")
    return factory.push(draft, ReceiptEffect(corrupt=kind))


@check("wrong-type", "warning", sends="a receipt with words where a number belongs", expects="refused")
def wrong_type(factory: ReceiptFactory) -> Plan:
    """No provider sends this on purpose. A receiver that acknowledges it does not check what it bills."""
    return Plan([[_corrupt(factory, "wrong_type")]], last_refused)


@check("oversize", "warning", sends="a receipt with a field of 100,000 characters", expects="refused")
def oversize(factory: ReceiptFactory) -> Plan:
    """Without a limit, anyone who finds the URL can fill the receiver's disk.

    The field is in the body where the provider has one; most servers refuse a query string this long.
    """
    return Plan([[_corrupt(factory, "oversize")]], last_not_accepted)


@check("negative-duration", "warning", sends="a receipt with a negative duration", expects="refused")
def negative_duration(factory: ReceiptFactory) -> Plan:
    """Once acknowledged, it becomes a credit in the books."""
    return Plan([[_corrupt(factory, "negative")]], last_refused)


@check("bad-date", "warning", sends="a receipt with a date that does not exist", expects="refused")
def bad_date(factory: ReceiptFactory) -> Plan:
    """A receiver that stores dates without parsing them fails later, when a report needs them."""
    return Plan([[_corrupt(factory, "bad_date")]], last_refused)


CHECKS = (
    optional_fields_absent, empty_required_field, unknown_field, unknown_cause, non_ascii, special_characters,
    other_encoding, wrong_type, oversize, negative_duration, bad_date,
)  # fmt: skip
