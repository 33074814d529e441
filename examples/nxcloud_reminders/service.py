"""A web service that reminds people by phone. NXCloud places the calls, and its receipts say how they ended.

    POST /reminders             {"phone": "6281200000000", "audio": "https://..."}  ->  {"id": 1}
    GET  /reminders/{id}        {"phone": ..., "state": "called" | "answered" | "missed", "seconds": ..., "at": ...}
    GET  /bill                  {"cost": "0.036"}
    POST /nxcloud/receipts      where NXCloud sends its receipts

A receipt may come twice, before the reply to its own submission, or for an unknown call. So receipts
have their own table, with the id of the submission and the number as key. Queries join the tables.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import aiohttp
from aiohttp import web

BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Account:
    """The URL of NXCloud and our account."""

    base_url: str
    appkey: str
    secretkey: str
    country_code: str = "62"
    show_phone: str = "1234567890"


class CallRefused(Exception):
    """NXCloud refused a call. ``code`` is the provider's code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"NXCloud refused: {code} {text}")
        self.code = code


class Store:
    """Reminders and receipts. Storing the same receipt again changes nothing."""

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript("""
            CREATE TABLE IF NOT EXISTS reminders (
                id INTEGER PRIMARY KEY, phone TEXT NOT NULL, messageid TEXT NOT NULL UNIQUE
            );
            CREATE TABLE IF NOT EXISTS receipts (
                messageid TEXT NOT NULL, phone TEXT NOT NULL, connected INTEGER NOT NULL,
                seconds INTEGER NOT NULL, cost TEXT NOT NULL, cause TEXT NOT NULL, at TEXT NOT NULL,
                PRIMARY KEY (messageid, phone)
            );
        """)

    def add(self, phone: str, messageid: str) -> int:
        with self._db:
            insert = "INSERT INTO reminders (phone, messageid) VALUES (?, ?)"
            done = self._db.execute(insert, (phone, messageid))
        assert done.lastrowid is not None
        return done.lastrowid

    def settle(self, receipt: Mapping[str, str]) -> None:
        row = (
            receipt["messageid"],
            receipt["phone"],
            receipt["hangup_cause"] == "NORMAL_CLEARING",
            int(receipt["second"]),
            str(cost_of(receipt)),
            receipt["hangup_cause"],
            moment(receipt.get("start_time")),
        )
        with self._db:
            self._db.execute("INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def reminder(self, id: int) -> dict[str, object] | None:
        row = self._db.execute(
            "SELECT r.phone, d.connected, d.seconds, d.cause, d.at FROM reminders r "
            "LEFT JOIN receipts d ON d.messageid = r.messageid AND d.phone = r.phone WHERE r.id = ?",
            (id,),
        ).fetchone()
        if row is None:
            return None
        phone, connected, seconds, cause, at = row
        state = "called" if connected is None else "answered" if connected else "missed"
        return {"id": id, "phone": phone, "state": state, "seconds": seconds, "cause": cause, "at": at}

    def bill(self) -> Decimal:
        rows = self._db.execute("SELECT cost FROM receipts")
        return sum((Decimal(cost) for (cost,) in rows), Decimal(0))

    def close(self) -> None:
        self._db.close()


def moment(text: str | None) -> str:
    """A wall-clock time of NXCloud (UTC+8) as RFC 3339; empty for none, and for one that does not exist."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING).isoformat() if text else ""
    except ValueError:
        return ""


def cost_of(receipt: Mapping[str, str]) -> Decimal:
    """The cost of a call: its cycles at the customer's price, or the base fee if it was not answered."""
    if receipt["hangup_cause"] == "NORMAL_CLEARING":
        return Decimal(receipt["customer_price"]) * int(receipt["size"])
    return Decimal(receipt.get("basic_price") or "0")


class Service:
    """The routes, and the client of NXCloud."""

    def __init__(self, account: Account, store: Store) -> None:
        self._account = account
        self._store = store
        self._session: aiohttp.ClientSession | None = None

    async def session(self, app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as self._session:
            yield

    async def call(self, phone: str, audio: str) -> str:
        """Submit one group call; returns its messageid. Raises CallRefused."""
        assert self._session is not None
        account = self._account
        form = {
            "appkey": account.appkey,
            "secretkey": account.secretkey,
            "phone": phone,
            "country_code": account.country_code,
            "show_phone": account.show_phone,
            "url": audio,
        }
        async with self._session.post(f"{account.base_url}/api/voiceSms/gpsend", data=form) as reply:
            result = await reply.json(content_type=None)
        if result["code"] != "0":
            raise CallRefused(result["code"], result.get("result") or result.get("message") or "")
        return str(result["messageid"])

    async def create(self, request: web.Request) -> web.Response:
        reminder = await request.json()
        try:
            messageid = await self.call(reminder["phone"], reminder["audio"])
        except CallRefused as refused:
            return web.json_response({"error": str(refused), "code": refused.code}, status=502)
        return web.json_response({"id": self._store.add(reminder["phone"], messageid)}, status=201)

    async def show(self, request: web.Request) -> web.Response:
        found = self._store.reminder(int(request.match_info["id"]))
        if found is None:
            raise web.HTTPNotFound
        return web.json_response(found)

    async def bill(self, request: web.Request) -> web.Response:
        return web.json_response({"cost": str(self._store.bill())})

    async def receipt(self, request: web.Request) -> web.Response:
        """NXCloud sends the fields in the query or as a form, and expects exactly the reply ``success``."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        self._store.settle({**request.query, **form})
        return web.Response(text="success")


def create_app(account: Account, store: Store) -> web.Application:
    service = Service(account, store)
    app = web.Application()
    app.cleanup_ctx.append(service.session)
    app.router.add_post("/reminders", service.create)
    app.router.add_get("/reminders/{id:[0-9]+}", service.show)
    app.router.add_get("/bill", service.bill)
    app.router.add_post("/nxcloud/receipts", service.receipt)
    return app
