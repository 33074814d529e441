"""Slots for providers with one error code for each kind of problem."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from voice_emulator.providers.request import Problem, Request
from voice_emulator.schemas.validate import Violation


def known_tenant(code: str, field: str) -> Callable[[Request], Iterable[Problem]]:
    """``Operation.authenticate``: the credential in ``field`` must belong to a tenant, else ``code``."""

    def authenticate(request: Request) -> Iterable[Problem]:
        if not request.attributed and not request.lenient:
            yield Problem(code, f"no tenant has this {field}", f"/{field}")

    return authenticate


def explained(code: str) -> Callable[[Request, Violation], Problem]:
    """``Operation.explain``: every schema violation is ``code``."""
    return lambda request, violation: Problem(code, violation.message, violation.pointer)
