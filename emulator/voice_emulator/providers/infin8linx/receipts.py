"""The call record push: one per call, right after its end.

Sources: "通用api - 通话记录回调参数说明" (2025 body) and "Common API - call record callback parameters"
(2018 body). No page states method, content type, expected reply or repetition; a working receiver
reads the body of a POST as one JSON object. The field ``detail`` is how records of predictive calls
travel ("Callback data description").
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from voice_emulator.core.attempts import PushReply
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.records import Record, make_record
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
    """The 2018 body: userid is called crmid, companycode and userkey are numbers."""
    record = _record(tenant, push)
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
        "userkey": _old_userkey(record.userkey),
        "customuuid": record.customuuid,
    }


def _record(tenant: Tenant, push: Push) -> Record:
    if push.call is None:
        raise ValueError(f"push {push.id} reports no call")
    return make_record(tenant, push.call)


def _old_userkey(keys: str) -> int | str:
    """A number as in the 2018 sample; text where the keys are no number (``*``, a leading zero)."""
    return int(keys) if keys.isdigit() and str(int(keys)) == keys else keys


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

RECEIPTS = {
    "record": ReceiptKind(
        name="record",
        title="Call record push, 2025 body",
        source="通用api - 通话记录回调参数说明",
        schema="infin8linx/record.receipt",
        url_key="infin8linx",
        fields=fields_2025,
        encode=encode,
        judge=judge,
        corrupt=_CORRUPT,
        acknowledgement="any HTTP status 2xx",
        text_values=False,
    ),
    "record2018": ReceiptKind(
        name="record2018",
        title="Call record push, 2018 body",
        source="Common API - call record callback parameters",
        schema="infin8linx/record2018.receipt",
        url_key="infin8linx",
        fields=fields_2018,
        encode=encode,
        judge=judge,
        corrupt=_CORRUPT,
        acknowledgement="any HTTP status 2xx",
        text_values=False,
    ),
}
