"""trigger: push one receipt, with no emulator running and no call placed."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import click

from voice_emulator.cli.event_loop import run
from voice_emulator.cli.options import address, assignment, rewrite, span
from voice_emulator.cli.scenarios import make_loader
from voice_emulator.cli.terminal import echo
from voice_emulator.core.clock import MILLISECOND, SECOND, ClockSpec
from voice_emulator.core.ledger import FIRST_RECORD
from voice_emulator.core.masking import Masker
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome, PushOutcome
from voice_emulator.core.words import nearest
from voice_emulator.errors import FileError, UsageError
from voice_emulator.providers.examples import place_example
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import discover, provider_named
from voice_emulator.providers.request import Operation
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.machine_time import wall_now

if TYPE_CHECKING:
    from voice_emulator.core.attempts import Attempt

NUMBER = "6281234567890"
#: The call is put this far back, so that its end lies about now.
AGO = 60 * SECOND


@click.command("trigger")
@click.argument("provider")
@click.option("--callback-url", metavar="URL", type=address, required=True, help="The receiver.")
@click.option(
    "--outcome",
    metavar="OUTCOME",
    help="How the call ended, such as busy.  [default: by the number, else answered]",
)
@click.option("--number", metavar="N", default=NUMBER, show_default=True, help="The called number.")
@click.option("--set", "fields", type=assignment, multiple=True, help="A field of the receipt and its value.")
@click.option(
    "--operation", metavar="NAME", help="The operation that placed the call.  [default: the provider's first]"
)
@click.option("--allow-callback-host", metavar="PATTERN", multiple=True, help="As for serve.")
@click.option("--rewrite-callback", metavar="FROM=TO", type=rewrite, multiple=True, help="As for serve.")
@click.option(
    "--callback-timeout", metavar="SECONDS", type=span, default=10.0, help="As for serve.  [default: 10]"
)
def trigger(
    provider: str,
    callback_url: str,
    outcome: str | None,
    number: str,
    fields: tuple[tuple[str, str], ...],
    operation: str | None,
    allow_callback_host: tuple[str, ...],
    rewrite_callback: tuple[tuple[str, str], ...],
    callback_timeout: float,
) -> None:
    """Push one receipt of PROVIDER, with no emulator running and no call placed.

    Prints what was sent and what came back. Exits 0 when the receiver acknowledged it as that provider
    expects, 1 otherwise.
    """
    from voice_emulator.cli import logs
    from voice_emulator.wire.delivery.attempting import Delivery
    from voice_emulator.wire.delivery.target_policy import TargetPolicy

    # What would be a warning while serving is this command's own last line.
    logs.set_up("text", logging.ERROR)
    providers = discover()
    chosen = provider_named(providers, provider)
    placing = _operation(chosen, operation)
    tenant = make_tenant(chosen, placing, _outcome(outcome), fields)
    schemas = SchemaSet.load({chosen.id: chosen})
    push = make_push(tenant, chosen, placing, schemas, number, callback_url)

    async def deliver() -> Attempt:
        delivery = Delivery(
            {chosen.id: chosen}, schemas, Masker(chosen.secrets), policy=TargetPolicy(allow_callback_host, rewrite_callback),
            rewrites=rewrite_callback, timeout=callback_timeout,
        )  # fmt: skip
        await delivery.open()
        try:
            return await delivery.attempt(tenant, push)
        finally:
            await delivery.close()

    attempt = run(deliver())
    _show(attempt)
    if attempt.outcome is not PushOutcome.DELIVERED:
        raise click.ClickException(f"{attempt.outcome.value}: {attempt.reason}")
    echo("delivered: acknowledged as the provider expects")


def _outcome(name: str | None) -> Outcome | None:
    if name is None:
        return None
    outcomes = [outcome.value for outcome in Outcome]
    if name not in outcomes:
        raise UsageError(f"there is no outcome {name!r}{nearest(name, outcomes)}")
    return Outcome(name)


def _operation(provider: Provider, name: str | None) -> Operation:
    """The operation whose call is reported: the named one, else the first that places calls."""
    placing = {
        each.name: each for each in provider.operations.values() if each.places_calls and each.receipts
    }
    if name is None:
        return next(iter(placing.values()))
    if name not in placing:
        raise UsageError(f"{provider.id} has no operation {name!r} that places calls{nearest(name, placing)}")
    return placing[name]


def make_tenant(
    provider: Provider, operation: Operation, outcome: Outcome | None, fields: tuple[tuple[str, str], ...]
) -> Tenant:
    """A tenant of that provider alone, on a manual clock, whose scenario makes the call go as wanted.

    Without an outcome the number decides. Raises UsageError for a field the receipt does not have.
    """
    rule: dict[str, Any] = {"name": "as asked for", "match": {"operation": operation.name}}
    if outcome is not None:
        rule["call"] = {"outcome": outcome.value}
    if fields:
        rule["receipt"] = {"set": dict(fields)}
    document: dict[str, Any] = {"name": "trigger", "magic_numbers": outcome is None}
    if len(rule) > 2:
        document["rules"] = [rule]
    try:
        scenario = make_loader().mapping(document)
    except FileError as error:
        raise UsageError(error.findings[0].message) from error
    tenancy = Tenancy({provider.id: provider}, wall_now)
    now = wall_now()
    # Ids are drawn from the tenant's: a receiver that drops repeats must not take the next receipt for one.
    tenant = tenancy.create(scenario, id=f"trigger-{now}", clock=ClockSpec("manual", start=now - AGO))
    # Record ids count, and the receiver has seen this provider's first one: go on from the tenths of the second.
    tenant.ledger.records[provider.id] = FIRST_RECORD + now // (100 * MILLISECOND) % 2**30
    return tenant


def make_push(
    tenant: Tenant, provider: Provider, operation: Operation, schemas: SchemaSet, number: str, url: str
) -> Push:
    """The push that reports the end of one call to ``number``, in flight, on its way to ``url``.

    The call is one that the documents' own example request asks for; only number and receiver are ours.
    """
    call = place_example(tenant, provider, operation, schemas, number, at=tenant.now, callback_url=url)
    if call is None:
        raise UsageError(f"{operation.name} of {provider.id} places no call by its own example")
    while (due := tenant.engine.next_due()) is not None:
        tenant.clock.advance_to(max(due, tenant.now))
        tenant.engine.fire(tenant.now)
    last = None
    while (push := tenant.outbox.take()) is not None:
        last = push
    if last is None:
        raise UsageError(f"{operation.name} of {provider.id} reports no call")
    return last


def _show(attempt: Attempt) -> None:
    """Print the request with its fields, and the answer."""
    seen = attempt.shown()
    echo(f"{seen['method']} {seen['url']}")
    for name, value in seen["headers"]:
        echo(f"{name}: {value}")
    echo(json.dumps(seen["fields"], indent=2, ensure_ascii=False))
    if seen["reply"] is not None:
        echo(f"answered {seen['status']} {seen['reply'][:2000]}".rstrip())
