"""Nobody's credentials are shown anywhere but in the tenant itself: a run with all of them, and all that tells of it."""

from __future__ import annotations

import html
import json
import logging
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from yarl import URL

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


# --- by value -------------------------------------------------------------------------------------

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
PARTS = {"Content-Type": "multipart/form-data; boundary=b"}
RECEIVER = {"user": "hook-us3r", "password": "hook-p4ss/word", "token": "hook-t0ken+9"}

#: Where a client may put a secret, as (method, path, headers, body).
PLACES: dict[str, Callable[[str], tuple[str, str, dict[str, str], bytes]]] = {
    "path": lambda text: ("POST", f"/nowhere/{quote(text, safe='')}", {}, b""),
    "path of an operation": lambda text: ("GET", f"/api/voiceSms/gpsend/{quote(text, safe='')}", {}, b""),
    "query": lambda text: ("GET", f"/api/voiceSms/gpsend?ext={quote(text, safe='')}", {}, b""),
    "name in the query": lambda text: ("GET", f"/api/voiceSms/gpsend?{quote(text, safe='')}=1", {}, b""),
    "escaped name": lambda text: ("POST", "/api/voiceSms/gpsend", FORM, f"%73ecretkey={quote(text)}".encode()),
    "mistyped name": lambda text: ("POST", "/api/voiceSms/gpsend", FORM, urlencode({"secretkye": text}).encode()),
    "another field": lambda text: ("POST", "/api/voiceSms/gpsend", FORM, urlencode({"phone": text, "ext": text}).encode()),
    "header": lambda text: ("POST", "/api/voiceSms/gpsend", {"X-Own": quote(text)}, b""),
    "Cookie": lambda text: ("POST", "/api/voiceSms/gpsend", {"Cookie": f"a=b; s={quote(text, safe='')}"}, b""),
    "Proxy-Authorization": lambda text: ("POST", "/api/voiceSms/gpsend", {"Proxy-Authorization": basic(text)}, b""),
    "Referer": lambda text: ("POST", "/nowhere", {"Referer": f"http://h/?k={quote(text, safe='')}"}, b""),
    "array": lambda text: ("POST", "/apigovernance/api/oauth/tokenByAkSk", JSON, json.dumps({"app_secret": [text]}).encode()),
    "object": lambda text: ("POST", "/apigovernance/api/oauth/tokenByAkSk", JSON, json.dumps({"app_secret": {"a": text}}).encode()),
    "name in JSON": lambda text: ("POST", "/apigovernance/api/oauth/tokenByAkSk", JSON, json.dumps({text: 1, "a": [[text]]}).encode()),
    "escapes in JSON": lambda text: (
        "POST", "/apigovernance/api/oauth/tokenByAkSk", JSON, b'{"x": "%s"}' % "".join(f"\\u{ord(c):04x}" for c in text).encode(),
    ),
    "single quotes": lambda text: ("POST", "/apigovernance/api/oauth/tokenByAkSk", JSON, f"{{'app_secret': '{text}'}}".encode()),
    "XML": lambda text: ("POST", "/apigovernance/api/oauth/tokenByAkSk", {"Content-Type": "text/xml"}, f"<a>{html.escape(text)}</a>".encode()),
    "second line of a part": lambda text: (
        "POST", "/api/voiceSms/gpsend", PARTS, f'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\none\r\n{text}\r\n--b--\r\n'.encode(),
    ),
    "name of a part": lambda text: (
        "POST", "/api/voiceSms/gpsend", PARTS, f'--b\r\nContent-Disposition: form-data; name="{quote(text)}"\r\n\r\none\r\n--b--\r\n'.encode(),
    ),
    "no multipart at all": lambda text: ("POST", "/api/voiceSms/gpsend", PARTS, f"secretkey\r\n{text}".encode()),
    "Base64": lambda text: ("POST", "/api/voiceSms/gpsend", FORM, urlencode({"ext": b64encode(f"a:{text}".encode())}).encode()),
}  # fmt: skip


def basic(text: str) -> str:
    return "Basic " + b64encode(f"me:{text}".encode()).decode()


def readings(text: str) -> str:
    """``text`` and what it says to those who decode it, once and twice."""
    found = [text]
    for _ in range(2):
        last = found[-1]
        once = html.unescape(unquote(last.replace("\\\\", "\\").replace('\\"', '"')))
        found.append(re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), once))
    found += [
        b64decode(run[: len(run) // 4 * 4]).decode("latin-1")
        for run in re.findall(r"[A-Za-z0-9+/]{12,}", text)
    ]
    return "\n".join(found)


async def test_no_known_value_is_shown_wherever_and_however_it_was_sent(emu: Running, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    tokens = await everything(emu)
    target = emu.receiver.url.replace("//", f"//{RECEIVER['user']}:{quote(RECEIVER['password'], safe='')}@")
    emu.change({"callback_urls": {"nxcloud": f"{target}/nxcloud?token={quote(RECEIVER['token'])}&x=1"}})
    secrets = [*all_of(SECRETS), *tokens, RECEIVER["password"], RECEIVER["token"]]
    emu.receiver.before_answer = None
    for secret in secrets:
        # A receiver that says what it was given, and one that refuses and says why.
        emu.receiver.answer_once(
            500, f"no: {secret}", {"X-ResponseSpec": quote(secret), "X-Basic": basic(secret)}
        )
        for place in PLACES.values():
            method, path, headers, body = place(secret)
            async with emu.client.request(
                method, URL(emu.url + path, encoded=True), headers=headers, data=body
            ) as reply:
                await reply.read()
    keys = {"appkey": "nx-mine", "secretkey": SECRETS["nxcloud"]["secretkey"]}
    for _ in range(4):
        await Customer(emu).ask("gpsend", **keys)
    await emu.settle()
    told = {}
    for path in (*SHOWN, *(path for path in further(emu) if not path.endswith("/events"))):
        async with emu.client.get(emu.control + path, headers=TOLD) as reply:
            told[path] = await reply.text()
    async with emu.client.get(emu.control + "/v1/tenants/default", headers=TOLD) as reply:
        tenant = await reply.json()
    assert tenant["callback_urls"]["nxcloud"].endswith("?token=***&x=1")
    told["tenant"] = json.dumps({**tenant, "credentials": {}})
    entries = [entry.id for entry in emu.tenant.journal]
    for entry in entries[::7]:
        async with emu.client.get(
            f"{emu.control}/v1/tenants/default/journal/{entry}/explain", headers=TOLD
        ) as reply:
            told[f"explain {entry}"] = await reply.text()
    told["log"] = caplog.text
    told["streams"] = "".join(capfd.readouterr())
    for where, text in told.items():
        said = readings(text)
        for secret in secrets:
            found = said.find(secret)
            assert found < 0, f"{where}: ...{said[max(0, found - 200) : found + 60]}..."
    journal = told["/v1/tenants/default/journal?limit=1000"]
    for token in tokens:
        assert f"***{token[-4:]}" in journal
    assert "nx-access-mine" in journal, "an id is not a secret, whatever another provider calls its secrets"
    assert sum(text.count("***") for text in told.values()) > 500
