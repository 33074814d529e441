"""Forty customers: a tenant each, with credentials of its own, that places batches at all three providers."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import aiohttp

from tests.patience import PATIENCE
from tests.replicas.chaos.history import TWICE, Books, History, Outcome, Sent, number
from tests.replicas.chaos.receiver import Receiver

#: Real seconds for everything that is pending to happen; what is pending then stays so.
SETTLING = 60
PROVIDERS = ("nxcloud", "huawei_cec", "infin8linx")
#: Short calls, and receipts that follow within seconds; those of some numbers come twice.
SCENARIO = f"""
name: cluster
magic_numbers: false
rules:
  - name: short calls
    call: {{outcome: answered, ring: {{uniform: [0s, 1s]}}, talk: 1s}}
  - name: twice
    match: {{number: "*{TWICE}"}}
    receipt: {{copies: 2, gap: 1s, delay: {{uniform: [0s, 2s]}}}}
  - name: spread
    receipt: {{delay: {{uniform: [0s, 3s]}}}}
"""


@dataclass
class Customer:
    """One tenant's client; it uses the token of CEC as long as that lives."""

    id: str
    credentials: Mapping[str, Any]
    traffic: str
    session: aiohttp.ClientSession
    history: History
    numbers: Iterator[int]
    dice: random.Random
    token: str = ""

    async def place(self, provider: str, size: int) -> Sent:
        """One batch to new numbers. It is never sent a second time: nobody knows whether the first one was accepted."""
        if provider == "huawei_cec":
            size = 1
            if not self.token:
                await self._get_token()
        numbers = tuple(number(next(self.numbers), twice=self.dice.random() < 0.1) for _ in range(size))
        at = time.time()
        try:
            path, request, mark, success = getattr(self, f"_{provider}")(",".join(numbers))
            async with self.session.post(self.traffic + path, **request) as reply:
                text = await reply.text()
                own = reply.headers.get("Emulator-Error", "")
                accepted = not own and reply.status == 200 and (await reply.json(content_type=None)).get(mark)
                if own and reply.status in (502, 503):
                    result = "unknown"
                else:
                    result = "accepted" if accepted == success else "refused"
                said = f"HTTP {reply.status} {own or text[:200]}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            result, said = "unknown", f"{type(error).__name__}: {error}"
        sent = Sent(self.id, provider, numbers, at, result, said)
        self.history.sent.append(sent)
        return sent

    async def _get_token(self) -> None:
        """Asking again is safe: a token that nobody uses does no harm."""
        keys = self.credentials["huawei_cec"]
        body = {"app_key": keys["app_key"], "app_secret": keys["app_secret"]}
        path = "/apigovernance/api/oauth/tokenByAkSk"
        deadline = time.monotonic() + PATIENCE
        while not self.token:
            assert time.monotonic() < deadline, f"tenant {self.id} gets no token"
            try:
                async with self.session.post(
                    self.traffic + path, json=body, headers={"X-Token-Expire": "3600"}
                ) as reply:
                    if reply.status == 200:
                        self.token = (await reply.json(content_type=None))["AccessToken"]
                        return
                    if reply.status < 500:
                        self.history.complaints.append(
                            f"tenant {self.id} was refused a token: HTTP {reply.status} {(await reply.text())[:200]}"
                        )
            except (aiohttp.ClientError, TimeoutError, OSError):
                pass
            await asyncio.sleep(0.1)

    def _nxcloud(self, numbers: str) -> tuple[str, dict[str, Any], str, object]:
        keys = self.credentials["nxcloud"]
        form = {
            "appkey": keys["appkey"], "secretkey": keys["secretkey"], "country_code": "62", "phone": numbers,
            "show_phone": "84998996123", "url": "https://nxcloud.com/1963370420.m4a",
        }  # fmt: skip
        return "/api/voiceSms/gpsend", {"data": form}, "code", "0"

    def _huawei_cec(self, called: str) -> tuple[str, dict[str, Any], str, object]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "X-APP-Key": self.credentials["huawei_cec"]["app_key"],
        }
        body = {"called": called, "playList": [{"voiceId": "100001"}]}
        path = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
        return path, {"json": body, "headers": headers}, "retCode", "0"

    def _infin8linx(self, numbers: str) -> tuple[str, dict[str, Any], str, object]:
        keys = self.credentials["infin8linx"]
        form = {
            "service": "App.Sip_Call.PlayVoice", "appid": keys["appid"], "accesskey": keys["accesskey"],
            "nationcode": "id", "destnumber": numbers, "voicetype": "1", "voicefile": "welcome",
        }  # fmt: skip
        return "/api/yunhu", {"data": form}, "code", 200


