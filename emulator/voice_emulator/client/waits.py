"""What a test waits for or verifies, as flows over one tenant; what is not so is :class:`Unsatisfied`.

``after=N`` leaves out the first N of all that happened, so that a test can wait for what comes next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from voice_emulator.client import observing, operations
from voice_emulator.client.durations import Duration, text
from voice_emulator.client.entries import Entry
from voice_emulator.client.errors import Conflict, Unsatisfied
from voice_emulator.client.exchange import Flow
from voice_emulator.client.pages import PAGE_LIMIT, every
from voice_emulator.core.shapes import Advanced, Call, Callback, VerifyResult
from voice_emulator.core.words import counted

__tracebackhide__ = True

#: Calls under way that a failure names.
SHOWN_CALLS = 5
#: What a test lacks that advances a clock which is not manual.
MANUAL = (
    'mark the test @pytest.mark.voice_emulator(clock="manual"), or outside pytest use running(clock="manual")'
)


def advance(
    tenant: str,
    by: Duration | None = None,
    *,
    to: datetime | str | None = None,
    at_most: Duration | None = None,
    wall_limit: Duration = 30,
) -> Flow[Advanced]:
    """Take a manual clock forwards: ``advance("90s")``, ``advance(to="next")`` or ``advance(to="idle")``.

    ``to`` may also be an instant. Every push that falls due has been attempted when it returns, and its
    receiver has answered. Raises Conflict when the clock is not manual, Unsatisfied when ``wall_limit``
    (real time) or ``at_most`` ended it before all was done.
    """
    try:
        done = yield from operations.advance(tenant, by, to=to, at_most=at_most, wall_limit=wall_limit)
    except Conflict as error:
        if (yield from operations.tenant(tenant)).manual:
            raise
        raise Conflict(error.status, error.title, f"{error.detail}; {MANUAL}") from None
    if not done.complete:
        limits = _words(wall_limit=text(wall_limit), at_most=None if at_most is None else text(at_most))
        raise Unsatisfied(f"the clock stopped at {done.now.isoformat()} with more to come ({limits})")
    return done


def wait_for_callbacks(
    tenant: str,
    count: int = 1,
    *,
    timeout: Duration = 5,
    provider: str | None = None,
    number: str | None = None,
    outcome: str | None = None,
    after: str | int | None = None,
) -> Flow[list[Callback]]:
    """Wait until ``count`` push attempts have finished, and return them; earlier ones count too.

    ``outcome`` is that of the attempt (``delivered``, ``refused``, ``failed``, ...), ``timeout`` real time.
    Raises Unsatisfied when there are fewer at its end.
    """
    found: list[Callback] = yield from _wait_for(
        tenant, "callbacks", count, timeout, provider=provider, number=number, outcome=outcome, after=after
    )
    return found


def wait_for_callback(
    tenant: str,
    *,
    timeout: Duration = 5,
    provider: str | None = None,
    number: str | None = None,
    outcome: str | None = None,
    after: str | int | None = None,
) -> Flow[Callback]:
    """Wait for one push attempt to finish and return it (the first that fits); an earlier one counts too.

    Its ``fields`` are the receipt's, ``reply`` and ``status`` what the receiver answered. ``timeout`` is
    real time. Raises Unsatisfied when none came.
    """
    found = yield from wait_for_callbacks(
        tenant, 1, timeout=timeout, provider=provider, number=number, outcome=outcome, after=after
    )
    return found[0]


def wait_for_calls(
    tenant: str,
    count: int = 1,
    *,
    timeout: Duration = 5,
    provider: str | None = None,
    number: str | None = None,
    outcome: str | None = None,
    after: str | int | None = None,
) -> Flow[list[Call]]:
    """Wait until ``count`` calls have ended (with this ``outcome``), and return them; earlier ones count too.

    ``timeout`` is real time. Raises Unsatisfied when there are fewer at its end.
    """
    found: list[Call] = yield from _wait_for(
        tenant, "calls", count, timeout, provider=provider, number=number, outcome=outcome, after=after
    )
    return found


def wait_for_requests(
    tenant: str,
    count: int = 1,
    *,
    timeout: Duration = 5,
    provider: str | None = None,
    number: str | None = None,
    after: str | int | None = None,
) -> Flow[list[Entry]]:
    """Wait until ``count`` requests have been answered, and return them; earlier ones count too.

    ``timeout`` is real time. Raises Unsatisfied when there are fewer at its end.
    """
    found: list[Entry] = yield from _wait_for(
        tenant, "requests", count, timeout, provider=provider, number=number, after=after
    )
    return found


def verify(
    tenant: str,
    *,
    provider: str | None = None,
    operation: str | None = None,
    number: str | None = None,
    fields: Mapping[str, Any] | None = None,
    exactly: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
    within: Duration | None = None,
) -> Flow[VerifyResult]:
    """Assert that as many requests came as wanted: at least one, unless a number is given.

    Waits up to ``within`` of real time for it to become so. Raises Unsatisfied with the requests that
    came nearest, and what differed.
    """
    result = yield from observing.verify(
        tenant,
        provider=provider,
        operation=operation,
        number=number,
        fields=fields,
        exactly=exactly,
        at_least=at_least,
        at_most=at_most,
        within=within,
    )
    if not result.satisfied:
        bounds = _words(exactly=exactly, at_least=at_least, at_most=at_most) or "at_least 1"
        wanted = _words(provider=provider, operation=operation, number=number, fields=fields) or "any"
        lines = [f"wanted {bounds} of the requests with {wanted}; {result.count} matched"]
        raise Unsatisfied("\n".join([*lines, *(f"  near miss: {miss}" for miss in result.near_misses)]))
    return result


def push(tenant: str, call: Call | str) -> Flow[tuple[Callback, ...]]:
    """Push the receipt of an ended call (or of its id) again, now, as a provider's support desk would.

    Returns the attempts once they are over. Raises Conflict when the call has not ended.
    """
    return (yield from observing.push(tenant, call if isinstance(call, str) else call.id))


def assert_no_violations(tenant: str, warnings: bool = False) -> Flow[None]:
    """Fail when the client under test broke the contract: errors, and ``warnings`` too if asked.

    Raises Unsatisfied with every finding, the rule and the provider page that states it.
    """
    found = yield from every((yield from observing.violations(tenant)))
    broken = [violation for violation in found if warnings or violation.severity == "error"]
    if broken:
        heading = f"{counted(len(broken), 'violation')} of the providers' contract"
        raise Unsatisfied("\n".join([heading, *(f"  {violation}" for violation in broken)]))


def _words(**wanted: Any) -> str:
    return ", ".join(f"{name} {value!r}" for name, value in wanted.items() if value is not None)


def _wait_for(
    tenant: str,
    kind: Literal["callbacks", "calls", "requests"],
    count: int,
    timeout: Duration,
    *,
    after: str | int | None,
    provider: str | None,
    number: str | None,
    outcome: str | None = None,
) -> Flow[list[Any]]:
    cursor = None if after is None else str(after)
    result = yield from observing.wait(
        tenant,
        kind,
        count,
        timeout=timeout,
        provider=provider,
        number=number,
        outcome=outcome,
        after=cursor,
    )
    if result.satisfied:
        return list(result.items)
    wanted = _words(provider=provider, number=number, outcome=outcome)
    what = counted(count, kind.removesuffix("s"))
    lines = [f"waited {text(timeout)} for {what}{wanted and f' with {wanted}'}; got {len(result.items)}"]
    lines += yield from _hints(tenant, kind, provider, number)
    raise Unsatisfied("\n".join(lines))


def _hints(tenant: str, kind: str, provider: str | None, number: str | None) -> Flow[list[str]]:
    """Why what was waited for may not have come."""
    present = yield from operations.tenant(tenant)
    calls = yield from every(
        (yield from observing.calls(tenant, provider=provider, number=number, limit=PAGE_LIMIT))
    )
    lines = [f"  the call to {call.number} is still {call.state}" for call in calls if call.state != "ended"][
        :SHOWN_CALLS
    ]
    if present.manual:
        lines.append("  the tenant's clock is manual: nothing happens until advance() takes it forwards")
    if kind == "callbacks" and not present.callback_urls:
        lines.append('  no receiver is configured: set voice_emulator.callback_urls["nxcloud"] or its like')
    return lines
