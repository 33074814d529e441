"""Pushes to real receivers: every way an attempt can end, and what is noted of it."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from yarl import URL

from tests.patience import PATIENCE
from tests.rig import Running, numbers, started
from tests.wire.raw import GPSEND
from tests.wire.traffic.test_faults import until
from voice_emulator.core.pushes import Push
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.wire.delivery.connections import Origin
from voice_emulator.wire.delivery.push_client import PushClient
from voice_emulator.wire.traffic import gateway


def scenario(receipt: str, extra: str = "") -> str:
    return f"name: pushes\ndescription: x\nrules:\n  - {{name: the push, receipt: {receipt}{extra}}}\n"


async def call(emu: Running, phone: str = "6212345678", **fields: str) -> None:
    async with emu.client.post(
        f"{emu.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": phone, **fields}
    ) as reply:
        assert (await reply.json())["code"] == "0"


def attempts(emu: Running) -> list[tuple[str, int]]:
    return [(attempt.outcome.value, attempt.number) for attempt in emu.tenant.attempts]


def origin_of(channel: object, url: str) -> Origin:
    """What is known of a receiver's connections."""
    assert isinstance(channel, PushClient)
    return channel._connections._origin(URL(url))


@asynccontextmanager
async def raw_receiver(answer: bytes | None, *, close: bool = True):
    """A receiver of bare sockets that says ``answer`` (None: nothing, and the connection stays open)."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.append(await reader.readuntil(b"\r\n\r\n"))
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            seen.append(repr(error).encode())
        finally:
            if close:
                writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/dr", seen


async def test_an_acknowledged_push_is_delivered_once():
    async with started() as emu:
        await call(emu)
        done = await emu.advance("1h")
        assert [attempt.outcome for attempt in done.callbacks] == [PushOutcome.DELIVERED]
        shown = done.callbacks[0].shown()
        assert (shown["status"], shown["reply"], shown["attempt"], shown["kind"]) == (
            200,
            "success",
            1,
            "group",
        )
        assert shown["fields"]["phone"] == "6212345678"
        assert len(emu.receiver.received) == 1


@pytest.mark.parametrize(("status", "body"), [(200, ""), (200, "error"), (500, "success"), (404, "no")])
async def test_answer_other_than_the_providers_acknowledgement_is_refused_and_by_default_final(
    status: int, body: str
):
    async with started() as emu:
        emu.receiver.answer(status, body)
        await call(emu)
        await emu.advance("3d")
        assert attempts(emu) == [("refused", 1)]


async def test_a_retry_goes_on_until_acknowledged():
    async with started(scenario("{retry: {attempts: 5, every: 1m}}")) as emu:
        emu.receiver.answer_once(500)
        emu.receiver.answer_once(200, "busy")
        await call(emu)
        await emu.advance("1h")
        assert attempts(emu) == [("refused", 1), ("refused", 2), ("delivered", 3)]
        instants = [attempt.at for attempt in emu.tenant.attempts]
        assert [b - a for a, b in pairwise(instants)] == [60_000_000, 60_000_000]


async def test_a_retry_gives_up_after_its_attempts():
    async with started(scenario("{retry: hourly-6}")) as emu:
        emu.receiver.answer(503)
        await call(emu)
        await emu.settle()
        assert attempts(emu) == [("refused", number) for number in range(1, 7)]


async def test_target_without_a_listener_is_a_failure():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with started() as emu:
            emu.change({"callback_urls": {"nxcloud": f"http://127.0.0.1:{port}/dr"}})
            await call(emu)
            await emu.advance("1h")
            (attempt,) = emu.tenant.attempts
            assert attempt.outcome is PushOutcome.FAILED
            assert str(port) in attempt.reason


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", b"\xff\xfe\r\n\r\n"],
)
async def test_a_broken_answer_is_a_failure(answer: bytes):
    async with raw_receiver(answer) as (url, seen), started() as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        await emu.advance("1h")
        assert attempts(emu) == [("failed", 1)]
        assert seen[0].startswith(b"POST /dr?phone=6212345678&")


async def test_silence_is_a_failure_after_the_timeout():
    async with raw_receiver(None) as (url, _), started(callback_timeout=0.05) as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        await emu.advance("1h")
        (attempt,) = emu.tenant.attempts
        assert (attempt.outcome, attempt.reason) == (PushOutcome.FAILED, "no answer within 0.05 s")


async def test_an_endless_answer_is_read_up_to_a_bound():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"
    async with (
        raw_receiver(head + b"x" * 300_000, close=False) as (url, _),
        started(callback_timeout=PATIENCE) as emu,
    ):
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        await emu.advance("1h")
        (attempt,) = emu.tenant.attempts
        assert attempt.outcome is PushOutcome.REFUSED
        assert attempt.reply is not None
        assert len(attempt.reply.body) <= 64 * 1024


async def test_redirects_are_not_followed():
    async with started() as emu:
        emu.receiver.answer(302, "", {"Location": "http://127.0.0.1:1/elsewhere"})
        await call(emu)
        await emu.advance("1h")
        assert attempts(emu) == [("refused", 1)]
        assert len(emu.receiver.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/dr", "http://169.254.169.254/latest", "http://0.0.0.0:1/", "http://[::ffff:8.8.8.8]/",
        "http://[fe80::1]/", "ftp://127.0.0.1/", "http:///nohost", "http://[::]/",
    ],
)  # fmt: skip
async def test_targets_out_of_reach_are_blocked_without_a_connection(url: str):
    async with started() as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        await emu.advance("1h")
        (attempt,) = emu.tenant.attempts
        assert attempt.outcome is PushOutcome.BLOCKED, attempt.reason
        assert not attempt.reply


async def test_without_a_receiver_nothing_is_sent_and_the_log_says_what_to_do(caplog):
    async with started(receive=False) as emu:
        await call(emu, phone="6212345678,6212345679")
        await emu.advance("1h")
        assert attempts(emu) == [("no_url", 1), ("no_url", 1)]
        told = [record.message for record in caplog.records if "no receiver" in record.message]
        assert len(told) == 1
        assert "--callback-url" in told[0]


async def test_a_lost_receipt_is_never_sent():
    async with started(scenario("{lost: true}")) as emu:
        await call(emu)
        await emu.settle()
        assert attempts(emu) == [("lost", 1)]
        assert emu.receiver.received == []
        assert next(iter(emu.tenant.attempts)).shown()["rule"] == "the push"


async def test_copies_are_pushes_of_their_own():
    async with started(scenario("{copies: 3, gap: 2s}")) as emu:
        await call(emu)
        await emu.settle()
        assert attempts(emu) == [("delivered", 1)] * 3
        assert len({push.body + str(push.query).encode() for push in emu.receiver.received}) == 1


async def test_a_reset_in_the_middle_of_a_push_reaches_the_receiver_as_such():
    async with raw_receiver(None) as (url, seen), started(scenario("{reset: true, encoding: form}")) as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        await emu.advance("1h")
        assert attempts(emu) == [("failed", 1)]
        await until(lambda: len(seen) == 2)
        assert b"Content-Type: application/x-www-form-urlencoded" in seen[0]
        assert b"ConnectionResetError" in seen[1]


async def test_a_slow_push_arrives_whole():
    async with started(scenario("{slow_body: {every: 1ms, bytes: 20}, encoding: form}")) as emu:
        await call(emu)
        await emu.advance("1h")
        assert attempts(emu) == [("delivered", 1)]
        assert emu.receiver.received[0].fields["hangup_cause"] == "NORMAL_CLEARING"


@pytest.mark.parametrize(
    ("receipt", "field", "value"),
    [
        ("{set: {second: 7}}", "second", "7"),
        ("{corrupt: unknown_enum}", "hangup_cause", "SOMETHING_NEW"),
        ("{corrupt: empty}", None, ""),
        ("{corrupt: negative}", None, "-1"),
        ("{corrupt: bad_date}", None, "0000-13-32 25:61:61"),
    ],
)
async def test_contents_can_be_spoilt(receipt: str, field: str | None, value: str):
    async with started(scenario(receipt)) as emu:
        await call(emu)
        await emu.advance("1h")
        fields = emu.receiver.received[0].fields
        if field is not None:
            assert fields[field] == value
        assert value in fields.values()


async def test_a_field_can_be_dropped():
    async with started(scenario("{drop: [hangup_cause]}")) as emu:
        await call(emu)
        await emu.advance("1h")
        assert "hangup_cause" not in emu.receiver.received[0].fields


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [("query", None), ("form", "application/x-www-form-urlencoded"), ("json", "application/json")],
)
async def test_a_receipt_can_travel_in_another_encoding(encoding: str, kind: str | None):
    async with started(scenario(f"{{encoding: {encoding}}}")) as emu:
        await call(emu)
        await emu.advance("1h")
        push = emu.receiver.received[0]
        assert push.fields["phone"] == "6212345678"
        assert bool(push.query) == (encoding == "query")
        assert kind is None or push.headers["Content-Type"].startswith(kind)


async def test_the_receipt_of_a_rule_before_reply_arrives_before_the_reply(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gateway, "OVERTAKING_LIMIT", PATIENCE)
    async with started(scenario("{before_reply: true}")) as emu:
        order = []
        emu.receiver.before_answer = None
        reply_task = asyncio.ensure_future(emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=GPSEND))
        await emu.receiver.wait_for(1)
        order.append(("push", reply_task.done()))
        async with await reply_task as reply:
            body = await reply.json()
        assert order == [("push", False)]
        assert emu.receiver.received[0].fields["messageid"] == body["messageid"]
        await emu.settle()
        assert attempts(emu) == [("delivered", 1)]


async def test_a_receiver_that_hangs_holds_the_overtaken_reply_for_a_second_at_most():
    # The push itself would wait longer than the test does.
    async with started(scenario("{before_reply: true}"), callback_timeout=600) as emu:
        never = asyncio.Event()
        emu.receiver.before_answer = lambda push: never.wait()
        async with (
            asyncio.timeout(PATIENCE),
            emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=GPSEND) as reply,
        ):
            assert (await reply.json())["code"] == "0"
        never.set()


async def test_held_receipts_are_overtaken():
    text = scenario("{hold: 1}", ", match: {number: '6211*'}")
    async with started(text) as emu:
        await call(emu, phone="62111111,62222222,62333333")
        await emu.settle()
        assert [push.fields["phone"] for push in emu.receiver.received] == [
            "62222222",
            "62111111",
            "62333333",
        ]


async def test_receipts_never_overtake_their_reply_on_a_running_clock():
    """Fifty clients at once, calls of one (scaled) second: each reply is there before its push."""
    text = "name: quick\ndescription: x\nrules:\n  - {name: quick, call: {outcome: busy}}\n"
    async with started(text, clock="5000x") as emu:
        replied: dict[str, str] = {}
        emu.receiver.before_answer = None

        async def one(number: int) -> None:
            phone = f"62812{number:07d}"
            async with emu.client.post(
                f"{emu.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": phone}
            ) as reply:
                replied[(await reply.json())["messageid"]] = phone

        await asyncio.gather(*(one(number) for number in range(50)))
        await emu.receiver.wait_for(50)
        replied_before: set[str] = set()
        for event in emu.tenant.events.since(0):
            # The request's event comes when its reply is on the wire, the callback's when it was answered.
            if event.kind == "request":
                replied_before.update(event.subject.calls)
            elif event.kind == "callback":
                assert event.subject.call_id in replied_before
        assert len(replied_before) == 50
        assert {push.fields["messageid"] for push in emu.receiver.received} == set(replied)


async def test_a_push_again_by_hand_ignores_the_rule_that_lost_it():
    async with started(scenario("{lost: true}")) as emu:
        await call(emu)
        await emu.settle()
        call_made = next(iter(emu.tenant.ledger))
        push = Push("again", "nxcloud", "group", call_made, call_made, emu.tenant.now, by_hand=True)
        emu.tenant.outbox.push_now(push)
        await emu.emulator.runtime.driver.push_all(emu.tenant)
        assert attempts(emu) == [("lost", 1), ("delivered", 1)]


async def test_rewriting_a_callback_url():
    async with started(rewrites=(("http://localhost:1/", "http://127.0.0.1:1/"),)) as emu:
        delivery = emu.emulator.runtime.delivery
        assert delivery._rewritten("http://localhost:1/dr") == "http://127.0.0.1:1/dr"
        assert delivery._rewritten("http://other/dr") == "http://other/dr"


async def test_one_bad_receiver_does_not_stop_the_others():
    async with started() as emu:
        for path in ("x", "y"):
            emu.receiver.answer_once(500 if path == "x" else 200, "success")
        await call(emu, phone="62111111,62222222,62333333")
        await emu.settle()
        assert [outcome for outcome, _ in attempts(emu)] == ["refused", "delivered", "delivered"]


async def test_resetting_a_tenant_cancels_what_is_on_the_wire():
    async with started(clock="5000x") as emu:
        never, reached = asyncio.Event(), asyncio.Event()

        async def hang(push) -> None:
            reached.set()
            await never.wait()

        emu.receiver.before_answer = hang
        await call(emu)
        await asyncio.wait_for(reached.wait(), PATIENCE)
        driver = emu.emulator.runtime.driver
        emu.tenant.reset()
        await until(lambda: driver.in_flight == 0)
        assert len(emu.tenant.attempts) == 0
        # It still serves.
        emu.receiver.before_answer = None
        never.set()
        await call(emu)
        await until(lambda: len(emu.tenant.attempts) == 1)
        assert attempts(emu) == [("delivered", 1)]


async def test_a_json_receiver_gets_its_own_acknowledgement_judged():
    async with started() as emu:
        keys = {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
        async with emu.client.post(f"{emu.url}/apigovernance/api/oauth/tokenByAkSk", json=keys) as reply:
            token = (await reply.json())["AccessToken"]
        for answer in (json.dumps({"retCode": "0", "retMsg": "success"}), json.dumps({"retCode": "1"}), ""):
            emu.receiver.answer_once(200, answer, {"Content-Type": "application/json"})
            async with emu.client.post(
                f"{emu.url}/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
                json={"called": "8899", "playList": [{"voiceId": "100001"}]},
                headers={"Authorization": f"Bearer {token}"},
            ) as reply:
                assert (await reply.json())["retCode"] == "0"
            await emu.settle()
        assert [outcome for outcome, _ in attempts(emu)] == ["delivered", "refused", "refused"]


async def test_a_receiver_that_writes_head_and_body_apart_does_not_stall_the_pushes():
    """Such a receiver waits for the head to be acknowledged, and kernels take 40 ms for that unless told."""
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(PATIENCE)
    pushes = 40

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:  # left as it comes: without TCP_NODELAY
            connection.settimeout(PATIENCE)
            for _ in range(pushes):
                if not connection.recv(65_536):
                    return
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n")
                connection.sendall(b"success")

    serving = loop.run_in_executor(None, serve)
    with listening:
        async with started() as emu:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/dr"
            emu.change({"callback_urls": {"nxcloud": url}})
            origin_of(emu.emulator.runtime.delivery._client, url).proven = pushes  # as after many trials
            await call(emu, ",".join(numbers(pushes)))
            done = await emu.advance("1h")
            assert [attempt.outcome for attempt in done.callbacks] == [PushOutcome.DELIVERED] * pushes
            # The first sixteen or so are acknowledged at once in any case. A stall befalls each of the others, so
            # the quickest tells, also on a machine that is busy.
            assert min(attempt.duration for attempt in done.callbacks[20:]) < 30_000
        await serving
