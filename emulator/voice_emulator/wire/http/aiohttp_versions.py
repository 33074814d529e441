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


@dataclass(frozen=True)
class Inside:
    """An optimization, tested with versions from ``since`` to below ``below``.

    ``names`` are the private names it uses, as (class, attribute): a build of a tested version may lack one.
    """

    what: str
    since: Version
    below: Version
    names: tuple[tuple[type, str], ...]

    def usable(self, version: str = aiohttp.__version__) -> bool:
        """Whether it is on with this version of aiohttp."""
        tested = self.since <= numbers(version) < self.below
        return tested and all(hasattr(where, name) for where, name in self.names)

    def tell(self, version: str = aiohttp.__version__) -> None:
        """Log that it is off."""
        since, below = (".".join(map(str, bound)) for bound in (self.since, self.below))
        log.info(
            "%s is off, which costs speed: it was tested with aiohttp %s to below %s, and this is %s",
            self.what, since, below, version,
        )  # fmt: skip


def numbers(version: str) -> Version:
    """``3.14.5`` as numbers; a pre-release (``3.15.0b1``) as (), which is below all."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\.post\d+)?", version)
    return () if found is None else (int(found[1]), int(found[2]), int(found[3]))


#: The queues of requests that :meth:`~voice_emulator.wire.http.server.Connection.data_received` uses.
AT_ONCE = Inside(
    "answering at once", (3, 14, 1), (3, 15),
    (
        *((web.RequestHandler, name) for name in (
            "_waiter", "_messages", "_request_count", "_next_keepalive_close_time", "_parser", "_manager",
            "_keepalive_timeout", "_force_close", "_close", "_reading_paused",
        )),
        (HttpRequestParser, "message_consumed"),
    ),
)  # fmt: skip

#: The connection and its parser, which :class:`~voice_emulator.wire.delivery.push_client.PushClient` uses without a session.
BARE_PUSHES = Inside(
    "pushing over bare connections", (3, 11), (3, 15),
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
