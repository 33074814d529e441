"""The page filters by itself, so it must understand queries exactly as the API does."""

from __future__ import annotations

import random
from typing import Any

from tests.ui.page import MARKS
from voice_emulator.wire.control.calls import CALL_KEYS
from voice_emulator.wire.control.query import QueryError, parse_query
from voice_emulator.wire.control.search import ENTRY_KEYS

pytestmark = MARKS

ROWS: list[dict[str, str | list[str]]] = [
    {
        "provider": "nxcloud",
        "number": "6281200000486",
        "outcome": "busy",
        "rule": "VIP numbers",
        "text": ["6281200000486", "busy", "VIP numbers"],
        "has": ["finding", "error"],
        "state": "ended",
    },
    {"provider": "huawei_cec", "number": "8899", "outcome": "", "rule": "", "state": "ringing", "keys": "1"},
    {
        "provider": "infin8linx",
        "number": "+62*?",
        "outcome": "no_answer",
        "rule": 'a "quoted", one',
        "cause": "10006",
    },
    {
        "provider": "nxcloud",
        "number": ["😀628", "6281200000486"],
        "text": ["😀628", "ÄÖÜ straße İI", "NXCLOUD", ""],
        "has": [],
        "outcome": "answered",
        "rule": "*",
        "receipt": "delivered",
        "id": "a,b",
    },
]
BY_HAND = [
    "has:finding", "-has:finding", "has:*", "has:error,warning", "vip", "BUSY", "äöü", "STRASSE", "straße", "i̇i", "vip,nx", "-vip", '""', "n?cloud",
    "finding:*", "", "   ", "provider:nxcloud", "provider:nxcloud outcome:busy number:628*", "-outcome:busy", "628", "-628", "*486",
    'rule:"VIP numbers"', "rule:VIP*", 'rule:"VIP"*', "rule:a*,*", 'rule:"a,b",*', "number:+62??", "number:?628",
    "number:??628", "outcome:busy,no_answer", "outcome:,busy", "outcome:", 'outcome:""', "colour:red", "provider:",
    ":", "-", "--busy", "-:", '"', 'rule:"open', "a:b:c", "number:a:b", "provider :x", "PROVIDER:nxcloud", "receipt:d*",
    "keys:1 state:r*g", "\t628\n", "number:**4**6", "é:x", "number:\u00a08", "id:a,b", 'id:"a,b"', "x" * 1001, "1 " * 51, "1 " * 50,
]  # fmt: skip


def judged(query: str) -> list[bool] | None:
    """What the API makes of a query: a verdict for each row, None when it refuses."""
    try:
        parsed = parse_query(query, CALL_KEYS)
    except QueryError:
        return None
    return [parsed.matches(lambda key, row=row: row.get(key, "")) for row in ROWS]


async def test_page_and_api_agree(page):
    drawn = random.Random(7)
    pieces = [
        "provider:",
        "number:",
        "rule:",
        "x:",
        "-",
        '"',
        ",",
        "*",
        "?",
        " ",
        "nx",
        "628",
        "486",
        "busy",
        "VIP",
        "\\",
        ":",
        "é",
    ]
    queries = BY_HAND + ["".join(drawn.choices(pieces, k=drawn.randint(1, 9))) for _ in range(3_000)]
    await page.open()
    found: list[Any] = await page.tab.evaluate(
        """async ([queries, rows, keys]) => {
            const { parseQuery } = await import("/ui/query.js");
            return queries.map((query) => {
                try {
                    const matches = parseQuery(query, keys, (row, key) => row[key] ?? "");
                    return rows.map((row) => matches(row));
                } catch { return null; }
            });
        }""",
        [queries, ROWS, list(CALL_KEYS)],
    )
    differing = [
        (query, theirs) for query, theirs in zip(queries, found, strict=True) if theirs != judged(query)
    ]
    assert differing == []
    assert sum(one is None for one in found) > 100
    assert len({tuple(one) for one in found if one}) > 6


async def test_the_page_knows_all_keys(page):
    await page.open()
    known = "import('/ui/query.js').then(({ CALL_KEYS, REQUEST_KEYS }) => [CALL_KEYS, REQUEST_KEYS])"
    assert await page.tab.evaluate(known) == [list(CALL_KEYS), list(ENTRY_KEYS)]
