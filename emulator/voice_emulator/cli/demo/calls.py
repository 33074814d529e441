"""The demo's client: what a customer of each provider sends, over real HTTP.

Paths and fields are those of the providers' own pages; only base URL and credentials are the emulator's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

#: The last four digits decide how a call ends (scenarios/magic-numbers.yaml): 0486 busy, 0480 no answer.
GROUP = ("6281200010011", "6281200020022", "6281200030480", "6281200040044", "6281200050486")
CODE = "6281311110011"
NOTIFIED = ("6221500020022", "6221500030480", "6221500040044")
BATCH = ("81351110011", "81351120022", "81351130486", "81351140044", "81351150480")

#: Every number dialled, by provider: one receipt each.
DIALLED: Mapping[str, tuple[str, ...]] = {
    "nxcloud": (*GROUP, CODE),
    "huawei_cec": NOTIFIED,
    "infin8linx": BATCH,
}

#: Which fields of a provider's receipt carry the called number, the provider's id, and why the call ended.
RECEIPT_FIELDS: Mapping[str, tuple[str, str, str]] = {
    "nxcloud": ("phone", "messageid", "hangup_cause"),
    "huawei_cec": ("called", "callSerialNo", "releaseReason"),
    "infin8linx": ("destnumber", "id", "hangupcause"),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that was accepted: how many numbers it dials (0 for a token), and what came back."""

    provider: str
    operation: str
    numbers: int
    answer: str


class RequestRefused(Exception):
    """The emulator turned one of the demo's requests down."""


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to the traffic port at ``base``; ``credentials`` are the tenant's, by provider."""

    session: aiohttp.ClientSession
    base: str
    credentials: Mapping[str, Any]
    receiver: str

    async def place_all(self) -> AsyncIterator[Sent]:
        """Place every call of the demo, yielding each request as it is accepted. Raises RequestRefused."""
        for part in (self._nxcloud, self._huawei_cec, self._infin8linx):
            async for sent in part():
                yield sent

    async def _nxcloud(self) -> AsyncIterator[Sent]:
        keys = self.credentials["nxcloud"]
        common = {
            "appkey": keys["appkey"],
            "secretkey": keys["secretkey"],
            "country_code": "62",
            "show_phone": "84998996123",
        }
        group = {**common, "phone": ",".join(GROUP), "url": "https://nxcloud.com/1963370420.m4a"}
        reply = await self._post("/api/voiceSms/gpsend", "code", "0", data=group)
        yield Sent("nxcloud", "gpsend", len(GROUP), f"messageid {reply['messageid']}")
        code = {**common, "phone": CODE, "content": "your code is 1-2-3-4", "lang": "en"}
        reply = await self._post("/api/voiceSms/versend", "code", "0", data=code)
        yield Sent("nxcloud", "versend", 1, f"messageid {reply['messageid']}")

    async def _huawei_cec(self) -> AsyncIterator[Sent]:
        keys = self.credentials["huawei_cec"]
        pair = {"app_key": keys["app_key"], "app_secret": keys["app_secret"]}
        path = "/apigovernance/api/oauth/tokenByAkSk"
        lifetime = {"X-Token-Expire": "600"}
        reply = await self._post(path, "ApplyType", "Bearer", json=pair, headers=lifetime)
        yield Sent("huawei_cec", "tokenByAkSk", 0, f"a token for {reply['Expires']} s")
        headers = {"Authorization": f"Bearer {reply['AccessToken']}", "X-APP-Key": keys["app_key"]}
        for number in NOTIFIED:
            body = {
                "called": number,
                "playList": [{"voiceId": "100001"}],
                "callBackUrl": f"{self.receiver}/huawei_cec",
            }
            path = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
            reply = await self._post(path, "retCode", "0", json=body, headers=headers)
            serial = reply["result"]["callSerialNo"]
            yield Sent("huawei_cec", "createVoiceNotification", 1, f"callSerialNo {serial}")

    async def _infin8linx(self) -> AsyncIterator[Sent]:
        keys = self.credentials["infin8linx"]
        form = aiohttp.FormData(default_to_multipart=True)
        fields = {
            "service": "App.Sip_Call.PlayVoice",
            "appid": keys["appid"],
            "accesskey": keys["accesskey"],
            "nationcode": "id",
            "destnumber": ",".join(BATCH),
            "voicetype": "1",
            "voicefile": "welcome",
            "userkey": "1",
            "conntime": "300",
        }
        for name, value in fields.items():
            form.add_field(name, value)
        reply = await self._post("/api/yunhu", "code", 200, data=form)
        yield Sent("infin8linx", "PlayVoice", len(BATCH), reply["data"]["desc"])

    async def _post(self, path: str, mark: str, success: object, **request: Any) -> dict[str, Any]:
        """POST and return the JSON reply, whose member ``mark`` must be ``success``."""
        async with self.session.post(self.base + path, **request) as response:
            text = await response.text()
            reply = await response.json(content_type=None) if text.startswith("{") else {}
        if reply.get(mark) != success:
            raise RequestRefused(f"{path} was refused with HTTP {response.status}: {text[:300].strip()}")
        return dict(reply)
