"""Finds the providers: every folder of this package (or another) with a ``PROVIDER``, then the installed plug-ins.

A plug-in is an entry point in the group :data:`GROUP` whose name is the id of the :class:`Provider` that it leads to.
One that cannot be used is left out, and one line says why; that never stops anything else.
"""

from __future__ import annotations

import logging
import os
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import lru_cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import voice_emulator.providers
from voice_emulator.core.scenario import RETRIES
from voice_emulator.core.words import nearest
from voice_emulator.errors import UsageError
from voice_emulator.providers.provider import Provider
from voice_emulator.schemas.validate import SchemaSet

log = logging.getLogger(__name__)
# Also in commands that silence warnings: a provider that is missing explains what follows.
log.setLevel(logging.WARNING)

GROUP = "voice_emulator.providers"
#: The version of what a plug-in is built on; it changes when a plug-in has to.
API = 1
#: The environment variable that switches plug-ins off, as the option ``--no-provider-plugins`` does.
SWITCH = "VOICE_EMULATOR_NO_PROVIDER_PLUGINS"

_BUILT_IN = "voice_emulator.providers"
_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
#: Where a provider's name may stand, these words mean something else.
_RESERVED = frozenset({"all", "control"})
_NO = frozenset({"", "0", "false", "no", "off", "f", "n"})
#: Lines that were logged: several parts of one command look for the providers, and each line is for a person.
_told: set[str] = set()


def built_in(package: str = _BUILT_IN) -> dict[str, Provider]:
    """All providers of a package, by id, in alphabetical order of their folders."""
    found: dict[str, Provider] = {}
    path = import_module(package).__path__ if package != _BUILT_IN else voice_emulator.providers.__path__
    for module in sorted(pkgutil.iter_modules(path), key=lambda module: module.name):
        if not module.ispkg:
            continue
        provider = getattr(import_module(f"{package}.{module.name}"), "PROVIDER", None)
        if isinstance(provider, Provider):
            found[provider.id] = provider
    return found


def discover(package: str = _BUILT_IN, *, plugins: bool = True) -> dict[str, Provider]:
    """The built-in providers by id, then those of plug-ins in the order of their entry points' names.

    A plug-in that cannot be used is logged, once in a process. Another ``package`` than the built-in one stands for
    itself: no plug-in is added.
    """
    providers = built_in(package)
    if not plugins or package != _BUILT_IN or plugins_are_off(os.environ.get(SWITCH, "")):
        return providers
    for name, origin, found in _installed(tuple(sys.path)):
        line = found if isinstance(found, str) else collision(found, providers)
        if isinstance(found, Provider) and not line:
            providers[found.id] = found
            continue
        told = f"provider plug-in {name!r} ({origin}) is left out: {line}"
        if told not in _told:
            _told.add(told)
            log.warning("%s", told)
    return providers


def plugins_are_off(value: str) -> bool:
    """Whether this value of :data:`SWITCH` means that no plug-in is loaded."""
    return value.strip().lower() not in _NO


@lru_cache(maxsize=4)
def _installed(path: tuple[str, ...]) -> list[tuple[str, str, Provider | str]]:
    """The plug-ins on ``sys.path``: name, distribution, and the provider or what is wrong with it."""
    found = sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value))
    return [(each.name, each.dist.name if each.dist else each.value, _loaded(each)) for each in found]


def _loaded(entry: EntryPoint) -> Provider | str:
    try:
        with redirect_stdout(sys.stderr):  # standard output is for what a command prints
            value = entry.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code, and nothing else may stop for it
        return f"it cannot be imported: {_one_line(error)}"
    try:
        return next(_flaws(entry.name, value), None) or value
    except Exception as error:  # noqa: BLE001 - as above
        return f"it cannot be used: {_one_line(error)}"


def _flaws(name: str, value: object) -> Iterator[str]:
    """What is wrong with a plug-in by itself."""
    api = getattr(value, "api", API)
    if api != API:
        yield f"it is made for api {api!r}, this voice-emulator has api {API}"
    if not isinstance(value, Provider):
        yield f"its entry point leads to {type(value).__name__}, not to a Provider"
        return
    if value.id != name:
        yield f"its entry point is called {name!r} and its provider {value.id!r}"
    if not _ID.fullmatch(name) or name in _RESERVED:
        yield "a provider's id has lower-case letters, digits and _, and begins with a letter; all and control are taken"
    if value.schemas is None:
        yield "Provider.schemas names no folder"
    wrong = [key for key in value.url_keys if key != name and not key.startswith(f"{name}_")]
    wrong += [key for key in value.retries if key != name and not key.startswith(f"{name}-")]
    if wrong:
        yield f"{wrong[0]!r} must be {name!r} or begin with it: <id>_<kind> for a URL key, <id>-<word> for a retry"
    schemas = SchemaSet.load({name: value})
    for operation in value.operations.values():
        schemas.get(operation.request)
        schemas.get(operation.reply)
    for kind in value.receipts.values():
        schemas.get(kind.schema)
    named = [each for route in value.routes for each in route.operations if each not in value.operations]
    named += [
        each for one in value.operations.values() for each in one.receipts if each not in value.receipts
    ]
    if named:
        yield f"a route or an operation names {named[0]!r}, which it does not have"


def collision(provider: Provider, others: Mapping[str, Provider]) -> str:
    """What ``provider`` has that one of ``others`` has already; empty when nothing."""
    if provider.id in others:
        return f"there is a provider {provider.id!r} already"
    unclaimed = {
        route.path: other.id for other in others.values() for route in other.routes if route.claims is None
    }
    for route in provider.routes:
        if route.claims is None and route.path in unclaimed:
            return f"it and {unclaimed[route.path]} both serve {route.path}: one of them needs Route.claims"
    keys = {key: other.id for other in others.values() for key in other.url_keys}
    keys |= dict.fromkeys(RETRIES, "the emulator") | {
        name: other.id for other in others.values() for name in other.retries
    }
    for key in (*provider.url_keys, *provider.retries):
        if key in keys:
            return f"{keys[key]} has {key!r} already"
    return ""


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def provider_named(providers: Mapping[str, Provider], name: str) -> Provider:
    """The provider called ``name``. Raises UsageError with the nearest name."""
    if name not in providers:
        raise UsageError(f"there is no provider {name!r}{nearest(name, providers)}")
    return providers[name]


def receiver_keys(providers: Mapping[str, Provider]) -> Iterable[str]:
    """Every key of ``callback_urls``, each once."""
    return dict.fromkeys(key for provider in providers.values() for key in provider.url_keys)
