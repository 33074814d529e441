"""Whose request it is."""

from __future__ import annotations

from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.attribution import secret_names


def test_secret_names_are_those_of_every_provider_and_schema():
    providers = discover()
    names = secret_names(providers.values(), SchemaSet.load(providers))
    assert {"authorization", "secretkey", "accesskey", "app_secret"} <= names
    assert "phone" not in names
    alone = secret_names([], SchemaSet.load(providers))
    assert alone == {"authorization", "proxy-authorization", "cookie"}
