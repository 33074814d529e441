"""Advancing a manual clock over the control API."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from voice_emulator.core.clock import DAY, EXAMPLE_TIME, LAST, SECOND, ClockError, parse_rfc3339, rfc3339
from voice_emulator.core.shapes import Advanced
from voice_emulator.wire.control.document.request_schemas import LONGEST_ADVANCE, LONGEST_WAIT
from voice_emulator.wire.control.parameters import read_duration
from voice_emulator.wire.control.problems import ControlError, conflict, invalid, wrong
from voice_emulator.wire.control.request import ControlRequest, reply_json
from voice_emulator.wire.delivery.scheduler import AdvanceBusy

WALL_LIMIT = 30 * SECOND


async def advance(request: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/clock/advance``; answers when every push that fell due has been attempted.

    The advance goes on when its client goes away: a push half made is neither made nor not made.
    """
    tenant, document = request.tenant, request.document
    wall_limit = body_duration(document, "wall_limit", WALL_LIMIT, LONGEST_WAIT)
    if "at_most" in document and document.get("to") != "idle":
        raise wrong("/at_most", 'goes with "to": "idle" alone')
    if not tenant.clock.manual:
        raise conflict(f"only a manual clock can be advanced; this one is {tenant.clock.spec}")
    until_idle = document.get("to") == "idle"
    running = request.services.keep(
        request.runtime.driver.advance(
            tenant, to=_target(document, tenant.now), until_idle=until_idle, wall_limit=wall_limit / SECOND
        )
    )
    try:
        done = await running
    except (AdvanceBusy, ClockError) as error:
        raise conflict(str(error)) from error
    except asyncio.CancelledError:
        # The client has gone; or the advance itself was ended, with its tenant.
        if request.services.waiters.closing or not tenant.closed:
            raise
        raise _taken_over(tenant.id) from None
    if tenant.closed and request.runtime.ownership is not None:
        raise _taken_over(tenant.id)
    due = tenant.engine.next_due()
    idle = due is None and tenant.outbox.idle
    return reply_json(
        Advanced.shown(
            now=done.now,
            fired=done.fired,
            callbacks=[attempt.shown() for attempt in done.callbacks],
            complete=done.complete and (idle or not until_idle),
            next_due=due,
        )
    )


def _taken_over(tenant_id: str) -> ControlError:
    return ControlError(
        503, f"tenant {tenant_id!r} is not here any more: how far its clock is, GET /v1/tenants/{tenant_id} tells; "
        'repeat the advance with {"to": INSTANT}'
    )  # fmt: skip


def _target(document: dict[str, Any], now: int) -> int | None:
    """The instant to go to; None for the next thing due."""
    if "seconds" in document:
        seconds: float = document["seconds"]
        return now + round(seconds * SECOND)
    to = document["to"]
    if to == "next":
        return None
    if to == "idle":
        return min(now + body_duration(document, "at_most", DAY, LONGEST_ADVANCE), LAST)
    try:
        instant = parse_rfc3339(to)
    except ValueError:
        raise wrong(
            "/to", f"must be next, idle, or an instant like {EXAMPLE_TIME}, not {to[:40]!r}"
        ) from None
    message = ""
    if instant < now:
        message = f"a clock runs forwards only, and it is already {rfc3339(now)}"
    elif instant > now + LONGEST_ADVANCE:
        message = f"is more than {LONGEST_ADVANCE // SECOND} seconds ahead of {rfc3339(now)}"
    if message:
        raise conflict(message, [("/to", message)])
    return instant


def body_duration(document: dict[str, Any], name: str, default: int, longest: int) -> int:
    """Microseconds of a member that is ``"5s"`` or a number of seconds. Raises ControlError 422."""
    value: str | float | None = document.get(name)
    if value is None:
        return default
    try:
        if isinstance(value, str):
            return read_duration(value, longest)
        if not 0 <= value <= longest / SECOND:
            raise ValueError(f"must be from 0 to {longest / SECOND:g} seconds, not {value}")
    except ValueError as error:
        raise invalid([(f"/{name}", str(error))], "the body is invalid") from error
    return round(value * SECOND)
