"""What POST and PATCH of a tenant say beyond their schema, and what it means for the tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.clock import ClockSpec, parse_clock, parse_start, started
from voice_emulator.core.layers import Layer
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.scenarios.nodes import child_pointer

Providers = Mapping[str, Provider]
Errors = list[tuple[str, str]]


def check_settings(providers: Providers, document: Mapping[str, Any], errors: Errors) -> None:
    """Note the values of a body's ``settings`` that do not read; its schema has admitted the names."""
    for name, values in (document.get("settings") or {}).items():
        for key, value in (values or {}).items():
            try:
                if value is not None:
                    providers[name].settings.settings[key].read(value)
            except ValueError as error:
                errors.append((child_pointer(f"/settings/{name}", key), str(error)))


def read_clock(value: Any, errors: Errors) -> ClockSpec | None:
    """A clock as scenario files write it: ``real``, ``manual``, ``60x``, ``{mode, start}``."""
    pointer = "/clock"
    try:
        if value is None or isinstance(value, str):
            return None if value is None else parse_clock(value)
        pointer = "/clock/mode"
        spec = parse_clock(value["mode"])
        if "start" not in value:
            return spec
        pointer = "/clock/start"
        return started(spec, parse_start(value["start"]))
    except ValueError as error:
        errors.append((pointer, str(error)))
        return None


def layer_of(document: Mapping[str, Any]) -> Layer:
    """The configuration a new tenant is created with; what is null is left to the scenario."""
    return Layer(
        seed=document.get("seed"),
        callback_urls={key: url or "" for key, url in (document.get("callback_urls") or {}).items()},
        settings=_without_nulls(document.get("settings") or {}),
        credentials=_without_nulls(document.get("credentials") or {}),
    )


def changes_of(providers: Providers, document: Mapping[str, Any]) -> dict[str, Any]:
    """A PATCH in the form :meth:`Tenant.change` takes.

    A receiver set to null is gone, wherever it was configured: it becomes the empty URL. For credentials,
    settings and the seed null gives back to scenario and defaults; null for a whole section, for all of it.
    """
    changes: dict[str, Any] = {}
    if "seed" in document:
        changes["seed"] = document["seed"]
    if "callback_urls" in document:
        urls = document["callback_urls"]
        given = dict.fromkeys(receiver_keys(providers)) if urls is None else urls
        changes["callback_urls"] = {key: url or "" for key, url in given.items()}
    for section in ("credentials", "settings"):
        if section in document:
            changes[section] = dict.fromkeys(providers) if document[section] is None else document[section]
    return changes


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: _without_nulls(member) for name, member in value.items() if member is not None}
