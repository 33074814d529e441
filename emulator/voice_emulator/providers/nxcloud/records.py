"""One ended call in the provider's fields, for receipts and record queries."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from voice_emulator.core.billing import money
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND, wall_text
from voice_emulator.core.integers import number_or_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.nxcloud.account import PROVIDER_ID
from voice_emulator.providers.nxcloud.causes import cause_of, disposition_of
from voice_emulator.providers.nxcloud.recordings import redirect_url, sound_url

_RESULTS = {
    "en": ("Successful connection", "Unsuccessful connection"),
    "zh": ("成功接通", "未接通"),
}


class VoiceRecord:
    """An ended voice call, for receipt and row. Prices are decimals, times wall-clock texts."""

    def __init__(self, tenant: Tenant, call: Call) -> None:
        bill = call.bill
        if bill is None:
            raise ValueError(f"call {call.id} has not ended")
        self.call = call
        self.settings: Mapping[str, Any] = tenant.settings[PROVIDER_ID]
        self.offset: int = self.settings["utc_offset"]
        self.kind = call.submission.kind
        self.messageid = call.provider_id
        self.phone = call.number
        self.country: str = call.submission.details["country"]
        self.seconds = call.talk_seconds
        self.cycle, self.size = bill.cycle, bill.cycles
        self.price, self.basic_price = bill.unit_price, bill.basic_price
        self.cause, self.disposition = cause_of(call), disposition_of(call)
        self.keys = call.keys
        self.result = _RESULTS[self.settings["language"]][not call.answered]

    @property
    def times(self) -> dict[str, str]:
        """start_time and end_time: they bracket the connected part, so unanswered calls have none."""
        call = self.call
        start = call.answered_at
        if start is None:
            if self.settings["unanswered_times"] == "omit":
                return {}
            start = call.ended_at
        return {"start_time": self._wall(start), "end_time": self._wall(call.ended_at)}

    @property
    def dialled(self) -> str:
        """When the platform dialled."""
        return self._wall(self.call.dialled_at)

    def _wall(self, at: int | None) -> str:
        return wall_text(at or 0, self.offset)

    def receipt(self) -> dict[str, str]:
        """The fields of the voice receipt, in the order of the page's sample, all texts."""
        group = self.kind == "group"
        old = self.settings["receipt_revision"] == "2022"
        second = str(self.seconds)
        fields = {
            "phone": self.phone,
            "countryCode": self.country,
            "duration": second,
            "voice_type": "0" if group else "1",
            "messageid": self.messageid,
        }
        if group:
            fields["basic_price"] = money(self.basic_price)
        fields |= {
            "second": second,
            "cycle": str(self.cycle),
            "size": str(self.size),
            "customer_price": money(self.price),
        }
        if self.kind == "verification" and self.call.answered:
            fields["record_url"] = sound_url(self.call)
        fields |= self.times
        fields["result"] = self.result
        if not old:
            fields["hangup_cause"] = self.cause
        if group or not old:
            fields["hangup_disposition"] = self.disposition
        if group:
            fields["ivr_result"] = self.keys
        elif self.call.submission.details["ext"] and self.settings["receipt_ext"]:
            fields["ext"] = self.call.submission.details["ext"]
        if old:
            fields["show_phone"] = self.call.caller
        return fields

    def row(self) -> dict[str, Any]:
        """A row of the record query, in the order and with the types of the page's samples."""
        row: dict[str, Any] = {
            "id": self.call.record,
            "result": self.result,
            "cycle": self.cycle,
            "time": self.dialled,
        }
        row |= self.times
        row["phone"] = self.phone.removeprefix(self.country) or self.phone
        if self.kind == "group":
            row["basic_price"] = _number(self.basic_price)
        row["second"] = self.seconds
        if self.kind != "group":
            row["voice_type"] = 1 if self.kind == "verification" else 2
        row |= {
            "countryCode": self.country,
            "messageid": self.messageid,
            "customer_price": _number(self.price),
            "show_phone": self.call.caller,
            "size": self.size,
        }
        if self.kind == "group":
            # A number if there is an equal one, as in the sample.
            row["ivr_result"] = number_or_text(self.keys)
        return row


def agent_record(tenant: Tenant, call: Call) -> dict[str, Any]:
    """The fields of the agent record push, in the order of the page's sample."""
    details, settings = call.submission.details, tenant.settings[PROVIDER_ID]
    recorded = call.answered and details["recorded"]
    fields: dict[str, Any] = {
        "show_phone": call.caller,
        "direction": 1,
        "end_time": _epoch(call.ended_at),
        "record": int(recorded),
        "answer_time": _epoch(call.answered_at),
        "sipid": details["sipid"],
        "code": details["country"],
        "start_time": _epoch(call.dialled_at),
        "duration": call.talk_seconds,
        "phone": call.number,
        "username": details["username"],
        "mobile_name": details["mobile_name"],
        "orderid": details["orderid"],
    }
    if settings["effective_called_number"]:
        fields["effective_called_number"] = call.number
    # Optional on the page; the only known receiver always reads it.
    fields["record_url"] = redirect_url(call) if recorded else ""
    fields |= {"hangup_cause": cause_of(call), "sessionid": call.provider_id}
    return fields


def agent_row(tenant: Tenant, call: Call) -> dict[str, Any]:
    """A row of the agent record query: times are wall-clock texts there, and sipid is a number."""
    details, offset = call.submission.details, tenant.settings[PROVIDER_ID]["utc_offset"]
    answered = call.answered_at
    return {
        "phone": call.number,
        "direction": "1",
        "hangup_cause": cause_of(call),
        "answer_time": wall_text(answered, offset) if answered is not None else "",
        "country_code": details["country"],
        "id": call.record,
        "sipid": number_or_text(details["sipid"]),
        "duration": call.talk_seconds,
        "username": details["username"],
        "mobile_name": details["mobile_name"],
        "end_time": wall_text(call.ended_at or 0, offset),
        "effective_called_number": call.number,
        "start_time": wall_text(call.dialled_at or 0, offset),
        "orderid": details["orderid"],
        "record_url": redirect_url(call) if call.answered and details["recorded"] else None,
        "show_phone": call.caller,
    }


def _number(price: Decimal) -> int | float:
    """A price as the JSON number that reads like it: 0.036, 1."""
    return int(price) if price == price.to_integral_value() else float(price)


def _epoch(at: int | None) -> str:
    """Unix seconds as text; 0 for an event that did not happen."""
    return str((at or 0) // SECOND)
