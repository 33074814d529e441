"""Files that are not as they were left: each is refused in one line, or everything is there."""

from __future__ import annotations

import logging
import os
import random
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import COMMAND, command
from tests.state.test_store import contents
from voice_emulator.errors import StateError
from voice_emulator.state import database
from voice_emulator.state.database import LAYOUT, StateFile
from voice_emulator.state.store import Changes, Row

SECRET = "top-secret-value"
Found = dict[str, list[Row]]


def rows(first: int, count: int) -> list[Row]:
    return [
        (
            ("call", "progress", "push")[number % 3],
            f"{number:05}",
            f"{SECRET} {number} " + "x" * (number * 7 % 300),
        )
        for number in range(first, first + count)
    ]


@dataclass
class Left:
    """A file as some process left it, and its log if it was killed."""

    file: bytes
    log: bytes | None

    def put(self, path: Path) -> None:
        log = Path(f"{path}-wal")
        for each, content in ((path, self.file), (log, self.log)):
            each.unlink(missing_ok=True)
            if content is not None:
                each.touch(0o600)
                each.write_bytes(content)


def left(path: Path) -> Left:
    log = Path(f"{path}-wal")
    return Left(path.read_bytes(), log.read_bytes() if log.exists() else None)


@pytest.fixture(scope="module")
def leavings(tmp_path_factory) -> dict[str, Left]:
    """By what happened: killed soon, killed when the log had been written into the file, ended."""
    path = tmp_path_factory.mktemp("leavings") / "state.db"
    file = StateFile(path)
    file.open()
    found = {}
    for step in range(12):
        file.commit({"default": Changes(put=rows(step * 10, 10), drop=[("call", f"{step * 3:05}")])})
    found["killed"] = left(path)
    file._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    found["settled"] = left(path)
    for step in range(5):
        file.commit({"default": Changes(put=rows(step * 20, 20)), "other": Changes(put=rows(step, 5))})
    found["killed later"] = left(path)
    file.close()
    found["ended"] = left(path)
    assert found["ended"].log is None
    return found


def opened(path: Path) -> Found:
    """What a new process finds, writes on, and what the one after it finds."""
    file = StateFile(path)
    found = contents(file)
    file.open()
    file.close()
    again = StateFile(path)
    assert contents(again) == found
    again.close()
    return found


def refused(path: Path) -> str:
    """Why the file is refused: in one line, without contents, and nothing is changed or left behind."""
    before, names = left(path), sorted(path.parent.iterdir())
    with pytest.raises(StateError) as caught:
        StateFile(path)
    assert left(path) == before
    assert sorted(path.parent.iterdir()) == names
    why = str(caught.value)
    assert "\n" not in why
    assert SECRET not in why
    assert len(why) < 250 + len(str(path)) * 2
    return why


# --- damage at random ---------------------------------------------------------------------------


