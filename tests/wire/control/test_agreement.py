"""The document and the server agree: what the one accepts the other does, for every body and query parameter.

Values are generated for each node of each schema, valid and invalid: its words and bounds and what lies beside
them, every kind of JSON value, and a pool of texts that look like durations, clocks, times, ids, cursors and URLs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest

from tests.wire.api import Api
from voice_emulator.providers.registry import discover
from voice_emulator.wire.control.document import request_schemas
from voice_emulator.wire.control.long_poll import Waiters
from voice_emulator.wire.control.request import Route
from voice_emulator.wire.control.routes import control_routes

ROUTES = control_routes(discover())
BODIES = [route for route in ROUTES if route.body is not None]
QUERIES = [(route, parameter) for route in ROUTES for parameter in route.query]

TEXTS = [
    "", " ", "a", "A b", "a\tb", "a\nb", "a\n", "é", "\u200b", "\u2028", "\x85", "x" * 64, "x" * 65, "x" * 200, "x" * 201, "x" * 256, "x" * 257,
    "x" * 2048, "x" * 2049, "0", "1", "-1", "+1", "01", "1.0", "1.5", ".5", "1e3", "1_0", "٣", "9" * 18, "9" * 19, "9" * 30,
    "real", "Real", "manual", "manuel", "60x", "0.5x", "0x", "0.0x", "000x", "0.000001x", "1.0000001x", "100000x", "100000.0x",
    "100000.5x", "100001x", "999999x", "0099999x", "-1x", "x60",
    "5", "5s", "250ms", "1.5s", "60m", "61m", "1h", "1.1h", "24h", "87600h", "87601h", "3600s", "3600.0s", "3600.1s", "0001h",
    "5 s", "5d", "1e3s", "-1s", "5S", "0.0000001ms", "3600000.0000001ms", "1h\n",
    "2026-01-05", "2026-01-05T09:00:00", "2026-01-05T09:00:00Z", "2026-01-05T09:00:00z", "2026-01-05 09:00:00Z",
    "2026-01-05T09:00:00+08:00", "2026-01-05T09:00:00.123456+08:00", "2026-01-05T09:00:00,5+08:00", "2026-01-05T09:00+08:00",
    "20260105T090000Z", "2026-W01-1T09:00:00Z", "2026-02-30T09:00:00Z", "2026-13-01T09:00:00Z", "2026-01-05T24:00:00Z",
    "2026-01-05T23:59:60Z", "2026-01-05T09:00:00+24:00", "2026-01-05T09:00:00+08:00:30", "1969-12-31T23:59:59Z",
    "1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "1970-01-01T00:00:00.000000+00:00", "1970-01-01T00:00:00+00:01",
    "2199-12-31T23:59:59-00:01", "2147483647", "2147483648", "02147483648", "0000-01-01T00:00:00Z",
    "next", "idle", "Next", "http://127.0.0.1:9/x", "http://a/b c", "http://münchen.example/", "ftp://x", "nonsense",
    "request", "request,call", "request,", "callbacks", "busy", "delivered", "1-a", "1-", "-a", "1.", "1.2", ".2",
    "true", "True", "TRUE", "tRuE", "yes", "No", "off", "NaN", "Infinity", " 1", "1 ", "0.036", "-0.5", "1e-3", "1" * 16,
    "62*", "number:62*", "number:", "nonsense:x", '"', "-", "a:b:c", "rule:a -rule:b 62*", "id:1,2", "kind:,", 'kind:""', 'kind:","', 'kind:"a b"c',
    'kind:a"b', "-kind:a", "--a", '""', " a  b ", "1:2", "rule:x " * 50, "rule:x " * 51, "default", "a.b-c_d", "-a", "0" * 17,
    "2099-12-31 23:59:59", "2099-02-29 00:00:00", "2096-02-29 00:00:00", "2000-02-29 00:00:00", "1900-02-29 00:00:00", "2026-04-31 00:00:00",
    "2026-1-05 00:00:00", "2026-01-05 24:00:00", "0000-01-01 00:00:00", "2026-13-01 00:00:00", "x" * 15, "x" * 16, "x" * 16 + "\n", "14", "14.0",
    "14.5", "-14", "-14.0", "-14.1", "15", "-12", "-13", "-0", "-00.0", "3600", "3601", "9999999999", "ivr", "ivr,cdr",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 1.0, 1.5, -0.5, 60, 1e12, 10**18, 10**30, 2**31 - 1, 2**31, [], [1], ["a"], [""], ["a", 1], [[]], [None], {},
    {"x": 1}, {"mode": "manual"}, {"cycle": 6}, {"a": {"cycle": "6", "price": 0.5}}, {"a": "b"}, {"a": ["b", 5]}, {"a": []},
]  # fmt: skip
#: Members whose validity depends on what there is: a name that exists, a whole scenario, a number at a provider.
KNOWN_ONLY: Mapping[str, Any] = {"scenario": "happy-path", "scenario_yaml": "name: x\n"}
#: With these alone a body is judged by its other members.
BASES: Mapping[str, list[dict[str, Any]]] = {
    "create_tenant": [{}],
    "change_tenant": [{}],
    "advance": [{}, {"seconds": 0}, {"to": "next"}, {"to": "idle"}],
    "place": [{"provider": "nxcloud", "number": "6281200000486"}],
    "verify": [{}, {"exactly": 0}],
}


def demands(schema: Any) -> Any:
    """A schema without what does not decide; which words it names neither, since each of them is a candidate."""
    if isinstance(schema, list):
        return [demands(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: name if name == "enum" else demands(value)
        for name, value in schema.items()
        if name not in ("description", "default") and not name.startswith("x-")
    }


def candidates(schema: Mapping[str, Any], seen: set[str]) -> Iterator[Any]:
    """Values for one node: what it names, what lies beside its bounds, and for its members theirs.

    All texts only for the first node that demands what it does: many settings demand the same.
    """
    yield from VALUES
    yield from schema.get("enum", ())
    yield from (str(value) for value in schema.get("enum", ()))
    for name in ("minimum", "maximum"):
        if name in schema:
            edge = schema[name]
            yield from (edge - 1, edge, edge + 1, float(edge), edge + 0.5)
            yield from (str(edge - 1), str(edge), str(edge + 1), f"{edge}.0", f"{edge}.5", f"00{edge}")
    demanded = json.dumps(demands(schema))
    if demanded not in seen:
        seen.add(demanded)
        yield from TEXTS
    for part in schema.get("anyOf", ()):
        if "properties" in part:
            yield from objects(part, seen)
    if "properties" in schema:
        yield from objects(schema, seen)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(inner, dict):
            for value in (*candidates(inner, seen), None, 0.0, 3.0):
                yield [value] if inner is schema.get("items") else {"a": value}


def objects(schema: Mapping[str, Any], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Objects with one member each, with each of its candidates, and one that is unknown."""
    base = {"mode": "manual"} if "mode" in schema["properties"] else {}
    for name, member in schema["properties"].items():
        for value in candidates(member, seen):
            yield base | {name: value}
    yield base | {"unknown": 1}


