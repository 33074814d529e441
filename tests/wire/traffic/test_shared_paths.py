"""Paths that several providers have: each request goes to the one that claims it, whoever comes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.plugins import install
from tests.rig import Running, started
from voice_emulator.wire.traffic.exchange import RequestRecord

CLAIMS = """
from small import provider
PROVIDER = provider({id!r}, ("/shared", lambda request: request.text("who") == {id!r}), ("/shared/", lambda request: request.text("who") == {id!r}))
"""
GREEDY = "from small import provider\nPROVIDER = provider({id!r}, ('/shared', None))\n"
BROKEN = "from small import provider\nPROVIDER = provider({id!r}, ('/shared', lambda request: 1 / 0))\n"


async def ask(emu: Running, method: str, path: str = "/shared", **fields: str) -> dict:
    url = emu.url + path
    way: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    async with emu.client.request(method, url, **way) as reply:
        if "Emulator-Error" in reply.headers:
            return {"status": reply.status, "error": reply.headers["Emulator-Error"]}
        return await reply.json()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("names", [("aa", "zz"), ("zz", "aa")])
async def test_each_request_goes_to_the_one_that_claims_it(
    names: tuple[str, str], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install(monkeypatch, tmp_path, {name: CLAIMS.format(id=name) for name in names})
    async with started() as emu:
        for name in names:
            for path in ("/shared", "/shared/more"):
                told = await ask(emu, method, path, who=name, key=f"{name}-key")
                assert told == {"by": name, "method": method}
        refused = await ask(emu, method, who="nobody")
        assert refused == {
            "status": 404,
            "error": "aa and zz share /shared, and none of them claims this request",
        }
        entry = [entry for entry in emu.tenant.journal if entry.kind == "request"][-1].record
        assert isinstance(entry, RequestRecord)
        assert entry.request.provider == ""


@pytest.mark.parametrize("names", [("aa", "zz"), ("zz", "aa")])
async def test_one_without_claims_takes_what_nobody_claims(
    names: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    claims, greedy = names
    install(monkeypatch, tmp_path, {claims: CLAIMS.format(id=claims), greedy: GREEDY.format(id=greedy)})
    async with started() as emu:
        assert (await ask(emu, "POST", who=claims, key=f"{claims}-key"))["by"] == claims
        assert (await ask(emu, "POST", who="anyone", key=f"{greedy}-key"))["by"] == greedy
        assert (await ask(emu, "GET", key=f"{greedy}-key"))["by"] == greedy


async def test_one_that_fails_to_say_does_not_harm_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install(monkeypatch, tmp_path, {"aa": BROKEN.format(id="aa"), "zz": CLAIMS.format(id="zz")})
    async with started() as emu:
        assert (await ask(emu, "POST", who="zz", key="zz-key"))["by"] == "zz"
        assert (await ask(emu, "POST", who="aa"))["status"] == 404


async def test_claims_is_not_asked_where_a_path_has_one_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install(monkeypatch, tmp_path, {"aa": BROKEN.format(id="aa")})
    async with started() as emu:
        assert (await ask(emu, "POST", key="aa-key"))["by"] == "aa"
