"""A correct receiver of all three providers' pushes, and ways to spoil it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests import rig

KEY = "0123456789abcdef"


class Refused(Exception):
    """The push is none the receiver takes."""


class Reference:
    """Stores calls by id, charges each once, and tells the outcome to whoever asks at ``/state``."""

    strict_fields: frozenset[str] | None = None
    longest = 2_000
    clock_allowance = 900

    def __init__(self) -> None:
        self.calls: dict[str, dict[str, Any]] = {}
        self.nonces: set[str] = set()
        self.set_aside: list[dict[str, Any]] = []

    # --- the wire -----------------------------------------------------------------------------

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        if raw.path == "/state":
            return web.json_response({"calls": self.calls})
        body = await raw.read()
        provider = "unknown"
        try:
            if raw.method != "POST":
                raise Refused("POST only")
            fields = self.read(raw, body)
            provider = self.provider_of(fields)
            await self.before(fields)
            self.check(provider, fields)
            self.store(provider, fields)
        except Refused as refused:
            return self.refuse(provider, str(refused), raw)
        return self.acknowledge(provider)

    async def before(self, fields: dict[str, Any]) -> None:
        """Nothing."""

    def read(self, raw: web.BaseRequest, body: bytes) -> dict[str, Any]:
        self.check_content_type(raw.headers.get("Content-Type", "").partition(";")[0], body)
        fields: dict[str, Any] = {}
        if not body:
            fields = dict(parse_qsl(raw.path_qs.partition("?")[2], keep_blank_values=True))
        elif body.startswith(b"{"):
            fields = self.read_json(body)
        else:
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
            if "detail" in fields:
                fields = self.read_json(fields["detail"].encode())
        if any(len(str(value)) > self.longest for value in fields.values()):
            raise Refused("a field is too long")
        return fields

    def check_content_type(self, kind: str, body: bytes) -> None:
        """The body shows what it is."""

    def read_json(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except ValueError:
            raise Refused("no JSON") from None
        if not isinstance(found, dict):
            raise Refused("no object")
        return found

    def provider_of(self, fields: dict[str, Any]) -> str:
        for name, provider in (
            ("messageid", "nxcloud"), ("callSerialNo", "huawei_cec"), ("hangupdirection", "infin8linx"),
            ("sessionid", "agent"),
        ):  # fmt: skip
            if name in fields:
                return provider
        raise Refused("whose push is this?")

    def acknowledge(self, provider: str) -> web.Response:
        if provider == "huawei_cec":
            return web.json_response({"retCode": "0", "retMsg": "success"})
        return web.Response(text="success")

    def refuse(self, provider: str, why: str, raw: web.BaseRequest) -> web.Response:
        if provider == "huawei_cec":
            return web.json_response({"retCode": "1", "retMsg": why})
        if provider == "nxcloud":
            return web.Response(text="error")
        return web.Response(status=400, text=why)

    # --- what is right ------------------------------------------------------------------------

    def check(self, provider: str, fields: dict[str, Any]) -> None:
        if provider == "huawei_cec":
            self.check_signature(fields)
        for name in ("second", "duration", "billsec", "talkDuration", "cycle", "size"):
            value = fields.get(name)
            if value is not None and not (str(value).isascii() and str(value).isdigit()):
                raise Refused(f"{name} is not a number")
        forms = ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d,%H:%M:%S:%f")
        for name in ("start_time", "end_time", "starttime", "endtime", "releaseTime"):
            text = fields.get(name)
            if isinstance(text, str) and text and not text.isdigit():
                try:
                    datetime.strptime(text, forms["/" in text])
                except ValueError:
                    raise Refused(f"{name} is not a date") from None

    def check_signature(self, fields: dict[str, Any]) -> None:
        if not {"signature", "timestamp", "nonce"} <= set(fields):
            raise Refused("unsigned")
        signed = {
            name: value for name, value in fields.items() if name not in ("signature", "timestamp", "nonce")
        }
        text = ",".join(f"{name}={signed[name]}" for name in sorted(signed)).replace(" ", "")
        message = f"{KEY}_{fields['timestamp']}_{fields['nonce']}_{text}"
        digest = hmac.new(KEY.encode(), message.encode(), hashlib.sha256).digest()
        if not self.same(base64.b64encode(digest).decode(), fields["signature"]):
            raise Refused("bad signature")
        self.check_age(int(fields["timestamp"]) / 1000)
        if fields["nonce"] in self.nonces:
            raise Refused("seen before")
        self.nonces.add(fields["nonce"])

    def same(self, expected: str, given: str) -> bool:
        return hmac.compare_digest(expected, given)

    def check_age(self, signed_at: float) -> None:
        if abs(time.time() - signed_at) > self.clock_allowance:
            raise Refused("stale")

    # --- business -----------------------------------------------------------------------------

    def id_of(self, provider: str, fields: dict[str, Any]) -> str:
        name = {
            "nxcloud": "messageid",
            "huawei_cec": "callSerialNo",
            "infin8linx": "customuuid",
            "agent": "sessionid",
        }
        return str(fields[name[provider]])

    def store(self, provider: str, fields: dict[str, Any]) -> None:
        over = provider != "agent" or "hangup_cause" in fields
        if set(self.id_of(provider, fields)) == {"0"}:
            self.unknown(fields)
            return
        known = self.calls.get(self.id_of(provider, fields))
        if known is not None and known["ended"]:
            self.repeated(provider, fields, known, over=over)
            return
        self.keep(provider, fields, ended=over)

    def unknown(self, fields: dict[str, Any]) -> None:
        """Set aside for a person; still acknowledged."""
        self.set_aside.append(fields)

    def repeated(self, provider: str, fields: dict[str, Any], known: dict[str, Any], *, over: bool) -> None:
        """It is known already."""

    def keep(self, provider: str, fields: dict[str, Any], *, ended: bool) -> None:
        self.calls[self.id_of(provider, fields)] = {
            "ended": ended,
            "state": "ended" if ended else "going on",
            "answered": self.answered(provider, fields),
            "charge": str(self.charge(fields)),
        }

    def talk(self, provider: str, fields: dict[str, Any]) -> int:
        names = {
            "nxcloud": "second",
            "huawei_cec": "talkDuration",
            "infin8linx": "billsec",
            "agent": "duration",
        }
        return int(fields.get(names[provider]) or 0)

    def answered(self, provider: str, fields: dict[str, Any]) -> bool:
        return self.talk(provider, fields) > 0

    def charge(self, fields: dict[str, Any]) -> Decimal:
        return Decimal(fields.get("size", 0)) * Decimal(fields.get("customer_price", 0))


def served(receiver: Reference) -> AbstractAsyncContextManager[str]:
    """``receiver`` on a free port; its base URL."""
    return rig.served(receiver.handle, max_line_size=200_000)


async def after(seconds: float) -> None:
    """Be as slow as a receiver that does its work before it answers."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(seconds, done.set_result, None)
    await done
