"""Every route as a method, of both clients alike, against a running emulator."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.patience import PATIENCE
from voice_emulator.client import (
    AsyncClient,
    Client,
    Conflict,
    Invalid,
    NotFound,
    NotReady,
    Page,
    Tenant,
    Unauthorized,
    UnexpectedReply,
)
from voice_emulator.client.endpoints import ControlMethods
from voice_emulator.embedded import running
from voice_emulator.errors import FileError

YAML = "name: mine\nrules:\n  - {call: {outcome: rejected}}\n"


def test_health(client, server):
    health = client("health")
    assert (health.status, health.scenario, health.traffic) == ("ok", "happy-path", server.url)
    assert client("wait_ready", timeout=PATIENCE) == health


def test_metrics_and_documents(client):
    assert "# TYPE" in client("metrics")
    assert client("openapi")["openapi"].startswith("3.1")
    assert "/api/voiceSms/gpsend" in client("openapi", "nxcloud")["paths"]


def test_scenarios(client):
    names = {scenario.name: scenario.description for scenario in client("scenarios", limit=1000)}
    assert "all-busy" in names
    assert all(names.values())
    assert "name: all-busy" in client("scenario", "all-busy")


@pytest.mark.parametrize(
    ("scenario", "name"),
    [("all-busy", "all-busy"), (YAML, "mine"), ({"name": "json", "rules": []}, "json")],
    ids=["name", "yaml", "mapping"],
)
def test_a_tenant_begins_with_any_kind_of_scenario(client, scenario, name):
    tenant = client("create_tenant", scenario=scenario, clock="manual")
    assert tenant.scenario == name
    client("load_scenario", tenant.id, "happy-path")
    assert client("load_scenario", tenant.id, scenario).scenario == name
    client("delete_tenant", tenant.id)


def test_a_scenario_may_be_a_path(client, tenant, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(YAML, encoding="utf-8")
    assert client("load_scenario", tenant.id, path).scenario == "mine"
    assert client("load_scenario", tenant.id, str(path)).scenario == "mine"
    with pytest.raises(FileError, match=r"nowhere\.yaml: No such file"):
        client("load_scenario", tenant.id, Path("nowhere.yaml"))


def test_an_invalid_scenario_is_told_with_its_findings(client, tenant):
    with pytest.raises(Invalid, match="outcome") as caught:
        client("load_scenario", tenant.id, "name: bad\nrules:\n  - {call: {outcome: buzy}}\n")
    assert "busy" in str(caught.value)
    assert caught.value.errors
    assert client("tenant", tenant.id).scenario == "happy-path"


def test_the_life_of_a_tenant(client):
    tenant = client(
        "create_tenant",
        "life-of-a-tenant",
        seed=7,
        clock={"mode": "manual", "start": "2026-01-05T09:00:00+08:00"},
        callback_urls={"nxcloud": "http://127.0.0.1:9/a"},
        settings={"nxcloud": {"balance": "5"}},
        credentials={"infin8linx": {"appid": "my-appid"}},
    )
    assert (tenant.id, tenant.seed, tenant.manual) == ("life-of-a-tenant", 7, True)
    assert tenant.now == datetime.fromisoformat("2026-01-05T01:00:00+00:00")
    assert tenant.credentials["infin8linx"]["appid"] == "my-appid"
    assert tenant.settings["nxcloud"]["balance"] == "5"
    with pytest.raises(Conflict):
        client("create_tenant", "life-of-a-tenant")

    changed = client("change_tenant", tenant.id, callback_urls={"nxcloud": None}, seed=8)
    assert (dict(changed.callback_urls), changed.seed) == ({}, 8)
    assert tenant.id in [each.id for each in client("every", client("tenants", limit=1))]
    assert client("delete_tenant", tenant.id) is None
    with pytest.raises(NotFound, match="life-of-a-tenant"):
        client("tenant", tenant.id)


def test_time_passes_and_a_call_is_told_in_full(client, tenant, place, receiver):
    client("change_tenant", tenant.id, callback_urls={"nxcloud": receiver})
    place(tenant, "6281200000000,6281200000486")
    advanced = client("advance", tenant.id, "1m")
    assert advanced.complete
    assert advanced.now - tenant.now == timedelta(minutes=1)
    assert [push.outcome for push in advanced.callbacks] == ["delivered", "delivered"]

    answered, busy = client("calls", tenant.id)
    assert (answered.outcome, answered.state, answered.talk_seconds) == ("answered", "ended", 10)
    assert answered.billing.charge == Decimal("0.036")
    assert answered.ended_at - answered.answered_at == timedelta(seconds=10)
    assert [step.event for step in answered.timeline][-2:] == ["ended", "callback"]
    assert (busy.cause, busy.answered_at) == ("USER_BUSY", None)
    assert client("call", tenant.id, busy.id) == busy
    assert [call.id for call in client("calls", tenant.id, number="*0486", outcome="busy")] == [busy.id]

    (first, second) = client("callbacks", tenant.id)
    assert first.call_id == busy.id
    assert first.fields["hangup_cause"] == "USER_BUSY"
    assert (first.status, first.reply, first.delivered) == (200, "success", True)
    assert first.url.startswith(f"{receiver}?phone=6281200000486&")
    assert second.number == "6281200000000"
    (again,) = client("push", tenant.id, busy.id)
    assert again.fields["hangup_cause"] == "USER_BUSY"


def test_advancing_to_the_next_thing_to_idle_and_to_an_instant(client, tenant, place):
    place(tenant, "6281200000000")
    first = client("advance", tenant.id, to="next")
    assert first.next_due is not None
    assert client("advance", tenant.id, to="idle", at_most="1h").next_due is None
    later = tenant.now + timedelta(hours=2)
    assert client("advance", tenant.id, to=later).now == later
    with pytest.raises(ValueError, match="say how far"):
        client("advance", tenant.id)
    with pytest.raises(ValueError, match=r"write advance\(to='idle'\)"):
        client("advance", tenant.id, "idle")
    with pytest.raises(Conflict, match="manual"):
        client("advance", "default", 1)


def test_wait_and_verify(client, tenant, place):
    assert not client("wait", tenant.id, "callbacks", timeout="10ms")
    place(tenant, "6281200000486")
    client("advance", tenant.id, "5s")
    waited = client("wait", tenant.id, "calls", outcome="busy")
    assert [call.number for call in waited] == ["6281200000486"]
    assert client("wait", tenant.id, "requests").items[0].operation == "gpsend"
    assert client("wait", tenant.id, "callbacks").items[0].outcome == "no_url"
    assert not client("wait", tenant.id, "calls", after=waited.next, timeout=0.01)

    assert client(
        "verify", tenant.id, operation="gpsend", fields={"country_code": "6?"}, exactly=1, within="1s"
    )
    missed = client("verify", tenant.id, number="6281299999999")
    assert (missed.satisfied, missed.count) == (False, 0)
    assert "6281200000486" in str(missed.near_misses[0])


def test_the_journal_and_what_is_made_of_it(client, tenant, place):
    place(tenant, "6281200000486")
    place(tenant, "nonsense")
    client("advance", tenant.id, "5s")
    kinds = [entry.kind for entry in client("journal", tenant.id)]
    assert kinds.count("request") == 2
    assert "callback" in kinds
    (good, bad) = client("journal", tenant.id, kind="request")
    assert (good.code, bad.refused) == ("0", True)
    assert "secretkey" in good.fields
    assert tenant.credentials["nxcloud"]["secretkey"] not in str(good.document)

    violations = client("violations", tenant.id, severity="error")
    assert any(violation.entry == bad.id for violation in violations)
    assert client("har", tenant.id)["log"]["version"] == "1.2"
    report = client("report", tenant.id)
    assert report["conservation"]["accepted"] == 1
    assert client("report_text", tenant.id, "junit").lstrip().startswith("<")
    assert client("reset", tenant.id).id == tenant.id
    assert list(client("journal", tenant.id)) == []
    assert client("reset", tenant.id, to_start=True).scenario == "happy-path"


def test_a_long_list_comes_page_by_page(client, tenant, place):
    place(tenant, ",".join(f"62812{number:07d}" for number in range(25)))
    first = client("calls", tenant.id, limit=10)
    assert isinstance(first, Page)
    assert len(first) == 10
    assert first.next is not None
    everything = client("every", first)
    assert [call.number for call in everything] == [f"62812{number:07d}" for number in range(25)]
    assert first[0] == everything[0]
    assert first[8:] == tuple(everything[8:10])


def test_what_happens_is_streamed_and_can_be_resumed(server, tenant, place):
    with Client(server.control_url) as client:
        place(tenant)
        with client.events(tenant.id, after="0", silence=10) as events:
            first = next(events)
            while next(events).kind != "request":
                pass
        with client.events(tenant.id, after=first.id, silence=10) as events:
            assert int(next(events).id) == int(first.id) + 1
        with pytest.raises(NotFound), client.events("nobody"):
            pass


async def test_the_asynchronous_client_streams_too(server, tenant, place):
    async with AsyncClient(server.control_url) as client:
        place(tenant)
        async with client.events(tenant.id, after="0", silence=10) as events:
            async for event in events:
                if event.kind == "request":
                    assert event.data["operation"] == "gpsend"
                    break
        with pytest.raises(NotFound):
            async with client.events("nobody"):
                pass


async def test_streams_take_kinds_and_rows_and_events_of_any_length(server, tenant, place):
    async with (
        AsyncClient(server.control_url) as client,
        client.events(tenant.id, kinds=("request",)) as events,
        client.events(tenant.id, brief=True) as rows,
    ):
        keys = tenant.credentials["nxcloud"]
        form = urlencode({"appkey": keys["appkey"], "secretkey": "x" * 700_000}).encode()
        await asyncio.to_thread(lambda: urlopen(f"{server.url}/api/voiceSms/gpsend", form).close())
        event = await anext(events)
        row = await anext(rows)
        while row.kind != "request":
            row = await anext(rows)
    assert event.kind == "request"
    assert event.data["request"]["body"]
    assert "body" not in row.data["request"]
    assert row.data["why"]


def test_silence_is_limited(server, tenant):
    with (
        Client(server.control_url) as client,
        client.events(tenant.id, silence=0.05) as events,
        pytest.raises(NotReady),
    ):
        next(events)


def test_no_emulator_at_the_address_is_not_ready(free_port):
    with (
        Client(f"http://127.0.0.1:{free_port}") as client,
        pytest.raises(NotReady, match="no emulator answers at"),
    ):
        client.health()
    with Client(f"http://127.0.0.1:{free_port}") as client, pytest.raises(NotReady, match="within 100ms"):
        client.wait_ready("100ms")


async def test_no_emulator_at_the_address_is_not_ready_for_the_asynchronous_client(free_port):
    async with AsyncClient(f"http://127.0.0.1:{free_port}") as client:
        with pytest.raises(NotReady, match="no emulator answers at"):
            await client.health()
        with pytest.raises(NotReady, match="within 100ms"):
            await client.wait_ready("100ms")


def test_the_traffic_port_is_no_control_port(server):
    with Client(server.url) as client, pytest.raises(UnexpectedReply):
        client.tenants()


def test_a_control_token_is_needed_where_there_is_one():
    with running(control_token="secret") as emulator:
        assert emulator.tenant.id == "default"
        with Client(emulator.control_url) as nobody:
            assert nobody.health().status == "ok"
            with pytest.raises(Unauthorized):
                nobody.tenants()


def test_a_test_call_is_placed(server):
    placed = server.client.place(
        "default", "nxcloud", "6281200000486", operation="gpsend", fields={"ext": "e1"}
    )
    (sent,) = placed.exchanges
    assert (sent.method, sent.path, sent.status, sent.error) == ("POST", "/api/voiceSms/gpsend", 200, None)
    assert '"code":"0"' in (sent.reply or "")
    (call,) = (server.client.call("default", each) for each in placed.calls)
    assert (call.number, call.operation) == ("6281200000486", "gpsend")
    with pytest.raises(Invalid, match="gpsend"):
        server.client.place("default", "nxcloud", "1", operation="gpsnd")


def test_the_clients_have_the_same_methods_and_each_says_what_it_does():
    for name, method in vars(ControlMethods).items():
        if not name.startswith("_"):
            assert getattr(Client, name) is getattr(AsyncClient, name)
            assert method.__get__(None, Client).__doc__


def test_results_show_what_matters_and_keep_the_document(server):
    tenant = server.client.tenant()
    assert isinstance(tenant, Tenant)
    assert tenant.document["id"] == "default"
    assert "document" not in repr(tenant)
    with pytest.raises(AttributeError):
        setattr(tenant, "id", "other")  # noqa: B010 - the type checker knows already
