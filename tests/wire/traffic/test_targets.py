"""Request targets in absolute form, as clients behind a proxy setting send them, and CONNECT."""

from __future__ import annotations

import json

import aiohttp
import pytest

from tests.rig import started
from tests.wire.raw import GPSEND, form_request, talk
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.request_body import origin_form

AUTHORITIES = [
    "http://api.nxcloud.com", "https://api.nxcloud.com", "HTTP://API.NXCLOUD.COM", "http://127.0.0.1:4880",
    "https://api.nxcloud.com:8443", "http://user:pa%20ss@api.nxcloud.com", "http://[::1]:80", "http://x",
]  # fmt: skip


@pytest.mark.parametrize("base", AUTHORITIES)
async def test_an_absolute_target_is_served_as_its_path(base: str):
    async with started() as emu:
        answer = await talk(emu.url, form_request(f"{base}/api/voiceSms/gpsend"))
        assert json.loads(answer.body)["code"] == "0"
        assert b"Emulator-Error" not in answer.head
        assert len(emu.tenant.ledger) == 1
        assert emu.tenant.findings.all() == []
        (seen,) = [
            each.record.request for each in emu.tenant.journal if isinstance(each.record, RequestRecord)
        ]
        assert seen.path == "/api/voiceSms/gpsend"
        assert seen.host == base.partition("://")[2].rpartition("@")[2]


@pytest.mark.parametrize("slow", [False, True], ids=["at once", "in pieces"])
async def test_query_and_escapes_stay(slow: bool):
    async with started() as emu:
        extra = "Emulator-Explain: 1\r\n" if slow else ""
        answer = await talk(emu.url, form_request("http://h/api/voiceSms/%67psend?a=%2F&b=?", extra=extra))
        assert json.loads(answer.body)["code"] == "0"
        (seen,) = [
            each.record.request for each in emu.tenant.journal if isinstance(each.record, RequestRecord)
        ]
        assert seen.raw_query == "a=%2F&b=?"


async def test_the_root_and_unknown_paths_are_what_they_are_in_origin_form():
    async with started() as emu:
        for absolute, origin in (("http://h", "/"), ("http://h?x=1", "/?x=1"), ("https://h/nowhere", "/nowhere"),
                                 ("http://h/api/voiceSms/gpsent", "/api/voiceSms/gpsent")):  # fmt: skip
            first, second = [await talk(emu.url, form_request(target)) for target in (absolute, origin)]
            assert (first.head.split()[1], first.body) == (second.head.split()[1], second.body)


async def test_a_real_client_with_a_proxy_setting():
    async with (
        started() as emu,
        emu.client.post("http://api.nxcloud.com/api/voiceSms/gpsend", data=GPSEND, proxy=emu.url) as reply,
    ):
        assert (await reply.json(content_type=None))["code"] == "0"


@pytest.mark.parametrize(
    "target", ["api.nxcloud.com:443", "api.nxcloud.com", "[::1]:443", "/api/voiceSms/gpsend"]
)
async def test_connect_is_405_and_says_why(target: str):
    async with started() as emu:
        answer = await talk(emu.url, f"CONNECT {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert answer.head.startswith(b"HTTP/1.1 405")
        assert b"\r\nEmulator-Error: CONNECT" in answer.head
        assert (await talk(emu.url, form_request())).head.startswith(b"HTTP/1.1 200")


async def test_a_real_client_that_wants_a_tunnel_hears_405():
    async with started() as emu:
        with pytest.raises(aiohttp.ClientHttpProxyError) as caught:
            await emu.client.post("https://api.nxcloud.com/api/voiceSms/gpsend", data=GPSEND, proxy=emu.url)
        assert caught.value.status == 405


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a?b", ("", "", "/a?b")), ("*", ("", "", "*")), ("h:443", ("", "", "h:443")), ("", ("", "", "")),
        ("ftp://h/a", ("", "", "ftp://h/a")), ("/a://b/c", ("", "", "/a://b/c")),
        ("http://h/a://b", ("http", "h", "/a://b")), ("hTTps://u:p@h:1#f", ("https", "h:1", "/#f")),
        ("http://h//a", ("http", "h", "//a")), ("http://", ("http", "", "/")),
    ],
)  # fmt: skip
def test_origin_form(target: str, expected: tuple[str, str, str]):
    assert origin_form(target) == expected


async def test_the_control_port_judges_the_authority_of_an_absolute_target():
    async with started() as emu:
        request = "GET http://{}/v1/tenants HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n"
        for authority, host, status in (
            ("127.0.0.1", "evil.example", 200),
            ("evil.example", "127.0.0.1", 421),
        ):
            answer = await talk(emu.control, request.format(authority, host).encode())
            assert int(answer.head.split()[1]) == status


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz"])
async def test_a_probe_by_http_1_0_needs_no_host(path: str):
    async with started(control_token="t0ken-of-ours") as emu:
        answer = await talk(emu.control, f"GET {path} HTTP/1.0\r\n\r\n".encode())
        assert (answer.head.split()[1], json.loads(answer.body)["status"]) == (b"200", "ok")
        for request in (f"GET {path} HTTP/1.1\r\n\r\n", "GET /v1/tenants HTTP/1.0\r\n\r\n",
                        f"GET {path} HTTP/1.0\r\nHost: evil.example\r\n\r\n"):  # fmt: skip
            answer = await talk(emu.control, request.encode())
            assert answer.head.split()[1] in (b"400", b"421")
