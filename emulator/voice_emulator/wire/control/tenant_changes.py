"""What POST and PATCH of a tenant say beyond their schema, and what it means for the tenant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voice_emulator.core.clock import ClockSpec, parse_clock, started
from voice_emulator.core.layers import Layer
from voice_emulator.core.urls import url_problem
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.scenarios.nodes import child_pointer

Providers = Mapping[str, Provider]


def account_errors(providers: Providers, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the clock, the scenario, and the values of URLs and settings; the schema admits their names."""
    if document.get("scenario") is not None and document.get("scenario_yaml") is not None:
        yield "/scenario_yaml", "give either scenario or scenario_yaml"
    try:
        read_clock(document.get("clock"))
    except ClockInvalid as error:
        yield error.pointer, str(error)
    urls = document.get("callback_urls")
    for key, url in (urls if isinstance(urls, Mapping) else {}).items():
        problem = url_problem(url) if isinstance(url, str) and url else None
        if problem is not None:
            yield child_pointer("/callback_urls", key), problem
    settings = document.get("settings")
    for name, values in (settings if isinstance(settings, Mapping) else {}).items():
        known = providers[name].settings.settings if name in providers else {}
        for key, value in (values if isinstance(values, Mapping) else {}).items():
            try:
                if value is not None and key in known:
                    known[key].read(value)
            except ValueError as error:
                yield child_pointer(f"/settings/{name}", key), str(error)


class ClockInvalid(ValueError):
    """A clock that cannot be read; ``pointer`` is the JSON Pointer of the part that is wrong."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


def read_clock(value: Any) -> ClockSpec | None:
    """A clock as scenario files write it: ``real``, ``manual``, ``60x``, ``{mode, start}``.

    None for null and for other types, which the schema refuses. Raises ClockInvalid.
    """
    mode, start = (value.get("mode"), value.get("start")) if isinstance(value, Mapping) else (value, None)
    if not isinstance(mode, str):
        return None
    try:
        pointer = "/clock/mode" if isinstance(value, Mapping) else "/clock"
        spec = parse_clock(mode)
        pointer = "/clock/start"
        return started(spec, start) if isinstance(start, str) else spec
    except ValueError as error:
        raise ClockInvalid(pointer, str(error)) from error


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
