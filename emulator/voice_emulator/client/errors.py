"""What can go wrong between a client and the control API. Each says who has to do what."""

from __future__ import annotations

from dataclasses import dataclass

from voice_emulator.core.words import visible
from voice_emulator.errors import EmulatorError


class ClientError(EmulatorError):
    """Base of everything the client raises on purpose, apart from :class:`Unsatisfied`."""


class NotReady(ClientError):
    """Nothing answers at the control URL, or not in time: start an emulator, or correct the URL."""


class UnexpectedReply(ClientError):
    """Something answers at the control URL that does not speak the control API."""


class WouldDeadlock(ClientError):
    """A waiting method was called in the thread of a running event loop, which it would stop."""


@dataclass(frozen=True, slots=True)
class InputError:
    """One fault of the input: ``pointer`` says where (RFC 6901), ``message`` what."""

    pointer: str
    message: str


class ControlError(ClientError):
    """The control API refused: RFC 9457 problem details, ``errors`` for faults of the input."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        errors: tuple[InputError, ...] = (),
        type: str = "about:blank",
    ) -> None:
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = errors
        self.type = type
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.status} {self.title}"
        if not self.errors:
            return visible(f"{text}: {self.detail}" if self.detail else text)
        faults = [f"{error.pointer or '/'}: {error.message}" for error in self.errors]
        # The detail may end in the first of them, which is said below.
        detail = self.detail.partition(f": {faults[0]}")[0]
        heading = f"{text}: {detail}" if detail else text
        return visible(f"{heading}: {faults[0]}" if len(faults) == 1 else "\n  ".join([heading, *faults]))


class Invalid(ControlError):
    """400, 413, 415 or 422: the input is wrong, ``errors`` says where."""


class Unauthorized(ControlError):
    """401: the control token is missing or wrong."""


class Forbidden(ControlError):
    """403 or 421: the Origin or Host is not one the emulator accepts."""


class NotFound(ControlError):
    """404: no such tenant, call or route."""


class Conflict(ControlError):
    """409: the id or a key is taken, or the clock is not manual or is being advanced already."""


#: The exception of each status; any other is a plain ControlError.
BY_STATUS: dict[int, type[ControlError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    421: Forbidden,
    422: Invalid,
}


class Unsatisfied(AssertionError):
    """What a test waited for or verified is not so; an AssertionError, so that a test fails by it."""

    def __init__(self, message: str) -> None:
        """The message is for a terminal, and quotes what a client sent."""
        super().__init__(visible(message))
