"""The versions of aiohttp whose private names the emulator uses.

Two optimizations need them: requests are answered as their bytes arrive (:mod:`voice_emulator.wire.http.server`), and
pushes are sent without a session (:mod:`voice_emulator.wire.delivery.push_client`). Private names may change without
notice, so each optimization is on only with versions it was tested with. With others the public API does the same,
slower.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_parser import HttpRequestParser

log = logging.getLogger(__name__)

Version = tuple[int, ...]

#: Both were tested with versions from that which pyproject.toml asks for, to below this one.
BELOW: Version = (3, 15)


@dataclass(frozen=True)
class Inside:
    """An optimization.

    ``names`` are the private names it uses, as (class, attribute): a build of a tested version may lack one.
    """

    what: str
    names: tuple[tuple[type, str], ...]

    def usable(self, version: str = aiohttp.__version__) -> bool:
        """Whether it is on with this version of aiohttp."""
        return () < numbers(version) < BELOW and all(hasattr(where, name) for where, name in self.names)

    def tell(self, version: str = aiohttp.__version__) -> None:
        """Log that it is off."""
        below = ".".join(map(str, BELOW))
        log.info(
            "%s is off, which costs speed: it was tested with aiohttp below %s, and this is %s",
            self.what,
            below,
            version,
        )


def numbers(version: str) -> Version:
    """``3.14.5`` as numbers; a pre-release (``3.15.0b1``) as (), which counts as untested."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\.post\d+)?", version)
    return () if found is None else (int(found[1]), int(found[2]), int(found[3]))


#: The queues of requests that :meth:`~voice_emulator.wire.http.server.Connection.data_received` uses.
AT_ONCE = Inside(
    "answering at once",
    (
        *((web.RequestHandler, name) for name in (
            "_waiter", "_messages", "_request_count", "_next_keepalive_close_time", "_parser", "_manager",
            "_keepalive_timeout", "_force_close", "_close", "_reading_paused", "_process_keepalive", "_current_request",
        )),
        (HttpRequestParser, "message_consumed"),
    ),
)  # fmt: skip

#: The connection and its parser, which :class:`~voice_emulator.wire.delivery.push_client.PushClient` uses without a session.
BARE_PUSHES = Inside(
    "pushing over bare connections",
    (
        (aiohttp.TCPConnector, "connect"),
        (ResponseHandler, "set_response_params"),
        (ResponseHandler, "read"),
        (ResponseHandler, "set_exception"),
    ),
)  # fmt: skip


def tell_what_is_off() -> None:
    """Log each optimization that is off with this version of aiohttp."""
    for inside in (AT_ONCE, BARE_PUSHES):
        if not inside.usable():
            inside.tell()
