"""Values of ours as JSON text: they come back equal, and a text from elsewhere makes nothing but values."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.distributions import Fixed, Uniform
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import ReceiptEffect, Retry
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.huawei_cec.media import VoiceFile
from voice_emulator.state.codec import Undecodable, decode, encode

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.decimals(allow_nan=False), st.sampled_from(Outcome),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(st.tuples(st.text(), st.integers()), inner),
        st.builds(lambda low, fields: ReceiptEffect(delay=Uniform(low, low + 1), set=fields), st.integers(), st.just(())),
    ),
    max_leaves=20,
)  # fmt: skip


@given(values)
def test_every_value_comes_back_equal(value: Any) -> None:
    again = decode(encode(value))
    assert again == value
    assert type(again) is type(value)
    json.loads(encode(value))


def test_containers_of_other_kinds_come_back_as_plain_ones() -> None:
    assert decode(encode(Counter({("a", Outcome.BUSY): 3}))) == {("a", Outcome.BUSY): 3}
    assert decode(encode(OrderedDict(b=1, a=2))) == {"b": 1, "a": 2}
    assert decode(encode(MappingProxyType({"a": (1,)}))) == {"a": (1,)}
    assert decode(encode(frozenset({1, 2}))) == frozenset({1, 2})
    assert decode(encode(deque([1]))) == deque([1])


def test_things_that_know_each_other_come_back_knowing_each_other() -> None:
    file = VoiceFile("1", "hello", "audio", "3", "approved")
    file.review = Push("review-1", "huawei_cec", "review", file, None, 5, retry=Retry((1, 2)))
    again = decode(encode(file.review))
    assert again.subject.review is again
    assert again.subject.name == "hello"
    assert again.retry == Retry((1, 2))


@dataclass
class Older:
    kept: int


@dataclass
class Newer:
    kept: int
    added: list[int] = field(default_factory=list)


def test_a_member_that_did_not_exist_then_has_its_default() -> None:
    text = encode(Older(3)).replace("Older", "Newer")
    assert decode(text) == Newer(3, [])


@pytest.mark.parametrize("value", [object(), lambda: 0, Outcome, iter(()), 1j])
def test_what_cannot_be_kept_is_refused_when_it_is_written(value: Any) -> None:
    with pytest.raises(TypeError, match="a state file cannot contain"):
        encode([value])


@pytest.mark.parametrize(
    "text",
    [
        '["o","os:environ",{}]', '["o","subprocess:Popen",{"args":"true"}]', '["o","pathlib:Path",{}]',
        '["o","not_loaded_at_all:Thing",{}]', '["e","builtins:print","x"]', '["e","subprocess:Popen","true"]',
        '["e","voice_emulator.core.calls:Outcome","nonsense"]', '["o","voice_emulator.core.distributions:Fixed",{}]',
        '["o","voice_emulator.core.distributions:Fixed",{"value":1,"more":2}]', '["x"]', "[]", '["r",0]', '["D","x"]',
        '["d","odd"]', "{", "", '["o"]', '["o",1,2]', '["e","voice_emulator.core.calls:Outcome.__class__","x"]', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_text_that_we_did_not_write_is_undecodable_and_runs_nothing(text: str) -> None:
    with pytest.raises(Undecodable):
        decode(text)


@given(st.text())
def test_no_text_makes_anything_but_a_value_or_undecodable(text: str) -> None:
    try:
        decode(text)
    except Undecodable:
        pass


def test_what_is_frozen_comes_back_too() -> None:
    assert decode(encode(Fixed(3))) == Fixed(3)
