"""Bodies and query strings: decoded to values that can be shown, or refused in a sentence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import targets
from tests.fuzz.inputs import forms, json_texts, multiparts


@given(st.one_of(forms, json_texts, multiparts, st.binary(max_size=60)), st.sampled_from(targets.KINDS))
def test_a_body_is_decoded_or_refused(body: bytes, kind: str):
    targets.decoded(body, kind)


@given(st.one_of(forms, st.binary(max_size=60), st.text(max_size=30).map(str.encode)))
def test_a_query_is_decoded_or_refused(text: bytes):
    targets.query(text)


@given(json_texts)
def test_a_body_of_the_control_port_is_json_or_refused(text: bytes):
    targets.control_json(text)
