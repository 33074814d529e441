"""gpsend, notsend, versend over real sockets: the pages' samples, batches, schedules, dialects, limits."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.providers.nxcloud.customer import CALLED, KEYS, PATHS, Customer
from tests.rig import Running, started
from voice_emulator.core.vocabulary import Outcome

PLAIN = "name: plain\nmagic_numbers: false\nrules: []\n"
LANGUAGES = [
    "af", "ar", "bn", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es", "et", "fi", "fr", "gu",
    "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "jw", "km", "kn", "ko", "la", "lv", "mk", "ml", "mr",
    "my", "ne", "nl", "no", "pl", "pt", "ro", "ru", "si", "sk", "sq", "sr", "su", "sv", "sw", "ta", "te",
    "th", "tl", "tr", "uk", "ur", "vi", "zh", "zh-yue",
]  # fmt: skip


def setting(running: Running, **values: Any) -> None:
    running.change({"settings": {"nxcloud": values}})


#: The requests printed on the pages; only host and credentials are ours.
PAGE_SAMPLES = [
    (
        "/api/voiceSms/gpsend",
        (
            "appkey=nx-appkey&secretkey=nx-secretkey&phone=6212345678&country_code=62&show_phone=123456"
            "&url=https%3A%2F%2Fnxcloud.com%2F1963370420.m4a"
        ),
    ),
    (
        "/api/voiceSms/notsend",  # the page's sample has no lang
        (
            "appkey=nx-appkey&secretkey=nx-secretkey&phone=6212345678&country_code=62&show_phone=123456"
            "&content=asdfghjk"
        ),
    ),
    (
        "/api/voiceSms/versend",
        (
            "appkey=nx-appkey&secretkey=nx-secretkey&phone=6212345678&country_code=62&show_phone=123456"
            "&content=asdfghjk&lang=en&ext=ext123"
        ),
    ),
]


@pytest.mark.parametrize(("path", "body"), PAGE_SAMPLES)
@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=UTF-8"]
)
async def test_sample_of_the_page(path: str, body: str, content_type: str) -> None:
    async with started(PLAIN, "manual") as running:
        headers = {"Content-Type": content_type, "Accept": "application/json", "Host": "api2.nxcloud.com"}
        async with running.client.post(running.url + path, data=body, headers=headers) as reply:
            text = await reply.text()
        found = re.fullmatch(
            r'\{"result":"Request succeeded","messageid":"([0-9a-f]{32})","code":"0"\}', text
        )
        assert found is not None, text
        await running.settle()
        [push] = running.receiver.received
        assert push.fields["messageid"] == found.group(1)
        assert push.fields.get("ext") == ("ext123" if path.endswith("versend") else None)


async def test_batch_shares_one_id_and_each_number_has_one_receipt() -> None:
    numbers = [str(6212345000 + index) for index in range(100)]
    async with started(PLAIN, "manual") as running:
        sent = await Customer(running).ask("gpsend", phone=",".join(numbers))
        await running.settle()
        pushes = running.receiver.received
        assert sorted(push.fields["phone"] for push in pushes) == numbers
        assert {push.fields["messageid"] for push in pushes} == {sent["messageid"]}


async def test_number_twice_in_a_batch_is_called_twice() -> None:
    async with started(PLAIN, "manual") as running:
        await Customer(running).ask("gpsend", phone="6212345678,6212345678")
        await running.settle()
        assert [push.fields["phone"] for push in running.receiver.received] == ["6212345678"] * 2


@pytest.mark.parametrize(
    ("operation", "settings", "most"),
    [
        ("gpsend", {}, 100), ("notsend", {}, 5000),
        ("gpsend", {"batch_limit": 5000}, 5000), ("notsend", {"batch_limit": 1}, 5000),
        ("gpsend", {"batch_limit": 3, "notsend_batch_limit": 7}, 3),
        ("notsend", {"batch_limit": 3, "notsend_batch_limit": 7}, 7),
        ("gpsend", {"notsend_batch_limit": 1}, 100),
    ],
)  # fmt: skip
async def test_each_kind_of_batch_has_its_limit(operation: str, settings: dict[str, int], most: int) -> None:
    """A production client sends 500 numbers in a notsend and 100 in a gpsend."""
    async with started(PLAIN, "manual") as running:
        setting(running, **settings)
        numbers = ",".join(str(6212345000 + index) for index in range(most))
        assert (await Customer(running).ask(operation, phone=f"{numbers},6212349999"))["code"] == "2"
        assert len(running.tenant.ledger) == 0
        assert (await Customer(running).ask(operation, phone=numbers))["code"] == "0"
        assert len(running.tenant.ledger) == most


async def test_suffix_tells_numbers_of_a_batch_apart() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, messageid_suffix=True)
        customer = Customer(running)
        batch = await customer.ask("gpsend", phone="6212345678,6212345679")
        single = await customer.ask("gpsend", phone="6212345680")
        await running.settle()
        ids = {push.fields["phone"]: push.fields["messageid"] for push in running.receiver.received}
        assert ids["6212345680"] == single["messageid"]
        suffixed = [ids["6212345678"], ids["6212345679"]]
        assert all(re.fullmatch(batch["messageid"] + "-[0-9]{10}", each) for each in suffixed)
        assert len(set(suffixed)) == 2


async def test_older_form_of_messageid() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, messageid_form="dated")
        sent = await Customer(running).ask("gpsend")
        assert re.fullmatch("[0-9a-f]{16}1767574800000", sent["messageid"])


async def test_same_request_twice_makes_two_submissions() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        first, second = await customer.ask("gpsend"), await customer.ask("gpsend")
        assert first["messageid"] != second["messageid"]


@pytest.mark.parametrize("operation", ["notsend", "versend"])
async def test_all_59_languages(operation: str) -> None:
    assert len(LANGUAGES) == 59
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        codes = [(await customer.ask(operation, lang=each, phone="6212345678"))["code"] for each in LANGUAGES]
        assert codes == ["0"] * 59
        assert (await customer.ask(operation, lang="EN"))["code"] == "2"


@pytest.mark.parametrize(
    ("zone_field", "zone", "task_time", "dialled"),
    [
        ("time_zone", "8", "2026-01-05 10:30:00", "2026-01-05 10:30:00"),
        ("time_zone", "9", "2026-01-05 10:30:00", "2026-01-05 09:30:00"),
        ("time_zone", "0", "2026-01-05 10:30:00", "2026-01-05 18:30:00"),
        ("time_zone", "-5", "2026-01-05 10:30:00", "2026-01-05 23:30:00"),
        ("task_zone", "8", "2026-02-28 23:59:59", "2026-02-28 23:59:59"),
    ],
)
async def test_schedule_is_kept_on_the_tenants_clock(
    zone_field: str, zone: str, task_time: str, dialled: str
) -> None:
    async with started(PLAIN, "manual") as running:
        sent = await Customer(running).ask("gpsend", task_time=task_time, **{zone_field: zone})
        assert sent["code"] == "0"
        [call] = running.tenant.ledger
        assert call.dialled_at is None
        await running.settle()
        row = await _only_row(running, sent["messageid"])
        assert row["time"] == dialled


async def _only_row(running: Running, messageid: str) -> dict[str, Any]:
    found = await Customer(running).ask(
        "getVoiceCdr", messageid=messageid, start_time="2026-01-01 00:00:00", end_time="2026-12-31 23:59:59"
    )
    [row] = found["info"]["rows"]
    assert isinstance(row, dict)
    return row


async def test_schedule_without_zone_is_ignored_by_the_english_page() -> None:
    async with started(PLAIN, "manual") as running:
        assert (await Customer(running).ask("gpsend", task_time="2030-01-01 00:00:00"))["code"] == "0"
        await running.advance("13s")
        assert len(running.receiver.received) == 1


async def test_sched_hangup_cuts_the_call() -> None:
    long = "name: long\nrules:\n  - {name: long, call: {outcome: answered, talk: 90s}}\n"
    async with started(long, "manual") as running:
        customer = Customer(running)
        await customer.ask("gpsend", sched_hangup="7")
        await customer.ask("gpsend", phone="6212345679", sched_hangup="0")
        setting(running, sched_hangup_cause="NORMAL_CLEARING")
        await customer.ask("gpsend", phone="6212345680", sched_hangup="7")
        await running.settle()
        told = {push.fields["phone"]: push.fields for push in running.receiver.received}
        cut = told["6212345678"]
        assert (cut["second"], cut["hangup_cause"], cut["hangup_disposition"]) == (
            "7",
            "ALLOTTED_TIMEOUT",
            "send_bye",
        )
        assert told["6212345679"]["second"] == "90"
        assert told["6212345680"]["hangup_cause"] == "NORMAL_CLEARING"
        assert [call.outcome for call in running.tenant.ledger].count(Outcome.TIME_LIMIT) == 2


async def test_message_dialect() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, dialect="message")
        customer = Customer(running)
        sent = await customer.ask("gpsend")
        assert list(sent.items()) == [("code", "0"), ("messageid", sent["messageid"]), ("message", "Success")]
        refused = await customer.ask("gpsend", country_code="x")
        assert refused == {"code": "23", "messageid": "", "message": "Country code error"}


async def test_chinese_success_text_of_the_result_dialect() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, reply_language="zh")
        assert (await Customer(running).ask("gpsend"))["result"] == "请求成功"


async def test_failure_in_the_result_dialect() -> None:
    async with started(PLAIN, "manual") as running:
        refused = await Customer(running).ask("gpsend", country_code="x")
        assert list(refused.items()) == [
            ("result", "Invalid country code"),
            ("messageid", ""),
            ("code", "23"),
        ]


async def test_balance_is_spent_and_set_aside() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, balance="0.10", tariff={"cycle": 60, "price": "0.05", "basic_price": "0"})
        customer = Customer(running)
        assert (await customer.ask("gpsend", phone="6212345678,6212345679,6212345680"))["code"] == "3"
        assert (await customer.ask("gpsend"))["code"] == "0"
        assert (await customer.ask("gpsend", phone="6212345678,6212345679"))["code"] == "3"
        assert (await customer.ask("gpsend"))["code"] == "0"
        await running.settle()
        assert (await customer.ask("gpsend"))["code"] == "3"


async def test_frequency_limit_counts_clock_hours() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, frequency_limit=5)
        customer = Customer(running)
        codes = [(await customer.ask("versend"))["code"] for _ in range(6)]
        assert codes == ["0"] * 5 + ["27"]
        await running.advance("1h")
        assert (await customer.ask("versend"))["code"] == "0"


async def test_tps_limit_is_over_after_a_second() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, tps_limit=1)
        customer = Customer(running)
        assert [(await customer.ask("versend"))["code"] for _ in range(2)] == ["0", "28"]
        await running.advance("1s")
        assert (await customer.ask("versend"))["code"] == "0"


async def test_file_catalogue_is_enforced_once_configured() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        assert (await customer.ask("gpsend", url="http://anything.example/a.mp3"))["code"] == "0"
        uploaded = (await customer.ask("uploadVoiceFile"))["info"]
        setting(running, voice_files=["https://nxcloud.com/1963370420.m4a"])
        assert (await customer.ask("gpsend"))["code"] == "0"
        assert (await customer.ask("gpsend", url=uploaded))["code"] == "0"
        assert (await customer.ask("gpsend", url="http://anything.example/a.mp3"))["code"] == "20"


async def test_refused_request_calls_nobody() -> None:
    async with started(PLAIN, "manual") as running:
        await Customer(running).ask("gpsend", phone="6212345678,12")
        await running.settle()
        assert len(running.tenant.ledger) == 0
        assert running.receiver.received == []


@pytest.mark.parametrize("network", ["127.0.0.1", "127.0.0.0/8"])
async def test_allowed_address(network: str) -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, allowed_ips=["10.0.0.1", network])
        assert (await Customer(running).ask("gpsend"))["code"] == "0"


async def test_requests_belong_to_the_tenant_of_their_key() -> None:
    async with started(PLAIN, "manual") as running:
        other = running.new_tenant("other")
        keys = other.credentials["nxcloud"]
        own = {"appkey": keys["appkey"], "secretkey": keys["secretkey"]}
        customer = Customer(running)
        sent = await customer.ask("gpsend", **own)
        assert sent["code"] == "0"
        assert (len(other.ledger), len(running.tenant.ledger)) == (1, 0)
        # A key with another's secret is nobody's.
        assert (await customer.ask("gpsend", appkey=own["appkey"]))["code"] == "1"


async def test_get_is_not_allowed() -> None:
    async with (
        started(PLAIN, "manual") as running,
        running.client.get(
            running.url + PATHS["gpsend"], params={**KEYS, **CALLED, "url": "http://a/b.mp3"}
        ) as reply,
    ):
        assert reply.status == 405
        assert reply.headers["Allow"] == "POST"
        assert "GET" in reply.headers["Emulator-Error"]
        assert len(running.tenant.ledger) == 0


async def test_lenient_mode_takes_any_key() -> None:
    async with started(PLAIN, "manual", lenient=True) as running:
        assert (await Customer(running).ask("gpsend", appkey="asdf", secretkey="qwer"))["code"] == "0"
