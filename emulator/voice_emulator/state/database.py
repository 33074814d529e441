"""The state file: an SQLite database, locked by the one process that uses it.

It uses write-ahead logging with ``synchronous=NORMAL``: a commit survives the death of the process. After a power
failure the last commits may be missing, but the file is intact.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from voice_emulator.errors import StateError

#: SQLite's application_id of a state file, and the version (user_version) of its tables and of the texts in them.
APPLICATION = 0x564F4943
LAYOUT = 3
#: Seconds to wait for the lock: the process before this one may still be ending.
PATIENCE = 2.0

_TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE tenants(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, snapshot TEXT, counters TEXT);
CREATE TABLE submissions(seq INTEGER PRIMARY KEY, tenant TEXT, content TEXT);
CREATE TABLE calls(
    seq INTEGER PRIMARY KEY, tenant TEXT, id TEXT, submission INTEGER, content TEXT, progress TEXT,
    ended INTEGER, last TEXT, UNIQUE(tenant, id)
);
CREATE INDEX calls_ended ON calls(tenant, ended);
CREATE INDEX calls_submission ON calls(submission);
CREATE TABLE pushes(
    seq INTEGER PRIMARY KEY, tenant TEXT, id TEXT, call TEXT, content TEXT, attempt INTEGER, due INTEGER,
    sent INTEGER, UNIQUE(tenant, id)
);
CREATE INDEX pushes_call ON pushes(tenant, call);
CREATE TABLE tokens(seq INTEGER PRIMARY KEY, tenant TEXT, value TEXT, token TEXT, UNIQUE(tenant, value));
CREATE TABLE issued(seq INTEGER PRIMARY KEY, tenant TEXT, space TEXT, value TEXT);
CREATE TABLE counts(
    seq INTEGER PRIMARY KEY, tenant TEXT, space TEXT, key TEXT, count INTEGER, UNIQUE(tenant, space, key)
);
"""
#: By table: the columns that name a row, and what an upsert changes of it.
_UPSERTS = {
    "pushes": "(tenant, id) DO UPDATE SET attempt=excluded.attempt, due=excluded.due, sent=excluded.sent",
    "tokens": "(tenant, value) DO UPDATE SET token=excluded.token",
    "counts": "(tenant, space, key) DO UPDATE SET count=excluded.count",
}
_OF_TENANT = ("submissions", "calls", "pushes", "tokens", "issued", "counts")

Rows = Iterable[Sequence[Any]]


