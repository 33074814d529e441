"""The HTTP server of both ports: what is no HTTP at all is refused in one line, and logged in one.

aiohttp answers a head it cannot parse by itself, with a traceback in the log for each. Here it is a
failure of the emulator's own like any other (``Emulator-Error``), and a client's nonsense is a warning.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

log = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be parsed; a bug of ours (status 500) is told in full."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        lines = [line.strip(" ^:") for line in (message or str(exc)).splitlines()]
        why = " ".join(line for line in lines if line).encode("ascii", "backslashreplace").decode()[:300]
        # Not what was sent: it may hold somebody's secrets.
        log.warning("%s sent no HTTP that can be read: %s", request.remote, type(exc).__name__)
        response = web.Response(status=status, text=f"{why}\n", headers={"Emulator-Error": why})
        response.force_close()
        return response


class Server(web.Server):
    """aiohttp's low-level server, whose connections are ours."""

    def __call__(self) -> web.RequestHandler:
        """Make the handler of one connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)
