"""Who may use the control port."""

from __future__ import annotations

import base64
import json
import logging

import pytest

from tests.rig import started
from tests.wire.api import Api
from tests.wire.raw import talk
from voice_emulator.app import Emulator
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options

T = "/v1/tenants/default"


async def ask(api: Api, host: str | None, method: str = "GET", path: str = "/health", extra: str = "") -> int:
    lines = "" if host is None else f"Host: {host}\r\n"
    request = f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n{extra}Content-Length: 0\r\n\r\n"
    answer = await talk(api.emu.control, request.encode("latin-1"))
    return int(answer.raw.split(b" ", 2)[1])


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST:4881", "127.0.0.1", "127.0.0.1:4881", "10.1.2.3", "8.8.8.8:80", "[::1]:4881",
        "[::1]",
        "host.docker.internal:4881", "emulator", "voice_emulator:4881", "ci.allowed.example",
        "CI.allowed.example:1",
        "localhost.",
        "host.containers.internal", "HOST.containers.internal:4881", "app.localhost", "a.b.localhost:4881",
    ],
)  # fmt: skip
async def test_allowed_hosts_are_let_in(host: str):
    async with started(allow_hosts=("ci.allowed.example",)) as emu:
        assert await ask(Api(emu), host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:4881", "localhost.evil.example", "127.0.0.1.evil.example", "127.1.evil",
        "a@localhost", "local host", "[::1", "allowed.example", "", "localhost:port", "localhost/",
        ".localhost.evil", "evillocalhost.example", "host.containers.internal.evil", "containers.internal",
    ],
)  # fmt: skip
async def test_foreign_hosts_are_refused(host: str):
    async with started(allow_hosts=("ci.allowed.example",)) as emu:
        assert await ask(Api(emu), host) in (421, 400)


async def test_a_foreign_host_is_421_with_the_remedy(api: Api):
    answer = await talk(
        api.emu.control, b"GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    )
    assert answer.head.startswith(b"HTTP/1.1 421")
    assert "--allow-host evil.example" in json.loads(answer.body)["detail"]


async def test_no_host_and_two_hosts_are_refused(api: Api):
    assert await ask(api, None) in (400, 421)
    assert await ask(api, "localhost", extra="Host: evil.example\r\n") in (400, 421)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:1", "http://localhost:9999", "x"]
)
async def test_a_foreign_origin_may_not_change_anything(api: Api, origin: str):
    for method, path in (("POST", f"{T}/reset"), ("PATCH", T), ("PUT", f"{T}/scenario"), ("DELETE", T)):
        reply = await api(method, path, headers={"Origin": origin})
        assert reply.status == 403
        assert reply.json["type"].endswith("foreign-origin")
    assert (await api("GET", T, headers={"Origin": origin})).status == 200


@pytest.mark.parametrize("path", ["/health", T, "/", "/metrics", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
async def test_no_reply_lets_a_script_of_another_site_read_it(api: Api, method: str, path: str):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    async with api.emu.client.request(method, api.emu.control + path, headers=headers) as reply:
        assert not [name for name in reply.headers if name.lower().startswith("access-control")]


async def test_requests_of_the_own_page_are_let_in(api: Api):
    assert (await api.post(f"{T}/reset", headers={"Origin": api.emu.control})).status == 200
    assert await ask(api, "localhost", "POST", f"{T}/reset", "Origin: http://localhost\r\n") == 200
    assert await ask(api, "localhost:80", "POST", f"{T}/reset", "Origin: http://localhost\r\n") == 200
    assert (await api.post(f"{T}/reset", headers={"Sec-Fetch-Site": "same-origin"})).status == 200


async def test_a_cross_site_request_without_origin_may_not(api: Api):
    assert (await api.post(f"{T}/reset", headers={"Sec-Fetch-Site": "cross-site"})).status == 403


async def test_with_a_token_every_route_but_health_needs_it():
    async with started(control_token="s3cret") as emu:
        api = Api(emu)
        for path in ("/health", "/livez", "/readyz"):
            assert (await api.get(path)).status == 200
        for route in emu.emulator._control.routes:
            if route.public:
                continue
            path = (
                route.path.replace("{id}", "default")
                .replace("{call_id}", "x")
                .replace("{", "")
                .replace("}", "")
            )
            for value in (
                None,
                "Bearer wrong",
                "Bearer",
                "Bearer s3cre",
                "Basic s3cret",
                "s3cret",
                "Bearer s3cret x",
            ):
                reply = await api(route.method, path, headers={"Authorization": value} if value else {})
                assert reply.status == 401, (route.name, value)
                assert "Bearer" in reply.headers["WWW-Authenticate"]
        assert (await api.get("/nowhere")).status == 401
        assert (await api("GET", T, headers={"Authorization": "bearer s3cret"})).status == 200


async def test_a_browser_is_asked_for_the_token_and_sends_it_as_a_password():
    async with started(control_token="s3cret") as emu:
        api = Api(emu)
        assert (await api.get("/")).headers["WWW-Authenticate"].startswith("Basic")
        assert not (await api.get(T)).headers["WWW-Authenticate"].startswith("Basic")
        good = base64.b64encode(b"anybody:s3cret").decode()
        assert (await api("GET", T, headers={"Authorization": f"Basic {good}"})).status == 200
        for bad in (
            base64.b64encode(b"s3cret:x").decode(),
            "%%%",
            base64.b64encode(b"x:s3cret\xff").decode(),
        ):
            assert (await api("GET", T, headers={"Authorization": f"Basic {bad}"})).status == 401


# --- tokens that are none --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "token", ["", " ", "\t", "\n", "\u3000", " s3cret", "s3cret\n", "s3\x00cret", "s3\x1bcret"]
)
def test_a_token_that_nobody_could_send_is_refused(token: str):
    with pytest.raises(UsageError, match="--control-token"):
        Emulator(Options(port=0, control_port=0, control_token=token))


async def test_a_token_may_hold_any_other_character():
    for token in ("x", "a:b c", "pass=word", "密码"):
        async with started(control_token=token) as emu:
            headers = {"Authorization": f"Bearer {token}"}
            async with emu.client.get(emu.control + T, headers=headers) as reply:
                assert reply.status == 200
            async with emu.client.get(emu.control + T) as reply:
                assert reply.status == 401


@pytest.mark.parametrize(
    ("host", "token", "warned"),
    [
        ("127.0.0.1", None, False),
        ("127.0.0.2", None, False),
        ("localhost", None, False),
        ("0.0.0.0", None, True),
        ("0.0.0.0", "s3cret", False),
        ("127.0.0.1", "s3cret", False),
    ],
)
async def test_a_control_port_that_others_reach_without_a_token_is_told(
    caplog, host: str, token: str | None, warned: bool
):
    with caplog.at_level(logging.WARNING, "voice_emulator.app"):
        async with started(host=host, control_token=token):
            pass
    said = [record.getMessage() for record in caplog.records if "--control-token" in record.getMessage()]
    assert len(said) == warned
