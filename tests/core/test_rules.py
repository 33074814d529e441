from __future__ import annotations

import pytest

from voice_emulator.core.draws import draw
from voice_emulator.core.faults import FaultEffect, HttpStatus, Reset
from voice_emulator.core.matchers import Globs, Match, Nth, Subject
from voice_emulator.core.rules import RuleBook, RuleDraw
from voice_emulator.core.scenario import CallEffect, CallSpec, ReceiptEffect, ReplyEffect, Rule, Scenario
from voice_emulator.core.turns import at_once
from voice_emulator.core.vocabulary import Outcome

BUSY = CallEffect((CallSpec(Outcome.BUSY),))
ANSWERED = CallEffect((CallSpec(Outcome.ANSWERED),))


def for_request(book: RuleBook, asked: Subject, unit: RuleDraw) -> tuple[Rule | None, Rule | None]:
    return at_once(book.for_request(asked, unit))


def for_number(book: RuleBook, asked: Subject, unit: RuleDraw) -> tuple[Rule | None, Rule | None]:
    return at_once(book.for_number(asked, unit))


def subject(number: str = "6281", attempt: int = 1, elapsed: int = 0) -> Subject:
    return Subject("nxcloud", "gpsend", (number,), {}, attempt, elapsed)


def never(rule: str, purpose: str) -> float:
    return 0.999


def always(rule: str, purpose: str) -> float:
    return 0.0


def name(rule: Rule | None) -> str | None:
    return rule.name if rule else None


def test_the_first_rule_per_kind_of_effect_wins():
    book = RuleBook(
        Scenario(
            "s",
            rules=(
                Rule("a", Match(number=Globs("9*")), reply=ReplyEffect(error="x")),
                Rule("b", reply=ReplyEffect(error="y")),
                Rule("c", reply=ReplyEffect(error="z"), fault=FaultEffect(fault=Reset())),
            ),
        )
    )
    reply, fault = for_request(book, subject(), always)
    assert (name(reply), name(fault)) == ("b", "c")


def test_a_rule_that_declines_is_passed_over():
    rules = (Rule("often", chance=0.5, call=BUSY), Rule("rest", call=ANSWERED))
    book = RuleBook(Scenario("s", rules=rules))
    assert name(for_number(book, subject(), never)[0]) == "rest"
    assert name(for_number(book, subject(), always)[0]) == "often"


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0.0), (1.0, 1.0), (0.2, 0.2)])
def test_a_chance_is_a_probability(chance: float, expected: float):
    book = RuleBook(Scenario("s", rules=(Rule("sometimes", chance=chance, call=BUSY),)))
    hits = sum(
        for_number(book, subject(str(n)), lambda rule, purpose, n=n: draw(1, n, rule, purpose))[0] is not None
        for n in range(10_000)
    )
    assert hits / 10_000 == (expected if expected in (0.0, 1.0) else pytest.approx(expected, abs=0.015))


def test_times_counts_only_what_applied():
    book = RuleBook(
        Scenario("s", rules=(Rule("twice", times=2, chance=0.5, call=BUSY), Rule("rest", call=ANSWERED)))
    )
    assert name(for_number(book, subject(), never)[0]) == "rest"
    found = [name(for_number(book, subject(), always)[0]) for _ in range(4)]
    assert found == ["twice", "twice", "rest", "rest"]


def test_nth_counts_what_fits_the_rest_of_the_matcher():
    rule = Rule("third", Match(number=Globs("62*"), nth=Nth(frozenset({3}))), call=BUSY)
    book = RuleBook(Scenario("s", rules=(rule,)))
    found = [name(for_number(book, subject(n), always)[0]) for n in ("620", "91", "621", "622", "623")]
    assert found == [None, None, None, "third", None]


def test_nth_of_requests_counts_requests_whether_or_not_the_rule_acts():
    book = RuleBook(
        Scenario("s", rules=(Rule("every other", Match(nth=Nth(every=2)), reply=ReplyEffect(error="x")),))
    )
    assert [name(for_request(book, subject(), always)[0]) for _ in range(4)] == [None, "every other"] * 2


