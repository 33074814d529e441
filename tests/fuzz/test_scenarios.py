"""Scenario texts and documents: loaded, or refused with a place; what loads also runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.fuzz import targets
from tests.fuzz.inputs import documents, texts, values
from tests.fuzz.server import Server


@settings(max_examples=examples(300))
@given(texts)
def test_a_text_is_a_scenario_or_has_findings(text: bytes):
    targets.scenario(text)


@settings(max_examples=examples(200))
@given(st.one_of(documents(), values))
def test_a_document_is_a_scenario_or_has_findings(document: Any):
    targets.scenario_json(json.dumps(document).encode())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("manual") as server:
        yield server


@settings(max_examples=examples(150))
@given(documents())
def test_what_loads_also_runs(server: Server, document: Any):
    text = json.dumps(document)
    if targets.load(text) is not None and server.load(text) == 200:
        server.play()
