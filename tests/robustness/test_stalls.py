"""Nothing that a client or a scenario sends keeps the others waiting: what takes long is cut up, or done elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest

from tests.cli.process import WATCHED, Running, serving
from tests.robustness.test_abuse import CREATE, FORMS, GP, JSON, TOKEN, put, serves, whole
from tests.watchdog import BLOCKED
from voice_emulator.wire.http.strict_json import VALUE_LIMIT

MB = 1024 * 1024
SCENARIO = "/v1/tenants/default/scenario"
KEYS = (
    b"appkey=nx-appkey&secretkey=nx-secretkey&country_code=62&show_phone=123456&"
    b"url=https%3A%2F%2Fnxcloud.com%2F1963370420.m4a&"
)
NUMBERS = [f"62812{n:07d}" for n in range(5_000)]
BATCH = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
PARTS = "multipart/form-data; boundary=b"


def scenario(*rules: str) -> bytes:
    """With room for every batch: one that is refused would prove nothing."""
    head = f"name: heavy\nproviders: {{nxcloud: {{batch_limit: {len(NUMBERS)}}}}}\nrules:\n"
    return (head + "".join(f"- {rule}\n" for rule in rules)).encode()


def form(**fields: bytes) -> bytes:
    return KEYS + b"&".join(name.encode() + b"=" + value for name, value in fields.items())


def reading(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


VERIFY = json.dumps({"fields": {"content": "*x?y*"}, "at_least": 1_000}).encode()
LOOKING = [
    reading(f"/v1/tenants/default/{what}")
    for what in (
        "journal?limit=1000", "har", "report?format=html", "report?format=json", "callbacks?limit=1000", "calls?limit=1000",
        "violations?limit=1000", "wait?for=requests&count=1000&timeout=0s", "wait?for=calls&count=1000&timeout=0s",
        "wait?for=callbacks&count=1000&timeout=0s", "journal/1/explain", "journal?q=number:*5*", "calls?q=receipt:no_url",
    )
] + [whole("/v1/tenants/default/verify", VERIFY, JSON)]  # fmt: skip

#: What is sent, one after the other: (the scenario, requests to the traffic port). Made when needed: some is large.
STALLS: dict[str, Callable[[], tuple[bytes, list[bytes]]]] = {
    "a glob and a large body": lambda: (
        scenario('{match: {fields: {content: "*code*"}}, call: {outcome: busy}}'),
        [whole(GP, form(phone=b"62811", content=b"cod" * (8 * MB // 3)), FORMS)],
    ),
    "globs at their worst": lambda: (
        scenario(
            f'{{match: {{fields: {{content: "*{"a" * 30}b*"}}}}, reply: {{error: busy}}}}'.replace("error: busy", "status: 500"),
            '{match: {fields: {content: "*a?a?a?b*"}}, fault: {latency: 0s, fault: http_status, status: 500}}'.replace(
                "fault: {latency: 0s, fault: http_status, status: 500}", "reply: {status: 501}"),
            *[f'{{match: {{fields: {{content: "*{"a" * n}?c*"}}}}, reply: {{status: 502}}}}' for n in range(1, 30)],
        ),
        [whole(GP, form(phone=b"62811", content=b"a" * 8 * MB), FORMS)],
    ),
    "rules and numbers": lambda: (
        scenario(*['{match: {number: "7*3"}, call: {outcome: busy}}'] * 2_000),
        [whole(GP, form(phone=",".join(NUMBERS[:1_000]).encode(), content=b"x"), FORMS)],
    ),
    "rules that all fit": lambda: (
        scenario(*["{match: {number: \"*\", nth: 7}, call: {outcome: busy}}"] * 1_000),
        [whole(GP, form(phone=",".join(NUMBERS[:1_000]).encode(), content=b"x"), FORMS)],
    ),
    "a batch": lambda: (
        scenario("{receipt: {delay: 1s}}"),
        [whole(GP, form(phone=",".join(NUMBERS).encode(), content=b"x"), FORMS)],
    ),
    "very many copies": lambda: (
        scenario("{call: {outcome: busy}, receipt: {copies: 1000}}"),
        [whole(GP, form(phone=",".join(NUMBERS[:500]).encode(), content=b"x"), FORMS)],
    ),
    "names of secrets and line breaks": lambda: (
        scenario(), [whole(GP, b"name=secretkey\n" * 13_000, "text/plain"), whole(GP, b"name=secretkey\r\n" * 13_000, PARTS)],
    ),
    "nested secrets": lambda: (
        scenario(),
        [whole(TOKEN, json.dumps([{"app_secret": f"s3cret-{n:06d}", "x": [f"s3cret-{n:06d}"]} for n in range(15_000)]).encode(), JSON)],
    ),
    "a long text in JSON": lambda: (
        scenario(),
        [
            whole(TOKEN, b'{"app_key": "' + filler * (15 * MB // len(filler)) + b'"}', JSON)
            for filler in (b"x", b"[", b"\\u4e2d", b"\\\\", "\u4e2d".encode())
        ],
    ),
    "very many values": lambda: (
        scenario(),
        [
            whole(CREATE, json.dumps({"called": NUMBERS * (VALUE_LIMIT // 5_000 - 1), "x": 1}).encode(), JSON),
            whole(CREATE, json.dumps({"called": [{}] * (VALUE_LIMIT // 2 - 10)}).encode(), JSON),
            whole(CREATE, json.dumps({f"k{n}": n for n in range(VALUE_LIMIT - 10)}).encode(), JSON),
        ],
    ),
    "escapes": lambda: (
        scenario(),
        [
            whole(GP, form(content=b"%41" * 400_000), FORMS), whole(GP, form(content=b"a%2B" * 400_000), FORMS),
            whole(GP, form(**{f"k{n}": b"%e4%b8%ad" * 100 for n in range(900)}), FORMS),
        ],
    ),
    "many requests at once": lambda: (
        scenario(), [b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" * 3_000],
    ),
}  # fmt: skip
#: What must be taken, since it is the calls that are much work.
BATCHES = {"rules and numbers", "rules that all fit", "a batch", "very many copies"}


async def asked(url: str, sent: bytes) -> bytes:
    """The beginning of the answer; all of it is read."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        # The last of them: what follows a request that is to be the last would be refused.
        before, name, after = sent.rpartition(b"Host: localhost")
        writer.write(before + name + b"\r\nConnection: close" + after)
        line = await asyncio.wait_for(reader.readuntil(b"\r\n"), 300)
        answer = await asyncio.wait_for(reader.read(1 << 20), 300)
        while await asyncio.wait_for(reader.read(1 << 20), 300):
            pass
    finally:
        writer.transport.abort()
    return line + answer


