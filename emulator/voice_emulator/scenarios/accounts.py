"""The ``providers`` of a scenario: receivers, credentials and settings of each account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.urls import url_problem
from voice_emulator.providers.provider import Provider
from voice_emulator.scenarios.catalogue import Catalogue, url_settings
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.nodes import Node, Scalar, SequenceNode, as_value


def read_accounts(reading: Diagnostics, node: Node, catalogue: Catalogue) -> dict[str, dict[str, Any]]:
    """Account settings by provider id, as texts, lists and mappings of them; None where a value is unset."""
    members = reading.mapping(node, "providers", catalogue.providers)
    accounts = {}
    for name, member in (members or {}).items():
        account = _account(reading, member, catalogue.providers[name])
        if account is not None:
            accounts[name] = account
    return accounts


def _account(reading: Diagnostics, node: Node, provider: Provider) -> dict[str, Any] | None:
    if isinstance(node, Scalar) and node.missing:
        return {}
    urls = url_settings(provider)
    known = (*urls, "credentials", *provider.settings.settings)
    members = reading.mapping(node, f"providers.{provider.id}", known)
    if members is None:
        return None
    account: dict[str, Any] = {}
    for name, member in members.items():
        if name in urls:
            account[name] = _url(reading, member, name)
        elif name == "credentials":
            account[name] = _credentials(
                reading, member, provider.default_credentials, f"credentials of {provider.id}"
            )
        elif not _broken(member):
            account[name] = as_value(member)
            try:
                provider.settings.read({name: account[name]})
            except ValueError as error:
                reading.error(member, str(error))
    return account


def _broken(node: Node) -> bool:
    """Whether some value in ``node`` has a finding already."""
    if isinstance(node, Scalar):
        return node.broken
    return any(map(_broken, node.items if isinstance(node, SequenceNode) else node.entries.values()))


def _url(reading: Diagnostics, node: Node, what: str) -> str | None:
    if isinstance(node, Scalar) and (node.null or not node.text):
        return None
    text = reading.text(node, what)
    if text is None:
        return None
    problem = url_problem(text)
    if problem is not None:
        reading.error(node, f"{what}: {problem}")
        return None
    return text


def _credentials(reading: Diagnostics, node: Node, structure: Mapping[str, Any], what: str) -> dict[str, Any]:
    members = reading.mapping(node, what, structure)
    found: dict[str, Any] = {}
    for name, member in (members or {}).items():
        expected = structure[name]
        if isinstance(expected, Mapping):
            found[name] = _credentials(reading, member, expected, f"{name} in the {what}")
        elif isinstance(member, SequenceNode) and not isinstance(expected, str):
            texts = [reading.text(item, name) for item in member.items]
            found[name] = [text for text in texts if text is not None]
        elif expected is None and isinstance(member, Scalar) and member.null:
            found[name] = None
        else:
            value = reading.text(member, name)
            if value is not None:
                found[name] = value
    return found
