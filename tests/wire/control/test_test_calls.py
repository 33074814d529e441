from __future__ import annotations

import pytest

from tests.rig import START, started
from tests.wire.api import ANSWERED, BUSY, Api
from voice_emulator.core.clock import ClockSpec

TENANT = "/v1/tenants/default"
OFFERED = {
    ("huawei_cec", "createVoiceNotification"),
    ("huawei_cec", "createVoiceNotificationV1"),
    ("infin8linx", "PlayVoice"),
    ("nxcloud", "gpsend"),
    ("nxcloud", "notsend"),
    ("nxcloud", "versend"),
    ("nxcloud", "makecall"),
}


async def test_every_operation_that_places_calls_is_offered_without_its_credentials(api):
    offered = (await api.get(f"{TENANT}/place")).json

    assert {(offer["provider"], offer["operation"]) for offer in offered["offers"]} == OFFERED
    assert offered["traffic"] == api.emu.url
    assert set(offered["receivers"]) == {
        "nxcloud",
        "nxcloud_cdr",
        "nxcloud_status",
        "huawei_cec",
        "infin8linx",
    }
    secrets = {"appkey", "secretkey", "token", "appid", "accesskey", "username"}
    for offer in offered["offers"]:
        assert offer["number_field"] not in offer["fields"]
        assert not secrets & set(offer["fields"])
        assert offer["numbering"]


async def test_looking_at_the_offers_changes_nothing(api):
    before = (len(api.emu.tenant.tokens._tokens), api.emu.tenant.journal.last_id)

    await api.get(f"{TENANT}/place")

    assert (len(api.emu.tenant.tokens._tokens), api.emu.tenant.journal.last_id) == before


@pytest.mark.parametrize(("provider", "operation"), sorted(OFFERED))
async def test_a_call_is_placed_over_the_traffic_port_any_number_of_times(api, provider, operation):
    body = {"provider": provider, "operation": operation, "number": BUSY}
    for _ in range(2):
        placed = (await api.post(f"{TENANT}/place", body)).json
        [sent] = placed["exchanges"]
        assert (sent["status"], sent["error"]) == (200, None), sent
        [call_id] = placed["calls"]
        [entry] = (await api.get(f"{TENANT}/journal", call_id=call_id, kind="request")).json["entries"]
        assert entry["id"] == sent["entry"]
        assert entry["operation"] == operation
        assert entry["attributed"]
        assert entry["reply"]["body"] == sent["reply"]

    await api.emu.settle()
    call = (await api.get(f"{TENANT}/calls/{call_id}")).json
    assert (call["number"], call["outcome"], call["receipt"]) == (BUSY, "busy", "delivered")


async def test_tenant_calls_with_its_own_credentials():
    async with started() as emu:
        tenant = emu.new_tenant("other", clock=ClockSpec("manual", start=START))
        api = Api(emu)
        for provider, operation in sorted(OFFERED):
            body = {"provider": provider, "operation": operation, "number": ANSWERED}
            placed = (await api.post("/v1/tenants/other/place", body)).json
            assert len(placed["calls"]) == 1, placed
            assert placed["calls"][0] in tenant.ledger


async def test_fields_are_laid_over_the_example_and_null_leaves_one_out(api):
    body = {
        "provider": "nxcloud", "operation": "gpsend", "number": ANSWERED,
        "fields": {"show_phone": "777", "country_code": None},
    }  # fmt: skip
    placed = (await api.post(f"{TENANT}/place", body)).json

    entry = (await api.get(f"{TENANT}/journal", kind="request")).json["entries"][-1]
    assert entry["request"]["fields"]["show_phone"] == "777"
    assert "country_code" not in entry["request"]["fields"]
    assert entry["request"]["fields"]["secretkey"] == "***"
    assert entry["id"] == placed["exchanges"][0]["entry"]


async def test_a_refusal_is_shown_as_the_client_gets_it(api):
    body = {"provider": "nxcloud", "number": "<script>alert(1)</script>"}
    placed = (await api.post(f"{TENANT}/place", body)).json

    assert placed["calls"] == []
    assert placed["exchanges"][0]["status"] == 200
    assert '"code":"0"' not in placed["exchanges"][0]["reply"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("reset: true", "broke the connection off before its reply was complete"),
        ("empty: true", "closed the connection without a reply"),
        ("http_status: 503", None),
        ("truncate: true", "broke off"),
    ],
)
async def test_a_fault_is_felt(fault, said):
    scenario = f"name: faulty\nrules:\n  - name: bad\n    fault: {{{fault}}}\n"
    async with started(scenario) as emu:
        api = Api(emu)
        placed = (await api.post(f"{TENANT}/place", {"provider": "infin8linx", "number": ANSWERED})).json
        [sent] = placed["exchanges"]
        if said is None:
            assert sent["status"] == 503
        else:
            assert sent["status"] is None
            assert sent["error"].endswith(said)
        assert sent["entry"] == 1


async def test_what_cannot_be_placed_is_said(api):
    body = {"provider": "nxcloud", "operation": "getVoiceCdr", "number": ANSWERED}
    refused = await api.post(f"{TENANT}/place", body)
    assert refused.status == 422
    assert "places no call at nxcloud" in refused.errors["/operation"]

    assert (await api.post(f"{TENANT}/place", {"provider": "nxcloud"})).status == 422
    assert (await api.post(f"{TENANT}/place", {"provider": "nobody", "number": "1"})).status == 422


async def test_the_scenario_in_force_can_be_read(api):
    text = "name: own\nrules: []\n"
    put = await api("PUT", f"{TENANT}/scenario", data=text, headers={"Content-Type": "application/yaml"})
    assert put.status == 200

    assert (await api.get(f"{TENANT}/scenario")).text == text


async def test_calls_can_be_asked_for_by_receipt():
    scenario = "name: lossy\nrules:\n  - name: gone\n    match: {number: '*486'}\n    receipt: {lost: true}\n"
    async with started(scenario) as emu:
        api = Api(emu)
        for number in (ANSWERED, BUSY):
            await api.post(
                f"{TENANT}/place", {"provider": "nxcloud", "operation": "gpsend", "number": number}
            )
        assert (await api.get(f"{TENANT}/calls", q="receipt:pending")).json["calls"][0]["state"] != "ended"
        await emu.settle()

        [lost] = (await api.get(f"{TENANT}/calls", q="receipt:lost")).json["calls"]
        [told] = (await api.get(f"{TENANT}/calls", q="-receipt:lost")).json["calls"]
        assert (lost["number"], told["number"], told["receipt"]) == (BUSY, ANSWERED, "delivered")
