"""With which versions of aiohttp the emulator may use aiohttp's inside, and what it does without.

Two ways are short because they go past aiohttp's public face: requests are answered as their bytes arrive
(:mod:`voice_emulator.wire.http.server`), and pushes go out over bare connections
(:mod:`voice_emulator.wire.delivery.push_client`). Names inside may keep their name and change what they do, so a short
way is taken only with versions it was tested with. With all others the public way is taken: slower, and to a client or
a receiver the same.
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
    """A short way: ``since`` is the first version it was tested with, ``below`` the first it was not.

    ``names`` are what it uses, as (class, attribute): a build of a tested version may still lack one.
    """

    what: str
    since: Version
    below: Version
    names: tuple[tuple[type, str], ...]

    def usable(self, version: str = aiohttp.__version__) -> bool:
        """Whether the short way may be taken with this version of aiohttp."""
        tested = self.since <= numbers(version) < self.below
        return tested and all(hasattr(where, name) for where, name in self.names)

    def tell(self, version: str = aiohttp.__version__) -> None:
        """Say in the log that the short way is off."""
        since, below = (".".join(map(str, bound)) for bound in (self.since, self.below))
        log.info(
            "%s is off, which costs speed: it was tested with aiohttp %s to below %s, and this is %s",
            self.what, since, below, version,
        )  # fmt: skip


def numbers(version: str) -> Version:
    """``3.14.5`` as numbers; what is not a release (``3.15.0b1``) as (), which is below all."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\.post\d+)?", version)
    return () if found is None else (int(found[1]), int(found[2]), int(found[3]))


#: Queues of requests as :meth:`~voice_emulator.wire.http.server.Connection.data_received` knows them.
AT_ONCE = Inside(
    "answering at once", (3, 14, 1), (3, 15),
    (
        *((web.RequestHandler, name) for name in (
            "_waiter", "_messages", "_request_count", "_next_keepalive_close_time", "_parser", "_manager",
            "_keepalive_timeout", "_force_close", "_close",
        )),
        (HttpRequestParser, "message_consumed"),
    ),
)  # fmt: skip

#: A connection and its parser, as :class:`~voice_emulator.wire.delivery.push_client.PushClient` uses them without a session.
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
    """Log each short way that this aiohttp does not allow."""
    for inside in (AT_ONCE, BARE_PUSHES):
        if not inside.usable():
            inside.tell()
