"""Faults: what the client feels instead of, or besides, the proper reply.

One small type per fault, its parameters are its fields; :class:`NoFault` is the member that does
nothing, so no code asks whether there is a fault. How each looks on a socket is the rim's affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from voice_emulator.core.distributions import Distribution


@dataclass(frozen=True, slots=True)
class Fault:
    """Base of all transport faults. ``name`` is the word of the scenario file."""

    name: ClassVar[str] = "none"
    #: Whether the call happens all the same when the rule does not say.
    placed_by_default: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class NoFault(Fault):
    """The proper reply, untouched."""


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """A TCP reset before any byte of the reply."""

    name: ClassVar[str] = "reset"


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """The connection stays open and silent until the client gives up."""

    name: ClassVar[str] = "hang"


@dataclass(frozen=True, slots=True)
class Empty(Fault):
    """The connection is closed without a reply."""

    name: ClassVar[str] = "empty"


@dataclass(frozen=True, slots=True)
class Truncate(Fault):
    """Half of the announced body, then the connection is closed."""

    name: ClassVar[str] = "truncate"


@dataclass(frozen=True, slots=True)
class Garbage(Fault):
    """Random bytes under the proper headers."""

    name: ClassVar[str] = "garbage"


@dataclass(frozen=True, slots=True)
class InvalidJson(Fault):
    """A body that stops in the middle of its JSON, with a matching Content-Length."""

    name: ClassVar[str] = "invalid_json"


@dataclass(frozen=True, slots=True)
class SlowBody(Fault):
    """The body in pieces of ``bytes`` bytes, one every ``every`` microseconds."""

    name: ClassVar[str] = "slow_body"
    every: int = 100_000
    bytes: int = 16


@dataclass(frozen=True, slots=True)
class WrongContentType(Fault):
    """The proper body announced as ``text/plain``."""

    name: ClassVar[str] = "wrong_content_type"


@dataclass(frozen=True, slots=True)
class HttpStatus(Fault):
    """A bare HTTP status with a short plain-text body, as a gateway sends it."""

    name: ClassVar[str] = "http_status"
    placed_by_default: ClassVar[bool] = False
    status: int = 503


@dataclass(frozen=True, slots=True)
class HtmlError(Fault):
    """A proxy's HTML error page (502) where JSON was expected."""

    name: ClassVar[str] = "html_error"
    placed_by_default: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class TokenExpired(Fault):
    """The provider's own refusal of an expired token, for a token that is still good."""

    name: ClassVar[str] = "token_expired"
    placed_by_default: ClassVar[bool] = False


NO_FAULT = NoFault()

#: Every fault a scenario may name, by its word.
FAULTS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (
        Reset, Hang, Empty, Truncate, Garbage, InvalidJson, SlowBody, WrongContentType, HttpStatus,
        HtmlError, TokenExpired,
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """A rule's ``fault``: wall-clock latency, then at most one transport fault."""

    latency: Distribution | None = None
    fault: Fault = field(default=NO_FAULT)
    placed: bool | None = None

    @property
    def places(self) -> bool:
        """Whether the call happens behind this fault."""
        return self.fault.placed_by_default if self.placed is None else self.placed
