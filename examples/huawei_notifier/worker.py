"""An asyncio worker for voice notifications at Huawei Cloud CEC. It accepts only signed release events."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
CREATE = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"


class NotificationFailed(Exception):
    """Huawei did not place the call."""


@dataclass(frozen=True)
class Account:
    """The URL of CEC and our account. ``shared_key`` signs the release events."""

    base_url: str
    app_key: str
    app_secret: str
    shared_key: str = ""


class Tokens:
    """One bearer token for all calls, renewed when the gateway says that it has expired.

    It does not compute the expiry itself, because our clock may differ from the gateway's.
    """

    def __init__(self, session: aiohttp.ClientSession, account: Account) -> None:
        self._session = session
        self._account = account
        self._lock = asyncio.Lock()
        self._token: str | None = None

    async def get(self) -> str:
        async with self._lock:  # workers that start at once share one request for a token
            if self._token is None:
                self._token = await self._fetch()
            return self._token

    def expired(self, token: str) -> None:
        """Forget ``token``, unless another worker has already fetched a newer one."""
        if self._token == token:
            self._token = None

    async def _fetch(self) -> str:
        body = {"app_key": self._account.app_key, "app_secret": self._account.app_secret}
        url = self._account.base_url + TOKEN
        async with self._session.post(url, json=body, headers={"X-Token-Expire": "600"}) as reply:
            if reply.status != 200:
                raise NotificationFailed(f"no token: {reply.status}")
            return str((await reply.json(content_type=None))["AccessToken"])


@dataclass(frozen=True)
class Notification:
    """One call to place: the number and the recording to play."""

    called: str
    voice_id: str


@dataclass
class Worker:
    """Places notifications. ``placed`` has them by callSerialNo, ``failed`` with the reason."""

    session: aiohttp.ClientSession
    account: Account
    tokens: Tokens
    call_back_url: str
    placed: dict[str, Notification] = field(default_factory=dict)
    failed: list[tuple[Notification, str]] = field(default_factory=list)

    async def notify(self, notification: Notification) -> str:
        """Place one call; returns its callSerialNo. Raises NotificationFailed."""
        body = {
            "called": notification.called,
            "playList": [{"voiceId": notification.voice_id}],
            "callBackUrl": self.call_back_url,
        }
        for _ in range(2):
            token = await self.tokens.get()
            headers = {"Authorization": f"Bearer {token}", "X-APP-Key": self.account.app_key}
            async with self.session.post(self.account.base_url + CREATE, json=body, headers=headers) as reply:
                if reply.status in (401, 403):
                    self.tokens.expired(token)
                    continue
                if reply.status != 200:
                    raise NotificationFailed(f"status {reply.status}")
                result = await reply.json(content_type=None)
            if result["retCode"] != "0":
                raise NotificationFailed(f"retCode {result['retCode']}: {result.get('retMsg')}")
            serial = str(result["result"]["callSerialNo"])
            self.placed[serial] = notification
            return serial
        raise NotificationFailed("the gateway refuses even a new token")

    async def work(self, jobs: asyncio.Queue[Notification]) -> None:
        """Take jobs until cancelled."""
        while True:
            job = await jobs.get()
            try:
                await self.notify(job)
            except (NotificationFailed, aiohttp.ClientError, TimeoutError, ValueError) as error:
                # ValueError: a reply that is not JSON, from a gateway that is broken.
                self.failed.append((job, str(error)))
            finally:
                jobs.task_done()


def signature(event: Mapping[str, Any], shared_key: str) -> str:
    """The expected signature of a release event (page "Release Event Callback API")."""
    unsigned = {"signature", "timestamp", "nonce"}
    pairs = ",".join(f"{name}={event[name]}" for name in sorted(event) if name not in unsigned)
    message = f"{shared_key}_{event.get('timestamp')}_{event.get('nonce')}_{pairs.replace(' ', '')}"
    return base64.b64encode(hmac.digest(shared_key.encode(), message.encode(), hashlib.sha256)).decode()


def genuine(event: Mapping[str, Any], shared_key: str) -> bool:
    """Whether an event comes from Huawei."""
    return hmac.compare_digest(str(event.get("signature", "")), signature(event, shared_key))


def fresh(event: Mapping[str, Any], now: float) -> bool:
    """Whether an event was signed within the last hour; ``timestamp`` is in milliseconds."""
    return int(event.get("timestamp") or 0) / 1000 > now - 3600


def create_receiver(
    shared_key: str,
    released: Callable[[dict[str, Any]], None],
    genuine: Callable[[Mapping[str, Any], str], bool] = genuine,
) -> web.Application:
    """The receiver of release events. It calls ``released`` once for each genuine event.

    Somebody who has recorded an event can send it again: so an old one is refused, and a nonce that was used before.
    """
    seen: set[str] = set()
    nonces: set[str] = set()

    async def receive(request: web.Request) -> web.Response:
        event = await request.json()
        if not genuine(event, shared_key):
            return web.json_response({"retCode": "1", "retMsg": "bad signature"}, status=403)
        if not fresh(event, time.time()) or event["nonce"] in nonces:
            return web.json_response({"retCode": "1", "retMsg": "sent again"}, status=403)
        nonces.add(event["nonce"])
        if event["callSerialNo"] not in seen:
            seen.add(event["callSerialNo"])
            released(event)
        return web.json_response({"retCode": "0", "retMsg": "success"})

    app = web.Application()
    app.router.add_post("/released", receive)
    return app
