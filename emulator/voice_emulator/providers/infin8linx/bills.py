"""GetBill: call records by dial time, page by page.

Source: "API for getting call records"; its result part is cut on every public copy, so the record's
fields are those a public client reads from this service (names as there: ``displaynumber``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND, parse_wall_text
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.envelopes import done
from voice_emulator.providers.infin8linx.errors import illegal
from voice_emulator.providers.infin8linx.records import Record, dial_second, make_record
from voice_emulator.providers.infin8linx.settings import UTC_OFFSET
from voice_emulator.providers.infin8linx.state import Account, notes_of
from voice_emulator.providers.kit.fields import View
from voice_emulator.providers.request import Problem, Reply, Request

log = logging.getLogger(__name__)

#: Defaults of the documented table. callmethod 3 hides IVR calls, which are 6.
_DEFAULTS: Mapping[str, int] = {
    "syncflag": 1, "direction": 3, "callmethod": 3, "currentpage": 1, "itemsperpage": 10,
}  # fmt: skip
_NEW, _SEEN = 1, 2
_INCOMING = 1


def check(request: Request) -> Iterator[Problem]:
    """Dates that exist, in the right order."""
    times = []
    for name in ("starttime", "endtime"):
        second = _second(request, name)
        if second is not None:
            times.append(second)
        elif request.text(name):
            yield illegal(request, f"{name} is not a time YYYY-MM-DD HH:MM:SS", name, "format")
    if len(times) == 2 and times[0] > times[1]:
        yield illegal(request, "starttime is after endtime", "starttime", "backwards")


def _second(request: Request, name: str) -> int | None:
    try:
        return parse_wall_text(request.text(name), UTC_OFFSET) // SECOND
    except (ValueError, OverflowError):
        return None


def answer(request: Request, calls: Sequence[Call]) -> Reply:
    """One page. Its records count as queried from now on, for every value of syncflag."""
    numbers = {name: int(request.text(name) or default) for name, default in _DEFAULTS.items()}
    found = _matching(request, numbers)
    page, size = numbers["currentpage"], numbers["itemsperpage"]
    shown = found[(page - 1) * size : page * size]
    if numbers["syncflag"] == _NEW and page > 1:
        _warn_of_paging(request)
    for call, _ in shown:
        notes_of(call).queried = True
    result = {
        "totalitems": len(found),
        "currentpage": page,
        "itemsperpage": size,
        "bills": [_bill(request, record) for _, record in shown],
    }
    return done(request, result, shown_calls=[call for call, _ in shown])


def _matching(request: Request, numbers: Mapping[str, int]) -> list[tuple[Call, Record]]:
    """Ended calls that fit every filter, by record id."""
    earliest, latest = _second(request, "starttime"), _second(request, "endtime")
    if earliest is None or latest is None or numbers["direction"] == _INCOMING:
        return []
    found = []
    for call in request.tenant.ledger.of_provider(PROVIDER_ID):
        if not call.record or (call.query_from is not None and request.now < call.query_from):
            continue
        if not earliest <= dial_second(call) <= latest:
            continue
        if numbers["syncflag"] in (_NEW, _SEEN) and notes_of(call).queried is (numbers["syncflag"] == _NEW):
            continue
        record = make_record(request.tenant, call)
        if numbers["callmethod"] in (0, record.callmethod) and _fits(request, record):
            found.append((call, record))
    found.sort(key=lambda pair: pair[1].id)
    return found


def _fits(request: Request, record: Record) -> bool:
    extensions = [part for item in request.text("extnumber").split(",") if (part := item.strip())]
    if extensions and record.extnumber not in extensions:
        return False
    wanted = {
        "destnumber": record.destnumber, "userid": record.userid, "memberid": record.memberid,
        "chengshudu": record.custom, "ext": record.custom, "customuuid": record.customuuid,
    }  # fmt: skip
    return all(request.text(name) in ("", value) for name, value in wanted.items())


#: One record as GetBill shows it; ``userkey`` by a setting.
BILL = View("""
    id extnumber destnumber displaynumber=caller starttime answertime endtime duration billsec direction
    callmethod userid memberid chengshudu=custom customuuid recordfilename downloadip hangupdirection hangupcause
""")


def _bill(request: Request, record: Record) -> dict[str, Any]:
    bill = BILL(record)
    return {**bill, "userkey": record.userkey} if request.settings["getbill_userkey"] else bill


def _warn_of_paging(request: Request) -> None:
    account = request.tenant.account_state(PROVIDER_ID, Account)
    if not account.warned_of_paging:
        account.warned_of_paging = True
        log.warning(
            "tenant %s: GetBill with syncflag 1 and currentpage %s: the records of earlier pages are no longer in "
            "the set, so this page skips as many; ask for page 1 again, or use syncflag 3",
            request.tenant.id, request.text("currentpage"),
        )  # fmt: skip