@pytest.fixture(scope="module")
def server() -> AsyncIterator[Running]:
    with serving("--callback-url", "http://127.0.0.1:9/", program=WATCHED) as server:
        yield server


# The same large entries are shown in many ways: in `make test` one in three ways, each case others.
@pytest.mark.parametrize("one_in", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("what", STALLS)
async def test_slow_work_does_not_stall_the_others(server: Running, what: str, one_in: int):
    rules, requests = STALLS[what]()
    traffic, control = server.ready["traffic"], server.ready["control"]
    assert b" 200 " in await asked(control, whole("/v1/tenants/default/reset", b"", JSON))
    loaded = await asked(
        control, put(SCENARIO, rules if b"- " in rules else b"name: plain\n", "application/yaml")
    )
    assert b" 200 " in loaded, (loaded, rules[:300])
    for sent in requests:
        answer = await asked(traffic, sent)
        assert b"HTTP/1.1 " in answer
        assert what not in BATCHES or b'"code":"0"' in answer, answer[-300:]
    for sent in LOOKING[list(STALLS).index(what) % one_in :: one_in]:
        assert b"HTTP/1.1 " in await asked(control, sent)
    await asyncio.to_thread(serves, server)
    blocked = [line for line in server.log.lines if line.startswith(BLOCKED)]
    server.log.lines.clear()
    assert blocked == []


@pytest.mark.parametrize(
    "text",
    [
        scenario(*["{match: {number: [1, 2, 3]}, call: {outcome: busy}}"] * 9_000),
        scenario(*["{call: {outcome: busy}}"] * 20_000),
        scenario(*["{call: {outcome: bussy}}"] * 5_000),
        b"- " * 400_000, b"[" * 100_000, b"a: &a [" + b"x, " * 20_000 + b"]\nb: [*a, *a]\n", b"name: " + b"x" * 900_000,
    ],
    ids=["rules", "short rules", "wrong rules", "dashes", "brackets", "aliases", "a name"],
)  # fmt: skip
async def test_reading_a_scenario_stalls_nobody(server: Running, text: bytes):
    assert b"HTTP/1.1 " in await asked(server.ready["control"], put(SCENARIO, text, "application/yaml"))
    await asked(server.ready["control"], put(SCENARIO, b"name: plain\n", "application/yaml"))
    blocked = [line for line in server.log.lines if line.startswith(BLOCKED)]
    server.log.lines.clear()
    assert blocked == []


def test_the_watchdog_sees_what_blocks():
    from tests.watchdog import watching

    async def idle() -> None:
        asyncio.get_running_loop().call_soon(sum, range(3_000_000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with watching(0.01) as blocked:
        asyncio.run(idle())
    assert len(blocked) == 1
    assert "sum" in blocked[0]
