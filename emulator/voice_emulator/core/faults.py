"""Faults: what the client gets instead of the proper reply, or in addition to it.

There is one small type per fault; its parameters are its fields. :class:`NoFault` does nothing, so no code asks whether
there is a fault. :mod:`voice_emulator.wire.traffic.faults` carries them out.
"""

from __future__ import annotations

import re
from dataclasses import field
from typing import ClassVar

from voice_emulator.core.distributions import Distribution
from voice_emulator.core.values import plain_value


@plain_value
class Fault:
    """Base of all transport faults. ``name`` is the word in a scenario: ``slow_body`` for :class:`SlowBody`."""

    name: ClassVar[str] = ""
    #: Whether the call is placed anyway, unless the rule says otherwise.
    placed_by_default: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        """Derive the name."""
        cls.name = re.sub(r"\B([A-Z])", r"_\1", cls.__name__).lower()


class NoFault(Fault):
    """The proper reply, untouched."""


class Reset(Fault):
    """A TCP reset before any byte of the reply."""


class Hang(Fault):
    """The connection stays open and silent until the client gives up."""


class Empty(Fault):
    """The connection is closed without a reply."""


class Truncate(Fault):
    """Half of the announced body, then the connection is closed."""


class Garbage(Fault):
    """Random bytes under the proper headers."""


class InvalidJson(Fault):
    """A body that stops in the middle of its JSON, with a matching Content-Length."""


@plain_value
class SlowBody(Fault):
    """The body in pieces of ``bytes`` bytes, one every ``every`` microseconds."""

    every: int = 100_000
    bytes: int = 16


class WrongContentType(Fault):
    """The proper body announced as ``text/plain``."""


@plain_value
class HttpStatus(Fault):
    """A bare HTTP status with a short plain-text body, as a gateway sends it."""

    placed_by_default: ClassVar[bool] = False
    status: int = 503


class HtmlError(Fault):
    """A proxy's HTML error page (502) where JSON was expected."""

    placed_by_default: ClassVar[bool] = False


class TokenExpired(Fault):
    """The provider's own refusal of an expired token, for a token that is still good."""

    placed_by_default: ClassVar[bool] = False


NO_FAULT = NoFault()

#: Every fault a scenario may name, by its word.
FAULTS = {kind.name: kind for kind in Fault.__subclasses__() if kind is not NoFault}


@plain_value
class FaultEffect:
    """A rule's ``fault``: wall-clock latency, then at most one transport fault."""

    latency: Distribution | None = None
    fault: Fault = field(default=NO_FAULT)
    placed: bool | None = None
    #: Of several numbers all but the last are placed.
    in_part: bool = False

    @property
    def places(self) -> bool:
        """Whether the call is placed in spite of this fault."""
        return self.fault.placed_by_default if self.placed is None else self.placed
