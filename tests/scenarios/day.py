"""A customer's day, the same for every scenario: calls at all three providers in five rounds, and record queries.

The rounds lie so that every window of the shipped scenarios is met: at 0, 40, 90, 150 and 300 seconds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.rig import START, Running
from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.wire.traffic.exchange import RequestRecord

ROUNDS = (0, 40, 90, 150, 300)
#: The ids of the first ten thousand records, also as ``corrupt: wrong_id`` makes them: they count, so they follow the
#: order of events.
RECORD_ID = re.compile(rb"(100|211)[0-9]{4}")
#: Last digits 1 to 5 and 6 to 0, for scenarios that tell numbers by them.
LISTED = [f"62812555{digit}{digit}77{digit}" for digit in range(10)]
MAGIC = [
    f"62813000{digits}" for digits in ("0000", "0486", "0480", "0603", "0404", "0403", "0503", "0408", "0602")
]
HOST = {"Host": "voice.test"}
NX = {"appkey": "nx-appkey", "secretkey": "nx-secretkey", "country_code": "62", "show_phone": "123456"}
IN8 = {"service": "App.Sip_Call.PlayVoice", "nationcode": "id", "voicetype": "1", "voicefile": "hello"}
IN8_KEYS = {"appid": "in8-appid", "accesskey": "in8-accesskey"}
DAY = {
    "start_time": "2026-01-05 00:00:00",
    "end_time": "2026-01-05 23:59:59",
    "page_size": "100",
    "page": "1",
}
GOVERNANCE = "/apigovernance/api/oauth/tokenByAkSk"
NOTIFICATION = "/apiaccess/rest/voiceNotification"
RECORDS = "/apiaccess/CC-Management/v1/mobileAgent/queryCallDetailRecord"


@dataclass
class Customer:
    """Sends requests and survives whatever comes back; keeps the tokens it was given."""

    emu: Running
    tokens: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, *, headers: Mapping[str, str] | None = None, **arguments: Any) -> Any:
        """The reply's JSON, or None if there was none."""
        try:
            async with self.emu.client.post(
                self.emu.url + path, headers={**HOST, **(headers or {})}, **arguments
            ) as reply:
                return json.loads(await reply.text(errors="replace"))
        except (aiohttp.ClientError, ValueError, OSError):
            return None

    async def sign_in(self) -> None:
        """Fetch a token of each family; three attempts each, as a good client has them."""
        asked = {
            "nxcloud": (
                "/v1/call/token",
                {"data": {"appkey": "nx-agent-appkey", "secretkey": "nx-agent-secretkey"}},
            ),
            "huawei_cec": (GOVERNANCE, {"json": {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}}),
            "infin8linx": ("/api/yunhu", {"data": {"service": "App.Sip_Auth.Login", **IN8_KEYS}}),
        }
        for provider, (path, arguments) in asked.items():
            for _ in range(3):
                found = _token(await self.post(path, **arguments))
                if found is not None:
                    self.tokens[provider] = found
                    break

    async def group_call(self, *phones: str) -> None:
        """NXCloud, one or many numbers."""
        form = {**NX, "phone": ",".join(phones), "url": "https://nxcloud.com/hello.m4a"}
        await self.post("/api/voiceSms/gpsend", data=form)

    async def spoken(self, operation: str, phone: str) -> None:
        """NXCloud, a notification or a verification code."""
        form = {**NX, "phone": phone, "content": "your code is 1 2 3 4", "lang": "en", "ext": "x1"}
        await self.post(f"/api/voiceSms/{operation}", data=form)

    async def agent_call(self, phone: str, orderid: str) -> None:
        """NXCloud, by softphone; no order id is taken twice."""
        form = {"token": self.tokens.get("nxcloud", "none"), "username": "nx-agent", "phone": phone}
        await self.post("/v1/call/makecall", data={**form, "orderid": orderid})

    @property
    def _bearer(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self.tokens.get('huawei_cec', 'none')}",
            "X-APP-Key": "cec-app-key",
        }

    async def notify(self, called: str) -> None:
        """Huawei CEC, with a URL of its own: so that receipts are signed where a key is set."""
        body = {
            "called": called, "playList": [{"voiceId": "100001"}], "callerPresent": "2222201",
            "callBackUrl": f"{self.emu.receiver.url}/huawei_cec",
        }  # fmt: skip
        await self.post(f"{NOTIFICATION}/v2/createVoiceNotification", json=body, headers=self._bearer)

    async def notify_v1(self, called: str) -> None:
        """Huawei CEC, the older interface."""
        body = {"called": called, "voiceContent": "100001", "callerPresent": "2222201"}
        await self.post(f"{NOTIFICATION}/v1/createVoiceNotification", json=body, headers=self._bearer)

    async def play(self, *numbers: str) -> None:
        """Infin8linx, a batch."""
        await self.post(
            "/api/yunhu", data={**IN8, **IN8_KEYS, "destnumber": ",".join(numbers), "waittime": "45"}
        )

    async def play_one(self, number: str) -> None:
        """Infin8linx, with a token and a key that transfers."""
        form = {**IN8, "token": self.tokens.get("infin8linx", "none"), "destnumber": number}
        await self.post("/api/yunhu", data={**form, "userid": "1@extGroup-1", "chengshudu": "1"})

    async def ask_for_records(self) -> None:
        """The record query of each provider."""
        keys = {"appkey": "nx-appkey", "secretkey": "nx-secretkey"}
        await self.post("/api/voiceSms/getVoiceCdr", data={**keys, **DAY, "voiceType": "0"})
        span = {"startTime": str(START // 1000), "endTime": str(START // 1000 + 86_400_000)}
        await self.post(RECORDS, json={**span, "offset": "0", "limit": "100"}, headers=self._bearer)
        bill = {
            "service": "App.Sip_Cdr.GetBill",
            "token": self.tokens.get("infin8linx", "none"),
            "callmethod": "0",
        }
        times = {"starttime": DAY["start_time"], "endtime": DAY["end_time"], "itemsperpage": "100"}
        await self.post("/api/yunhu", data={**bill, **times, "syncflag": "3"})


def _token(reply: Any) -> str | None:
    if not isinstance(reply, dict):
        return None
    data = reply.get("data")
    nested = data.get("result", {}) if isinstance(data, dict) else {}
    found = reply.get("token") or reply.get("AccessToken") or nested.get("token")
    return found if isinstance(found, str) else None


async def spend(emu: Running) -> list[Any]:
    """The whole day, to the last push; the journal as lines."""
    customer = Customer(emu)
    for number, at in enumerate(ROUNDS):
        wait = START + at * SECOND - emu.tenant.now
        await emu.advance(wait)
        if number % 2 == 0:
            await customer.sign_in()
        if number == 0:
            await customer.group_call(*MAGIC)
        await customer.group_call(*LISTED[:5])
        await customer.spoken("notsend", LISTED[5])
        await customer.spoken("versend", LISTED[6])
        await customer.agent_call(LISTED[7], f"order{number}")
        for called in LISTED[:3]:
            await customer.notify(called)
        await customer.notify_v1(LISTED[8])
        await customer.play(*LISTED[5:])
        await customer.play_one(LISTED[9])
        await emu.advance("20s")
        await customer.ask_for_records()
    await emu.settle()
    await emu.advance("60s")
    await customer.ask_for_records()
    return journal(emu)


def journal(emu: Running, *, numbered: bool = True) -> list[Any]:
    """The journal without what differs from run to run: ports, and how long things took.

    Unless ``numbered`` also without what differs from one order of events to another: the ids of records.
    """
    return [_line(emu, entry.kind, entry.at, entry.record, numbered) for entry in emu.tenant.journal]


def unnumbered(body: bytes) -> bytes:
    """``body`` without the ids of records."""
    return RECORD_ID.sub(b"(record)", body)


def _line(emu: Running, kind: str, at: int, record: Any, numbered: bool) -> list[Any]:
    instant = round((at - START) / SECOND, 3)
    if isinstance(record, RequestRecord):
        sent = record.sent
        line: dict[str, Any] = {
            "op": record.operation, "to": list(record.request.numbers), "code": record.reply and record.reply.code,
            "status": sent and sent.status, "note": sent and sent.note, "fault": record.fault,
            "rules": [rule for rule in (record.reply_rule, record.fault_rule) if rule],
            "latency": round(record.latency / SECOND, 3), "wrong": [problem.code for problem in record.problems],
            "body": _mark(sent.body) if sent and sent.body else None,
            "calls": [_way(emu, call) for call in record.calls],
        }  # fmt: skip
    elif isinstance(record, Attempt):
        path = (record.url or "").removeprefix(emu.receiver.url)
        pushed = path.encode() + record.body
        line = {
            "push": record.push.kind, "to": record.push.call and record.push.call.number, "again": record.number - 1,
            "outcome": record.outcome.value, "faults": list(record.faults), "rule": record.push.rule,
            "body": _mark(pushed if numbered else unnumbered(pushed)),
            "headers": dict(record.headers) if record.faults else {},
            "fields": {
                name: str(value)[:40] for name, value in record.fields.items() if numbered or name != "id"
            } if _spoiled(record) else {},
        }  # fmt: skip
    else:
        shown = record.shown()
        line = {"finding": shown.get("rule"), "severity": shown.get("severity")}
    return [
        instant,
        kind,
        {name: value for name, value in line.items() if value not in (None, [], {}, "", 0)},
    ]


def _spoiled(attempt: Attempt) -> bool:
    """Whether a rule changed what the receipt says, not only how it travels."""
    return bool({"set", "repeat_set", "drop", "corrupt"} & set(attempt.faults))


def _way(emu: Running, call_id: str) -> str:
    call: Call | None = emu.tenant.ledger.get(call_id)
    assert call is not None
    span = (call.ended_at or 0) - (call.dialled_at or 0)
    return f"{call.plan.outcome.value} {span / SECOND:g}s {call.talk_seconds}s {call.rule or ''}".strip()


def _mark(body: bytes) -> str:
    """Enough of a digest to tell one body from another."""
    return hashlib.sha256(body).hexdigest()[:10]
