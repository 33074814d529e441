"""For each contract rule a client that breaks it, and a nearby one that does not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.contract.clients import AGENT, CALL, CEC_PATH, GROUP, IN8, NX, Client, rules_found
from tests.core.accounts import Heard
from tests.rig import numbers, started
from voice_emulator.contract.coverage import judged, rules_exercised
from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules import all_rules
from voice_emulator.core.vocabulary import Fate
from voice_emulator.providers.registry import discover

Behaviour = Callable[[Client], Awaitable[object]]


def ruled(*lines: str) -> str:
    """A scenario with these rules."""
    rules = "".join(f"  - name: rule {index}\n    {line}\n" for index, line in enumerate(lines))
    return f"name: made-up\nrules:\n{rules}"


@dataclass
class Pair:
    """A rule, the client that breaks it and the one that nearly does; ``scenario`` for both."""

    rule: str
    breaks: Behaviour
    keeps: Behaviour
    scenario: str = "happy-path"

    def __str__(self) -> str:
        return self.rule


# --- requests -------------------------------------------------------------------------------------


async def forgets_the_country(client: Client) -> None:
    await client.gpsend(country_code="")


async def sends_everything(client: Client) -> None:
    await client.gpsend()


async def cuts_its_json(client: Client) -> None:
    token = await client.cec_token()
    headers = {
        "Authorization": f"Bearer {token}",
        "X-APP-Key": "cec-app-key",
        "Content-Type": "application/json",
    }
    await client.send(CEC_PATH, data=b'{"called": "628', headers=headers)


async def sends_whole_json(client: Client) -> None:
    await client.cec_call(await client.cec_token())


async def sends_json_to_a_form(client: Client) -> None:
    await client.send("/api/voiceSms/gpsend", json={**NX, **GROUP})


async def gets(client: Client) -> None:
    await client.send("/api/voiceSms/gpsend", method="GET", params={**NX, **GROUP})


async def mistypes_the_path(client: Client) -> None:
    await client.send("/api/voiceSms/gpsent", data={**NX, **GROUP})


async def names_an_unknown_code(client: Client) -> None:
    body = {"messageid": "0" * 32, "status": 1}
    await client.send("/api/voiceSms/conversion", json=body)


async def names_its_own_code(client: Client) -> None:
    fields = {**NX, **GROUP, "content": "1-2-3", "lang": "en"}
    del fields["url"]
    sent = await client.send("/api/voiceSms/versend", data=fields)
    await client.send("/api/voiceSms/conversion", json={"messageid": sent["messageid"], "status": 1})


async def submits_5001(client: Client) -> None:
    await client.play(destnumber=",".join(numbers(5_001)))


async def submits_5000(client: Client) -> None:
    await client.play(destnumber=",".join(numbers(5_000)))


async def puts_its_secret_in_the_url(client: Client) -> None:
    await client.send(f"/api/voiceSms/gpsend?secretkey={NX['secretkey']}", data={**NX, **GROUP})


async def puts_the_country_in_the_url(client: Client) -> None:
    await client.send("/api/voiceSms/gpsend?country_code=62", data={**NX, **GROUP})


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def joins_by_hand(client: Client) -> None:
    body = "&".join(f"{name}={value}" for name, value in {**NX, **GROUP, "msg_content": "hello you"}.items())
    await client.send("/api/voiceSms/gpsend", data=body.encode(), headers=FORM)


async def encodes_with_a_library(client: Client) -> None:
    await client.gpsend(msg_content="hello you, 50% off: +62 &c. 你好")


# --- credentials ----------------------------------------------------------------------------------


async def insists_on_a_wrong_key(client: Client) -> None:
    for number in ("62811111111", "62822222222"):
        await client.gpsend(secretkey="wrong", phone=number)


async def tries_a_wrong_key_once(client: Client) -> None:
    await client.gpsend(secretkey="wrong")
    await client.gpsend()


async def keeps_a_refused_token(client: Client) -> None:
    token = await client.cec_token()
    await client.cec_call(token)
    await client.cec_call(token)


async def renews_a_refused_token(client: Client) -> None:
    await client.cec_call(await client.cec_token())
    await client.cec_call(await client.cec_token())


async def ignores_expires(client: Client) -> None:
    token = await client.cec_token(expire="60")
    await client.emu.advance("61s")
    await client.cec_call(token)


async def looks_at_expires(client: Client) -> None:
    token = await client.cec_token(expire="60")
    await client.emu.advance("59s")
    await client.cec_call(token)


async def goes_on_after_logout(client: Client) -> None:
    token = await client.login()
    await client.in8("App.Sip_Auth.Logout", token=token)
    await client.bills(token)


async def logs_in_again(client: Client) -> None:
    await client.in8("App.Sip_Auth.Logout", token=await client.login())
    await client.bills(await client.login())


async def fetches_a_token_per_call(client: Client) -> None:
    for number in numbers(3):
        await client.cec_call(await client.cec_token(), called=number)


async def shares_one_token(client: Client) -> None:
    # Three workers start, each with a token of its own, and then keep it.
    tokens = [await client.cec_token() for _ in range(3)]
    for number in numbers(6):
        await client.cec_call(tokens[0], called=number)


# --- submissions ----------------------------------------------------------------------------------

LOSES_THE_FIRST = ruled("match: {operation: gpsend, nth: 1}\n    fault: {reset: true}")


async def dials_twice(client: Client) -> None:
    await client.gpsend()
    await client.gpsend()


async def asks_before_dialling_again(client: Client) -> None:
    await client.gpsend()
    await client.emu.settle()
    await client.cdr()
    await client.gpsend()


async def repeats_a_lasting_refusal(client: Client) -> None:
    for _ in range(3):
        await client.gpsend(country_code="+62")


async def repeats_it_once(client: Client) -> None:
    for _ in range(2):
        await client.gpsend(country_code="+62")


OUTAGE = ruled("match: {operation: gpsend}\n    fault: {http_status: 503}")


async def hammers(client: Client) -> None:
    for _ in range(8):
        await client.gpsend()


async def tries_four_times(client: Client) -> None:
    for _ in range(4):
        await client.gpsend()


# --- queries --------------------------------------------------------------------------------------


async def passes_the_limit(client: Client) -> None:
    client.emu.change({"settings": {"nxcloud": {"query_rate_limits": True}}})
    await client.cdr()
    await client.cdr()


async def stays_below_the_limit(client: Client) -> None:
    client.emu.change({"settings": {"nxcloud": {"query_rate_limits": True}}})
    await client.cdr()
    await client.emu.advance("2s")
    await client.cdr()


async def polls_without_pause(client: Client) -> None:
    await client.cdr()
    await client.cdr(page="2")


async def polls_every_second(client: Client) -> None:
    await client.cdr()
    await client.emu.advance("1s")
    await client.cdr()


async def _thirty_calls(client: Client) -> None:
    await client.gpsend(phone=",".join(numbers(30)))
    await client.emu.settle()


async def jumps_a_page(client: Client) -> None:
    await _thirty_calls(client)
    for page in ("1", "3"):
        await client.cdr(page=page)
        await client.emu.advance("2s")


async def reads_page_by_page(client: Client) -> None:
    await _thirty_calls(client)
    for page in ("1", "2", "3"):
        await client.cdr(page=page)
        await client.emu.advance("2s")


async def reads_the_first_page_only(client: Client) -> None:
    await _thirty_calls(client)
    await client.cdr()


# --- what only one provider asks for --------------------------------------------------------------


async def schedules_without_zone(client: Client) -> None:
    await client.gpsend(task_time="2026-01-06 10:00:00")


async def schedules_with_zone(client: Client) -> None:
    await client.gpsend(task_time="2026-01-06 10:00:00", time_zone="8")


async def forgets_to_encode_base64(client: Client) -> None:
    body = "appkey=nx-appkey&secretkey=nx-secretkey&filename=a.mp3&content=" + "AB+/" * 8
    await client.send("/api/voiceSms/uploadVoiceFile", data=body.encode(), headers=FORM)


async def encodes_base64(client: Client) -> None:
    await client.send(
        "/api/voiceSms/uploadVoiceFile", data={**NX, "filename": "a.mp3", "content": "AB+/" * 8}
    )


async def writes_two_spaces(client: Client) -> None:
    token = await client.cec_token()
    await client.cec_call(token, authorization=f"Bearer  {token}")


async def writes_one_space(client: Client) -> None:
    await client.cec_call(await client.cec_token())


async def leaves_the_app_key_out(client: Client) -> None:
    token = await client.cec_token()
    await client.send(CEC_PATH, json=CALL, headers={"Authorization": f"Bearer {token}"})


async def wants_a_day(client: Client) -> None:
    await client.cec_token(expire="86400")


async def wants_an_hour(client: Client) -> None:
    await client.cec_token(expire="3600")


async def pages_what_is_new(client: Client) -> None:
    token = await client.login()
    for page in ("1", "2"):
        await client.bills(token, syncflag="1", currentpage=page)


async def asks_for_the_first_page_again(client: Client) -> None:
    token = await client.login()
    for _ in range(2):
        await client.bills(token, syncflag="1", currentpage="1")


async def leaves_callmethod_out(client: Client) -> None:
    await client.play()
    await client.bills(await client.login(), callmethod="")


async def asks_for_ivr_calls(client: Client) -> None:
    await client.play()
    await client.bills(await client.login())


# --- receivers ------------------------------------------------------------------------------------


def answering(status: int = 200, body: str = "success", **headers: str) -> Behaviour:
    """A client whose receiver answers everything like this."""

    async def behave(client: Client) -> None:
        client.emu.receiver.answer(status, body, headers)
        await client.gpsend()
        await client.emu.settle()

    return behave


def calling_huawei(body: str, kind: str) -> Behaviour:
    async def behave(client: Client) -> None:
        client.emu.receiver.answer(200, body, {"Content-Type": kind})
        await client.cec_call(await client.cec_token())
        await client.emu.settle()

    return behave


async def hangs(client: Client) -> None:
    never = asyncio.Event()
    client.emu.receiver.before_answer = lambda push: never.wait()
    await client.gpsend()
    await client.emu.settle()
    never.set()


async def is_not_there(client: Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client.emu.change({"callback_urls": {"nxcloud": f"http://127.0.0.1:{port}/dr"}})
    await client.gpsend()
    await client.emu.settle()


async def speaks_no_tls(client: Client) -> None:
    url = client.emu.receiver.url.replace("http://", "https://")
    client.emu.change({"callback_urls": {"nxcloud": f"{url}/dr"}})
    await client.gpsend()
    await client.emu.settle()


async def takes_three_seconds(client: Client) -> None:
    async def dawdle(push: object) -> None:
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(3.1, done.set_result, None)
        await done

    client.emu.receiver.before_answer = dawdle
    await client.gpsend()
    await client.emu.settle()


LOST = ruled("match: {provider: nxcloud}\n    receipt: {lost: true}")


async def waits_for_ever(client: Client) -> None:
    await client.gpsend()
    await client.emu.settle()


async def looks_it_up(client: Client) -> None:
    await client.gpsend()
    await client.emu.settle()
    await client.cdr()


proper = answering()

PAIRS = [
    Pair("schema-violation", forgets_the_country, sends_everything),
    Pair("body-undecodable", cuts_its_json, sends_whole_json),
    Pair("wrong-body-encoding", sends_json_to_a_form, sends_everything),
    Pair("wrong-method", gets, sends_everything),
    Pair("unknown-path", mistypes_the_path, sends_everything),
    Pair("parameter-refused", names_an_unknown_code, names_its_own_code),
    Pair("batch-too-large", submits_5001, submits_5000),
    Pair("secret-in-url", puts_its_secret_in_the_url, puts_the_country_in_the_url),
    Pair("form-not-encoded", joins_by_hand, encodes_with_a_library),
    Pair("refused-credentials-reused", insists_on_a_wrong_key, tries_a_wrong_key_once),
    Pair(
        "refused-token-reused", keeps_a_refused_token, renews_a_refused_token,
        ruled("match: {operation: createVoiceNotification, nth: 1}\n    fault: token_expired"),
    ),
    Pair("expired-token-used", ignores_expires, looks_at_expires),
    Pair("revoked-token-used", goes_on_after_logout, logs_in_again),
    Pair("token-per-call", fetches_a_token_per_call, shares_one_token),
    Pair("repeated-submission", dials_twice, asks_before_dialling_again, LOSES_THE_FIRST),
    Pair("refusal-ignored", repeats_a_lasting_refusal, repeats_it_once),
    Pair("retry-storm", hammers, tries_four_times, OUTAGE),
    Pair("rate-limit-passed", passes_the_limit, stays_below_the_limit),
    Pair("polling-too-fast", polls_without_pause, polls_every_second),
    Pair("skipped-pages", jumps_a_page, reads_page_by_page),
    Pair("pages-unread", reads_the_first_page_only, reads_page_by_page),
    Pair("push-not-acknowledged", answering(body="ok"), answering(body="SUCCESS\n")),
    Pair("acknowledgement-in-quotes", answering(body='"success"'), answering(body="success")),
    Pair("push-answered-with-error", answering(500), proper),
    Pair("push-redirected", answering(301, Location="/elsewhere"), proper),
    Pair("push-timed-out", hangs, proper),
    Pair("receiver-unreachable", is_not_there, proper),
    Pair("receiver-tls-trouble", speaks_no_tls, proper),
    Pair("push-answered-slowly", takes_three_seconds, proper),
    Pair(
        "acknowledgement-content-type",
        calling_huawei('{"retCode":"0","retMsg":"success"}', "text/plain"),
        calling_huawei('{"retCode":"0","retMsg":"success"}', "application/json"),
    ),
    Pair("orphaned-call", waits_for_ever, looks_it_up, LOST),
    Pair("nxcloud-task-time-without-zone", schedules_without_zone, schedules_with_zone),
    Pair("nxcloud-base64-plus-lost", forgets_to_encode_base64, encodes_base64),
    Pair("huawei-bearer-spacing", writes_two_spaces, writes_one_space),
    Pair("huawei-app-key-missing", leaves_the_app_key_out, writes_one_space),
    Pair("huawei-token-lifetime-clamped", wants_a_day, wants_an_hour),
    Pair("infin8linx-syncflag-paging", pages_what_is_new, asks_for_the_first_page_again),
    Pair("infin8linx-bills-without-ivr", leaves_callmethod_out, asks_for_ivr_calls),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_client_that_breaks_the_rule_is_found(pair: Pair):
    timeout = 0.3 if pair.rule == "push-timed-out" else 10
    async with started(pair.scenario, callback_timeout=timeout) as emu:
        await pair.breaks(Client(emu))
        assert pair.rule in rules_found(emu)
        for found in emu.tenant.findings.all():
            assert found.message
            assert found.source, found.rule


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_nearby_client_that_keeps_it_is_not(pair: Pair):
    async with started(pair.scenario) as emu:
        await pair.keeps(Client(emu))
        assert pair.rule not in rules_found(emu)


def test_every_rule_has_its_pair():
    assert sorted(pair.rule for pair in PAIRS) == sorted(rule.id for rule in all_rules(discover().values()))


async def test_a_good_client_breaks_nothing():
    async with started() as emu:
        client = Client(emu)
        await client.gpsend(phone=",".join(numbers(20)))
        token = await client.cec_token()
        for number in numbers(5):
            await client.cec_call(token, called=number)
        await client.play(destnumber=",".join(numbers(20, "8135")))
        agent = await client.agent_token()
        await client.makecall(agent)
        await emu.settle()
        await client.bills(await client.login(), itemsperpage="1000")
        await client.cdr(page_size="100")
        assert [found.message for found in emu.tenant.findings.all()] == []
        assert emu.tenant.conservation.accepted == 46


async def test_requests_under_way_when_a_token_dies_are_not_held_against_the_client():
    scenario = ruled(
        "match: {operation: createVoiceNotification}\n    fault: {latency: 200ms, token_expired: true}"
    )
    async with started(scenario) as emu:
        client = Client(emu)
        token = await client.cec_token()
        await asyncio.gather(*(client.cec_call(token, called=number) for number in numbers(5)))
        assert not rules_found(emu) & {"refused-token-reused", "refused-credentials-reused"}


@pytest.mark.parametrize("fault", ["reset", "invalid_json", "html_error"])
async def test_a_refusal_that_a_rule_kept_from_the_client_may_come_again(fault):
    """The client cannot know why nothing usable came back: neither credentials nor a mistake were told."""
    async with started(ruled(f"match: {{provider: nxcloud}}\n    fault: {fault}")) as emu:
        client = Client(emu)
        await insists_on_a_wrong_key(client)
        await repeats_a_lasting_refusal(client)
        assert not rules_found(emu) & {"refused-credentials-reused", "refusal-ignored"}


async def test_a_number_may_be_called_again_when_its_receipt_came_before_its_lost_reply():
    both = "match: {operation: gpsend}\n    fault: reset\n    receipt: {before_reply: true}\n    call: {outcome: busy}"
    async with started(ruled(both)) as emu:
        await dials_twice(Client(emu))
        assert "repeated-submission" not in rules_found(emu)


async def test_a_push_that_a_rule_spoiled_may_be_refused():
    async with started(ruled("match: {provider: nxcloud}\n    receipt: {corrupt: wrong_type}")) as emu:
        emu.receiver.answer(200, "error")
        await Client(emu).gpsend()
        await emu.settle()
        assert "push-not-acknowledged" not in rules_found(emu)


async def test_a_call_whose_receipt_nobody_could_get_is_a_warning():
    async with started(receive=False) as emu:
        await Client(emu).gpsend()
        await emu.settle()
        assert [(found.rule, found.severity) for found in emu.tenant.findings.all()] == [
            ("orphaned-call", "warning")
        ]


async def test_findings_go_at_reset():
    async with started() as emu:
        await forgets_the_country(Client(emu))
        emu.tenant.reset()
        assert rules_found(emu) == set()
        await forgets_the_country(Client(emu))
        assert rules_found(emu) == {"schema-violation"}


async def test_a_finding_is_journalled_and_published():
    async with started() as emu:
        heard = Heard()
        emu.emulator.runtime.tenancy.register(heard)
        await forgets_the_country(Client(emu))
        entry = next(each for each in emu.tenant.journal if each.kind == "violation")
        shown = entry.record.shown()
        assert shown["rule"] == "schema-violation"
        request = emu.tenant.journal.get(shown["entry"])
        assert request is not None
        assert request.kind == "request"
        assert "violation" in dict(heard.events)


async def test_findings_stay_within_their_tenant():
    async with started() as emu:
        other = emu.new_tenant("other")
        await forgets_the_country(Client(emu))
        assert len(other.findings.all()) == 0


async def test_no_finding_tells_a_secret():
    async with started() as emu:
        client = Client(emu)
        secret = "s3cr3t-" + "x" * 200
        await client.gpsend(secretkey=secret)
        await client.gpsend(secretkey=secret, country_code=secret)
        await client.send(f"/api/voiceSms/gpsend?secretkey={secret}", data={**NX, **GROUP})
        await client.cec_token(app_secret=[secret])
        await client.cec_call("x", authorization=secret)
        assert len(emu.tenant.findings.all()) >= 4
        for found in emu.tenant.findings.all():
            assert "s3cr3t" not in found.message


async def _reads_records(client: Client) -> None:
    await client.cdr(page_size="100")


async def _reads_agent_records(client: Client) -> None:
    fields = {**AGENT, "start_time": "2026-01-05 00:00:00", "end_time": "2026-01-05 23:59:59"}
    await client.send("/api/voiceSms/getSipCdr", data={**fields, "page": "1", "page_size": "10"})


async def _reads_huawei_records(client: Client) -> None:
    headers = {"Authorization": f"Bearer {await client.cec_token()}", "X-APP-Key": "cec-app-key"}
    start = client.emu.tenant.clock.start // 1000
    span = {"startTime": str(start), "endTime": str(start + 3_600_000)}
    await client.send(
        "/apiaccess/CC-Management/v1/mobileAgent/queryCallDetailRecord", json=span, headers=headers
    )


async def _asks_for_a_state(client: Client) -> None:
    headers = {"Authorization": f"Bearer {await client.cec_token()}", "X-APP-Key": "cec-app-key"}
    (call,) = client.emu.tenant.ledger
    body = {"callSerialNo": call.provider_id}
    await client.send("/apiaccess/CC-Management/v1/mobileAgent/queryCallState", json=body, headers=headers)


async def _reads_bills(client: Client) -> None:
    await client.bills(await client.login())


async def _calls_as_agent(client: Client) -> None:
    await client.makecall(await client.agent_token())


async def _calls_huawei(client: Client) -> None:
    await client.cec_call(await client.cec_token())


@pytest.mark.parametrize(
    ("places", "asks"),
    [
        (sends_everything, _reads_records), (_calls_as_agent, _reads_agent_records),
        (_calls_huawei, _reads_huawei_records), (_calls_huawei, _asks_for_a_state),
        (submits_5000, _reads_bills),
    ],
)  # fmt: skip
async def test_every_record_query_reconciles_what_it_shows(places: Behaviour, asks: Behaviour):
    async with started(ruled("match: {number: '*'}\n    receipt: {lost: true}"), strict=False) as emu:
        client = Client(emu)
        await places(client)
        await asks(client)
        assert emu.tenant.conservation.count(Fate.RECONCILED) == 0, "nothing has ended yet"
        await emu.settle()
        orphans = emu.tenant.conservation.count(Fate.ORPHAN)
        await asks(client)
        shown = min(orphans, 10)
        assert shown > 0
        assert emu.tenant.conservation.count(Fate.RECONCILED) == shown
        assert emu.tenant.conservation.count(Fate.ORPHAN) == orphans - shown


AGAIN: dict[str, Behaviour] = {
    "tokenByAkSk": lambda client: client.cec_token(),
    "token": lambda client: client.send("/v1/call/token", data=AGENT),
    "Login": lambda client: client.in8("App.Sip_Auth.Login", **IN8),
    "gpsend": lambda client: client.gpsend(),
    "PlayVoice": lambda client: client.play(),
}


@pytest.mark.parametrize("operation", AGAIN)
async def test_asking_again_after_a_refusal_that_a_rule_made_is_no_finding(operation):
    """Whatever error it was: the client's request was right, and may be sent again."""
    (provider,) = [each for each in discover().values() if operation in each.operations]
    errors = {each.name for each in provider.errors if not each.operations or operation in each.operations}
    assert "auth_failed" in errors
    for error in sorted(errors):
        async with started(ruled(f"match: {{operation: {operation}}}\n    reply: {{error: {error}}}")) as emu:
            for _ in range(4):
                await AGAIN[operation](Client(emu))
            assert rules_found(emu) == set(), error


