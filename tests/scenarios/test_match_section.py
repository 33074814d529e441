from __future__ import annotations

import pytest

from tests.scenarios.made_up import rule, rule_complaints
from voice_emulator.core.clock import SECOND
from voice_emulator.core.matchers import Globs, Match, Nth


def match(text: str) -> Match:
    return rule(f"match: {text}, fault: reset").match


def test_every_condition():
    read = match(
        "{provider: acme, operation: [dial, login], number: ['62*', 0123],"
        " fields: {voice: [no, '*.mp3'], to: ''},"
        " attempt: [2, 3], nth: {every: 5}, after: 30s, before: 1m}"
    )
    assert read == Match(
        provider=frozenset({"acme"}),
        operation=frozenset({"dial", "login"}),
        number=Globs("62*", "0123"),
        fields=(("voice", Globs("no", "*.mp3")), ("to", Globs(""))),
        attempt=frozenset({2, 3}),
        after=30 * SECOND,
        before=60 * SECOND,
        nth=Nth(every=5),
    )


@pytest.mark.parametrize(
    ("text", "nth"),
    [("3", Nth(frozenset({3}))), ("[2, 4]", Nth(frozenset({2, 4}))), ("{every: 1}", Nth(every=1))],
)
def test_nth(text: str, nth: Nth):
    assert match(f"{{nth: {text}}}").nth == nth


def test_no_match_matches_everything():
    assert rule("fault: reset").match == Match()


def test_an_operation_of_any_provider_will_do():
    assert match("{operation: [dial, ring]}").operation == frozenset({"dial", "ring"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{provider: acmee}", "unknown provider 'acmee'; did you mean 'acme'?"),
        ("{provider: []}", "provider is an empty list"),
        ("{operation: dail}", "unknown operation 'dail'; did you mean 'dial'?"),
        ("{provider: bell, operation: dial}", "dial is an operation of acme, which this rule does not match"),
        (
            "{fields: {vioce: x}}",
            "unknown field 'vioce': no request that this rule can match has it; did you mean 'voice'?",
        ),
        ("{provider: bell, fields: {voice: x}}", "unknown field 'voice'"),
        ("{operation: login, fields: {voice: x}}", "unknown field 'voice'"),
        ("{fields: {}}", "fields is empty"),
        ("{fields: voice}", "fields must be a mapping"),
        ("{number: '62.*'}", "'62.*' has '.*'"),
        ("{number: '(62|63)*'}", "has '('"),
        ("{number: ''}", "number is empty"),
        ("{attempt: 0}", "attempt must be at least 1, not 0"),
        ("{attempt: first}", "attempt must be a whole number, not 'first'"),
        ("{nth: {}}", "nth must be a count, a list of counts, or {every: N}"),
        ("{nth: {every: 0}}", "every must be at least 1, not 0"),
        ("{after: 5s, before: 5s}", "before is not later than after"),
        ("{}", "match is empty"),
        ("acme", "match must be a mapping, not 'acme'"),
        ("{providers: acme}", "unknown key 'providers' in match; did you mean 'provider'?"),
    ],
)
def test_wrong_matchers(text: str, message: str):
    found = rule_complaints(f"match: {text}, fault: reset")
    assert len(found) == 1
    assert message in found[0]