def bodies(route: Route, schema: Mapping[str, Any]) -> Iterator[Any]:
    """Every base with every candidate of every member in it, pairs of its own members, and other JSON."""
    bases = BASES[route.name]
    yield from (value for value in VALUES if not isinstance(value, dict))
    for base in bases:
        seen: set[str] = set()
        yield base
        yield from ({name: value for name, value in base.items() if name != left} for left in base)
        yield base | {"unknown": 1}
        for name, member in schema["properties"].items():
            # Both routes take an account; what is within is looked at once.
            account = route.name == "create_tenant" and name in ("credentials", "settings")
            for value in VALUES if account else candidates(member, seen):
                if name not in KNOWN_ONLY or not isinstance(value, str) or not value:
                    yield base | {name: value}
    members = {name: KNOWN_ONLY.get(name) for name in KNOWN_ONLY if name in schema["properties"]}
    members |= {"seconds": 0, "to": "idle", "at_most": "1s", "exactly": 0, "at_least": 0, "at_most ": 0}
    known = {name: value for name, value in members.items() if name in schema["properties"]}
    if route.name == "verify":
        known["at_most"] = 0
    yield from ({one: known[one], other: known[other]} for one in known for other in known)


def names_networks(body: Any) -> bool:
    """Whether a body has a list of networks: no pattern of reasonable length describes IPv6 networks."""
    return any("allowed_ips" in (values or ()) for values in (body.get("settings") or {}).values())


