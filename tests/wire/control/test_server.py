"""The control port as a whole: routing, strict reading, problems, the page, stopping."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest
from yarl import URL

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.api import Api
from tests.wire.raw import talk
from voice_emulator.wire.control import system as control_system
from voice_emulator.wire.control.server import BODY_LIMIT, PROBES

T = "/v1/tenants/default"


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz"])
async def test_health(api: Api, path: str):
    reply = await api.get(path)
    assert reply.status == 200
    runtime = api.emu.emulator.runtime
    assert reply.json["status"] == "ok"
    assert (reply.json["version"], reply.json["scenario"]) == (runtime.version, "happy-path")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in reply.headers if name.lower().startswith("access-control-")]


async def test_probes_do_not_load_the_routes_and_get_what_the_route_gives(api: Api):
    control = api.emu.emulator._control
    for path in PROBES:
        for loaded in ("routes", "_table"):
            vars(control).pop(loaded, None)
        probed = await api.get(path)
        assert "routes" not in vars(control), path
        # The same path, written in another way.
        other = URL(f"{api.emu.control}/%{ord(path[1]):x}{path[2:]}", encoded=True)
        async with api.emu.client.get(other) as routed:
            assert (probed.status, probed.json) == (routed.status, await routed.json())
            assert {**probed.headers, "Date": ""} == {**routed.headers, "Date": ""}
        assert "routes" in vars(control), path


async def test_health_is_503_while_the_emulator_stops(api: Api):
    api.emu.emulator.runtime.ready = False
    assert (await api.get("/readyz")).status == 503


async def test_unknown_routes_are_404_and_name_the_nearest(api: Api):
    reply = await api.get("/v1/tenant")
    assert reply.status == 404
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json == {
        "type": "urn:voice-emulator:problem:not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no '/v1/tenant' here; did you mean '/v1/tenants'?",
    }


@pytest.mark.parametrize(
    "path",
    ["/v1/tenants//calls", "/v1//tenants", "/v1/tenants/", "//", "/v1/tenants/a/b/c/d/e", "/%2e%2e/health"],
)
async def test_paths_are_taken_as_they_are(api: Api, path: str):
    answer = await talk(
        api.emu.control, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert answer.head.startswith(b"HTTP/1.1 404")


async def test_wrong_method_is_405_and_says_which_there_are(api: Api):
    for method in ("PUT", "OPTIONS", "TRACE"):
        reply = await api(method, "/v1/tenants")
        assert reply.status == 405
        assert reply.headers["Allow"] == "GET, HEAD, POST"
        assert reply.json["title"] == "Method Not Allowed"
        assert not [name for name in reply.headers if name.lower().startswith("access-control-")]


async def test_head_is_get_without_a_body(api: Api):
    reply = await api("HEAD", "/v1/tenants")
    assert (reply.status, reply.text) == (200, "")
    assert (await api("HEAD", f"{T}/events")).status == 405


async def test_an_unknown_tenant_is_404_and_names_the_nearest(api: Api):
    reply = await api.get("/v1/tenants/defalt/calls")
    assert reply.status == 404
    assert "did you mean 'default'?" in reply.json["detail"]


async def test_every_unknown_parameter_is_an_error(api: Api):
    reply = await api.get(f"{T}/calls", provder="nxcloud", limit="0", state="rining", after="x")
    assert reply.status == 422
    assert reply.errors["?provder"] == "unknown parameter; did you mean 'provider'?"
    assert "from 1 to 1000" in reply.errors["?limit"]
    assert "did you mean 'ringing'?" in reply.errors["?state"]
    assert (await api("GET", f"{T}/calls?limit=1&limit=2")).errors == {"?limit": "is given twice"}
    assert (await api("GET", f"{T}/calls?" + "&".join(f"a{n}=1" for n in range(100)))).status == 400
    assert (await api("GET", f"{T}/calls?number=%ff")).status == 400


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "line 1, column 2"),
        (b'{"seed": 1,}', "line 1"),
        (b'{"seed": NaN}', "NaN is not a JSON number"),
        (b'{"seed": 1e999}', "too large"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "a number is too large"),
        (json.dumps({f"k{n}": n for n in range(1_001)}).encode(), "more than 1000 members"),
        (b'{"seed": 1, "seed": 2}', "'seed' appears twice"),
        (b"\xff{}", "not UTF-8"),
        (b'{"id": "\\ud800"}', "surrogate"),
        (b"[" * 100_000, "deeper"),
        (b"[" * 70 + b"]" * 70, "deeper"),
    ],
)
async def test_malformed_json_is_400(api: Api, body: bytes, says: str):
    reply = await api.post("/v1/tenants", data=body, headers={"Content-Type": "application/json"})
    assert reply.status == 400
    assert says in reply.json["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ("text", ""),
        ({"id": 5}, "/id"),
        ({"id": "no blanks"}, "/id"),
        ({"seed": "1"}, "/seed"),
        ({"seed": 1.5}, "/seed"),
        ({"scenario": ["x"]}, "/scenario"),
        ({"callback_urls": []}, "/callback_urls"),
        ({"settings": "x"}, "/settings"),
        ({"credentials": 5}, "/credentials"),
    ],
)
async def test_wrong_types_are_422_with_a_pointer(api: Api, body: object, pointer: str):
    reply = await api.post("/v1/tenants", body)
    assert reply.status == 422
    assert pointer in reply.errors


async def test_unknown_keys_name_the_nearest(api: Api):
    reply = await api.post("/v1/tenants", {"sceanrio": "x", "a~/b": 1})
    assert reply.errors["/sceanrio"] == "unknown key; did you mean 'scenario'?"
    assert "/a~0~1b" in reply.errors


async def test_a_large_body_is_413_before_it_is_read(api: Api):
    length = 10 * BODY_LIMIT
    head = f"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    parts = urlsplit(api.emu.control)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head.encode())
    answer = await asyncio.wait_for(reader.readuntil(b"}\n"), PATIENCE)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 413


async def test_a_large_body_in_chunks_is_413(api: Api):
    async def pieces():
        for _ in range(40):
            yield b"x" * 65_536

    assert (await api.post("/v1/tenants", data=pieces())).status == 413


async def test_a_body_that_does_not_come_is_408(api: Api, monkeypatch):
    monkeypatch.setattr(api.emu.emulator._control._bodies, "_seconds", 0.05)
    request = b"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
    parts = urlsplit(api.emu.control)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.readuntil(b"}\n"), PATIENCE)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")


async def test_expect_continue_is_answered(api: Api):
    body = b'{"id": "patient"}'
    request = (
        f"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    answer = await talk(api.emu.control, request)
    assert answer.raw.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201")


async def test_a_bug_is_a_problem_and_the_server_goes_on(api: Api, monkeypatch, caplog):
    monkeypatch.setattr(api.emu.emulator._control.services.metrics, "text", lambda: 1 / 0)
    async with api.emu.client.get(api.emu.control + "/metrics") as response:
        assert response.status == 500
        assert "ZeroDivisionError" in (await response.json(content_type=None))["detail"]
    assert "the control API failed" in caplog.text
    assert (await api.get("/health")).status == 200


async def test_the_page_is_served_with_a_strict_policy(api: Api, tmp_path, monkeypatch):
    monkeypatch.setattr(control_system, "PAGE_FOLDER", tmp_path)
    assert (await api.get("/")).status == 404
    (tmp_path / "index.html").write_text("<title>it</title>")
    (tmp_path / "app.js").write_text("1")
    (tmp_path / "secret.txt").write_text("no")
    (tmp_path.parent / "outside.js").write_text("no")
    page = await api.get("/")
    assert page.text == "<title>it</title>"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (await api.get("/ui/app.js")).headers["Content-Type"] == "text/javascript; charset=utf-8"
    for path in ("/ui/secret.txt", "/ui/none.js", "/ui/..%2foutside.js", "/ui/%2e%2e%2foutside.js"):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        assert (await talk(api.emu.control, request)).head.startswith(b"HTTP/1.1 404"), path


async def test_scenarios_are_listed_in_pages(api: Api):
    names, after = [], None
    while True:
        page = (await api.get("/v1/scenarios", limit=7, **({"after": after} if after else {}))).json
        names += [scenario["name"] for scenario in page["scenarios"]]
        assert len(page["scenarios"]) <= 7
        if (after := page["next"]) is None:
            break
    assert names == [name for name, _ in api.emu.emulator.runtime.loader.shipped()]


async def test_a_scenarios_text_can_be_read_and_loaded_again(api: Api):
    reply = await api.get("/v1/scenarios/all-busy")
    assert reply.headers["Content-Type"].startswith("application/yaml")
    kind = {"Content-Type": "application/yaml"}
    loaded = await api("PUT", f"{T}/scenario", data=reply.text, headers=kind)
    assert loaded.json["scenario"] == "all-busy"
    unknown = await api.get("/v1/scenarios/all-bussy")
    assert (unknown.status, "did you mean 'all-busy'?" in unknown.json["detail"]) == (404, True)


async def test_stopping_ends_streams_and_long_polls_at_once():
    async with started() as emu:
        api = Api(emu)
        stream = await emu.client.get(f"{emu.control}{T}/events")
        waiting = asyncio.create_task(api.get(f"{T}/wait", **{"for": "calls", "timeout": "5m"}))
        waiters = emu.emulator._control.services.waiters
        await asyncio.wait_for(_until(lambda: len(waiters._waiting.get("default", ())) == 2), PATIENCE)
        async with asyncio.timeout(PATIENCE):
            await emu.emulator._control.close()
            assert (await waiting).json == {"satisfied": False, "items": [], "next": None}
            assert b"retry" in await stream.content.read()


async def _until(condition) -> None:
    while not condition():
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
