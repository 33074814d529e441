"""The connection to the store that replicas share: one script, which :meth:`Connection.run` calls.

Commands go through one connection in their order. Whatever goes wrong on the way is Unreachable, and the next command
connects again: the caller does not know whether the last one was carried out.
"""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from typing import Any

from voice_emulator.errors import StateError, Unreachable, UsageError
from voice_emulator.settings import StoreAddress

try:
    from valkey.asyncio import ConnectionPool
    from valkey.asyncio.connection import AbstractConnection
    from valkey.exceptions import NoScriptError, ResponseError, ValkeyError
except ImportError as missing:
    raise UsageError(
        "--state valkey://... needs the package valkey: pip install 'path/to/voice-emulator[valkey]'"
    ) from missing

#: Real seconds after which a command without a reply counts as failed.
PATIENCE = 2.0
#: What the store says while it cannot do anything yet, or not any more: it may later.
_FOR_NOW = (
    "LOADING",
    "MASTERDOWN",
    "READONLY",
    "BUSY",
    "TRYAGAIN",
    "CLUSTERDOWN",
    "MISCONF",
    "OOM",
    "NOREPLICAS",
)


class Connection:
    """One connection to the store, made when it is first needed."""

    def __init__(self, address: StoreAddress, *, patience: float = PATIENCE) -> None:
        """Nothing is connected yet. ``patience`` is in real seconds."""
        self._address = address
        self._patience = patience
        # Time-outs are ours: those of the client cost a task for each command.
        self._pool = ConnectionPool.from_url(address.url, socket_timeout=None)
        self._connection: AbstractConnection | None = None
        self._script = (files(__package__) / "store.lua").read_text("utf-8")
        self._sha = ""
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """What it is, in the words of a message."""
        return f"the store {self._address.shown}"

    async def run(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Have the store do ``what``; returns its reply. Raises Unreachable, and StateError when it refuses."""
        given = {name: value for name, value in arguments.items() if value is not None}
        text = json.dumps({"prefix": self._address.prefix, **given}, separators=(",", ":"))
        async with self._turn:
            try:
                async with asyncio.timeout(self._patience):
                    reply = await self._run(what, text)
            except (ValkeyError, OSError, TimeoutError) as error:
                self._drop()
                if isinstance(error, ResponseError) and not str(error).startswith(_FOR_NOW):
                    raise StateError(f"{self.name} refuses a command: {str(error)[:200]}") from error
                why = "" if isinstance(error, TimeoutError) else f": {str(error)[:200].rstrip('.')}"
                raise Unreachable(f"{self.name} does not answer{why}") from error
            except BaseException:
                # Cancelled in the middle: what comes next would be the reply to this.
                self._drop()
                raise
        found: dict[str, Any] = json.loads(reply)
        return found

    async def _run(self, what: str, text: str) -> bytes:
        connection = self._connection
        if connection is None:
            connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            self._connection = connection
            await connection.connect()
        if not self._sha:
            await connection.send_command("SCRIPT", "LOAD", self._script)
            self._sha = (await connection.read_response()).decode()
        try:
            await connection.send_command("EVALSHA", self._sha, 0, what, text)
            reply: bytes = await connection.read_response()
        except NoScriptError:
            # The store was restarted.
            await connection.send_command("EVAL", self._script, 0, what, text)
            reply = await connection.read_response()
        return reply

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        self._sha = ""
        if connection is not None and connection._writer is not None:  # noqa: SLF001 - its disconnect() waits
            connection._writer.transport.abort()  # noqa: SLF001
            connection._close()  # type: ignore[no-untyped-call]  # noqa: SLF001

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect()