def spoil(dice: random.Random, content: bytes) -> bytes:
    """Some damage: bytes changed, a run of bytes, a lost or swapped page, an end cut off, garbage at the end."""
    spoilt = bytearray(content)
    place = dice.randrange(len(spoilt))
    kind = dice.choice(["byte", "byte", "bytes", "run", "page", "cut", "cut page", "swap", "more", "bit"])
    if kind == "byte":
        spoilt[place] = dice.randrange(256)
    elif kind == "bit":
        spoilt[place] ^= 1 << dice.randrange(8)
    elif kind == "bytes":
        for _ in range(dice.randrange(2, 40)):
            spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
    elif kind == "run":
        spoilt[place : place + dice.randrange(1, 600)] = dice.randbytes(dice.randrange(1, 600))
    elif kind == "page":
        page = place // 4096 * 4096
        spoilt[page : page + 4096] = bytes(4096)
    elif kind == "swap":
        one, other = (dice.randrange(max(1, len(spoilt) // 4096)) * 4096 for _ in range(2))
        spoilt[one : one + 4096], spoilt[other : other + 4096] = (
            spoilt[other : other + 4096],
            spoilt[one : one + 4096],
        )
    elif kind == "cut":
        del spoilt[place:]
    elif kind == "cut page":
        del spoilt[place // 4096 * 4096 :]
    else:
        spoilt += dice.randbytes(place)
    return bytes(spoilt)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_damage_at_random_is_refused_or_does_no_harm(tmp_path, leavings, seed: int):
    dice = random.Random(seed if seed == 2 else None)
    path = tmp_path / "state.db"
    intact = {}
    for name, each in leavings.items():
        each.put(path)
        intact[name] = opened(path)
    tally = {True: 0, False: 0}
    for number in range(250 if seed == 1 else 5_000):
        state = dice.getstate()
        name = dice.choice(list(leavings))
        each = leavings[name]
        if each.log is not None and dice.random() < 0.5:
            spoilt = Left(each.file, spoil(dice, each.log) if dice.random() < 0.9 else None)
        else:
            spoilt = Left(spoil(dice, each.file), each.log)
        spoilt.put(path)
        try:
            StateFile(path).close()
        except StateError:
            refused(path)
            tally[False] += 1
            continue
        assert opened(path) == intact[name], (number, name, hash(state))
        tally[True] += 1
    assert tally[True] > 5, "some damage does no harm"
    assert tally[False] > 100, tally


# --- damage by kind -----------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.mark.parametrize("name", ["killed", "killed later"])
def test_a_log_that_is_needed_and_missing_or_cut_is_noticed(path, leavings, name: str):
    each = leavings[name]
    for log in (None, b"", each.log[:32], each.log[: len(each.log) // 8], bytes(len(each.log))):
        Left(each.file, log).put(path)
        assert "state.db-wal is missing or broken" in refused(path)


@pytest.mark.parametrize("pages", [1, 2, 3, 5, 8, 11])
def test_killed_while_the_log_is_written_into_the_file(path, leavings, pages: int):
    """The first pages are new and the others old: with the log nothing is lost, and without it that is noticed."""
    old, new = leavings["killed"], leavings["settled"]
    torn = new.file[: pages * 4096] + old.file[pages * 4096 :]
    Left(torn, old.log).put(path)
    found = opened(path)
    new.put(path)
    assert opened(path) == found
    Left(torn, None).put(path)
    refused(path)


def test_a_log_that_is_not_needed_may_be_missing(path, leavings):
    Left(leavings["settled"].file, None).put(path)
    found = opened(path)
    leavings["killed"].put(path)
    assert opened(path) == found


def test_a_log_of_an_older_copy_is_noticed(path, leavings):
    Left(leavings["killed later"].file, leavings["killed"].log).put(path)
    refused(path)


def test_the_file_missing_beside_its_log_is_noticed(path, leavings):
    leavings["killed"].put(path)
    path.unlink()
    with pytest.raises(StateError, match=r"is missing, but its log state\.db-wal is there"):
        StateFile(path)
    assert not path.exists()


def test_an_empty_file_is_not_taken_for_a_new_one(path):
    path.touch()
    assert "is damaged: it is empty" in refused(path)


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM kept WHERE key='00031'", "rows are missing"),
        ("DELETE FROM kept", "rows are missing"),
        (
            "INSERT INTO kept SELECT 9999, tenant, kind, 'more', value, sum FROM kept LIMIT 1",
            "contents of a row",
        ),
        ("UPDATE kept SET value='y' WHERE key='00031'", "contents of a row"),
        ("UPDATE kept SET tenant='other' WHERE key='00031'", "contents of a row"),
        ("UPDATE kept SET key=NULL WHERE key='00031'", "cannot read it"),
        ("UPDATE kept SET value=x'ff00' WHERE key='00031'", "contents of a row"),
        ("UPDATE kept SET sum='text' WHERE key='00031'", "contents of a row"),
        ("UPDATE sums SET commits=commits-1", "missing or broken"),
        ("DELETE FROM sums", "cannot read it"),
        ("DELETE FROM mark", "count of commits"),
        ("DROP TABLE kept", "tables are not those"),
        ("DROP TABLE sums", "tables are not those"),
        ("DROP INDEX kept_key", "tables are not those"),
        ("ALTER TABLE kept DROP COLUMN value", "tables are not those"),
        ("ALTER TABLE kept RENAME COLUMN value TO text", "tables are not those"),
        ("CREATE TABLE more(x)", "tables are not those"),
    ],
)
def test_what_another_program_did_to_it_is_noticed(path, leavings, statement: str, why: str):
    leavings["ended"].put(path)
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA secure_delete=ON")
        file.execute(statement)
    file.close()
    assert why in refused(path)


def test_a_file_without_any_table_is_no_new_one(path, leavings):
    leavings["ended"].put(path)
    with sqlite3.connect(path, isolation_level=None) as file:
        for table in ("kept", "sums", "mark"):
            file.execute(f"DROP TABLE {table}")
    assert "tables are not those" in refused(path)
    file.execute("PRAGMA application_id=0")
    file.execute("PRAGMA user_version=0")
    assert "tables are not those" in refused(path)
    file.execute("VACUUM")
    file.close()
    assert opened(path) == {}, "now nothing tells it from a new database"


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mark", "COMMIT", "wal_checkpoint", "UPDATE sums", "mark", "end"]
)
def test_killed_while_the_file_is_made(path, monkeypatch, statement: str):
    """Whatever is there then, the next start makes a file of it, and that one is checked like any other."""
    made = StateFile(path)

    class Dying:
        def __init__(self, *args: Any, **options: Any) -> None:
            self.connection = connect(*args, **options)

        def execute(self, text: str, *values: object) -> object:
            if statement in text:
                raise Killed
            return self.connection.execute(text, *values)

        def __getattr__(self, name: str) -> object:
            return getattr(self.connection, name)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", Dying)
    if statement == "mark":
        monkeypatch.setattr(made, "_write_mark", lambda: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed) if statement != "end" else nullcontext():
        made.open()
    copied = left(path)
    monkeypatch.undo()
    made.close()
    copied.put(path)
    assert opened(path) == {}
    file = StateFile(path)
    file.open()
    file.commit({"default": Changes(put=rows(0, 50))})
    copied = left(path)
    file.close()
    Left(copied.file, None).put(path)
    assert "missing or broken" in refused(path)


def test_what_a_backup_or_a_vacuum_does_is_no_damage(path, leavings):
    leavings["ended"].put(path)
    found = opened(path)
    with sqlite3.connect(path, isolation_level=None) as file:
        file.execute("VACUUM")
    file.close()
    assert opened(path) == found


def test_a_file_of_the_layout_before_is_refused_by_its_number(path):
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE tenants(seq INTEGER PRIMARY KEY)")
        file.execute(f"PRAGMA application_id={database.APPLICATION}")
        file.execute(f"PRAGMA user_version={LAYOUT - 1}")
    file.close()
    assert f"another version (layout {LAYOUT - 1}, this one reads {LAYOUT})" in refused(path)


def test_after_a_power_failure_what_is_lost_is_said_and_the_rest_is_there(
    path, leavings, monkeypatch, caplog
):
    """The same log, cut: in the same run of the machine it is damage, after another start of it a loss to be told."""
    each = leavings["killed"]
    Left(each.file, each.log[: len(each.log) // 2]).put(path)
    monkeypatch.setattr(database, "_machine_run", lambda: b"another start   ")
    with caplog.at_level(logging.WARNING):
        found = opened(path)
    assert 0 < len(found["default"]) < 110
    (record,) = caplog.records
    assert "the machine stopped before the last" in record.getMessage()


@pytest.mark.parametrize("name", ["a link.db", "50% of #1?.db", "état.db", "-wal"])
def test_names_of_every_kind(tmp_path, leavings, name: str):
    """Also a link: SQLite puts the log beside the file that it leads to."""
    path = real = tmp_path / name
    if name == "a link.db":
        real = tmp_path / "elsewhere" / "state.db"
        real.parent.mkdir()
        path.symlink_to(real)
    leavings["killed"].put(real)
    found = opened(path)
    assert len(found["default"]) > 100
    file = StateFile(path)
    file.open()
    file.commit({"default": Changes(only=())})
    copied = left(real)
    file.close()
    copied.put(real)
    assert opened(path) == {}


def odd_places(folder: Path) -> Iterator[Path]:
    yield folder
    yield Path("/dev/null")
    yield folder / "nowhere" / "state.db"
    (folder / "loop").symlink_to(folder / "loop")
    yield folder / "loop"
    os.mkfifo(folder / "pipe")
    yield folder / "pipe"


def test_what_cannot_be_a_file_is_refused_in_a_line(tmp_path):
    for path in odd_places(tmp_path):
        with pytest.raises(StateError, match=f"the state file {path} (cannot be|is)") as caught:
            StateFile(path).open()
        assert "\n" not in str(caught.value)


# --- the file under a running process -----------------------------------------------------------


@pytest.fixture
def running(path: Path) -> Iterator[StateFile]:
    file = StateFile(path)
    file.open()
    file.commit({"default": Changes(put=rows(0, 5))})
    yield file
    file.close()


def moved(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))


def replaced(path: Path) -> None:
    shutil.copyfile(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


@pytest.mark.parametrize("ending", ["", "-wal"])
@pytest.mark.parametrize("loss", [Path.unlink, moved, replaced])
def test_a_file_lost_under_a_running_process_is_noticed(
    path, running, loss: Callable[[Path], None], ending: str
):
    running.check()
    loss(Path(f"{path}{ending}"))
    for work in (running.check, lambda: running.commit({"default": Changes(put=rows(5, 5))})):
        with pytest.raises(StateError, match="deleted or replaced while in use"):
            work()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_tightened_and_that_is_said(path, leavings, caplog, mode: int):
    leavings["killed"].put(path)
    for each in (path, Path(f"{path}-wal")):
        each.chmod(mode)
    file = StateFile(path)
    file.open()
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    assert f"had mode {mode:04o}: it is 0600 now" in caplog.text
    file.close()


def test_a_mode_that_cannot_be_changed_is_said(path, leavings, caplog, monkeypatch):
    leavings["ended"].put(path)
    path.chmod(0o644)

    def denied(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", denied)
    opened(path)
    assert "mode 0644, and it cannot be changed: Operation not permitted" in caplog.text


def test_a_refused_file_keeps_its_mode(path, leavings):
    Left(leavings["killed"].file, None).put(path)
    path.chmod(0o644)
    refused(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_serve_says_it_in_one_line_and_exits_1(path, leavings):
    Left(leavings["killed"].file, None).put(path)
    done = command("serve", "--port", 0, "--control-port", 0, "--state", path, program=COMMAND)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"Error: the state file {path} is damaged: its log state.db-wal is missing or broken"
    )
    assert left(path) == Left(leavings["killed"].file, None)
