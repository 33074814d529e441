"""A customer of NXCloud as its own client code would be: plain requests, plain JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from io import BytesIO
from typing import Any

from aiohttp import FormData

from tests.rig import Running
from voice_emulator.providers.nxcloud.signing import sign

PATHS = {
    **{
        name: f"/api/voiceSms/{name}"
        for name in (
            "gpsend", "notsend", "versend", "conversion", "getVoiceCdr", "uploadVoiceFile", "getUserFileUrl",
            "getSipCdr", "getSipCdrByOrderid",
        )
    },
    "getBalance": "/api/common/getBalance",
    "uploadFile": "/v1/voice/uploadFile",
    "token": "/v1/call/token",
    "makecall": "/v1/call/makecall",
}  # fmt: skip
JSON_OPERATIONS = frozenset({"conversion", "getSipCdrByOrderid"})

KEYS = {"appkey": "nx-appkey", "secretkey": "nx-secretkey"}
AGENT_KEYS = {"appkey": "nx-agent-appkey", "secretkey": "nx-agent-secretkey"}
CALLED = {"phone": "6212345678", "country_code": "62", "show_phone": "123456"}
DAY = {
    "start_time": "2026-01-05 00:00:00",
    "end_time": "2026-01-05 23:59:59",
    "page_size": "100",
    "page": "1",
}

#: A good request of every operation; conversion, makecall and the queries by id need something first.
GOOD: Mapping[str, dict[str, Any]] = {
    "gpsend": {**KEYS, **CALLED, "url": "https://nxcloud.com/1963370420.m4a"},
    "notsend": {**KEYS, **CALLED, "content": "hello today is Friday 1-2-3-4-5-6", "lang": "en"},
    "versend": {**KEYS, **CALLED, "content": "asdfghjk", "lang": "en", "ext": "ext123"},
    "conversion": {"messageid": "7c9f36842095480189603142a4df76ed", "status": 1},
    "getVoiceCdr": {**KEYS, "voiceType": "0", **DAY},
    "getBalance": KEYS,
    "uploadVoiceFile": {**KEYS, "filename": "hello.mp3", "content": "SUQzBAAAAAAAAA=="},
    "getUserFileUrl": {"account": "nx-account", "password": "nx-password", "page": "1", "page_size": "10"},
    "uploadFile": {"appkey": "nx-appkey"},
    "token": AGENT_KEYS,
    "makecall": {"username": "nx-agent", "phone": "6298881888", "orderid": "xxx1234"},
    "getSipCdr": {**AGENT_KEYS, **DAY},
    "getSipCdrByOrderid": {**AGENT_KEYS, "orderid": "xxx1234"},
}


class Customer:
    """Talks to a running emulator."""

    def __init__(self, running: Running) -> None:
        self.running = running

    async def ask(self, operation: str, **changes: Any) -> dict[str, Any]:
        """Send the good request of ``operation`` with ``changes``; None leaves a field out."""
        sent = {**GOOD[operation], **changes}
        sent = {name: value for name, value in sent.items() if value is not None}
        if operation in JSON_OPERATIONS:
            return await self.post(operation, json=sent)
        return await self.post(operation, data=sent)

    async def post(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """POST anything; the reply must be HTTP 200 with one JSON object."""
        async with self.running.client.post(self.running.url + PATHS[operation], **arguments) as reply:
            text = await reply.text()
            assert reply.status == 200, text
            assert reply.headers["Content-Type"] == "application/json;charset=UTF-8"
            found = json.loads(text)
            assert isinstance(found, dict)
            return found

    async def token(self) -> str:
        """A fresh agent token."""
        found = (await self.ask("token"))["token"]
        assert isinstance(found, str)
        return found

    async def call(self, **changes: Any) -> dict[str, Any]:
        """Place an agent call with a fresh token."""
        return await self.ask("makecall", token=await self.token(), **changes)

    async def upload(
        self,
        content: bytes | None = b"ID3 some sound",
        filename: str = "hello.mp3",
        *,
        appkey: str | None = "nx-appkey",
        secret: str = "nx-access-secret",
        **headers: str | None,
    ) -> dict[str, Any]:
        """The signed upload; ``headers`` replace signed ones, None leaves one out."""
        signed: dict[str, str | None] = {
            "accessKey": "nx-access-key", "ts": str(time.time_ns() // 1_000_000), "bizType": "8",
            "action": "upload", **headers,
        }  # fmt: skip
        if "sign" not in signed:
            key, action, biz_type, ts = (
                signed[name] or "" for name in ("accessKey", "action", "bizType", "ts")
            )
            signed["sign"] = sign(key, action, biz_type, ts, "", secret)
        form = FormData(default_to_multipart=True)
        if appkey is not None:
            form.add_field("appkey", appkey)
        if content is not None:
            form.add_field("file", BytesIO(content), filename=filename)
        sent = {name: value for name, value in signed.items() if value is not None}
        return await self.post("uploadFile", data=form, headers=sent)
