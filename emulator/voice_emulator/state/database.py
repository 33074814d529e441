"""The state file: an SQLite database, locked by the one process that uses it.

Write-ahead logging with ``synchronous=NORMAL``: what is committed survives the death of the process, the last
moments may be missing after a power failure, and the file is never broken.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from voice_emulator.errors import StateError

#: Marks the file as ours, and the layout of its tables and of what stands in them.
APPLICATION = 0x564F4943
#: 2 since the import package is voice_emulator (the names of its classes are in the file) and record ids are counted.
LAYOUT = 2
#: Seconds to wait for the lock: the process before us may be in the middle of dying.
PATIENCE = 2.0

_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE tenants(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, account TEXT, books TEXT);
CREATE TABLE submissions(seq INTEGER PRIMARY KEY, tenant TEXT, fixed TEXT);
CREATE TABLE calls(
    seq INTEGER PRIMARY KEY, tenant TEXT, id TEXT, submission INTEGER, fixed TEXT, course TEXT,
    ended INTEGER, last TEXT, UNIQUE(tenant, id)
);
CREATE INDEX calls_ended ON calls(tenant, ended);
CREATE INDEX calls_submission ON calls(submission);
CREATE TABLE pushes(
    seq INTEGER PRIMARY KEY, tenant TEXT, id TEXT, call TEXT, fixed TEXT, attempt INTEGER, due INTEGER,
    sent INTEGER, UNIQUE(tenant, id)
);
CREATE INDEX pushes_call ON pushes(tenant, call);
CREATE TABLE tokens(seq INTEGER PRIMARY KEY, tenant TEXT, value TEXT, token TEXT, UNIQUE(tenant, value));
CREATE TABLE issued(seq INTEGER PRIMARY KEY, tenant TEXT, space TEXT, value TEXT);
CREATE TABLE counts(
    seq INTEGER PRIMARY KEY, tenant TEXT, space TEXT, key TEXT, count INTEGER, UNIQUE(tenant, space, key)
);
"""
_OF_TENANT = ("submissions", "calls", "pushes", "tokens", "issued", "counts")

Rows = Iterable[Sequence[Any]]


