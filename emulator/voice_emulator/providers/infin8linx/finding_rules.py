"""Infin8linx's numbers for the finding rules, and the rules for Infin8linx alone."""

from __future__ import annotations

from collections.abc import Iterator

from voice_emulator.providers.contract import Contract, Pages, When, finding
from voice_emulator.providers.grading import Grading
from voice_emulator.providers.infin8linx.access import PROVIDER_ID
from voice_emulator.providers.infin8linx.hangups import CALLED_SIDE, CALLER_SIDE, CAUSES
from voice_emulator.providers.kit.fields import at
from voice_emulator.providers.rule_context import RuleContext

_BILLS = "API for getting call records (Infin8linx)"
_IVR_OR_ANY = ("0", "6")
MOST_NUMBERS = 5_000
#: Codes that say who hung up, not why.
_DIRECTIONS = (str(CALLER_SIDE), str(CALLED_SIDE))


@finding(
    "infin8linx-syncflag-paging", "error", When.ARRIVED, operations=("GetBill",), providers=(PROVIDER_ID,),
    source=f"{_BILLS}: syncflag 1 is what was not queried yet",
)  # fmt: skip
def syncflag_paging(context: RuleContext) -> Iterator[str]:
    """A client asked for page 2 or later of the records that were not queried yet.

    With `syncflag` 1 a returned page is removed from the set, so the former page 2 is page 1 now. Asking for
    page 2 skips a page of records, and the client never sees them.

    How to fix it: ask for page 1 again until it is empty, or page through with `syncflag` 3.
    """
    page = context.request.text("currentpage")
    if (
        context.request.text("syncflag") in ("", "1")
        and page.isascii()
        and page.isdigit()
        and int(page[:9]) > 1
    ):
        yield f"currentpage {page[:9]} with syncflag 1"


@finding(
    "infin8linx-bills-without-ivr", "warning", When.ARRIVED, operations=("GetBill",), providers=(PROVIDER_ID,
    ), source=f"{_BILLS}: callmethod is 3 by default, IVR and group calls are 6",
)  # fmt: skip
def bills_without_ivr(context: RuleContext) -> Iterator[str]:
    """A client asked for call records in a way that leaves its own IVR calls out.

    `callmethod` 3 is the default, and calls of `PlayVoice` are 6. Without `callmethod=6` (or 0, any) the
    query returns none of them, so the client cannot reconcile its calls.

    How to fix it: send `callmethod=6`.
    """
    if context.tenant.totals.accepted[PROVIDER_ID] and context.request.text("callmethod") not in _IVR_OR_ANY:
        yield f"callmethod is {context.request.text('callmethod')[:20] or 'left out, which means 3'}"


_PAGES = Pages(
    "currentpage",
    "itemsperpage",
    lambda payload: at(payload, "data", "result", "totalitems", of=int),
    size_default=10,
)

GRADING = Grading(
    operation="PlayVoice",
    identity="customuuid",
    cause=("hangupcause", 10099),
    words={"chengshudu": "客户-Ñandú-Åse", "ext": "客户-Ñandú-Åse"},
    customer={"chengshudu": "a&b=c d+e%20\"'", "ext": "a&b=c d+e%20\"'"},
    customer_operation="PlayVoice",
    empty="userkey",
    encodings={"form": "Callback data description (Infin8linx): the record as the form field detail"},
    older={"record_version": "2018"},
)

CONTRACT = Contract(
    grading=GRADING,
    refusals=frozenset({"600", "601", "1003"}),
    temporary=frozenset({"500", "602", "603", "604", "1001"}),
    pages={"GetBill": _PAGES},
    batches={
        "PlayVoice": (
            MOST_NUMBERS,
            "Batch IVR - Call out ivr voice in batches (Infin8linx): at most 5,000 numbers",
        )
    },
    uses_token=frozenset({"PlayVoice", "GetBill", "GetRecodeFile"}),
    revokes_token=frozenset({"Logout"}),
    token_source="Common API - Obtain authorization token interface (Infin8linx): the token lasts 12 hours",
    causes=tuple(code for code in CAUSES.values() if code not in _DIRECTIONS),
    rules=(syncflag_paging, bills_without_ivr),
)
