"""Requests per second: the reply alone, and the reply with its receipt."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryDirectory

from benchmarks.batches import LEARNT, PLAIN, learn
from benchmarks.ceilings import CONNECTIONS, PATH
from benchmarks.load import Load, drive
from benchmarks.processes import Ceiling, Ours, Receiver, get_json, running
from benchmarks.requests import Kind, group_call, notifications, notify, play_voice
from benchmarks.rows import Pair, Row, Say, Size, expect, ratio_row
from benchmarks.wrk import send_by_wrk, wrk_is_installed

#: Numbers between the first ones of two rounds: more than are called in one.
ROOM = 1_000_000
#: Calls that ring for as long as anything here lasts: what is measured is the request, not what follows it.
RINGING = """
name: ringing
description: Every call rings for half an hour.
rules:
  - {name: patience, match: {number: "*"}, call: {outcome: answered, ring: 30m, talk: 10s}}
"""


async def replies(size: Size, say: Say) -> list[Row]:
    """One call per request, in each of the three encodings: authenticated, checked, journalled, planned."""
    ours, bare = Ours(RINGING), Ceiling("reply")
    with running(ours, bare):
        token = ours.token()
        _prove_the_checks(ours, token)
        rows, answered = [], 0
        for kind in (notify(token), group_call(), play_voice(ours.credentials("infin8linx"))):
            say(f"  {kind.name}")
            pairs, carried_out = await _compared(ours, bare, kind, size, say)
            answered += carried_out
            name = f"{kind.name}, {CONNECTIONS} connections; ratio to bare aiohttp"
            rows.append(ratio_row(name, 0.80, pairs))
        books = ours.conservation()
        uncounted = books["accepted"] - answered
        expect(
            0 <= uncounted <= 3 * _uncounted(size), f"{answered} requests did not place a call each: {books}"
        )
        journal = ours.api("GET", "/tenants/default/journal?kind=request&limit=1")
        expect(bool(journal["entries"]), "the journal is empty")
    return rows


async def kept(size: Size, say: Say) -> list[Row]:
    """createVoiceNotification with a state file, against the same without one."""
    with TemporaryDirectory(prefix="voice-emulator-bench-") as folder:
        keeping, plain = Ours(RINGING, "--state", f"{folder}/state.db"), Ours(RINGING)
        with running(keeping, plain):
            pairs = await with_and_without(keeping, plain, size, say)
    return [ratio_row("createVoiceNotification with --state; ratio to the same without", 0.25, pairs)]


async def with_and_without(
    keeping: Ours, plain: Ours, size: Size, say: Say, connections: int = CONNECTIONS
) -> list[Pair]:
    """Rounds of createVoiceNotification at an emulator that keeps its state and at one that does not, in turn."""
    pairs = []
    for number in range(size.rounds + 1):
        costs = []
        for server in (plain, keeping):
            kind, spent = notify(server.token()), server.cpu
            first = 8_800_000_000 + number * ROOM
            load = await send(server.port, size, kind, first, kind.carried_out, connections)
            costs.append((load, server.cpu - spent))
        (without, its_cpu), (load, cpu) = costs
        scale = load.answered / without.answered
        pair = Pair(load.answered, load.seconds, without.seconds * scale, cpu, its_cpu * scale)
        if number:
            pairs.append(pair)
            say(f"  {pair}")
    return pairs


async def _compared(ours: Ours, bare: Ceiling, kind: Kind, size: Size, say: Say) -> tuple[list[Pair], int]:
    """Rounds of both servers in turn, and how many requests ours has carried out."""
    pairs, answered = [], 0
    for number in range(size.rounds + 1):
        first = 8_800_000_000 + number * ROOM
        spent = bare.cpu
        ceiling = await send(bare.port, size, kind, first, kind.expected)
        spent, own = bare.cpu - spent, ours.cpu
        load = await send(ours.port, size, kind, first, kind.carried_out)
        own = ours.cpu - own
        answered += load.answered
        # Both take as long as they take for as many requests as ours answered.
        scale = load.answered / ceiling.answered
        pair = Pair(load.answered, load.seconds, ceiling.seconds * scale, own, spent * scale)
        if number:  # the first round warms up
            pairs.append(pair)
            say(f"  {pair}")
    return pairs, answered


async def send(
    port: int, size: Size, kind: Kind, first: int, expected: str, connections: int = CONNECTIONS
) -> Load:
    """Load one server: by wrk where it is installed, else by our own."""
    if not wrk_is_installed() or size.seconds == 0:
        return await _drive(port, kind.requests(first), size.requests, expected.encode(), connections)
    load = await send_by_wrk(port, size.seconds, kind, first, expected, connections)
    expect(load.wrong == 0, f"{load.wrong} replies were not {expected}")
    return load


def _uncounted(size: Size) -> int:
    """How many requests may have been carried out beyond those that were counted: those on the wire when wrk ends."""
    return (size.rounds + 1) * CONNECTIONS if wrk_is_installed() and size.seconds else 0


async def _drive(
    port: int, request: Callable[[int], bytes], count: int, expected: bytes, connections: int = CONNECTIONS
) -> Load:
    load = await drive(port, request, count, connections, expected)
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
        await learn(ours, receiver, size)
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
        expect(
            books["acknowledged"] == books["accepted"] == (size.rounds + 1) * size.receipts + LEARNT,
            f"{books}",
        )
    return [ratio_row("a call and its receipt; ratio to a bare server that does both", 1.30, pairs)]