class StateFile:
    """The open file. Whatever SQLite raises while writing is the caller's to bear."""

    def __init__(self, path: Path) -> None:
        """Open or begin the file. Raises StateError when it is in use, not ours, or out of reach."""
        self.path = path
        try:
            # It holds credentials and tokens: nobody else's to read.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._open(path)
        except OSError as error:
            raise StateError(f"the state file {path} cannot be opened: {error.strerror or error}") from error
        except sqlite3.Error as error:
            self.close()
            if "locked" in str(error):
                raise StateError(f"the state file {path} is in use by another process") from error
            raise StateError(f"{path} cannot be used as a state file: {error}") from error

    def _open(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
        run = self._connection.execute
        run("PRAGMA locking_mode=EXCLUSIVE")
        # Reads the header, and so finds out whether this is a database at all before anything is written.
        mark = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        empty = run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not (empty and mark == (0, 0)) and mark != (APPLICATION, LAYOUT):
            raise sqlite3.DatabaseError(
                f"it was written by another version (layout {mark[1]}, this one reads {LAYOUT})"
                if mark[0] == APPLICATION else "it is a database of something else"
            )  # fmt: skip
        run("PRAGMA journal_mode=WAL")
        run("PRAGMA synchronous=NORMAL")
        run("BEGIN IMMEDIATE")
        if empty:
            for statement in _TABLES.split(";\n"):
                run(statement)
            run(f"PRAGMA application_id={APPLICATION}")
            run(f"PRAGMA user_version={LAYOUT}")
        run("COMMIT")

    def close(self) -> None:
        """Close; what is committed stays."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    # --- writing ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a transaction."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Make everything since :meth:`begin` last."""
        self._connection.execute("COMMIT")

    def put_meta(self, name: str, value: str) -> None:
        """Keep a value of the whole file."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (name, value))

    def put_account(self, tenant: str, account: str) -> None:
        """Keep what makes a tenant the one it is."""
        self._connection.execute(
            "INSERT INTO tenants(id, account) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET account=excluded.account",
            (tenant, account),
        )  # fmt: skip

    def put_books(self, tenant: str, books: str) -> None:
        """Keep a tenant's totals and clock."""
        self._connection.execute("UPDATE tenants SET books=? WHERE id=?", (books, tenant))

    def add_submission(self, tenant: str, fixed: str) -> int:
        """Keep what the calls of one request share; its number is returned."""
        added = self._connection.execute(
            "INSERT INTO submissions(tenant, fixed) VALUES(?, ?)", (tenant, fixed)
        )
        return int(added.lastrowid or 0)

    def add_calls(self, rows: Rows) -> None:
        """Rows of (tenant, id, submission, fixed, course)."""
        self._many("INSERT INTO calls(tenant, id, submission, fixed, course) VALUES(?, ?, ?, ?, ?)", rows)

    def put_courses(self, rows: Rows) -> None:
        """Rows of (course, running number of its end or None, last outcome or None, tenant, id)."""
        self._many(
            "UPDATE calls SET course=?, ended=coalesce(?, ended), last=coalesce(?, last) WHERE tenant=? AND id=?",
            rows,
        )

    def put_pushes(self, rows: Rows) -> None:
        """Rows of (tenant, id, call, fixed, attempt, due, sent); ``sent`` is None until it is on the wire."""
        self._many(
            "INSERT INTO pushes(tenant, id, call, fixed, attempt, due, sent) VALUES(?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT(tenant, id) DO UPDATE SET attempt=excluded.attempt, due=excluded.due, sent=excluded.sent",
            rows,
        )

    def drop_pushes(self, rows: Rows) -> None:
        """Rows of (tenant, id): they are done."""
        self._many("DELETE FROM pushes WHERE tenant=? AND id=?", rows)

    def put_tokens(self, rows: Rows) -> None:
        """Rows of (tenant, value, token)."""
        self._many(
            "INSERT INTO tokens(tenant, value, token) VALUES(?, ?, ?)"
            " ON CONFLICT(tenant, value) DO UPDATE SET token=excluded.token",
            rows,
        )

    def add_issued(self, rows: Rows) -> None:
        """Rows of (tenant, space, value)."""
        self._many("INSERT INTO issued(tenant, space, value) VALUES(?, ?, ?)", rows)

    def put_counts(self, rows: Rows) -> None:
        """Rows of (tenant, space, key, count)."""
        self._many(
            "INSERT INTO counts(tenant, space, key, count) VALUES(?, ?, ?, ?)"
            " ON CONFLICT(tenant, space, key) DO UPDATE SET count=excluded.count",
            rows,
        )

    def forget_calls(self, tenant: str, until: int) -> None:
        """Forget calls that ended as number ``until`` or before, unless one still has a push to make."""
        self._connection.execute(
            "DELETE FROM calls WHERE tenant=? AND ended<=? AND NOT EXISTS"
            " (SELECT 1 FROM pushes WHERE pushes.tenant=calls.tenant AND pushes.call=calls.id)",
            (tenant, until),
        )

    def forget_tenant(self, tenant: str, *, wholly: bool) -> None:
        """Forget what a tenant has been through, and with ``wholly`` the tenant itself."""
        for table in _OF_TENANT:
            self._connection.execute(f"DELETE FROM {table} WHERE tenant=?", (tenant,))  # noqa: S608 - our own names
        if wholly:
            self._connection.execute("DELETE FROM tenants WHERE id=?", (tenant,))

    def prune(self, issued: int, counts: int, tokens: int) -> None:
        """Keep at most so many issued ids and counted numbers in all, and tokens per tenant; the newest."""
        run = self._connection.execute
        run("DELETE FROM issued WHERE seq <= (SELECT max(seq) FROM issued) - ?", (issued,))
        run("DELETE FROM counts WHERE seq <= (SELECT max(seq) FROM counts) - ?", (counts,))
        for (tenant,) in run("SELECT id FROM tenants").fetchall():
            run(
                "DELETE FROM tokens WHERE tenant=?1 AND seq <="
                " (SELECT seq FROM tokens WHERE tenant=?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
                (tenant, tokens),
            )
        run(
            "DELETE FROM submissions WHERE NOT EXISTS (SELECT 1 FROM calls WHERE calls.submission=submissions.seq)"
        )

    def _many(self, statement: str, rows: Rows) -> None:
        self._connection.executemany(statement, rows)

    # --- reading ------------------------------------------------------------------------------

    def meta(self, name: str) -> str | None:
        """A value of the whole file."""
        found = self._connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return found[0] if found else None

    def tenants(self) -> list[tuple[str, str, str | None]]:
        """(id, account, books) of each tenant, oldest first."""
        return self._connection.execute("SELECT id, account, books FROM tenants ORDER BY seq").fetchall()

    def rows(self, table: str, columns: str, tenant: str, order: str = "seq") -> list[tuple[Any, ...]]:
        """Columns of one table, of one tenant."""
        wanted = f"SELECT {columns} FROM {table} WHERE tenant=? ORDER BY {order}"  # noqa: S608 - our own names
        return self._connection.execute(wanted, (tenant,)).fetchall()

    def issued(self) -> list[tuple[str, str, str]]:
        """(tenant, space, value) of everything issued, in order."""
        return self._connection.execute("SELECT tenant, space, value FROM issued ORDER BY seq").fetchall()