class StateFile:
    """The open file. Reading and writing raise what sqlite3 raises."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises StateError when it is in use, cannot be opened, or is not a state file."""
        self.path = path
        try:
            # It holds credentials and tokens: only its owner may read it.
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
        # Reading the header fails, before anything is written, if this is not a database.
        version = run("PRAGMA application_id").fetchone()[0], run("PRAGMA user_version").fetchone()[0]
        empty = run("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not (empty and version == (0, 0)) and version != (APPLICATION, LAYOUT):
            raise sqlite3.DatabaseError(
                f"it was written by another version (layout {version[1]}, this one reads {LAYOUT})"
                if version[0] == APPLICATION else "it is a database of another program"
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
        """Close the file. What is not committed is lost."""
        connection = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()

    # --- writing ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a transaction."""
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        """Commit everything since :meth:`begin`."""
        self._connection.execute("COMMIT")

    def put_meta(self, name: str, value: str) -> None:
        """Keep a value of the whole file."""
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (name, value))

    def put_snapshot(self, tenant: str, snapshot: str) -> None:
        """Keep a tenant's configuration, clock and identity."""
        self._connection.execute(
            "INSERT INTO tenants(id, snapshot) VALUES(?, ?) ON CONFLICT(id) DO UPDATE SET snapshot=excluded.snapshot",
            (tenant, snapshot),
        )  # fmt: skip

    def put_counters(self, tenant: str, counters: str) -> None:
        """Keep a tenant's totals and the time on its clock."""
        self._connection.execute("UPDATE tenants SET counters=? WHERE id=?", (counters, tenant))

    def add_submission(self, tenant: str, content: str) -> int:
        """Keep what the calls of one request share; returns its number."""
        added = self._connection.execute(
            "INSERT INTO submissions(tenant, content) VALUES(?, ?)", (tenant, content)
        )
        return int(added.lastrowid or 0)

    def add_calls(self, rows: Rows) -> None:
        """Rows of (tenant, id, submission, content, progress)."""
        self._many("INSERT INTO calls(tenant, id, submission, content, progress) VALUES(?, ?, ?, ?, ?)", rows)

    def put_progress(self, rows: Rows) -> None:
        """Rows of (progress, running number of its end or None, last outcome or None, tenant, id)."""
        self._many(
            "UPDATE calls SET progress=?, ended=coalesce(?, ended), last=coalesce(?, last) WHERE tenant=? AND id=?",
            rows,
        )

    def put_pushes(self, rows: Rows) -> None:
        """Rows of (tenant, id, call, content, attempt, due, sent); ``sent`` is None until it is on the wire."""
        self._put("pushes", "tenant, id, call, content, attempt, due, sent", rows)

    def drop_pushes(self, rows: Rows) -> None:
        """Rows of (tenant, id): pushes that are done."""
        self._many("DELETE FROM pushes WHERE tenant=? AND id=?", rows)

    def put_tokens(self, rows: Rows) -> None:
        """Rows of (tenant, value, token)."""
        self._put("tokens", "tenant, value, token", rows)

    def add_issued(self, rows: Rows) -> None:
        """Rows of (tenant, space, value)."""
        self._many("INSERT INTO issued(tenant, space, value) VALUES(?, ?, ?)", rows)

    def put_counts(self, rows: Rows) -> None:
        """Rows of (tenant, space, key, count)."""
        self._put("counts", "tenant, space, key, count", rows)

    def forget_calls(self, tenant: str, until: int) -> None:
        """Forget the calls up to the one that ended as number ``until``, except those with pushes still to send."""
        self._connection.execute(
            "DELETE FROM calls WHERE tenant=? AND ended<=? AND NOT EXISTS"
            " (SELECT 1 FROM pushes WHERE pushes.tenant=calls.tenant AND pushes.call=calls.id)",
            (tenant, until),
        )

    def forget_tenant(self, tenant: str, *, wholly: bool) -> None:
        """Forget a tenant's calls, pushes, tokens, ids and counts; with ``wholly`` also the tenant itself."""
        for table in _OF_TENANT:
            self._connection.execute(f"DELETE FROM {table} WHERE tenant=?", (tenant,))  # noqa: S608 - our own names
        if wholly:
            self._connection.execute("DELETE FROM tenants WHERE id=?", (tenant,))

    def prune(self, issued: int, counts: int, tokens: int) -> None:
        """Keep the newest ``issued`` ids and ``counts`` numbers of all tenants, and ``tokens`` tokens of each."""
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

    def _put(self, table: str, columns: str, rows: Rows) -> None:
        places = ", ".join("?" for _ in columns.split(","))
        self._many(f"INSERT INTO {table}({columns}) VALUES({places}) ON CONFLICT{_UPSERTS[table]}", rows)

    def _many(self, statement: str, rows: Rows) -> None:
        self._connection.executemany(statement, rows)

    # --- reading ------------------------------------------------------------------------------

    def meta(self, name: str) -> str | None:
        """A value of the whole file."""
        found = self._connection.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return found[0] if found else None

    def tenants(self) -> list[tuple[str, str, str | None]]:
        """(id, snapshot, counters) of each tenant, oldest first."""
        return self._connection.execute("SELECT id, snapshot, counters FROM tenants ORDER BY seq").fetchall()

    def rows(self, table: str, columns: str, tenant: str, order: str = "seq") -> list[tuple[Any, ...]]:
        """The ``columns`` of a tenant's rows in one table."""
        wanted = f"SELECT {columns} FROM {table} WHERE tenant=? ORDER BY {order}"  # noqa: S608 - our own names
        return self._connection.execute(wanted, (tenant,)).fetchall()

    def issued(self) -> list[tuple[str, str, str]]:
        """(tenant, space, value) of everything issued, in order."""
        return self._connection.execute("SELECT tenant, space, value FROM issued ORDER BY seq").fetchall()
