"""What happens in a running emulator, and who is told.

:mod:`voice_emulator.app` registers every listener, in the order in which they are told. The parts that tell them hold
a :class:`Listeners`, which has only the methods that a listener overrides: a notice without listeners costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any


class Listener:
    """Base of all listeners: override the methods you need. ``tenant`` is always the tenant concerned."""

    def clock_jumped(self) -> None:
        """The machine's clock jumped forwards."""

    def bug_found(self, why: str) -> None:
        """The emulator failed, or was about to break a schema of its own."""

    def state_lost(self, why: str) -> None:
        """The state file cannot be written any more."""

    def tenant_opened(self, tenant: Any) -> None:
        """A tenant was created, or existed when the listener was registered."""

    def tenant_clearing(self, tenant: Any) -> None:
        """The tenant is about to be reset or deleted; everything it knows is still there."""

    def tenant_deleted(self, tenant: Any) -> None:
        """The tenant has been removed from the tenancy; it is closed after all listeners have been told."""

    def tenant_left(self, tenant: Any) -> None:
        """The tenant has been removed, because another replica owns it; as with :meth:`tenant_deleted` it is closed next."""

    def tenant_configured(self, tenant: Any) -> None:
        """Scenario, settings, credentials, receivers or seed have changed."""

    def token_changed(self, tenant: Any, token: Any) -> None:
        """A :class:`Token` was issued or revoked."""

    def id_issued(self, tenant: Any, key: Any) -> None:
        """An id or a token (its directory key) was issued."""

    def event_published(self, tenant: Any, kind: str, subject: Any, note: str) -> None:
        """Something a user may watch has happened; see :class:`voice_emulator.core.events.Event`."""

    def derive_findings(self, tenant: Any) -> list[Any]:
        """The findings that follow from the tenant's present state."""
        return []

    def due_earlier(self, tenant: Any, due: int) -> None:
        """The next thing due on the tenant's clock is now due at ``due``."""

    def call_ended(self, tenant: Any, call: Any, at: int) -> None:
        """A dialled :class:`Call` has ended, at instant ``at``."""

    def call_acknowledged(self, tenant: Any, call: Any) -> None:
        """A receipt of a :class:`Call` was acknowledged, for the first time."""

    def push_scheduled(self, tenant: Any, push: Any) -> None:
        """A :class:`Push` has a due instant; its next attempt, too."""

    def push_due(self, tenant: Any) -> None:
        """The outbox has a new push to send."""

    def reply_ready(self, tenant: Any, record: Any, calls: Sequence[Any]) -> Any:
        """A reply is about to go out.

        What it accepts must be kept by the time this returns, or when the
        :class:`voice_emulator.wire.traffic.exchange.Keeping` that it returns is done; or StateError raised.
        """

    def calls_taken_back(self, tenant: Any, calls: Sequence[Any]) -> None:
        """These calls, which had not begun, were never accepted: what they need could not be kept."""

    def request_finished(self, tenant: Any, record: Any) -> None:
        """A request is over; its :class:`RequestRecord` does not change any more."""

    async def attempt_starting(self, tenant: Any, attempt: Any) -> None:
        """The first byte of an :class:`Attempt` leaves when this returns."""

    def attempt_finished(self, tenant: Any, attempt: Any) -> None:
        """An :class:`Attempt` is over and entered everywhere."""


_NOTICES = tuple(name for name in vars(Listener) if not name.startswith("_"))


class Listeners:
    """For each method of :class:`Listener`, under its name: the functions to call, in the order of registration."""

    __slots__ = _NOTICES

    def __init__(self, *listeners: Listener) -> None:
        self.clear()
        for listener in listeners:
            self.add(listener)

    if TYPE_CHECKING:  # at run time it would slow down every access

        def __getattr__(self, name: str) -> tuple[Callable[..., Any], ...]: ...

    def add(self, listener: Listener) -> None:
        """Register a listener; it is told after those that are registered already."""
        for name in _NOTICES:
            if getattr(type(listener), name) is not getattr(Listener, name):
                setattr(self, name, (*getattr(self, name), getattr(listener, name)))

    def bind(self, listeners: Listeners, tenant: object) -> None:
        """Become ``listeners`` with ``tenant`` filled in, for the parts of that tenant."""
        for name in _NOTICES:
            setattr(self, name, tuple([partial(told, tenant) for told in getattr(listeners, name)]))

    def clear(self) -> None:
        """Remove all listeners."""
        for name in _NOTICES:
            setattr(self, name, ())
