"""The call record push: one per call, right after its end.

Sources: "通用api - 通话记录回调参数说明" (2025 body), "Common API - call record callback parameters"
(2018 body), and two pushes in a client's public log (2017 body). No page states method, content type,
expected reply or repetition; a working receiver reads the body of a POST as one JSON object. The field
``detail`` is how records of predictive calls travel ("Callback data description").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.integers import number_or_text
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.records import UNSET, Record, make_record
from voice_emulator.providers.provider import Envelope, PushRequest, ReceiptKind
from voice_emulator.providers.request import compact_json


def fields_2025(tenant: Tenant, push: Push) -> dict[str, Any]:
    """All 27 fields of the 2025 body, in the order of its sample."""
    record = _record(tenant, push)
    return {
        "id": record.id,
        "companycode": record.companycode,
        "direction": record.direction,
        "type": record.direction,
        "callmethod": record.callmethod,
        "starttime": record.starttime,
        "answertime": record.answertime or "",
        "endtime": record.endtime,
        "duration": record.duration,
        "billsec": record.billsec,
        "userid": record.userid,
        "memberid": record.memberid,
        "chengshudu": record.custom,
        "ext": record.custom,
        "disnumber": record.caller,
        "destnumber": record.destnumber,
        "extnumber": record.extnumber,
        "recordfilename": record.recordfilename,
        "downloadip": record.downloadip,
        "hangupdirection": record.hangupdirection,
        "hangupcause": record.hangupcause,
        "uuid": record.uuid,
        "userkey": record.userkey,
        "customuuid": record.customuuid,
        "taskid": "",
        "round": 0,
        "recordurl": record.recordurl,
    }


def fields_2018(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The 2018 body: userid is called crmid, companycode is a number, and userkey may be one."""
    record = _record(tenant, push)
    as_number = tenant.settings[PROVIDER_ID]["userkey_2018"] == "number"
    return {
        "callmethod": record.callmethod,
        "starttime": record.starttime,
        "answertime": record.answertime or "",
        "endtime": record.endtime,
        "duration": record.duration,
        "billsec": record.billsec,
        "crmid": record.userid,
        "hangupdirection": record.hangupdirection,
        "chengshudu": record.custom,
        "hangupcause": record.hangupcause,
        "memberid": record.memberid,
        "disnumber": record.caller,
        "destnumber": record.destnumber,
        "downloadip": record.downloadip,
        "recordfilename": record.recordfilename,
        "companycode": int(record.companycode),
        "type": record.direction,
        "id": record.id,
        "extnumber": record.extnumber,
        "uuid": record.uuid,
        "userkey": number_or_text(record.userkey) if as_number else record.userkey,
        "customuuid": record.customuuid,
    }


def fields_2017(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The body that a receiver of 2018 has logged: some keys in camelCase, no uuid and no userkey.

    What is unset is empty there, not "0". The fields that begin with ``a`` are those of the agent's leg; a call
    placed here has none.
    """
    record = _record(tenant, push)
    direction, cause = record.older_hangup
    return {
        "aendtime": "",
        "disNumber": record.caller,
        "recordFilename": record.recordfilename,
        "aanswerTime": "",
        "duration": record.duration,
        "destNumber": record.destnumber,
        "answerTime": record.answertime or "",
        "hangupCause": cause,
        "id": record.id,
        "customuuid": record.customuuid,
        "chengshudu": _unless_unset(record.custom),
        "callmethod": record.callmethod,
        "astarttime": "",
        "companycode": int(record.companycode),
        "memberid": _unless_unset(record.memberid),
        "downloadIp": record.downloadip,
        "startTime": record.starttime,
        "type": record.direction,
        "hangupDirection": direction,
        "crmid": _unless_unset(record.userid),
        "billsec": record.billsec,
        "endTime": record.endtime,
        "extNumber": record.extnumber,
    }


def _unless_unset(text: str) -> str:
    return "" if text == UNSET else text


def _record(tenant: Tenant, push: Push) -> Record:
    if push.call is None:
        raise ValueError(f"push {push.id} reports no call")
    return make_record(tenant, push.call)


def encode(envelope: Envelope) -> PushRequest:
    """The push on the wire: a JSON body, or its text as the field ``detail``."""
    text = compact_json(envelope.fields)
    transport = envelope.effect.encoding or envelope.tenant.settings[PROVIDER_ID]["callback_transport"]
    url = envelope.url
    if transport == "form":
        content_type = "application/x-www-form-urlencoded"
        body = urlencode({"detail": text}).encode()
    elif transport == "multipart":
        boundary = "----" + envelope.tenant.ids.drawn_hexadecimal(24, "in8-boundary", envelope.push.id)
        content_type = f"multipart/form-data; boundary={boundary}"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="detail"\r\n\r\n'
        body = f"{head}{text}\r\n--{boundary}--\r\n".encode()
    elif transport == "query":
        parts = urlsplit(url)
        query = "&".join(filter(None, (parts.query, urlencode({"detail": text}))))
        url = urlunsplit(parts._replace(query=query))
        content_type, body = "application/x-www-form-urlencoded", b""
    else:
        content_type, body = "application/json", text.encode()
    if envelope.effect.wrong_content_type:
        content_type = "text/plain"
    return PushRequest("POST", url, (("Content-Type", content_type),), body)


def judge(reply: PushReply) -> str | None:
    """Any 2xx acknowledges, whatever the body: no page says what is expected."""
    if 200 <= reply.status < 300:
        return None
    return f"HTTP status {reply.status}; a 2xx acknowledges the record"


_CORRUPT = {
    "unknown_enum": "hangupcause",
    "wrong_type": "billsec",
    "oversize": "customuuid",
    "empty": "destnumber",
    "bad_date": "starttime",
    "negative": "duration",
    "wrong_id": "id",
}

_CORRUPT_2017 = {
    "unknown_enum": "hangupCause",
    "wrong_type": "billsec",
    "oversize": "customuuid",
    "empty": "destNumber",
    "bad_date": "startTime",
    "negative": "duration",
    "wrong_id": "id",
}


def _kind(
    name: str,
    version: str,
    source: str,
    fields: Callable[[Tenant, Push], dict[str, Any]],
    corrupt: Mapping[str, str] = _CORRUPT,
) -> ReceiptKind:
    return ReceiptKind(
        name=name, title=f"Call record push, {version} body", source=source, schema=f"infin8linx/{name}.receipt",
        url_key="infin8linx", fields=fields, encode=encode, judge=judge, corrupt=corrupt,
        acknowledgement="any HTTP status 2xx", text_values=False,
    )  # fmt: skip


RECEIPTS = {
    "record": _kind("record", "2025", "通用api - 通话记录回调参数说明", fields_2025),
    "record2018": _kind("record2018", "2018", "Common API - call record callback parameters", fields_2018),
    "record2017": _kind(
        "record2017", "2017", "two pushes of 2018 in a client's public log", fields_2017, _CORRUPT_2017
    ),
}
