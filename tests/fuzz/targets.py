"""What is fuzzed: a function for each parser that takes bytes, and fails when a promise is broken.

Hypothesis, the corpus and atheris all end up here, so an input that one of them finds is one for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import unquote_to_bytes

from tests.cost import cpu_below
from tests.fuzz.server import FORM, JSON, Server
from voice_emulator.core.scenario import Scenario
from voice_emulator.errors import FileError
from voice_emulator.providers.registry import discover
from voice_emulator.providers.request import Request
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.durations import duration
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.nodes import Location, Scalar
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.problems import ControlError
from voice_emulator.wire.control.query import QueryError, parse_query
from voice_emulator.wire.control.request import parse_json
from voice_emulator.wire.traffic.decoding import decode

#: Seconds of processor time that reading one input may take; all are small.
QUICK = 5.0
LABEL = "scenario"
KINDS = (
    FORM, JSON, "multipart/form-data; boundary=b", "text/plain", "", "application/json; charset=utf-8",
    "application/x-www-form-urlencoded; charset=gbk", "multipart/form-data", "application/vnd.x+json",
    'multipart/form-data; boundary="b"', "multipart/mixed; boundary=b",
)  # fmt: skip

Target = Callable[[bytes], None]


@cache
def loader() -> ScenarioLoader:
    """The loader with the real providers' names, and one variable set."""
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {"SET": "x: [1"})


# --- scenarios ------------------------------------------------------------------------------------


def load(text: str) -> Scenario | None:
    """The scenario of ``text``, or None after a refusal that names places in it."""
    try:
        with cpu_below(QUICK):
            scenario = loader().text(text)
    except FileError as error:
        lines = (
            text.count("\n")
            + text.count("\r")
            + text.count("\x85")
            + text.count("\u2028")
            + text.count("\u2029")
            + 1
        )
        check_refusal(error)
        for finding in error.findings:
            if finding.file == LABEL:
                assert 1 <= finding.line <= lines, finding
                assert finding.column >= 1, finding
        scenario = None
    return scenario


def check_refusal(error: FileError) -> None:
    """It has findings, in order, each of one printable line of bearable length."""
    assert 1 <= len(error.findings) <= 1_001
    json.dumps([str(finding) for finding in error.findings]).encode()
    for finding in error.findings:
        assert finding.message
        assert len(finding.message) < 2_000, finding
        str(finding).encode()


def scenario(data: bytes) -> None:
    """YAML text: a scenario, or findings; and what is a scenario has a text that is the same one."""
    text = data.decode("utf-8", "replace")
    found = load(text)
    if found is not None:
        again = load(found.text)
        assert again == found


def scenario_json(data: bytes) -> None:
    """JSON text, as PUT takes it."""
    try:
        value = parse_json(data)
    except ControlError:
        return
    try:
        with cpu_below(QUICK):
            loader().mapping(value)
    except FileError as error:
        check_refusal(error)


# --- requests -------------------------------------------------------------------------------------


def request(body: bytes, kind: str, query: str = "") -> Request:
    """A request as it comes in, not decoded."""
    return Request(
        provider="nxcloud", method="POST", path="/", query={}, headers={"content-type": kind}, body=body,
        peer="127.0.0.1", raw_query=query, host="x",
    )  # fmt: skip


def decoded(body: bytes, kind: str, query: str = "") -> Request:
    """The same, decoded: with fields that can be shown, or with what is wrong."""
    found = request(body, kind, query)
    with cpu_below(QUICK):
        decode(found, kind)
    assert isinstance(found.fields, Mapping)
    assert all(isinstance(name, str) for name in found.fields)
    # What could not be shown could not be journalled. NaN and its like are none of JSON's numbers.
    if not found.faulty:
        json.dumps(dict(found.fields), allow_nan=False, ensure_ascii=False).encode()
    for problem in found.faulty:
        assert problem.message
        assert len(problem.message) < 2_000
        assert "\n" not in problem.message
    return found


def body(data: bytes) -> None:
    """The body of a request: its first byte chooses how it says it is encoded."""
    decoded(data[1:], KINDS[data[0] % len(KINDS)] if data else "")


def query(data: bytes) -> None:
    """A query string, the query language of lists, and durations."""
    text = data.decode("utf-8", "surrogateescape")
    decoded(b"", "", text)
    plain = unquote_to_bytes(data).decode("utf-8", "replace")
    refused = None
    reading = Diagnostics("x")
    with cpu_below(QUICK):
        try:
            parse_query(plain, ("number", "provider")).matches(lambda key: plain)
        except QueryError as error:
            refused = str(error)
        span = duration(reading, Scalar(plain, Location()), "x")
    assert refused is None or refused
    assert (span is None) == bool(reading.findings)


def control_json(data: bytes) -> None:
    """A JSON body of the control port: a value without tricks, or a problem."""
    status = 400
    with cpu_below(QUICK):
        try:
            value = parse_json(data)
        except ControlError as error:
            status, value = error.status, error.shown()
    assert status == 400
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


PURE: dict[str, Target] = {
    "scenario": scenario, "scenario_json": scenario_json, "body": body, "query": query, "control_json": control_json,
}  # fmt: skip


def live(server: Server) -> dict[str, Target]:
    """Those that need a server, by name."""

    def traffic(data: bytes) -> None:
        """Bytes on a socket of the traffic port."""
        server.say("traffic", data)

    def control(data: bytes) -> None:
        """Bytes on a socket of the control port."""
        server.say("control", data)

    def play(data: bytes) -> None:
        """A scenario that loads must also run."""
        text = data.decode("utf-8", "replace")
        if load(text) is not None and server.load(text) == 200:
            server.play()

    return {"traffic": traffic, "control": control, "play": play}


LIVE = ("traffic", "control", "play")