@dataclass
class Control:
    """The control API through the balancer: everything asked here may be asked again."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self, path: str, method: str = "GET", body: Any = None, url: str = "") -> Any:
        """A JSON document, asked for until it comes. Raises AssertionError after a long time, or when it is refused."""
        deadline = time.monotonic() + PATIENCE
        said = ""
        while time.monotonic() < deadline:
            try:
                async with self.session.request(method, (url or self.url) + path, json=body) as reply:
                    if reply.status < 400:
                        return await reply.json()
                    said = f"HTTP {reply.status} {(await reply.text())[:300]}"
                    if reply.status == 409 and method == "POST":
                        return None  # the first try did it, although its reply was lost
                    assert reply.status >= 500, f"{method} {path}: {said}"
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                said = f"{type(error).__name__}: {error}"
            await asyncio.sleep(0.1)
        raise AssertionError(f"{method} {path} is not answered: {said}")

    async def every(self, path: str, plural: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = await self.ask(f"{path}{'&' if '?' in path else '?'}limit=1000{after}")
            found += page[plural]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"


@dataclass
class Load:
    """The customers, and what they ask for in the end."""

    control: Control
    customers: list[Customer]
    history: History
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def start(self, pause: float, size: int) -> None:
        """Have every customer place a batch of up to ``size`` numbers about every ``pause`` seconds."""
        self._tasks = [asyncio.create_task(self._keep_placing(each, pause, size)) for each in self.customers]

    async def _keep_placing(self, customer: Customer, pause: float, size: int) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), customer.dice.uniform(0, 2 * pause))
            if self._stopping.is_set():
                return
            await customer.place(customer.dice.choice(PROVIDERS), customer.dice.randint(1, size))

    async def stop(self) -> None:
        """No more batches; the one that is on its way is waited for, up to the client's time-out."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    async def settle(self) -> Outcome:
        """Wait until nothing is pending, and read what the replicas know."""
        outcome = Outcome()
        deadline = time.monotonic() + SETTLING
        for customer in self.customers:
            tenant = f"/v1/tenants/{customer.id}"
            while True:
                report = await self.control.ask(f"{tenant}/report?format=json")
                found = report["conservation"]
                if not found["pending"] or time.monotonic() > deadline:
                    break
                await asyncio.sleep(0.2)
            for provider, books in found["providers"].items():
                fates = {key: value for key, value in books.items() if key not in ("accepted", "charges")}
                outcome.books[customer.id, provider] = Books(books["accepted"], fates, found["balanced"])
            for call in await self.control.every(f"{tenant}/calls", "calls"):
                outcome.calls.setdefault(call["number"], []).append(call["state"])
            for push in await self.control.every(f"{tenant}/callbacks?outcome=uncertain", "callbacks"):
                at = datetime.fromisoformat(push["at"]).timestamp()
                outcome.uncertain.append((customer.id, str(push["call_id"]), at))
        return outcome


async def customers(
    control: Control, traffic: str, history: History, how_many: int, seed: int, first: int = 0
) -> Load:
    """Make the tenants, through the balancer."""
    numbers = count(first)
    found = []
    for index in range(how_many):
        name = f"t{first}-{index:02d}" if first else f"t{index:02d}"
        urls = {each: f"{Receiver.BASE}/{name}/{each}" for each in PROVIDERS}
        body = {"id": name, "scenario_yaml": SCENARIO, "clock": "real", "seed": seed, "callback_urls": urls}
        made = await control.ask("/v1/tenants", "POST", body)
        made = made or await control.ask(f"/v1/tenants/{name}")
        found.append(
            Customer(
                name, made["credentials"], traffic, control.session, history, numbers,
                random.Random(f"{seed} {name}"),
            )
        )  # fmt: skip
    return Load(control, found, history)