def test_magic_numbers_stand_between_rules_that_name_a_number_and_the_others():
    scenario = Scenario(
        "s",
        rules=(Rule("general", call=ANSWERED), Rule("vip", Match(number=Globs("*990486")), call=ANSWERED)),
        magic=(Rule("magic busy", Match(number=Globs("*0486")), call=BUSY),),
    )
    book = RuleBook(scenario)
    assert name(for_number(book, subject("990486"), always)[0]) == "vip"
    assert name(for_number(book, subject("110486"), always)[0]) == "magic busy"
    assert name(for_number(book, subject("11"), always)[0]) == "general"


def test_call_and_receipt_are_decided_apart():
    rules = (
        Rule("r", receipt=ReceiptEffect(lost=True)),
        Rule("c", call=BUSY, receipt=ReceiptEffect(copies=2)),
    )
    assert tuple(map(name, for_number(RuleBook(Scenario("s", rules=rules)), subject(), always))) == ("c", "r")


def test_one_chance_serves_all_effects_of_a_rule():
    book = RuleBook(
        Scenario("s", rules=(Rule("both", chance=0.5, call=BUSY, receipt=ReceiptEffect(lost=True)),))
    )
    for n in range(200):
        call, receipt = for_number(book, subject(str(n)), lambda rule, purpose, n=n: draw(n, rule, purpose))
        assert call is receipt


def test_changing_one_rule_leaves_the_draws_of_the_others_alone():
    def decisions(rules: tuple[Rule, ...]) -> list[bool]:
        book = RuleBook(Scenario("s", rules=rules))
        return [
            name(for_number(book, subject(str(n)), lambda r, p, n=n: draw(1, n, r, p))[1]) == "watched"
            for n in range(500)
        ]

    watched = Rule("watched", chance=0.3, receipt=ReceiptEffect(lost=True))
    other = Rule("other", chance=0.9, call=BUSY)
    assert (
        decisions((watched,))
        == decisions((other, watched))
        == decisions((Rule("other", call=ANSWERED), watched))
    )


def test_a_rule_that_never_acted_is_reported_with_what_came_nearest():
    rule = Rule("vip", Match(number=Globs("9*"), attempt=frozenset({2})), call=BUSY)
    book = RuleBook(Scenario("s", rules=(rule, Rule("fault", fault=FaultEffect(fault=HttpStatus())))))
    for_number(book, subject("6281", attempt=1), always)
    for_number(book, subject("6281", attempt=2), always)
    for_request(book, subject(), always)
    book.applied(book.scenario.rules[1], None, book.scenario.rules[1])
    unused = book.unused()
    assert list(unused) == ["vip"]
    assert unused["vip"].nearest is not None
    assert [difference.place for difference in unused["vip"].nearest] == ["number"]
    assert book.tallies["fault"].applied == 1
    book.forget()
    assert book.tallies["fault"].applied == 0


def test_without_rules_for_requests_nothing_is_asked():
    book = RuleBook(Scenario("s", rules=(Rule("c", call=BUSY),)))
    assert not book.acts_on_requests
    assert for_request(book, subject(), always) == (None, None)


# --- rules laid over the scenario ---------------------------------------------------------------------------------


def test_a_rule_laid_over_a_scenario_joins_its_receipt_and_wins_over_its_reply():
    own = Rule("own", receipt=ReceiptEffect(copies=2), reply=ReplyEffect(error="x"))
    over = Rule("over", receipt=ReceiptEffect(corrupt="empty"), reply=ReplyEffect(error="y"))
    book = RuleBook(Scenario("s", rules=(own,)), (over,))
    _, receipt = for_number(book, subject(), always)
    assert receipt is not None
    assert (receipt.name, receipt.receipt) == ("over", ReceiptEffect(copies=2, corrupt="empty"))
    reply, _ = for_request(book, subject(), always)
    assert name(reply) == "over"
    assert book.scenario.rules == (own,)


def test_a_rule_laid_over_a_scenario_without_rules_acts_and_counts_what_it_matches():
    over = Rule("over", Match(nth=Nth(frozenset({2}))), receipt=ReceiptEffect(lost=True))
    book = RuleBook(Scenario("s"), (over,))
    assert book.acts_on_numbers
    assert not book.acts_on_requests
    assert [name(for_number(book, subject(), always)[1]) for _ in range(3)] == [None, "over", None]
    assert book.unused() == {}
