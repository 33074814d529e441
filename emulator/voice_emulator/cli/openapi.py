"""openapi: print the OpenAPI 3.1 document of a provider, or of the control API."""

from __future__ import annotations

import json

import click

from voice_emulator.cli.terminal import echo
from voice_emulator.settings import CONTROL_PORT, LOOPBACK, TRAFFIC_PORT

CONTROL = "control"


@click.command("openapi")
@click.argument("which", metavar="[PROVIDER|control]", default=CONTROL)
def openapi(which: str) -> None:
    """Print the OpenAPI 3.1 document of PROVIDER, callbacks included, or of the control API.

    It is the one that a running emulator serves, with the default ports as servers.
    """
    from voice_emulator.core.words import nearest
    from voice_emulator.errors import UsageError
    from voice_emulator.providers.registry import discover
    from voice_emulator.schemas.validate import SchemaSet
    from voice_emulator.version import version

    providers = discover()
    if which == CONTROL:
        from voice_emulator.wire.control.document.openapi import control_document
        from voice_emulator.wire.control.routes import control_routes

        base = f"http://{LOOPBACK}:{CONTROL_PORT}"
        document = control_document(control_routes(providers), providers, base, version())
    elif which in providers:
        from voice_emulator.openapi.providers import provider_document

        schemas = SchemaSet.load(providers)
        base = f"http://{LOOPBACK}:{TRAFFIC_PORT}"
        document = provider_document(providers[which], schemas, base, version())
    else:
        raise UsageError(f"there is no document {which!r}{nearest(which, [CONTROL, *providers])}")
    echo(json.dumps(document, indent=2, ensure_ascii=False))
