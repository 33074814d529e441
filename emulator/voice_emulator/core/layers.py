"""Layers of a tenant's configuration: API over command line over scenario over default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from voice_emulator.core.values import plain_record


@plain_record
class Layer:
    """One source of configuration; None or an empty mapping where it says nothing.

    ``settings`` and ``credentials`` map provider id to values, ``callback_urls`` url key to URL.
    """

    seed: int | None = None
    callback_urls: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    credentials: Mapping[str, Any] = field(default_factory=dict)


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``: mappings are merged, anything else is replaced."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[name] = merge(under, value)
        else:
            merged[name] = value
    return merged


def patch(target: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """``target`` after a merge patch (RFC 7396): null removes a member."""
    patched = dict(target)
    for name, value in change.items():
        if value is None:
            patched.pop(name, None)
        elif isinstance(value, Mapping):
            under = patched.get(name)
            patched[name] = patch(under if isinstance(under, Mapping) else {}, value)
        else:
            patched[name] = value
    return patched
