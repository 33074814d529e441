"""What comes back from a state file, and what a file that does not fit is answered with."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE
from tests.providers.nxcloud.customer import GOOD
from tests.rig import START, started
from tests.state.stories import Story, story
from tests.wire.raw import GPSEND
from voice_emulator.app import Emulator
from voice_emulator.contract.memory import memory_of
from voice_emulator.core.clock import ClockSpec, parse_clock
from voice_emulator.core.vocabulary import Fate, PushOutcome
from voice_emulator.errors import StateError
from voice_emulator.settings import Options
from voice_emulator.state.database import StateFile
from voice_emulator.state.store import Changes
from voice_emulator.wire import machine_time

SEND = "/api/voiceSms/gpsend"
MANY = "name: many\nproviders:\n  nxcloud: {batch_limit: 5000}\nrules: []\n"


async def place(told: Story, *phones: str, **fields: str) -> None:
    answer = await told.ask(SEND, data={**GPSEND, "phone": ",".join(phones) or GPSEND["phone"], **fields})
    assert answer["code"] == "0", answer


def default(told: Story) -> Any:
    return told.emulator.runtime.tenancy.default


async def over_control(told: Story, method: str, path: str, **options: Any) -> Any:
    url = told.emulator.runtime.control + path
    async with told.client.request(method, url, **options) as reply:
        assert reply.status < 300, await reply.text()
        return await reply.json() if reply.status != 204 else None


async def test_without_a_state_file_nothing_listens_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with started() as emu:
        listeners, mine = emu.emulator.runtime.tenancy.listeners, emu.tenant.listeners
        assert listeners.reply_ready == listeners.attempt_starting == listeners.id_issued == ()
        assert mine.tenant_configured == mine.token_changed == mine.push_scheduled == ()
    assert list(tmp_path.iterdir()) == []


async def test_the_file_is_its_owners_alone(tmp_path):
    async with story(tmp_path) as told:
        assert stat.S_IMODE(told.state.stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(f"{told.state}-wal").stat().st_mode) == 0o600


# --- tenants ------------------------------------------------------------------------------------


async def test_tenants_come_back_as_they_were(tmp_path):
    async with story(tmp_path) as told:
        body = {
            "id": "other", "scenario_yaml": "name: own\nseed: 5\nrules:\n  - {name: busy, call: {outcome: busy}}\n",
            "clock": {"mode": "manual", "start": "2026-03-01T00:00:00Z"}, "callback_urls": {"nxcloud": "http://127.0.0.1:9/x"},
            "credentials": {"nxcloud": {"appkey": "mine", "secretkey": "too"}},
        }  # fmt: skip
        await over_control(told, "POST", "/v1/tenants", json=body)
        await over_control(told, "POST", "/v1/tenants", json={"id": "gone"})
        await over_control(told, "DELETE", "/v1/tenants/gone")
        await over_control(told, "POST", "/v1/tenants", json={"id": "ticking", "clock": "60x"})
        await over_control(
            told, "PATCH", "/v1/tenants/other", json={"settings": {"nxcloud": {"balance": "3"}}, "seed": 9}
        )
        await over_control(told, "PUT", "/v1/tenants/default/scenario", json={"name": "all-busy"})
        await over_control(told, "POST", "/v1/tenants/other/clock/advance", json={"seconds": 90})
        before = (await over_control(told, "GET", "/v1/tenants"))["tenants"]
        assert [tenant["id"] for tenant in before] == ["default", "other", "ticking"]
        await told.die()
        after = (await over_control(told, "GET", "/v1/tenants"))["tenants"]
        then, now = before.pop()["now"], after.pop()["now"]
        assert now > then, "a clock that runs has gone on meanwhile"
        assert after == before
        placed = await told.ask(SEND, data={**GPSEND, "appkey": "mine", "secretkey": "too"})
        assert placed["code"] == "0"
        other = told.emulator.runtime.tenancy.get("other")
        assert [call.plan.outcome for call in other.ledger] == ["busy"]
        assert other.ids.drawn_hexadecimal(8) != default(told).ids.drawn_hexadecimal(8)
        # The start-up state is known too.
        await over_control(told, "POST", "/v1/tenants/other/reset?to=start")
        reset = await over_control(told, "GET", "/v1/tenants/other")
        assert (reset["seed"], reset["now"]) == (5, "2026-03-01T00:00:00.000000+00:00")


async def test_what_was_reset_or_deleted_stays_away(tmp_path):
    async with story(tmp_path) as told:
        await place(told)
        await told.emu.settle()
        await place(told)
        await over_control(told, "POST", "/v1/tenants/default/reset")
        await told.die()
        assert len(default(told).ledger) == 0
        assert default(told).conservation.accepted == 0
        await told.emu.settle()
        assert len(told.receiver.received) == 1
        await place(told)
        await told.emu.settle()
        assert len(told.receiver.received) == 2


async def test_scenario_on_the_command_line_wins_when_it_is_another_one(tmp_path):
    async with story(tmp_path, MANY) as told:
        await over_control(told, "PUT", "/v1/tenants/default/scenario", json={"name": "all-busy"})
        await told.die()
        assert default(told).scenario.name == "all-busy"
        told.scenario = MANY.replace("many", "others")
        await told.die()
        assert default(told).scenario.name == "others"
        await told.die()
        assert default(told).scenario.name == "others"


async def test_clock_on_the_command_line_wins_when_it_is_another_one_and_goes_on_from_there(tmp_path):
    async with story(tmp_path) as told:
        await told.emu.advance("1h")
        told.options["clock"] = ClockSpec("manual")
        await told.die()
        assert default(told).now == START + 3_600_000_000
        told.options["clock"] = ClockSpec("scaled", 60.0)
        await told.die()
        assert START + 3_600_000_000 <= default(told).now < START + 2 * 3_600_000_000


# --- pushes -------------------------------------------------------------------------------------


async def on_the_wire(told: Story) -> asyncio.Task[Any]:
    """A push that its receiver does not answer before the emulator dies."""
    arrived, never = asyncio.Event(), asyncio.Event()

    async def hang(_: Any) -> None:
        arrived.set()
        await never.wait()

    told.receiver.before_answer = hang
    advancing = asyncio.ensure_future(told.emu.settle())
    await asyncio.wait_for(arrived.wait(), PATIENCE)
    return advancing


async def die_with_a_push_on_the_wire(told: Story) -> None:
    advancing = await on_the_wire(told)
    before = told.state
    told.deaths += 1
    for end in ("", "-wal"):
        shutil.copyfile(f"{before}{end}", f"{told.state}{end}")
    advancing.cancel()
    await asyncio.wait([advancing])
    await told.end()
    told.receiver.before_answer = None
    await told.begin()


async def test_a_push_on_the_wire_becomes_uncertain_and_is_never_made_again_by_itself(tmp_path):
    retrying = "name: retrying\nrules:\n  - {name: again, receipt: {retry: {attempts: 5, every: 10s}}}\n"
    async with story(tmp_path, retrying) as told:
        await place(told)
        await die_with_a_push_on_the_wire(told)
        tenant = default(told)
        await told.emu.settle()
        assert len(told.receiver.received) == 1
        (attempt,) = tenant.attempts
        assert attempt.outcome is PushOutcome.UNCERTAIN
        shown = (await over_control(told, "GET", "/v1/tenants/default/callbacks"))["callbacks"]
        assert [(each["outcome"], each["attempt"], each["status"]) for each in shown] == [
            ("uncertain", 1, None)
        ]
        report = await over_control(told, "GET", "/v1/tenants/default/report?format=json")
        books = report["conservation"]
        assert (books["accepted"], books["uncertain"], books["pending"], books["orphan"]) == (1, 1, 0, 0)
        # It stays so, whatever happens to the process.
        await told.die()
        assert default(told).conservation.count(Fate.UNCERTAIN) == 1
        # Whoever wants it again has to say so.
        (call,) = default(told).ledger
        await over_control(told, "POST", f"/v1/tenants/default/calls/{call.id}/push")
        assert len(told.receiver.received) == 2
        assert default(told).conservation.count(Fate.ACKNOWLEDGED) == 1


async def test_held_and_retried_pushes_are_still_made(tmp_path):
    rules = (
        "name: held\nrules:\n  - {name: held, match: {number: '*1'}, receipt: {hold: 2}}\n"
        "  - {name: again, match: {number: '*2'}, receipt: {retry: {attempts: 3, every: 1h}}}\n"
    )
    async with story(tmp_path, rules) as told:
        told.receiver.answer_once(500)
        await place(told, "6281200010112")
        await place(told, "6281200010111")
        await told.emu.advance("1m")
        assert [push.fields["phone"] for push in told.receiver.received] == ["6281200010112"]
        await told.die()
        await told.emu.settle()
        assert [push.fields["phone"] for push in told.receiver.received] == [
            "6281200010112", "6281200010112", "6281200010111",
        ]  # fmt: skip


async def test_calls_forgotten_by_the_ledger_still_make_their_pushes_and_then_leave_the_file(tmp_path):
    late = "name: late\nproviders:\n  nxcloud: {batch_limit: 5000}\nrules:\n  - {name: late, receipt: {delay: 1h}}\n"
    async with story(tmp_path, late, calls_limit=10) as told:
        phones = [f"62812000{index:03d}9" for index in range(100)]
        await place(told, *phones)
        await told.emu.advance("10m")
        assert len(default(told).ledger) == 10
        await told.die()
        assert len(default(told).ledger) == 10
        assert default(told).ledger.forgotten == 90
        await told.emu.settle()
        assert sorted(push.fields["phone"] for push in told.receiver.received) == phones
        assert default(told).conservation.count(Fate.ACKNOWLEDGED) == 100
        await place(told)
        await told.emu.settle()
        await told.end()
        with sqlite3.connect(told.state) as file:
            kinds = dict(file.execute("SELECT kind, count(*) FROM kept GROUP BY kind"))
            assert (kinds["call"], kinds["progress"], kinds["ended"], kinds["submission"]) == (10, 10, 10, 2)
            assert "push" not in kinds
        file.close()
        await told.begin()


async def test_a_queue_that_was_to_be_cleared_at_midnight_is_cleared_after_it(tmp_path):
    lines = "name: lines\nproviders:\n  infin8linx: {dial_concurrency: 1}\nrules:\n  - {name: long, call: {outcome: answered, talk: 10m}}\n"
    from tests.providers.infin8linx.account import BATCH

    async with story(tmp_path, lines) as told:
        await told.emu.advance("14h")
        await told.ask(
            "/api/yunhu", data={**BATCH, "destnumber": "6281200011,6281200012,6281200013", "todayonly": "1"}
        )
        await told.emu.advance("1m")
        told.options["clock"] = ClockSpec("manual", start=START + 16 * 3_600_000_000)
        await told.die()
        await told.emu.settle()
        calls = list(default(told).ledger)
        assert [call.dropped for call in calls] == [False, True, True]


# --- files that do not fit ----------------------------------------------------------------------


async def start_with(path: Path) -> None:
    emulator = Emulator(Options(port=0, control_port=0, state=path), grace=0.1)
    try:
        await emulator.start()
    finally:
        await emulator.close()


async def test_a_file_is_used_by_one_emulator_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("voice_emulator.state.database.PATIENCE", 0.05)
    async with story(tmp_path) as told:
        with pytest.raises(StateError, match="in use by another process"):
            await start_with(told.state)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_what_is_no_database_is_refused_and_left_alone(tmp_path, content: bytes):
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(StateError, match="cannot be used as a state file"):
        await start_with(path)
    assert path.read_bytes() == content


async def test_the_database_of_something_else_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE people(name)")
    file.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="a database of another program"):
        await start_with(path)
    assert path.read_bytes() == before


async def test_a_file_of_another_layout_is_refused(tmp_path):
    async with story(tmp_path) as told:
        path = told.state
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version=99")
    file.close()
    with pytest.raises(StateError, match="layout 99"):
        await start_with(path)


@pytest.mark.parametrize(
    "snapshot",
    [
        '["o","os:environ",{}]',
        '["o","subprocess:Popen",{}]',
        "[",
        '["d","scenario",3]',
        '["e","builtins:print","x"]',
    ],
)
async def test_a_file_whose_contents_make_no_sense_is_refused_and_runs_nothing(tmp_path, snapshot: str):
    async with story(tmp_path) as told:
        path = told.state
    file = StateFile(path)
    file.open()
    file.commit({"default": Changes(put=[("tenant", "", snapshot)])})
    file.close()
    with pytest.raises(StateError, match="this version cannot read the state file"):
        await start_with(path)


async def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StateError, match="No such file or directory"):
        await start_with(tmp_path / "nowhere" / "state.db")


# --- a file that cannot be written any more ------------------------------------------------------


async def test_when_it_cannot_be_written_nothing_is_accepted_or_pushed_any_more(
    tmp_path, monkeypatch, caplog
):
    async with story(tmp_path) as told:
        await place(told)

        def full(_: StateFile, __: object) -> None:
            raise StateError("the state file cannot be written: database or disk is full")

        monkeypatch.setattr(StateFile, "commit", full)
        assert b"cannot be written any more" in await told.ask(
            SEND, data={**GPSEND, "phone": "6281200010999"}
        )
        assert told.heard[-1][0] == 500
        await asyncio.wait_for(told.emulator.until_stopped(), PATIENCE)
        assert told.emulator.lost_state is not None
        assert "database or disk is full" in told.emulator.lost_state
        advancing = asyncio.ensure_future(told.emu.settle())
        done, _ = await asyncio.wait([advancing], timeout=0.2)
        assert not done
        assert told.receiver.received == []
        advancing.cancel()
        await asyncio.wait([advancing])
        assert len([record for record in caplog.records if "cannot be written" in record.message]) == 1
        monkeypatch.undo()
        await told.emulator.close()
        # What had been kept is still there.
        await told.begin()
        assert [call.number for call in default(told).ledger] == [GPSEND["phone"]]
        await told.emu.settle()
        assert len(told.receiver.received) == 1


async def test_every_row_can_be_read_by_anybody_who_knows_json(tmp_path):
    async with story(tmp_path) as told:
        await place(told)
        await told.emu.settle()
        path = told.state
    with sqlite3.connect(path) as file:
        for (text,) in file.execute("SELECT value FROM kept"):
            json.loads(text)
    file.close()


# --- record ids ---------------------------------------------------------------------------------

UNEVEN = "name: uneven\nmagic_numbers: false\nrules:\n  - {name: all, call: {outcome: answered, ring: {uniform: [1s, 20s]}, talk: {uniform: [1s, 50s]}}}\n"


def bills_of(told: Story) -> list[tuple[int, str]]:
    calls = [call for call in default(told).ledger if call.record]
    return sorted((call.record, call.number) for call in calls)


@pytest.mark.parametrize("limit", [50_000, 3])
@pytest.mark.parametrize("at", ["0s", "20s", "40s", "90s"])
async def test_record_ids_go_on_where_they_were(tmp_path, limit, at):
    """Before, amid and after the calls, and when the last ones are forgotten already."""
    shown = []
    for dies in (False, True):
        folder = tmp_path / str(dies)
        folder.mkdir()
        async with story(folder, UNEVEN, calls_limit=limit) as told:
            for _ in range(2):
                await place(told, *(f"62812000{index:03}9" for index in range(12)))
                await told.emu.advance(at)
                if dies:
                    await told.die()
                await told.emu.settle()
                if dies:
                    await told.die()
            shown.append(bills_of(told))
            assert [record for record, _ in shown[-1]] == list(range(1_000_025 - min(24, limit), 1_000_025))
            call = next(call for call in default(told).ledger if call.record)
            assert call.provider_id != str(call.record), "NXCloud told a messageid"
    assert shown[0] == shown[1]


async def test_record_ids_start_anew_at_a_reset_that_a_death_follows(tmp_path):
    async with story(tmp_path) as told:
        for _ in range(2):
            await place(told, "6281234567890")
            await told.emu.settle()
            assert bills_of(told) == [(1_000_001, "6281234567890")]
            await over_control(told, "POST", "/v1/tenants/default/reset")
            await told.die()


async def test_the_id_of_a_record_comes_back_where_no_other_was_told(tmp_path):
    async with story(tmp_path) as told:
        form = {
            "service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey", "nationcode": "id",
            "destnumber": "81351111451,81351111452", "voicetype": "1", "voicefile": "hello",
        }  # fmt: skip
        assert (await told.ask("/api/yunhu", data=form))["code"] == 200
        await told.die()
        assert [call.provider_id for call in default(told).ledger] == ["", ""]
        await told.emu.settle()
        await told.die()
        assert sorted(call.provider_id for call in default(told).ledger) == ["1000001", "1000002"]
        pushed = [push.fields["id"] for push in told.receiver.received]
        assert pushed == [1_000_001, 1_000_002]


# --- what the contract says ---------------------------------------------------------------------


async def report(told: Story) -> Any:
    found = await over_control(told, "GET", "/v1/tenants/default/report?format=json")
    kept = {name: found[name] for name in ("summary", "conservation", "coverage")}
    kept["exercised"] = {rule["id"]: rule["exercised"] for rule in found["rules"]}
    # Entries of the journal end with the process.
    kept["findings"] = [
        {
            **group,
            "examples": [
                {**each, "entry": None, "message": each["message"].split(" that ")[0]}
                for each in group["examples"]
            ],
        }
        for group in found["findings"]
    ]
    for rule in kept["coverage"]["rules"]["unused"]:
        rule["nearest"] = None  # the first misses are forgotten
    return kept


async def test_a_red_run_is_as_red_after_a_restart(tmp_path):
    """Refused requests, orphans and pages that were not read: verdict, findings, coverage and conservation are kept."""
    lost = (
        "name: lost\nproviders:\n  nxcloud: {batch_limit: 50}\nrules:\n"
        "  - {name: lost, match: {number: '*7'}, receipt: {lost: true}}\n  - {name: never, match: {number: '*99999'}, call: {outcome: busy}}\n"
    )
    async with story(tmp_path, lost, calls_limit=5) as told:
        await told.ask(SEND, data={**GPSEND, "secretkey": "wrong"})
        await told.ask(SEND, data={"appkey": GPSEND["appkey"]})
        await place(told, *(f"62812000{index:03d}7" for index in range(9)))
        told.receiver.answer_once(200, "not what was asked for")
        await place(told)
        await told.emu.settle()
        answer = await told.ask("/api/voiceSms/getVoiceCdr", data={**GOOD["getVoiceCdr"], "page_size": "2"})
        assert answer["info"]["total"] > 2
        before = await report(told)
        rules = {group["rule"] for group in before["findings"]}
        assert {"orphaned-call", "pages-unread", "schema-violation"} <= rules
        assert before["summary"]["verdict"] == "violations"
        assert before["summary"]["judged"] == 5
        await told.die()
        assert await report(told) == before
        await told.die()
        assert await report(told) == before
        await over_control(told, "POST", "/v1/tenants/default/reset")
        await told.die()
        empty = (await report(told))["summary"]
        assert (empty["verdict"], empty["judged"], empty["errors"]) == ("empty", 0, 0)


async def test_an_orphan_that_the_client_finds_after_a_restart_is_none_after_the_next(tmp_path):
    lost = "name: lost\nrules:\n  - {name: lost, receipt: {lost: true}}\n"
    async with story(tmp_path, lost) as told:
        await place(told)
        await told.emu.settle()
        await told.die()
        assert [orphan.last for orphan in default(told).conservation.orphans] == [PushOutcome.LOST]
        await told.ask("/api/voiceSms/getVoiceCdr", data=GOOD["getVoiceCdr"])
        assert list(default(told).conservation.orphans) == []
        await told.die()
        assert list(default(told).conservation.orphans) == []
        assert default(told).conservation.count(Fate.RECONCILED) == 1


async def test_requests_that_the_emulator_failed_at_are_not_judged_after_a_restart(tmp_path):
    async with story(tmp_path) as told:
        memory_of(default(told)).own_failures = 1
        await told.ask(SEND, data=GPSEND)
        assert (await report(told))["summary"]["judged"] == 0
        await told.die()
        assert (await report(told))["summary"]["judged"] == 0


async def test_a_receipt_that_is_pushed_again_after_a_restart_is_not_timed_again(tmp_path):
    counted = 'voice_emulator_receipt_seconds_count{provider="nxcloud"}'

    async def count(told: Story) -> str:
        async with told.client.get(f"{told.emulator.runtime.control}/metrics") as reply:
            [line] = [line for line in (await reply.text()).splitlines() if line.startswith(counted)]
            return line.removeprefix(counted).strip()

    async with story(tmp_path) as told:
        await place(told)
        await told.emu.settle()
        assert await count(told) == "1.0"
        await told.die()
        assert await count(told) == "0.0"
        [call] = default(told).ledger
        before = len(told.receiver.received)
        await over_control(told, "POST", f"/v1/tenants/default/calls/{call.id}/push")
        await told.emu.settle()
        assert len(told.receiver.received) == before + 1
        assert await count(told) == "0.0"


# --- the machine --------------------------------------------------------------------------------


async def test_calls_that_end_and_are_forgotten_at_once_leave_no_rows(tmp_path):
    quick = "name: quick\nproviders:\n  nxcloud: {batch_limit: 5000}\nrules: []\n"
    async with story(tmp_path, quick, calls_limit=3) as told:
        for batch in range(3):
            await place(told, *(f"6281200{batch}{index:03d}9" for index in range(600)))
            await told.emu.settle()
        await told.end()
        with sqlite3.connect(told.state) as file:
            kinds = dict(file.execute("SELECT kind, count(*) FROM kept GROUP BY kind"))
        file.close()
        assert (kinds["call"], kinds["progress"], kinds["ended"], kinds["submission"]) == (3, 3, 3, 1)
        await told.begin()
        assert [call.number for call in default(told).ledger] == [
            f"62812002{index:03d}9" for index in (597, 598, 599)
        ]


@pytest.mark.parametrize("clock", ["real", "60x"])
async def test_what_is_pending_does_not_wait_longer_because_the_wall_clock_was_set_back(
    tmp_path, monkeypatch, clock: str
):
    wall = machine_time.wall_now()
    monkeypatch.setattr(machine_time, "_wall", lambda: wall * 1000)
    monkeypatch.setattr(machine_time, "_steady", lambda: 0)
    async with story(
        tmp_path, "name: slow\nrules:\n  - {name: slow, call: {outcome: answered, ring: 100s}}\n"
    ) as told:
        told.options["clock"] = parse_clock(clock)
        await told.die()
        await place(told)
        tenant = default(told)
        due, now = tenant.engine.next_due(), tenant.now
        wait = tenant.clock.wall_delay(due)
        monkeypatch.setattr(machine_time, "_wall", lambda: (wall - 3_600_000_000) * 1000)
        await told.die()
        tenant = default(told)
        assert (tenant.engine.next_due(), tenant.now) == (due, now)
        assert tenant.clock.wall_delay(due) == wait


async def test_a_file_deleted_under_a_running_emulator_stops_it_before_anything_more_is_accepted(tmp_path):
    async with story(tmp_path) as told:
        await place(told)
        told.state.unlink()
        answer = await told.ask(SEND, data={**GPSEND, "phone": "6281200010999"})
        assert b"cannot be written any more" in answer
        await asyncio.wait_for(told.emulator.until_stopped(), PATIENCE)
        assert "was deleted or replaced while in use" in str(told.emulator.lost_state)
        await told.emulator.close()
        with pytest.raises(StateError, match=r"is missing, but its log state-0\.db-wal is there"):
            await told.begin()
        Path(f"{told.state}-wal").unlink()
        await told.begin()


async def test_an_idle_emulator_notices_too(tmp_path, monkeypatch):
    monkeypatch.setattr("voice_emulator.app.TICK", 0.01)
    async with story(tmp_path) as told:
        Path(f"{told.state}-wal").unlink()
        await asyncio.wait_for(told.emulator.until_stopped(), PATIENCE)
        assert "was deleted or replaced while in use" in str(told.emulator.lost_state)
        await told.emulator.close()
        told.state.unlink()
        await told.begin()
