"""Requests per second: the reply alone, and the reply with its receipt."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.ceilings import CONNECTIONS, PATH
from benchmarks.load import Load, drive
from benchmarks.processes import Ceiling, Ours, Receiver, get_json, running
from benchmarks.requests import notifications
from benchmarks.rows import Pair, Row, Say, Size, expect, ratio_row
from benchmarks.wrk import notify_by_wrk, wrk_is_installed

#: Numbers between the first ones of two rounds: more than are called in one.
ROOM = 1_000_000
#: Calls that ring for as long as anything here lasts: what is measured is the request, not what follows it.
RINGING = """
name: ringing
description: Every call rings for half an hour.
rules:
  - {name: patience, match: {number: "*"}, call: {outcome: answered, ring: 30m, talk: 10s}}
"""
#: Every call goes the same way; without the rule the magic numbers among those dialled would go theirs.
PLAIN = """
name: plain
description: Every call rings for 3 s and talks for 10 s.
rules:
  - {name: all, match: {number: "*"}, call: {outcome: answered, ring: 3s, talk: 10s}}
"""


async def replies(size: Size, say: Say) -> list[Row]:
    """createVoiceNotification: authenticated, schema-checked, journalled, planned; against the bare reply."""
    ours, bare = Ours(RINGING), Ceiling("reply")
    with running(ours, bare):
        token = ours.token()
        _prove_the_checks(ours, token)
        pairs, answered = [], 0
        for number in range(size.rounds + 1):
            first = 8_800_000_000 + number * ROOM
            spent = bare.cpu
            ceiling = await _notify(bare.port, size, token, first, '"retCode"')
            spent, own = bare.cpu - spent, ours.cpu
            load = await _notify(ours.port, size, token, first, '"retCode":"0"')
            own = ours.cpu - own
            answered += load.answered
            # Both take as long as they take for as many requests as ours answered.
            scale = load.answered / ceiling.answered
            pair = Pair(load.answered, load.seconds, ceiling.seconds * scale, own, spent * scale)
            if number:  # the first round warms up
                pairs.append(pair)
                say(f"  {pair}")
        books = ours.conservation()
        uncounted = books["accepted"] - answered
        expect(0 <= uncounted <= _uncounted(size), f"{answered} requests did not place a call each: {books}")
        journal = ours.api("GET", "/tenants/default/journal?kind=request&limit=1")
        expect(bool(journal["entries"]), "the journal is empty")
    return [
        ratio_row("createVoiceNotification, 64 connections; ratio to bare aiohttp", 0.60, pairs, "requests/s")
    ]


async def _notify(port: int, size: Size, token: str, first: int, expected: str) -> Load:
    """Load one server: by wrk where it is installed, else by our own."""
    if not wrk_is_installed() or size.seconds == 0:
        return await _drive(port, notifications(token, first), size.requests, expected.encode())
    load = await notify_by_wrk(port, size.seconds, token, first, expected)
    expect(load.wrong == 0, f"{load.wrong} replies were not {expected}")
    return load


def _uncounted(size: Size) -> int:
    """How many requests may have been carried out beyond those that were counted: those on the wire when wrk ends."""
    return (size.rounds + 1) * CONNECTIONS if wrk_is_installed() and size.seconds else 0


async def _drive(port: int, request: Callable[[int], bytes], count: int, expected: bytes) -> Load:
    load = await drive(port, request, count, CONNECTIONS, expected)
    expect(load.answered == count, f"{count - load.answered} requests were not answered")
    expect(load.wrong == 0, f"{load.wrong} replies were not {expected!r}")
    return load


def _prove_the_checks(ours: Ours, token: str) -> None:
    """A bad token and a bad body are refused: authentication and validation are on."""
    url, body = ours.traffic + PATH, {"called": "8613800000000", "playList": [{"voiceId": "1"}]}
    for headers, wrong, needle in (
        ({"Authorization": "Bearer nonsense"}, body, "403"),
        ({"Authorization": f"Bearer {token}"}, {**body, "called": "abc"}, '"5"'),
    ):
        try:
            said = str(get_json(url, "POST", wrong, headers)).replace("'", '"')
        except RuntimeError as error:
            said = str(error)
        expect(needle in said, f"a bad request was not refused with {needle}: {said}")


async def receipts(size: Size, say: Say) -> list[Row]:
    """createVoiceNotification and its receipt; against a bare server that posts one callback per request."""
    receiver = Receiver()
    bare = Ceiling("submit", receiver.url)
    # At this speed the call itself takes 65 ms, and a token lives for 18 s: what is measured is the work.
    ours = Ours(PLAIN, "--clock", "200x", "--callback-url", receiver.url)
    with running(ours, bare, receiver):
        pairs = []
        for number in range(size.rounds + 1):
            request = notifications(ours.token(), 8_600_000_000 + number * size.receipts)
            took = []
            for server in (bare, ours):
                receiver.clear()
                spent = server.cpu
                load = await _drive(server.port, request, size.receipts, b'"retCode"')
                arrived = receiver.wait_for(size.receipts)
                expect(arrived["distinct"] == size.receipts, f"pushes were lost or doubled: {arrived}")
                took.append((arrived["last"] - load.started, server.cpu - spent))
            (ceiling, ceiling_cpu), (mine, cpu) = took
            pair = Pair(size.receipts, mine, ceiling, cpu, ceiling_cpu)
            if number:
                pairs.append(pair)
                say(f"  {pair}")
        books = ours.conservation()
        expect(books["acknowledged"] == books["accepted"] == (size.rounds + 1) * size.receipts, f"{books}")
    return [
        ratio_row("a call and its receipt; ratio to a bare server that does both", 0.80, pairs, "receipts/s")
    ]
