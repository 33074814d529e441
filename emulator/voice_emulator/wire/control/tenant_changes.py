"""What POST and PATCH of a tenant may say, held against the providers; every mistake is found at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.layers import Layer
from voice_emulator.core.urls import ascii_url
from voice_emulator.core.words import nearest
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.scenarios.diagnostics import Diagnostics, TooManyFindings
from voice_emulator.scenarios.durations import clock as read_clock_node
from voice_emulator.scenarios.nodes import child_pointer, from_json

Providers = Mapping[str, Provider]
Errors = list[tuple[str, str]]

URL_LIMIT = 2_048
CREDENTIAL_LIMIT = 256


def check_account(providers: Providers, document: Mapping[str, Any], errors: Errors) -> None:
    """Note what is wrong with ``callback_urls``, ``credentials`` and ``settings`` of a body."""
    errors.extend(_url_errors(providers, document.get("callback_urls") or {}))
    errors.extend(_credential_errors(providers, document.get("credentials") or {}))
    errors.extend(_setting_errors(providers, document.get("settings") or {}))


def _url_errors(providers: Providers, urls: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = tuple(receiver_keys(providers))
    for key, url in urls.items():
        pointer = child_pointer("/callback_urls", key)
        if key not in known:
            yield pointer, f"unknown receiver{nearest(key[:60], known)}"
        elif url is None or url == "":
            continue
        elif not isinstance(url, str) or len(url) > URL_LIMIT:
            yield pointer, f"must be a URL of at most {URL_LIMIT} characters"
        elif not url.isprintable() or " " in url:
            # Line breaks would end up in a request's head.
            yield pointer, "a URL has no blanks and no control characters"
        else:
            try:
                ascii_url(url)
            except ValueError as error:
                yield pointer, f"the URL cannot be sent: {error}"


def _credential_errors(providers: Providers, credentials: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, given in credentials.items():
        pointer = child_pointer("/credentials", name)
        if name not in providers:
            yield pointer, f"unknown provider{nearest(name[:60], providers)}"
        elif given is not None:
            yield from _one_credential(pointer, given, providers[name].default_credentials)


def _one_credential(pointer: str, given: Any, expected: Any) -> Iterator[tuple[str, str]]:
    if isinstance(expected, Mapping):
        if not isinstance(given, Mapping):
            yield pointer, f"must be an object with {', '.join(expected)}"
            return
        for name, value in given.items():
            below = child_pointer(pointer, name)
            if name not in expected:
                yield below, f"unknown credential{nearest(name[:60], expected)}"
            elif value is not None:
                yield from _one_credential(below, value, expected[name])
        return
    texts = given if isinstance(given, list) and not isinstance(expected, str) else [given]
    for text in texts:
        if not isinstance(text, str) or not 1 <= len(text) <= CREDENTIAL_LIMIT or not text.isprintable():
            yield pointer, f"must be a text of 1 to {CREDENTIAL_LIMIT} printable characters"


def _setting_errors(providers: Providers, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, given in settings.items():
        pointer = child_pointer("/settings", name)
        if name not in providers:
            yield pointer, f"unknown provider{nearest(name[:60], providers)}"
            continue
        if given is None:
            continue
        if not isinstance(given, Mapping):
            yield pointer, "must be an object of settings"
            continue
        known = providers[name].settings.settings
        for key, value in given.items():
            below = child_pointer(pointer, key)
            if key not in known:
                yield below, f"unknown setting{nearest(key[:60], known)}"
            elif value is not None:
                try:
                    known[key].read(value)
                except ValueError as error:
                    yield below, str(error)


def read_clock(value: Any, errors: Errors) -> ClockSpec | None:
    """A clock as scenario files write it: ``real``, ``manual``, ``60x``, ``{mode, start}``."""
    if value is None:
        return None
    node, found = from_json(value, "clock")
    reading = Diagnostics("clock")
    reading.findings.extend(found)
    spec = None
    try:
        spec = read_clock_node(reading, node) if node is not None else None
    except TooManyFindings:
        pass  # they are findings all the same
    errors.extend((f"/clock{finding.pointer}", finding.message) for finding in reading.findings)
    return spec


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
