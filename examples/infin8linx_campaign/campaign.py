"""Call a long list of numbers through Infin8linx, then find out who was reached. Uses only the standard library.

    python campaign.py submit numbers.txt --voice welcome.mp3 --campaign march
    python campaign.py reconcile numbers.txt --campaign march --since "2026-01-05 09:00:00"

A submission returns no ids, and pushed call records can get lost. So the script asks GetBill for all
records of the campaign. Numbers without a record are still open.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

#: "A single submission should not exceed 5000 numbers" (Batch IVR page).
MOST_NUMBERS = 5000
#: IVR and group calls; GetBill's default excludes them.
IVR = 6
ALL_RECORDS = 3


class Refused(Exception):
    """Infin8linx refused a request."""


@dataclass(frozen=True)
class Account:
    """The URL of Infin8linx and our account."""

    base_url: str
    appid: str
    accesskey: str

    def ask(self, service: str, **fields: object) -> dict[str, Any]:
        """Send one request and return the ``data`` of its reply. Raises Refused."""
        form = urlencode({"service": service, **fields}).encode()
        with urlopen(f"{self.base_url}/api/yunhu", form, timeout=30) as reply:
            body = json.load(reply)
        code = body.get("ret", body.get("code"))
        data = body["data"]
        if code != 200:
            raise Refused(f"{service}: {code} {body['msg']}")
        if data.get("status", 0) != 0:
            raise Refused(f"{service}: {data['errors']['code']} {data['desc']}")
        return dict(data)

    def login(self) -> str:
        """A token, valid for twelve hours."""
        data = self.ask("App.Sip_Auth.Login", appid=self.appid, accesskey=self.accesskey)
        return str(data["result"]["token"])


def batches(numbers: Sequence[str], size: int = MOST_NUMBERS) -> Iterator[Sequence[str]]:
    """``numbers`` in lists of at most ``size``."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def submit(account: Account, numbers: Sequence[str], *, voice: str, campaign: str, nation: str = "id") -> int:
    """Call every number once. Returns the number of submissions."""
    count = 0
    for part in batches(numbers):
        account.ask(
            "App.Sip_Call.PlayVoice",
            appid=account.appid,
            accesskey=account.accesskey,
            nationcode=nation,
            destnumber=",".join(part),
            voicetype=1,
            voicefile=voice,
            customuuid=campaign,
        )
        count += 1
    return count


def records(
    account: Account,
    *,
    campaign: str,
    since: str,
    until: str,
    page_size: int = 1000,
    syncflag: int = ALL_RECORDS,
) -> Iterator[dict[str, Any]]:
    """All call records of a campaign, page by page; times as Infin8linx writes them, in UTC+8.

    It reads all records, not only new ones: a record stops being new when a page has returned it, so
    the list of new records shrinks while you read it, and page 2 then starts where page 3 did.
    """
    token = account.login()
    page, seen, total = 1, 0, 1
    while seen < total:
        result = account.ask(
            "App.Sip_Cdr.GetBill",
            token=token,
            starttime=since,
            endtime=until,
            syncflag=syncflag,
            direction=3,
            callmethod=IVR,
            customuuid=campaign,
            currentpage=page,
            itemsperpage=page_size,
        )["result"]
        yield from result["bills"]
        if not result["bills"]:
            return
        page, seen, total = page + 1, seen + len(result["bills"]), result["totalitems"]


@dataclass(frozen=True)
class Result:
    """The numbers of a campaign, by result."""

    reached: frozenset[str]
    missed: frozenset[str]
    open: frozenset[str]


def reconcile(numbers: Iterable[str], found: Iterable[dict[str, Any]]) -> Result:
    """Compare the call records with the list. A number without a record is open."""
    reached = set()
    called = set()
    for record in found:
        called.add(record["destnumber"])
        if record["billsec"] > 0:
            reached.add(record["destnumber"])
    wanted = frozenset(numbers)
    return Result(frozenset(reached), frozenset(called - reached), wanted - called)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. The account comes from INFIN8LINX_URL, INFIN8LINX_APPID and INFIN8LINX_ACCESSKEY."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("action", choices=["submit", "reconcile"])
    parser.add_argument("numbers", type=Path)
    parser.add_argument("--campaign", required=True)
    parser.add_argument("--voice", default="welcome.mp3")
    parser.add_argument("--since", default="2000-01-01 00:00:00")
    parser.add_argument("--until", default="2099-12-31 23:59:59")
    given = parser.parse_args(arguments)
    account = Account(
        os.environ["INFIN8LINX_URL"], os.environ["INFIN8LINX_APPID"], os.environ["INFIN8LINX_ACCESSKEY"]
    )
    numbers = given.numbers.read_text(encoding="utf-8").split()
    if given.action == "submit":
        count = submit(account, numbers, voice=given.voice, campaign=given.campaign)
        print(f"{len(numbers)} numbers in {count} submissions")
        return 0
    found = records(account, campaign=given.campaign, since=given.since, until=given.until)
    result = reconcile(numbers, found)
    print(f"reached {len(result.reached)}, missed {len(result.missed)}, open {len(result.open)}")
    return 1 if result.open else 0


if __name__ == "__main__":
    sys.exit(main())