async def test_a_call_that_was_placed_behind_a_refusal_of_a_rule_may_be_placed_again():
    scenario = ruled(
        "match: {operation: gpsend, nth: 1}\n    reply: {error: insufficient_balance, placed: true}"
    )
    async with started(scenario) as emu:
        await dials_twice(Client(emu))
        await emu.settle()
        assert rules_found(emu) == set()


async def test_a_failure_of_the_emulators_own_making_is_no_finding():
    async with started(strict=False) as emu:

        def fail(*args: object) -> None:
            raise RuntimeError("a bug")

        operation = emu.emulator.runtime.providers["nxcloud"].operations["gpsend"]
        right = operation.answer
        object.__setattr__(operation, "answer", fail)
        try:
            for _ in range(8):
                await Client(emu).gpsend()
        finally:
            object.__setattr__(operation, "answer", right)
        assert rules_found(emu) == set()
        assert judged(emu.tenant) == 0


async def test_a_push_that_fails_in_the_emulator_itself_is_no_finding(monkeypatch):
    async with started(strict=False) as emu:

        def fail(*args: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(emu.emulator.runtime.delivery, "_encode", fail)
        await Client(emu).gpsend()
        await emu.settle()
        assert emu.tenant.conservation.count(Fate.UNCERTAIN) == 1
        assert rules_found(emu) == set()


async def test_the_rules_memory_is_not_among_the_providers_state():
    async with started() as emu:
        await Client(emu).gpsend(country_code="")
        assert set(emu.tenant.state) <= set(discover())
        assert memory_of(emu.tenant).occasions["refusal-ignored", "nxcloud"] == 1
        emu.tenant.reset()
        assert not memory_of(emu.tenant).occasions


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_a_rule_that_finds_something_was_exercised(pair: Pair):
    """What a report calls not exercised, nothing can have been found by."""
    timeout = 0.3 if pair.rule == "push-timed-out" else 10
    async with started(pair.scenario, callback_timeout=timeout) as emu:
        await pair.breaks(Client(emu))
        exercised = rules_exercised(emu.tenant, emu.emulator.runtime.providers)
        for found in emu.tenant.findings.all():
            if found.provider:
                assert exercised[found.rule][found.provider] > 0, found.rule
