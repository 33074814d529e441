"""The wires of the three providers, as a small client speaks them: the standard library alone."""

from __future__ import annotations

import http.client
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from tests.swarm.clients.service import Attempt, NotNow, Refused, Report, Unknown

#: Real seconds for a whole exchange, more or less.
TIMEOUT = 8.0
_OPENER = build_opener(ProxyHandler({}))
#: A span that holds every run.
FIRST, LAST = "2026-01-01 00:00:00", "2026-02-28 23:59:59"


class Account:
    """Base URL and credentials, from the variables that swarm sets."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.url = environment["VOICE_EMULATOR_URL"]
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        return self._environment[f"VOICE_EMULATOR_{name}"]


class Wire:
    """One provider's wire."""

    acknowledgement: tuple[str, bytes] = ("application/json", b"{}")
    priced = False

    def __init__(self, account: Account) -> None:
        self.account = account
        self.forget()

    def forget(self) -> None:
        """Forget token and time."""
        self.now: datetime | None = None
        self.token: str | None = None
        self._failed: list[datetime | None] = []
        self._answers: dict[object, dict[str, Any]] = {}

    def get_token(self) -> str:
        """The token, kept until it is refused. Raises Refused: nothing was placed.

        After a failure it does not ask again before its clock has moved on.
        """
        if self.token is None:
            if self._failed == [self.now]:
                raise Refused("no token yet")
            try:
                self.token = self.fetch_token()
            except (Refused, Unknown) as error:
                self._failed = [self.now]
                raise Refused("no token") from error
        return self.token

    def try_again(self) -> None:
        """Ask for a token even if that failed a moment ago."""
        self._failed, self._answers = [], {}

    def fetch_token(self) -> str:
        """A new token. Raises Refused or Unknown."""
        raise NotImplementedError

    def submit(self, number: str, key: str) -> str | None:
        """As :class:`tests.swarm.clients.service.Provider` says, and so do the other two."""
        raise NotImplementedError

    def lookup(self, attempt: Attempt, others: Collection[str]) -> Report | None:
        raise NotImplementedError

    def read(self, target: str, body: bytes) -> Report | None:
        raise NotImplementedError

    def refuse_token(self) -> None:
        """The provider has refused the token."""
        self.token = None

    def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Status and decoded JSON. Raises Unknown when there is no such reply."""
        request = Request(self.account.url + path, body, dict(headers or {}))
        try:
            try:
                with _OPENER.open(request, timeout=TIMEOUT) as reply:
                    status, text = reply.status, reply.read()
            except HTTPError as error:
                with error:
                    status, text = error.code, error.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unknown(str(error)) from error
        try:
            document = json.loads(text)
        except ValueError as error:
            raise Unknown(f"HTTP {status}, no JSON") from error
        if not isinstance(document, dict):
            raise Unknown(f"HTTP {status}, no object")
        return status, document


def _is_of(id: str, attempt: Attempt, others: Collection[str]) -> bool:
    """Whether a record is that of this attempt: by its id, or the one that no other attempt has."""
    return id == attempt.id if attempt.id is not None else id not in others


class NXCloud(Wire):
    """Group calls, one number each."""

    acknowledgement = ("text/plain", b"success")
    priced = True

    def _form(self, **fields: str) -> bytes:
        keys = {"appkey": self.account["NXCLOUD_APPKEY"], "secretkey": self.account["NXCLOUD_SECRETKEY"]}
        return urlencode(keys | fields).encode()

    def submit(self, number: str, key: str) -> str | None:
        form = self._form(
            phone=number,
            country_code="62",
            show_phone="1234567890",
            url="https://files.example.com/hello.mp3",
        )
        document = self.post("/api/voiceSms/gpsend", form)[1]
        if "messageid" in document:
            return str(document["messageid"])
        if "code" not in document or document["code"] == "0":
            raise Unknown("neither accepted nor refused")
        raise Refused(document["code"])

    def lookup(self, attempt: Attempt, others: Collection[str]) -> Report | None:
        form = self._form(
            voiceType="0",
            messageid=attempt.id or "",
            start_time=FIRST,
            end_time=LAST,
            page_size="100",
            page="1",
        )
        try:
            document = self.post("/api/voiceSms/getVoiceCdr", form)[1]
        except Unknown as error:
            raise NotNow from error
        if document.get("code") != "1":
            raise NotNow
        # A row has the number without the country code.
        rows = [
            row | {"phone": attempt.number}
            for row in document["info"]["rows"]
            if attempt.number.endswith(row["phone"])
        ]
        known = [row for row in rows if _is_of(row["messageid"], attempt, others)]
        return self._report(known[0]) if known else None

    def read(self, target: str, body: bytes) -> Report | None:
        fields = dict(parse_qsl(urlsplit(target).query or body.decode(), keep_blank_values=True))
        return self._report(fields) if "phone" in fields else None

    @staticmethod
    def _report(row: Mapping[str, Any]) -> Report:
        seconds = int(row["second"])
        price, cycles = Decimal(str(row["customer_price"])), int(row["size"])
        charge = price * cycles if seconds else Decimal(str(row.get("basic_price") or 0))
        return Report(str(row["messageid"]), str(row["phone"]), seconds, charge)


class HuaweiCec(Wire):
    """Voice notifications with a bearer token."""

    acknowledgement = ("application/json", b'{"retCode":"0","retMsg":"success"}')

    def fetch_token(self) -> str:
        pair = {
            "app_key": self.account["HUAWEI_CEC_APP_KEY"],
            "app_secret": self.account["HUAWEI_CEC_APP_SECRET"],
        }
        headers = {"Content-Type": "application/json", "X-Token-Expire": "600"}
        document = self.post("/apigovernance/api/oauth/tokenByAkSk", json.dumps(pair).encode(), headers)[1]
        if "AccessToken" not in document:
            raise Refused("no token")
        return str(document["AccessToken"])

    def ask(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A request with the token; with a new one if it is refused. Raises Refused or Unknown."""
        for _ in range(2):
            headers = {
                "Content-Type": "application/json", "Authorization": f"Bearer {self.get_token()}",
                "X-APP-Key": self.account["HUAWEI_CEC_APP_KEY"],
            }  # fmt: skip
            status, document = self.post(path, json.dumps(body).encode(), headers)
            if status in (401, 403):
                self.refuse_token()
                continue
            return dict(document)
        raise Refused("the token is refused")

    def submit(self, number: str, key: str) -> str | None:
        url = f"http://127.0.0.1:{self.account['RECEIVER_PORT']}/released"
        body = {"called": number, "playList": [{"voiceId": "100001"}], "callBackUrl": url}
        document = self.ask("/apiaccess/rest/voiceNotification/v2/createVoiceNotification", body)
        if document.get("retCode") == "0":
            return str(document["result"]["callSerialNo"])
        raise Refused(document.get("retCode"))

    def lookup(self, attempt: Attempt, others: Collection[str]) -> Report | None:
        first, last = attempt.since - timedelta(hours=1), attempt.since + timedelta(days=6)
        body = {"startTime": f"{first.timestamp() * 1000:.0f}", "endTime": f"{last.timestamp() * 1000:.0f}"}
        body |= {"offset": "0", "limit": "100", "taskType": "3"}
        key = (self.now, tuple(body.items()))
        if key not in self._answers:
            try:
                document = self.ask("/apiaccess/CC-Management/v1/mobileAgent/queryCallDetailRecord", body)
            except (Refused, Unknown) as error:
                raise NotNow from error
            self._answers = {key: document}  # one question for all calls of the same time
        document = self._answers[key]
        if document.get("retCode") != "0":
            return None
        rows = [row for row in document["result"]["callInfo"] if row["called"] == attempt.number]
        known = [row for row in rows if _is_of(row["callSerialNo"], attempt, others)]
        return self._report(known[0]) if known else None

    def read(self, target: str, body: bytes) -> Report | None:
        fields = json.loads(body)
        return self._report(fields) if "callSerialNo" in fields else None

    @staticmethod
    def _report(row: Mapping[str, Any]) -> Report:
        seconds = row.get("talkDuration")
        return Report(
            str(row["callSerialNo"]), str(row["called"]), int(seconds or 0), complete=seconds is not None
        )


