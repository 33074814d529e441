"""Nobody's credentials are shown anywhere but in the tenant itself: a run with all of them, and all that tells of it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.providers.huawei_cec.client import NOTIFICATION, Client
from tests.providers.infin8linx.account import BATCH, EVER, KEYS, SERVICES
from tests.providers.nxcloud.customer import DAY, Customer
from tests.rig import Running, started

CONTROL_TOKEN = "control-t0ken-3141592653"
SECRETS: dict[str, Any] = {
    "nxcloud": {
        "appkey": "nx-mine", "secretkey": "nx-s3cret-2718281828", "console": {"account": "me", "password": "nx-pass-1618033988"},
        "agent": {"appkey": "nx-agent-mine", "secretkey": "nx-ag3nt-1414213562", "username": "nx-agent"},
        "signed": {"accessKey": "nx-access-mine", "accessSecret": "nx-acc3ss-1732050807"},
    },
    "huawei_cec": {"app_key": "cec-mine", "app_secret": "cec-s3cret-2236067977", "shared_key": "cecsharedkey2645751311"},
    "infin8linx": {"appid": "in8-mine", "accesskey": "in8-s3cret-3316624790"},
}  # fmt: skip
WRONG = "wr0ng-s3cret-3605551275"
TOLD = {"Authorization": f"Bearer {CONTROL_TOKEN}"}


def all_of(value: Any, name: str = "") -> list[str]:
    """The secret ones among the credentials: what is not the name of an account."""
    if isinstance(value, dict):
        return [text for key, member in value.items() for text in all_of(member, key)]
    return [value] if re.search("(?i)secret|password|shared|accesskey", name) and name != "accessKey" else []


@pytest.fixture
async def emu() -> AsyncIterator[Running]:
    async with started(
        "name: s\nrules: [{name: late, receipt: {retry: {attempts: 2, every: 1m}}}]\n",
        control_token=CONTROL_TOKEN,
    ) as emu:
        yield emu


async def everything(emu: Running) -> list[str]:
    """A run in which every secret is used, rightly and wrongly, where it belongs and where it does not; the tokens."""
    emu.change({"credentials": SECRETS, "settings": {"infin8linx": {"recordings": True}}})
    nx, cec, in8 = (SECRETS[name] for name in ("nxcloud", "huawei_cec", "infin8linx"))
    customer, client = Customer(emu), Client(emu)
    keys = {"appkey": nx["appkey"], "secretkey": nx["secretkey"]}
    agent = {"appkey": nx["agent"]["appkey"], "secretkey": nx["agent"]["secretkey"]}
    emu.receiver.answer_once(500, "no")
    for secretkey in (nx["secretkey"], WRONG):
        await customer.ask("gpsend", **{**keys, "secretkey": secretkey})
        await customer.ask("versend", **{**keys, "secretkey": secretkey})
        await customer.ask("getVoiceCdr", **{**keys, "secretkey": secretkey}, **DAY)
        await customer.ask("token", **{**agent, "secretkey": secretkey})
    await customer.ask("getUserFileUrl", account="me", password=nx["console"]["password"])
    await customer.ask("getUserFileUrl", account="me", password=WRONG)
    await customer.upload(
        appkey=nx["appkey"], secret=nx["signed"]["accessSecret"], accessKey="nx-access-mine"
    )
    token = (await customer.ask("token", **agent))["token"]
    await customer.ask("makecall", token=token)
    await customer.ask("makecall", token=token, phone="")
    await client.sign_in(key=cec["app_key"], secret=cec["app_secret"])
    await client.sign_in(key=cec["app_key"], secret=WRONG)
    first = (await client.sign_in(key=cec["app_key"], secret=cec["app_secret"])).body["AccessToken"]
    await client.send(
        "createVoiceNotification", {**NOTIFICATION, "callBackUrl": f"{emu.receiver.url}/huawei_cec/own"}
    )
    await client.send("createVoiceNotification", {**NOTIFICATION, "called": ""})
    await client.send("createVoiceNotification", NOTIFICATION, headers={"Authorization": f"Bearer{first}"})
    url, sent = emu.url + "/api/yunhu", {**KEYS, **in8}
    async with emu.client.post(url, data={"service": SERVICES["Login"], **sent}) as reply:
        in8_token = (await reply.json(content_type=None))["data"]["result"]["token"]
    for fields in (
        {**BATCH, **sent}, {**BATCH, **sent, "accesskey": WRONG}, {"service": SERVICES["GetBill"], "token": in8_token, **EVER},
        {"service": SERVICES["GetBill"], "token": in8_token}, {"service": "App.Nowhere", **sent},
    ):  # fmt: skip
        async with emu.client.post(url, data=fields) as reply:
            await reply.read()
        # Where a client that errs may put them: the query.
        async with emu.client.get(url, params=fields) as reply:
            await reply.read()
    # In a path nobody serves, in malformed bodies, under another type, in a header that is none.
    for body, kind in (
        (json.dumps({"app_secret": cec["app_secret"]})[:-1], "application/json"),
        (f"secretkey={nx['secretkey']}&%ff", "application/x-www-form-urlencoded"),
        (json.dumps(keys), "application/json"), (json.dumps({"auth": [{"keys": cec}]}), "application/json"), (f"secretkey={nx['secretkey']}", "text/plain"),
    ):  # fmt: skip
        for path in (
            "/api/voiceSms/gpsend",
            "/apigovernance/api/oauth/tokenByAkSk",
            "/nowhere",
            "/api/yunhu",
        ):
            async with emu.client.post(emu.url + path, data=body, headers={"Content-Type": kind}) as reply:
                await reply.read()
    await emu.settle()
    return [token, first, in8_token]


SHOWN = [
    "/metrics", "/openapi.json", "/openapi/nxcloud.json", "/", "/ui/app.js", "/v1/scenarios",
    "/v1/tenants/default/calls?limit=1000", "/v1/tenants/default/callbacks?limit=1000", "/v1/tenants/default/journal?limit=1000",
    "/v1/tenants/default/violations?limit=1000", "/v1/tenants/default/report?format=json",
    "/v1/tenants/default/report?format=junit", "/v1/tenants/default/report?format=html",
    "/v1/tenants/default/wait?for=requests&count=100000&timeout=0s",
    "/v1/tenants/default/wait?for=callbacks&count=100000&timeout=0s",
]  # fmt: skip


def further(emu: Running) -> list[str]:
    """Other routes that show what went on: those that read a tenant and are not listed above, nor the tenant itself."""
    known = {path.partition("?")[0].replace("default", "{id}") for path in SHOWN}
    found = []
    for route in emu.emulator._control.routes:
        path = route.path
        if (
            route.method == "GET"
            and path.startswith("/v1/tenants/{id}/")
            and path not in known
            and "{" not in path[17:]
        ):
            found.append(path.replace("{id}", "default"))
    return found


async def test_no_secret_is_shown_anywhere(emu: Running, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    tokens = await everything(emu)
    secrets = [*all_of(SECRETS), *tokens, CONTROL_TOKEN, WRONG]
    assert len(secrets) == 12
    shown = {}
    others = [path for path in further(emu) if not path.endswith("/events")]
    for path in (*SHOWN, *others):
        async with emu.client.get(emu.control + path, headers=TOLD) as reply:
            assert reply.status in (200, 409, 422), path
            shown[path] = await reply.text()
    verify = {"provider": "nxcloud", "operation": "gpsend", "fields": {"secretkey": "x"}}
    async with emu.client.post(
        emu.control + "/v1/tenants/default/verify", json=verify, headers=TOLD
    ) as reply:
        shown["verify"] = await reply.text()
    async with emu.client.get(
        emu.control + "/v1/tenants", headers={"Authorization": f"Bearer {CONTROL_TOKEN[:-1]}"}
    ) as reply:
        shown["refused"] = await reply.text()
    resumed = {**TOLD, "Last-Event-ID": "0"}
    async with emu.client.get(emu.control + "/v1/tenants/default/events", headers=resumed) as reply:
        last = emu.tenant.events.last_id
        read = b""
        async for line in reply.content:
            read += line
            if line.strip() == f"id: {last}".encode():
                break
        shown["events"] = (read + await reply.content.readuntil(b"\n\n")).decode()
    shown["log"] = caplog.text
    shown["streams"] = "".join(capfd.readouterr())
    for where, text in shown.items():
        for secret in secrets:
            place = text.find(secret)
            assert place < 0, f"{where}: ...{text[max(0, place - 200) : place + 60]}..."
    assert len(shown["events"]) > 10_000
    assert any("har" in path for path in others)
    assert "nx-mine" in shown["/v1/tenants/default/journal?limit=1000"], (
        "values that are not secret are shown"
    )


async def test_the_tenant_itself_shows_its_credentials_since_tests_need_them(emu: Running):
    emu.change({"credentials": SECRETS})
    async with emu.client.get(emu.control + "/v1/tenants/default", headers=TOLD) as reply:
        assert (await reply.json())["credentials"]["nxcloud"]["secretkey"] == SECRETS["nxcloud"]["secretkey"]