async def accepted(api: Api, method: str, path: str, body: Any = None) -> bool:
    """Whether the server finds a request valid; in conflict with the present state (409) it is valid too."""
    data = None if body is None else json.dumps(body)
    async with api.emu.client.request(
        method, api.emu.control + path, data=data, headers={"Content-Type": "application/json"}
    ) as response:
        assert response.status in (200, 201, 204, 400, 404, 409, 422), await response.text()
        if response.status == 201:
            created = (await response.json())["id"]
            async with api.emu.client.delete(f"{api.emu.control}/v1/tenants/{created}"):
                pass
        return response.status not in (400, 422)


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait is over at once."""

    async def until(self, tenant, kinds, ready, patience) -> bool:
        return bool(ready())

    monkeypatch.setattr(Waiters, "until", until)


@pytest.mark.slow
@pytest.mark.parametrize("route", [r for r in BODIES if r.name in BASES], ids=lambda route: route.name)
async def test_every_body(api: Api, route: Route):
    content = api.document["paths"][route.path][route.method.lower()]["requestBody"]["content"]
    schema = {**content["application/json"]["schema"], "components": api.document["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    wrong = {}
    verdicts = {True: 0, False: 0}
    # What to try is read off the schema before its objects became components of the document.
    whole = request_schemas.plain(request_schemas.documents(api.emu.emulator.runtime.providers)[route.name])
    for text in dict.fromkeys(json.dumps(body) for body in bodies(route, whole)):
        if text == "null" and not route.body.required:
            continue  # null as JSON is a body too
        valid = validator.is_valid(json.loads(text))
        verdicts[valid] += 1
        body = json.loads(text)
        agreed = await accepted(api, route.method, route.path.replace("{id}", "default"), body) == valid
        if not agreed and not (valid and names_networks(body)):
            wrong[text] = valid
    assert not wrong, "\n".join(
        f"the document says {valid}, not so the server: {t}" for t, valid in wrong.items()
    )
    assert min(verdicts.values()) > 20


@pytest.mark.parametrize(
    ("route", "parameter"), QUERIES, ids=[f"{route.name}-{parameter.name}" for route, parameter in QUERIES]
)
async def test_every_query_parameter(api: Api, route: Route, parameter):
    described = api.document["paths"][route.path][route.method.lower()]["parameters"]
    (schema,) = (
        each["schema"] for each in described if each["name"] == parameter.name and each["in"] == "query"
    )
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    wrong = {}
    for text in dict.fromkeys([*map(str, candidates(schema, set()))]):
        number = schema["type"] == "integer" and re.fullmatch("-?[0-9]{1,100}", text)
        valid = validator.is_valid(int(text) if number else text)
        # Which outcomes there are depends on what is waited for; OpenAPI has no word for that.
        what = "&for=callbacks" if route.name == "wait" and text in OUTCOMES_OF_CALLBACKS else "&for=calls"
        more = what if (route.name, parameter.name) == ("wait", "outcome") else ""
        path = re.sub(r"\{.*?\}", "default", route.path)
        if await accepted(api, route.method, f"{path}?{parameter.name}={quote(text)}{more}") != valid:
            wrong[text] = valid
    assert not wrong, "\n".join(
        f"the document says {valid}, not so the server: {t!r}" for t, valid in wrong.items()
    )


OUTCOMES_OF_CALLBACKS = ("delivered", "refused", "failed", "blocked", "lost", "no_url", "uncertain")
