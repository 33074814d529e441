"""A customer's client of Huawei Cloud CEC, as small as the documents allow."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.rig import Running, started
from voice_emulator.providers.huawei_cec.operations import PATHS

TENANT_KEY = "cec-app-key"
TENANT_SECRET = "cec-app-secret"
CREATE = "createVoiceNotification"
CREATE_V1 = "createVoiceNotificationV1"

#: The documents' own request, without its callback URL.
NOTIFICATION: Mapping[str, Any] = {
    "called": "8899",
    "playList": [{"voiceId": "100001", "templateParams": ["100", "200"]}],
    "playTimes": 1,
    "callerPresent": "2222201",
}
NOTIFICATION_V1: Mapping[str, Any] = {"called": "8899", "voiceContent": "100001", "callerPresent": "2222201"}
UPLOAD: Mapping[str, Any] = {
    "fileInfo": "UklGRiQAAABXQVZF",
    "locale": "zh_CN",
    "voiceType": "3",
    "fileType": "wav",
    "voiceFileName": "welcome",
}
TEMPLATE: Mapping[str, Any] = {
    "name": "welcome",
    "voicecontent": {"textcontent": "尊敬的${TXT_8}您的初始密码为${NUM_6}。"},
}


@dataclass
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> Any:
        """The result code, in whichever spelling; for the gateway's body its errorCode."""
        for name in ("retCode", "returnCode", "errorCode"):
            if name in self.body:
                return self.body[name]
        raise AssertionError(f"no code in {self.body}")


@dataclass
class Client:
    """Calls operations by name with a token of its own."""

    emu: Running
    token: str = ""
    app_key: str | None = None

    async def sign_in(
        self, expire: str | None = None, key: str = TENANT_KEY, secret: str = TENANT_SECRET
    ) -> Answer:
        headers = {} if expire is None else {"X-Token-Expire": expire}
        answer = await self.send("tokenByAkSk", {"app_key": key, "app_secret": secret}, headers=headers)
        self.token = answer.body.get("AccessToken", "")
        return answer

    async def send(self, operation: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Answer:
        """POST ``body`` as JSON; bytes go out as they are."""
        sent = {"Content-Type": "application/json"}
        if operation != "tokenByAkSk":
            sent["Authorization"] = f"Bearer {self.token}"
            if self.app_key is not None:
                sent["X-APP-Key"] = self.app_key
        sent |= headers or {}
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.emu.client.post(self.emu.url + PATHS[operation], data=data, headers=sent) as response:
            text = await response.text()
            return Answer(
                response.status, json.loads(text) if text.startswith("{") else text, response.headers
            )

    async def call(self, called: str = "8899", **more: Any) -> str:
        """Place a call that must be accepted; returns its serial number."""
        answer = await self.send(CREATE, {**NOTIFICATION, "called": called, **more})
        assert answer.code == "0", answer.body
        serial: str = answer.body["result"]["callSerialNo"]
        return serial

    def set(self, **settings: Any) -> None:
        """Change account settings."""
        self.emu.change({"settings": {"huawei_cec": settings}})


@asynccontextmanager
async def signed_in(
    *, scenario: str = "happy-path", token: bool = True, **arguments: Any
) -> AsyncIterator[Client]:
    """An emulator on a manual clock and a client with a token."""
    async with started(scenario, **arguments) as emu:
        client = Client(emu)
        if token:
            await client.sign_in("3600")
        yield client
