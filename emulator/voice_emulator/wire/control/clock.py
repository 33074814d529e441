"""Advancing a manual clock over the control API."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from voice_emulator.core.clock import DAY, LAST, SECOND, ClockError, parse_rfc3339, rfc3339
from voice_emulator.wire.control.parameters import read_span
from voice_emulator.wire.control.problems import conflict, invalid, wrong
from voice_emulator.wire.control.request import ControlRequest, reply_json
from voice_emulator.wire.control.request_schemas import LONGEST_ADVANCE
from voice_emulator.wire.delivery.scheduler import AdvanceBusy

WALL_LIMIT = 30 * SECOND
#: Longest ``wall_limit`` somebody may ask for, in real microseconds.
LONGEST_WALL = 3_600 * SECOND
_WORDS = ("next", "idle")


async def advance(asked: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/clock/advance``; answers when every push that fell due has been attempted.

    The advance goes on when its client goes away: a push half made is neither made nor not made.
    """
    tenant, document = asked.tenant, asked.document
    wall_limit = body_span(document, "wall_limit", WALL_LIMIT, LONGEST_WALL)
    if "at_most" in document and document.get("to") != "idle":
        raise wrong("/at_most", 'goes with "to": "idle" alone')
    if not tenant.clock.manual:
        raise conflict(f"only a manual clock can be advanced; this one is {tenant.clock.spec}")
    until_idle = document.get("to") == "idle"
    running = asked.services.keep(
        asked.runtime.driver.advance(
            tenant, to=_target(document, tenant.now), until_idle=until_idle, wall_limit=wall_limit / SECOND
        )
    )
    try:
        done = await running
    except AdvanceBusy as error:
        raise conflict(str(error)) from error
    except ClockError as error:
        raise conflict(str(error)) from error
    due = tenant.engine.next_due()
    idle = due is None and tenant.outbox.idle
    return reply_json(
        {
            "now": rfc3339(done.now),
            "fired": done.fired,
            "callbacks": [attempt.shown() for attempt in done.callbacks],
            "complete": done.complete and (idle or not until_idle),
            "next_due": rfc3339(due) if due is not None else None,
        }
    )


def _target(document: dict[str, Any], now: int) -> int | None:
    """The instant to go to; None for the next thing due."""
    if "seconds" in document:
        seconds: float = document["seconds"]
        return now + round(seconds * SECOND)
    to = document["to"]
    if to == "next":
        return None
    if to == "idle":
        return min(now + body_span(document, "at_most", DAY, LONGEST_ADVANCE * SECOND), LAST)
    try:
        instant = parse_rfc3339(to)
    except (ValueError, OverflowError):
        message = (
            f"must be one of {', '.join(_WORDS)}, or an instant like 2026-01-05T09:00:00+08:00, not {to!r}"
        )
        raise wrong("/to", message) from None
    if instant < now:
        raise wrong("/to", f"a clock runs forwards only, and it is {rfc3339(now)} already")
    if instant > now + LONGEST_ADVANCE * SECOND:
        raise wrong("/to", f"is more than {LONGEST_ADVANCE} seconds ahead")
    return instant


def body_span(document: dict[str, Any], name: str, default: int, longest: int) -> int:
    """Microseconds that a body says as ``"5s"`` or as a number of seconds. Raises ControlError 422."""
    value = document.get(name)
    if value is None:
        return default
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError(f"{name} must be a duration such as 5s, or a number of seconds")
        if isinstance(value, str):
            return read_span(value, name, longest)
        if not 0 <= value <= longest / SECOND:
            raise ValueError(f"{name} is from 0 to {longest / SECOND:g} seconds")
    except ValueError as error:
        raise invalid([(f"/{name}", str(error))], "the body is invalid") from error
    return round(value * SECOND)
