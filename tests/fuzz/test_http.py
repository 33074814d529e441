"""Raw bytes at both ports: every reply is one that the contract allows, nothing is logged as an error, and the next
call is carried out.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.fuzz.inputs import CONTROL, TRAFFIC, requests
from tests.fuzz.server import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@settings(max_examples=examples(150))
@given(requests(TRAFFIC))
def test_the_traffic_port_bears_anything(server: Server, sent: bytes):
    server.say("traffic", sent)


@settings(max_examples=examples(200))
@given(requests(CONTROL))
def test_the_control_port_bears_anything(server: Server, sent: bytes):
    server.say("control", sent)