class Infin8linx(Wire):
    """Token flavour of PlayVoice, each call with an id of our own."""

    acknowledgement = ("text/plain", b"ok")

    def service(self, service: str, **fields: str) -> dict[str, Any]:
        return dict(self.post("/api/yunhu", urlencode({"service": service, **fields}).encode())[1])

    def fetch_token(self) -> str:
        keys = {"appid": self.account["INFIN8LINX_APPID"], "accesskey": self.account["INFIN8LINX_ACCESSKEY"]}
        document = self.service("App.Sip_Auth.Login", **keys)
        data = document.get("data") or {}
        if document.get("ret") != 200 or data.get("status", 0) != 0:
            raise Refused("no token")
        return str(data["result"]["token"])

    def ask(self, service: str, **fields: str) -> dict[str, Any]:
        """``data`` of the reply; a refused token is replaced once. Raises Refused or Unknown."""
        for _ in range(2):
            document = self.service(service, token=self.get_token(), **fields)
            code = document.get("ret", document.get("code"))
            if code in (600, "600"):
                self.refuse_token()
                continue
            data = document.get("data")
            if code is None:
                raise Unknown("neither accepted nor refused")
            if code != 200 or not isinstance(data, dict) or data.get("status", 0) != 0:
                raise Refused(code)
            return data
        raise Refused("the token is refused")

    def submit(self, number: str, key: str) -> str | None:
        self.ask(
            "App.Sip_Call.PlayVoice", destnumber=number, voicetype="1", voicefile="welcome", nationcode="id",
            customuuid=key,
        )  # fmt: skip
        return key

    def lookup(self, attempt: Attempt, others: Collection[str]) -> Report | None:
        try:
            data = self.ask(
                "App.Sip_Cdr.GetBill", starttime=FIRST, endtime=LAST, syncflag="3", direction="3", callmethod="6",
                customuuid=attempt.key, currentpage="1", itemsperpage="100",
            )  # fmt: skip
        except (Refused, Unknown) as error:
            raise NotNow from error
        rows = data["result"]["bills"]
        return self._report(rows[0]) if rows else None

    def read(self, target: str, body: bytes) -> Report | None:
        fields = json.loads(body)
        return self._report(fields) if "destnumber" in fields else None

    @staticmethod
    def _report(row: Mapping[str, Any]) -> Report:
        return Report(str(row["customuuid"]), str(row["destnumber"]), int(row["billsec"]))


WIRES: Mapping[str, type[Wire]] = {"nxcloud": NXCloud, "huawei_cec": HuaweiCec, "infin8linx": Infin8linx}
