from __future__ import annotations

import pytest

from tests.scenarios.made_up import rule, rule_complaints
from voice_emulator.core.clock import MINUTE, SECOND
from voice_emulator.core.distributions import Fixed, Uniform
from voice_emulator.core.scenario import RETRIES, ReceiptEffect, Retry
from voice_emulator.scenarios.receipt_section import FLAGS


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("{delay: 48h}", ReceiptEffect(delay=Fixed(48 * 60 * MINUTE))),
        ("{copies: 3, gap: {uniform: [1s, 2s]}}", ReceiptEffect(copies=3, gap=Uniform(SECOND, 2 * SECOND))),
        ("{copies: 2, repeat_set: {cause: BUSY}}", ReceiptEffect(copies=2, repeat_set=(("cause", "BUSY"),))),
        ("{lost: true, query_lag: 30s}", ReceiptEffect(lost=True, query_lag=Fixed(30 * SECOND))),
        ("{before_reply: true, copies: 2}", ReceiptEffect(before_reply=True, copies=2)),
        ("{hold: 3}", ReceiptEffect(hold=3)),
        ("{retry: {attempts: 3, every: 1m}}", ReceiptEffect(retry=Retry((MINUTE, MINUTE)))),
        ("{retry: {attempts: 1, every: 1m}}", ReceiptEffect(retry=Retry(()))),
        ("{set: {cause: 0016, id: no}}", ReceiptEffect(set=(("cause", "0016"), ("id", "no")))),
        ("{set: {cause: }}", ReceiptEffect(set=(("cause", ""),))),
        ("{add: {trace: 007, cos: }}", ReceiptEffect(add=(("trace", "007"), ("cos", "")))),
        ("{drop: [cause, uuid]}", ReceiptEffect(drop=("cause", "uuid"))),
        ("{drop: cause}", ReceiptEffect(drop=("cause",))),
        ("{corrupt: empty}", ReceiptEffect(corrupt="empty")),
        ("{encoding: json}", ReceiptEffect(encoding="json")),
        ("{slow_body: true}", ReceiptEffect(slow_body=(100_000, 16))),
        ("{slow_body: {every: 50ms, bytes: 8}}", ReceiptEffect(slow_body=(50_000, 8))),
        ("{slow_body: false, copies: 2}", ReceiptEffect(copies=2)),
    ],
)
def test_receipts(text: str, effect: ReceiptEffect):
    assert rule(f"receipt: {text}").receipt == effect


@pytest.mark.parametrize("name", FLAGS)
def test_flags(name: str):
    read = rule(f"receipt: {{{name}: true}}").receipt
    assert read is not None
    assert read.faults == (name,)


@pytest.mark.parametrize("name", list(RETRIES))
def test_retry_presets(name: str):
    assert rule(f"receipt: {{retry: {name}}}").receipt == ReceiptEffect(retry=RETRIES[name])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "receipt is empty"),
        ("lost", "receipt must be a mapping, not 'lost'"),
        ("{loost: true}", "unknown key 'loost' in receipt; did you mean 'lost'?"),
        ("{copies: 0}", "copies must be at least 1, not 0"),
        ("{copies: 1001}", "copies must be at most 1000"),
        ("{hold: 0}", "hold must be at least 1"),
        ("{gap: 1s}", "gap is for further copies"),
        ("{copies: 1, repeat_set: {id: 1}}", "repeat_set is for further copies"),
        ("{lost: true, delay: 1s}", "delay cannot go with lost: the receipt is never sent"),
        ("{before_reply: true, hold: 2}", "hold cannot go with before_reply"),
        ("{before_reply: true, delay: 2s}", "delay cannot go with before_reply"),
        ("{reset: true, slow_body: true}", "slow_body cannot go with reset"),
        ("{set: {id: 1}, drop: [id]}", "id is both set and dropped"),
        ("{set: {}}", "set is empty"),
        ("{set: {ids: 1}}", "unknown field 'ids': no receipt that this rule can match has it"),
        ("{add: {}}", "add is empty"),
        ("{add: {'': 1}}", "a field of add has no name"),
        ("{add: {cause: 1}}", "add is for fields that no receipt has; write set: {cause: ...}"),
        ("{add: trace}", "add must be a mapping"),
        ("{lost: true, add: {trace: 1}}", "add cannot go with lost"),
        ("{drop: [casue]}", "unknown field 'casue'"),
        ("{drop: []}", "drop is an empty list"),
        ("{corrupt: all}", "unknown corrupt 'all'"),
        ("{corrupt: oversize}", "no receipt that this rule can match has a field for corrupt: oversize"),
        ("{encoding: xml}", "unknown encoding 'xml'"),
        ("{retry: daily}", "unknown retry 'daily'"),
        ("{retry: {attempts: 0, every: 1s}}", "attempts must be at least 1"),
        ("{retry: {attempts: 2, every: 0s}}", "every of retry must be more than 0"),
        ("{retry: {attempts: 2}}", "retry lacks every"),
        ("{retry: {}}", "retry lacks attempts and every"),
        ("{lost: 1}", "lost must be true or false"),
    ],
)
def test_wrong_receipts(text: str, message: str):
    found = rule_complaints(f"receipt: {text}")
    assert len(found) == 1
    assert message in found[0]


def test_names_are_judged_by_what_the_rule_can_match():
    assert rule("match: {provider: bell}, receipt: {drop: uuid}").receipt is not None
    assert "unknown field 'cause'" in rule_complaints("match: {provider: bell}, receipt: {drop: cause}")[0]
    assert (
        "can be encoded as json; possible are form, query"
        in (rule_complaints("match: {provider: acme}, receipt: {encoding: json}")[0])
    )
    assert (
        "corrupt: bad_date; possible are empty, wrong_id"
        in (rule_complaints("match: {provider: acme}, receipt: {corrupt: bad_date}")[0])
    )
