"""The state file: an SQLite database, locked by the one process that uses it.

It uses write-ahead logging with ``synchronous=NORMAL``: a commit survives the death of the process. After a power
failure the last commits may be missing, but the file is intact.

SQLite notices damage to its own structure, but neither a changed byte within a value nor a missing row or log. So each row
has a checksum, the file has the sum of all of them, and outside of SQLite's transactions there is a mark: how many
commits there were. It is written in place, into a page of the file that SQLite never writes again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO
from urllib.parse import quote
from uuid import UUID
from zlib import crc32

from voice_emulator.errors import StateError
from voice_emulator.state.store import Changes, Row

log = logging.getLogger(__name__)

#: SQLite's application_id of a state file, and the version (user_version) of its tables and of the texts in them.
APPLICATION = 0x564F4943
LAYOUT = 4
#: Seconds to wait for the lock: the process before this one may still be ending.
PATIENCE = 2.0

_SCHEMA = (
    "CREATE TABLE mark(page BLOB)",
    "CREATE TABLE sums(kept INTEGER, total INTEGER, commits INTEGER)",
    "CREATE TABLE kept(seq INTEGER PRIMARY KEY, tenant TEXT, kind TEXT, key TEXT, value TEXT, sum INTEGER)",
    "CREATE UNIQUE INDEX kept_key ON kept(tenant, key, kind)",
)
#: Of this connection alone: rows that anything else changes no longer fit the sums.
_TRIGGERS = (
    "CREATE TEMP TRIGGER added AFTER INSERT ON kept BEGIN UPDATE sums SET kept=kept+1, total=total+new.sum; END",
    "CREATE TEMP TRIGGER changed AFTER UPDATE ON kept BEGIN UPDATE sums SET total=total-old.sum+new.sum; END",
    "CREATE TEMP TRIGGER dropped AFTER DELETE ON kept BEGIN UPDATE sums SET kept=kept-1, total=total-old.sum; END",
)
#: In SQLite's messages about what is not the fault of the file.
_OUTSIDE = ("unable to open", "disk is full", "disk I/O", "readonly")
_PUT = (
    "INSERT INTO kept(tenant, kind, key, value, sum) VALUES(?, ?, ?, ?, ?)"
    " ON CONFLICT(tenant, key, kind) DO UPDATE SET value=excluded.value, sum=excluded.sum"
)
_NEWEST = (
    "DELETE FROM kept WHERE tenant=?1 AND kind=?2 AND seq <="
    " (SELECT seq FROM kept WHERE tenant=?1 AND kind=?2 ORDER BY seq DESC LIMIT 1 OFFSET ?3)"
)
#: Precedes the mark: how many commits there were, in which run of the machine; then a checksum of both.
_MAGIC = b"voice-emulator: commits so far. "
#: It is in one of the first pages: its row is written first.
_BEGINNING = 65_536
_MARK = struct.Struct("<Q16s")
#: Long enough for a page of its own after the row's first part, wherever that ends. Zeros, and the magic in that page.
_BLOB = bytes(6_000) + _MAGIC + bytes(10_000)


class StateFile:
    """A :class:`~voice_emulator.state.store.Store` in one file."""

    def __init__(self, path: Path) -> None:
        """Read and check the file; nothing is written before :meth:`open`.

        Raises StateError when it is in use, cannot be opened, is not a state file, or is damaged.
        """
        self.path = path
        with self._explained():
            # SQLite puts the log beside the file that a link leads to.
            self._real = path.resolve()
        self._log = Path(f"{self._real}-wal")
        self._connection: sqlite3.Connection
        self._raw: IO[bytes]
        self._mark_at = 0
        self._commits = 0
        self._fresh = True
        self._rows: dict[str, list[Row]] = {}
        self._names = (str(self._real), str(self._log))
        #: What these names led to when it was opened.
        self._inodes: list[int] = []
        with self._explained():
            logged = self._log.exists() and self._log.stat().st_size > 0
            if path.exists() and not path.is_file():
                raise StateError(f"{self.name} cannot be opened: it is not a file")
            if path.exists():
                index = Path(f"{self._real}-shm")
                known = index.exists()
                try:
                    self._read(logged)
                finally:
                    if not known:
                        # SQLite's index of the log; who uses the file alone needs none.
                        index.unlink(missing_ok=True)
            elif logged:
                raise StateError(f"the state file {path} is missing, but its log {self._log.name} is there")

    @property
    def name(self) -> str:
        """See :class:`~voice_emulator.state.store.Store`."""
        return f"the state file {self.path}"

    def _damaged(self, why: str) -> StateError:
        return StateError(
            f"{self.name} is damaged: {why}; it was left as it is, move it and its log away to start with an empty one"
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Whatever goes wrong is a StateError, and the file is closed."""
        try:
            yield
        except StateError:
            self.close()
            raise
        except (OSError, RuntimeError) as error:
            self.close()
            why = getattr(error, "strerror", None) or error
            raise StateError(f"{self.name} cannot be opened: {why}") from error
        except (sqlite3.Error, ValueError, TypeError, ArithmeticError, MemoryError) as error:
            self.close()
            if "locked" in str(error):
                raise StateError(f"{self.name} is in use by another process") from error
            if any(word in str(error) for word in _OUTSIDE):
                raise StateError(f"{self.name} cannot be opened: {error}") from error
            if "not a database" in str(error):
                raise StateError(
                    f"{self.path} cannot be used as a state file: it is not a database"
                ) from error
            raise self._damaged("SQLite cannot read it") from error

    # --- reading ------------------------------------------------------------------------------

    def _read(self, logged: bool) -> None:
        # Read-only, so that closing it does not write the log into a file that is refused. Without a log nobody else
        # uses the file, and SQLite need not create one.
        way = "mode=ro" if logged else "mode=ro&immutable=1"
        found = sqlite3.connect(
            f"file:{quote(os.fsencode(self._real))}?{way}", uri=True, timeout=PATIENCE, isolation_level=None
        )
        self._connection = found
        found.text_factory = bytes
        run = found.execute
        run("BEGIN")
        application, layout = (
            run(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        schema = [sql for (sql,) in run("SELECT sql FROM sqlite_master ORDER BY rowid")]
        if (application, layout) != (APPLICATION, LAYOUT) and (schema or application or layout):
            why = "it is a database of another program"
            if application == APPLICATION:
                why = f"it was written by another version (layout {layout}, this one reads {LAYOUT})"
            raise StateError(f"{self.path} cannot be used as a state file: {why}")
        self._raw = self._real.open("r+b", buffering=0)
        if os.fstat(self._raw.fileno()).st_size == 0:
            raise self._damaged("it is empty")
        self._fresh = not (schema or application or run("PRAGMA page_count").fetchone()[0] > 1)
        if not self._fresh:
            if schema != [sql.encode() for sql in _SCHEMA]:
                raise self._damaged("its tables are not those of a state file")
            if run("PRAGMA integrity_check(1)").fetchone()[0] != b"ok":
                raise self._damaged("its structure is broken")
            self._check_rows(found)
            self._check_mark()
        found.close()

    def _check_rows(self, found: sqlite3.Connection) -> None:
        """Read all rows, and compare them with the checksums."""
        ((kept, total, self._commits),) = found.execute("SELECT kept, total, commits FROM sums")
        for tenant, kind, key, value, sum_ in found.execute(
            "SELECT tenant, kind, key, value, sum FROM kept ORDER BY seq"
        ):
            if crc32(b"\0".join((tenant, kind, key, value))) != sum_:
                raise self._damaged("the contents of a row have changed")
            rows = self._rows.setdefault(tenant.decode(), [])
            rows.append((kind.decode(), key.decode(), value.decode()))
            kept, total = kept - 1, total - sum_
        if kept or total:
            raise self._damaged("rows are missing")

    def _check_mark(self) -> None:
        """Compare the commits that were made with those that are there: the others were in the log."""
        marked = self._find_mark()
        if marked is None:
            # Before the first mark, nothing was committed.
            if self._commits:
                raise self._damaged("its count of commits is missing")
            return
        known, machine_run, sum_ = marked
        if crc32(_MARK.pack(known, machine_run)) != sum_:
            raise self._damaged("its count of commits is broken")
        missing = known - self._commits
        if missing > 0:
            if machine_run == _machine_run():
                raise self._damaged(
                    f"its log {self._log.name} is missing or broken, and with it {missing} commits"
                )
            log.warning(
                "%s: the machine stopped before the last %d commits were on the disk: what they held is lost",
                self.name, missing,
            )  # fmt: skip

    def _find_mark(self) -> tuple[int, bytes, int] | None:
        """The mark as it is in the file, bypassing SQLite; None if there is none."""
        self._raw.seek(0)
        content = self._raw.read(_BEGINNING)
        place = content.find(_MAGIC)
        if place < 0:
            return None
        self._mark_at = place + len(_MAGIC)
        mark = content[self._mark_at : self._mark_at + _MARK.size + 4]
        if mark == bytes(len(mark)):
            return None
        return *_MARK.unpack(mark[:-4]), int.from_bytes(mark[-4:], "little")

    def tenants(self) -> list[str]:
        """See :class:`~voice_emulator.state.store.Store`."""
        return list(self._rows)

    def load(self, tenant: str) -> list[Row]:
        """See :class:`~voice_emulator.state.store.Store`."""
        return self._rows.pop(tenant)

    # --- writing ------------------------------------------------------------------------------

    def open(self) -> None:
        """See :class:`~voice_emulator.state.store.Store`. Creates the file if there is none."""
        with self._explained():
            if not hasattr(self, "_raw"):
                # It holds credentials and tokens: only its owner may read it.
                os.close(os.open(self._real, os.O_RDWR | os.O_CREAT, 0o600))
                self._raw = self._real.open("r+b", buffering=0)
            self._keep_private()
            self._connection = sqlite3.connect(self._real, timeout=PATIENCE, isolation_level=None)
            run = self._connection.execute
            for setting in (
                "locking_mode=EXCLUSIVE",
                "journal_mode=WAL",
                "synchronous=NORMAL",
                "temp_store=MEMORY",
                "cache_size=-16000",  # kB: its index should fit
            ):
                run(f"PRAGMA {setting}")
            run("BEGIN IMMEDIATE")
            if self._fresh and run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                for statement in (*_SCHEMA, "INSERT INTO sums VALUES(0, 0, 0)"):
                    run(statement)
                run("INSERT INTO mark VALUES(?)", (_BLOB,))
                run(f"PRAGMA application_id={APPLICATION}")
                run(f"PRAGMA user_version={LAYOUT}")
            elif run("SELECT commits FROM sums").fetchone() != (self._commits,):
                raise StateError(f"{self.name} is in use by another process")
            for statement in _TRIGGERS:
                run(statement)
            run("COMMIT")
            if not self._commits:
                # From here on the page of the mark is in the file, and not in the log.
                run("PRAGMA wal_checkpoint(TRUNCATE)")
                self._find_mark()
                self._write_mark()
            self._inodes = self._found()
            self.commit({})

    def _keep_private(self) -> None:
        for path in (self._real, self._log):
            if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
                mode = f"{path.stat().st_mode & 0o777:04o}"
                try:
                    path.chmod(0o600)
                except OSError as error:
                    why = error.strerror
                    log.warning(
                        "%s holds credentials, has mode %s, and it cannot be changed: %s", path, mode, why
                    )
                else:
                    log.warning("%s holds credentials and had mode %s: it is 0600 now", path, mode)

    def commit(self, changes: Mapping[str, Changes]) -> None:
        """See :class:`~voice_emulator.state.store.Store`."""
        self.check()
        run, run_many = self._connection.execute, self._connection.executemany
        try:
            run("BEGIN")
            for tenant, each in changes.items():
                if each.only is not None:
                    places = ", ".join("?" for _ in each.only)
                    run(f"DELETE FROM kept WHERE tenant=? AND kind NOT IN ({places})", (tenant, *each.only))  # noqa: S608
                if each.put:
                    run_many(_PUT, [(tenant, *row, _sum(tenant, *row)) for row in each.put])
                if each.drop:
                    run_many(
                        "DELETE FROM kept WHERE tenant=? AND kind=? AND key=?",
                        [(tenant, *row) for row in each.drop],
                    )
                for kind, count in each.newest.items():
                    run(_NEWEST, (tenant, kind, count))
            run("UPDATE sums SET commits=?", (self._commits + 1,))
            run("COMMIT")
            self._commits += 1
            self._write_mark()
        except (sqlite3.Error, OSError, UnicodeError) as error:
            why = "a text is not Unicode" if isinstance(error, UnicodeError) else error
            raise StateError(f"{self.name} cannot be written: {why}") from error

    def _write_mark(self) -> None:
        """Count the commit where damage to the log cannot undo it. Nobody knows of it before this is done."""
        mark = _MARK.pack(self._commits, _machine_run())
        self._raw.seek(self._mark_at)
        self._raw.write(mark + crc32(mark).to_bytes(4, "little"))

    def check(self) -> None:
        """See :class:`~voice_emulator.state.store.Store`: the file and its log must still be where they were."""
        try:
            same = self._found() == self._inodes
        except OSError:
            same = False
        if not same:
            raise StateError(
                f"{self.name} cannot be written: it or its log was deleted or replaced while in use"
            )

    def _found(self) -> list[int]:
        return [os.stat(each).st_ino for each in self._names]  # noqa: PTH116 - before each commit

    def close(self) -> None:
        """See :class:`~voice_emulator.state.store.Store`."""
        # In this order: to close any other handle of a file, even a copy of it, gives up SQLite's locks.
        for name in ("_connection", "_raw"):
            if hasattr(self, name):
                getattr(self, name).close()


def _sum(*texts: str) -> int:
    return crc32("\0".join(texts).encode())


@cache
def _machine_run() -> bytes:
    """Names the time since the machine started; zeros where the system does not tell."""
    try:
        return UUID(Path("/proc/sys/kernel/random/boot_id").read_text().strip()).bytes
    except (OSError, ValueError):
        return bytes(16)
