"""openapi: print the OpenAPI 3.1 document of a provider, or of the control API."""

from __future__ import annotations

import json

import click

from emulator.settings import CONTROL_PORT, LOOPBACK, TRAFFIC_PORT

CONTROL = "control"


@click.command("openapi")
@click.argument("which", metavar="[PROVIDER|control]", default=CONTROL)
def openapi(which: str) -> None:
    """Print the OpenAPI 3.1 document of PROVIDER, callbacks included, or of the control API.

    It is the one that a running emulator serves, with the default ports as servers.
    """
    from emulator import __version__
    from emulator.core.words import nearest
    from emulator.errors import UsageError
    from emulator.loading.schemas import SchemaSet
    from emulator.providers.registry import discover

    providers = discover()
    if which == CONTROL:
        from emulator.wire.control_routes import control_routes
        from emulator.wire.openapi_control import control_document

        base = f"http://{LOOPBACK}:{CONTROL_PORT}"
        document = control_document(control_routes(providers), providers, base, __version__)
    elif which in providers:
        from emulator.wire.openapi import provider_document

        schemas = SchemaSet.load(providers)
        base = f"http://{LOOPBACK}:{TRAFFIC_PORT}"
        document = provider_document(providers[which], schemas, base, __version__)
    else:
        raise UsageError(f"there is no document {which!r}{nearest(which, [CONTROL, *providers])}")
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
