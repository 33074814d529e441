"""Reminds people by phone. NXCloud places the calls; its receipts, or its record query, say how they ended."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from urllib.request import urlopen

AUDIO = "https://files.example.com/appointment.mp3"
#: The planted bug: every receipt is charged, also one that came before.
BUG = os.environ.get("REMINDERS_BUG") == "1"


class Reminders:
    def __init__(self, url: str, appkey: str, secretkey: str) -> None:
        self._url = url
        self._keys = {"appkey": appkey, "secretkey": secretkey}
        self._calls: dict[tuple[str, str], str] = {}  # by message id and number: called, answered, missed
        self.bill = Decimal(0)

    def remind(self, phone: str) -> None:
        """Place a call."""
        form = {"phone": phone, "country_code": "62", "show_phone": "1234567890", "url": AUDIO}
        reply = self._post("/api/voiceSms/gpsend", form)
        if reply["code"] != "0":
            raise RuntimeError(f"NXCloud refused: {reply}")
        self._calls.setdefault((reply["messageid"], phone), "called")  # its receipt may have been faster

    def receipt(self, fields: dict[str, str]) -> str:
        """A receipt came; returns what NXCloud wants to read."""
        answered = fields["hangup_cause"] == "NORMAL_CLEARING"
        self._settle(fields["messageid"], fields["phone"], answered, fields["customer_price"], fields["size"])
        return "success"

    def reconcile(self) -> None:
        """Ask for the records of calls whose receipt is missing."""
        now = datetime.now(UTC)
        start, end = (f"{now + timedelta(days=days):%Y-%m-%d} 00:00:00" for days in (-1, 2))
        for (messageid, phone), state in list(self._calls.items()):
            if state == "called":
                form = {"voiceType": "0", "messageid": messageid, "start_time": start, "end_time": end}
                reply = self._post("/api/voiceSms/getVoiceCdr", {**form, "page_size": "10", "page": "1"})
                for row in reply["info"]["rows"]:
                    if phone.endswith(row["phone"]):  # records have it without the country code
                        answered = row["result"] == "Successful connection"
                        self._settle(messageid, phone, answered, str(row["customer_price"]), str(row["size"]))

    def state(self, phone: str) -> str:
        return next(state for (_, number), state in self._calls.items() if number == phone)

    def _settle(self, messageid: str, phone: str, answered: bool, price: str, size: str) -> None:
        known = self._calls.get((messageid, phone), "called")
        if known != "called" and not BUG:
            return  # the same receipt again
        self._calls[messageid, phone] = "answered" if answered else "missed"
        if answered:
            self.bill += Decimal(price) * int(size)

    def _post(self, path: str, form: dict[str, str]) -> dict:
        with urlopen(self._url + path, urlencode({**self._keys, **form}).encode(), timeout=10) as reply:
            return json.load(reply)
