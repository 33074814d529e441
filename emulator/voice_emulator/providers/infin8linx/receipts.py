"""The call record push: one per call, right after its end.

Sources: "通用api - 通话记录回调参数说明" (2025 body), "Common API - call record callback parameters"
(2018 body), and two pushes in a client's public log (2017 body). No page states method, content type,
expected reply or repetition; a working receiver reads the body of a POST as one JSON object. The field
``detail`` is how records of predictive calls travel ("Callback data description").
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote_plus

from voice_emulator.core.integers import number_or_text
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.records import UNSET, make_record
from voice_emulator.providers.kit.fields import View
from voice_emulator.providers.kit.pushes import Encoder, by_status, call_of
from voice_emulator.providers.kit.tables import receipts
from voice_emulator.providers.provider import ReceiptKind

_2025 = View("""
    id companycode direction type=direction callmethod starttime answertime endtime duration billsec userid memberid
    chengshudu=custom ext=custom disnumber=caller destnumber extnumber recordfilename downloadip hangupdirection
    hangupcause uuid userkey customuuid taskid=nothing round=zero recordurl
""")
_2018 = View("""
    callmethod starttime answertime endtime duration billsec crmid=userid hangupdirection chengshudu=custom
    hangupcause memberid disnumber=caller destnumber downloadip recordfilename companycode type=direction id
    extnumber uuid userkey customuuid
""")
_2017 = View("""
    aendtime=nothing disNumber=caller recordFilename=recordfilename aanswerTime=nothing duration
    destNumber=destnumber answerTime=answertime hangupCause=older_cause id customuuid chengshudu=custom callmethod
    astarttime=nothing companycode memberid downloadIp=downloadip startTime=starttime type=direction
    hangupDirection=older_direction crmid=userid billsec endTime=endtime extNumber=extnumber
""")


def fields_2025(tenant: Tenant, push: Push) -> dict[str, Any]:
    """All 27 fields of the 2025 body, in the order of its sample."""
    return _shown(_2025, tenant, push)


def fields_2018(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The 2018 body: userid is called crmid, companycode is a number, and userkey may be one."""
    fields = _shown(_2018, tenant, push)
    fields["companycode"] = int(fields["companycode"])
    if tenant.settings[PROVIDER_ID]["userkey_2018"] == "number":
        fields["userkey"] = number_or_text(fields["userkey"])
    return fields


def fields_2017(tenant: Tenant, push: Push) -> dict[str, Any]:
    """The body that a receiver of 2018 has logged: some keys in camelCase, no uuid and no userkey.

    Unset fields are empty, not "0". The fields that begin with ``a`` are those of the agent's leg, which a call
    placed here does not have.
    """
    fields = _shown(_2017, tenant, push)
    fields["companycode"] = int(fields["companycode"])
    unset = {name: "" for name in ("chengshudu", "memberid", "crmid") if fields[name] == UNSET}
    return {**fields, **unset}


def _shown(view: View, tenant: Tenant, push: Push) -> dict[str, Any]:
    fields = view(make_record(tenant, call_of(push)))
    name = "answerTime" if view is _2017 else "answertime"
    fields[name] = fields[name] or ""
    return fields


#: A JSON body, or its text as the field ``detail``.
encode = Encoder(setting="callback_transport", json_type="application/json", quote=quote_plus, field="detail")
#: Any 2xx acknowledges, whatever the body: no page says what is expected.
judge = by_status()

_CORRUPT = {
    "unknown_enum": "hangupcause", "wrong_type": "billsec", "oversize": "customuuid", "empty": "destnumber",
    "bad_date": "starttime", "negative": "duration", "wrong_id": "id",
}  # fmt: skip
_CORRUPT_2017 = {**_CORRUPT, "unknown_enum": "hangupCause", "empty": "destNumber", "bad_date": "startTime"}
_record = partial(
    ReceiptKind, encode=encode, judge=judge, corrupt=_CORRUPT, acknowledgement="any HTTP status 2xx"
)

RECEIPTS = receipts(
    PROVIDER_ID,
    _record(
        "record", "Call record push, 2025 body", "通用api - 通话记录回调参数说明", fields=fields_2025,
    ),
    _record(
        "record2018", "Call record push, 2018 body", "Common API - call record callback parameters",
        fields=fields_2018,
    ),
    _record(
        "record2017", "Call record push, 2017 body", "two pushes of 2018 in a client's public log",
        fields=fields_2017, corrupt=_CORRUPT_2017,
    ),
)  # fmt: skip
