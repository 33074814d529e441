"""Finds the providers: every folder of this package (or another) with a ``PROVIDER``."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from importlib import import_module

import voice_emulator.providers
from voice_emulator.core.words import nearest
from voice_emulator.errors import UsageError
from voice_emulator.providers.provider import Provider


def discover(package: str = "voice_emulator.providers") -> dict[str, Provider]:
    """All providers of a package, by id, in alphabetical order of their folders."""
    found: dict[str, Provider] = {}
    path = (
        import_module(package).__path__
        if package != "voice_emulator.providers"
        else voice_emulator.providers.__path__
    )
    for module in sorted(pkgutil.iter_modules(path), key=lambda module: module.name):
        if not module.ispkg:
            continue
        provider = getattr(import_module(f"{package}.{module.name}"), "PROVIDER", None)
        if isinstance(provider, Provider):
            found[provider.id] = provider
    return found


def provider_named(providers: Mapping[str, Provider], name: str) -> Provider:
    """The provider called ``name``. Raises UsageError with the nearest name."""
    if name not in providers:
        raise UsageError(f"there is no provider {name!r}{nearest(name, providers)}")
    return providers[name]


def receiver_keys(providers: Mapping[str, Provider]) -> Iterable[str]:
    """Every key of ``callback_urls``, each once."""
    return dict.fromkeys(key for provider in providers.values() for key in provider.url_keys)
