"""Small clients of the three providers, each call one request, for tests that break the contract or nearly do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.rig import Running

NUMBER = "6281234567890"
NX = {"appkey": "nx-appkey", "secretkey": "nx-secretkey"}
GROUP = {"phone": NUMBER, "country_code": "62", "show_phone": "123456", "url": "https://x.example/a.mp3"}
AGENT = {"appkey": "nx-agent-appkey", "secretkey": "nx-agent-secretkey"}
CEC = {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
CALL = {"called": NUMBER, "playList": [{"voiceId": "100001"}]}
IN8 = {"appid": "in8-appid", "accesskey": "in8-accesskey"}
PLAY = {"nationcode": "id", "destnumber": NUMBER, "voicetype": "1", "voicefile": "hello.mp3"}
DAY = {"starttime": "2026-01-05 00:00:00", "endtime": "2026-01-06 00:00:00"}
CDR = {
    "voiceType": "0", "start_time": "2026-01-05 00:00:00", "end_time": "2026-01-05 23:59:59",
    "page": "1", "page_size": "10",
}  # fmt: skip
CEC_PATH = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"


@dataclass
class Client:
    """Sends what it is told to send."""

    emu: Running

    async def send(self, path: str, method: str = "POST", **options: Any) -> Any:
        """The reply's JSON, its text where it is none, or the exception when none came."""
        try:
            async with self.emu.client.request(method, self.emu.url + path, **options) as reply:
                text = await reply.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            return error
        try:
            return json.loads(text)
        except ValueError:
            return text

    async def gpsend(self, **changes: Any) -> Any:
        return await self.send("/api/voiceSms/gpsend", data={**NX, **GROUP, **changes})

    async def cdr(self, **changes: Any) -> Any:
        return await self.send("/api/voiceSms/getVoiceCdr", data={**NX, **CDR, **changes})

    async def agent_token(self) -> str:
        return (await self.send("/v1/call/token", data=AGENT))["token"]

    async def makecall(self, token: str) -> Any:
        fields = {"token": token, "username": "nx-agent", "phone": NUMBER}
        return await self.send("/v1/call/makecall", data=fields)

    async def cec_token(self, expire: str = "600", **changes: Any) -> Any:
        found = await self.send(
            "/apigovernance/api/oauth/tokenByAkSk",
            json={**CEC, **changes},
            headers={"X-Token-Expire": expire},
        )
        return found.get("AccessToken", found) if isinstance(found, dict) else {}

    async def cec_call(self, token: str, authorization: str | None = None, **changes: Any) -> Any:
        headers = {"Authorization": authorization or f"Bearer {token}", "X-APP-Key": "cec-app-key"}
        return await self.send(CEC_PATH, json={**CALL, **changes}, headers=headers)

    async def in8(self, service: str, **fields: Any) -> Any:
        return await self.send("/api/yunhu", data={"service": service, **fields})

    async def play(self, **changes: Any) -> Any:
        return await self.in8("App.Sip_Call.PlayVoice", **IN8, **{**PLAY, **changes})

    async def login(self) -> str:
        return (await self.in8("App.Sip_Auth.Login", **IN8))["data"]["result"]["token"]

    async def bills(self, token: str, **changes: Any) -> Any:
        fields = {
            **DAY,
            "callmethod": "6",
            "syncflag": "3",
            "currentpage": "1",
            "itemsperpage": "10",
            **changes,
        }
        return await self.in8("App.Sip_Cdr.GetBill", token=token, **fields)


def rules_found(emu: Running) -> set[str]:
    """Ids of the rules that found something at the tenant ``default``."""
    return {finding.rule for finding in emu.tenant.findings.all()}
