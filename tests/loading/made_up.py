"""Two made-up providers, so that the loader is tested without any of ours; and short ways to load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.core.scenario import Rule, Scenario
from emulator.errors import FileError
from emulator.loading.catalogue import Catalogue, KnownError, KnownOperation, KnownProvider, KnownReceipt
from emulator.loading.scenarios import ScenarioLoader


def _read_setting(raw: Mapping[str, Any]) -> object:
    for name, value in raw.items():
        if name == "limit" and not (isinstance(value, str) and value.isdigit()):
            raise ValueError(f"limit: must be a whole number, not {value!r}")
    return raw


ACME = KnownProvider(
    id="acme",
    operations={
        "dial": KnownOperation(frozenset({"key", "to", "voice"}), places_calls=True, receipts=("done",)),
        "login": KnownOperation(frozenset({"key", "secret"})),
    },
    receipts={
        "done": KnownReceipt(frozenset({"id", "cause"}), ("query", "form"), frozenset({"empty", "wrong_id"}))
    },
    errors=(KnownError("auth_failed", "401"), KnownError("no_money", "7", frozenset({"dial"}))),
    causes=frozenset({"16", "NORMAL", "17", "BUSY"}),
    settings=("limit", "files"),
    read_setting=_read_setting,
    credentials={"key": "acme-key", "family": {"login": "me"}, "codes": None},
    url_settings=("callback_url", "late_callback_url"),
    expires_tokens=True,
)
BELL = KnownProvider(
    id="bell",
    operations={"ring": KnownOperation(frozenset({"number"}), places_calls=True, receipts=("record",))},
    receipts={"record": KnownReceipt(frozenset({"uuid"}), ("json",), frozenset({"bad_date"}))},
    errors=(KnownError("auth_failed", "E1"), KnownError("no_line", "E2")),
    causes=frozenset({"HUNG_UP"}),
    settings=(),
    read_setting=_read_setting,
    credentials={"token": "t"},
)
CATALOGUE = Catalogue({"acme": ACME, "bell": BELL})


def loader(**environ: str) -> ScenarioLoader:
    return ScenarioLoader(CATALOGUE, environ)


def load(text: str, **environ: str) -> Scenario:
    return loader(**environ).text(text)


def rule(text: str, name: str = "a") -> Rule:
    """The one rule that ``text``, indented below ``rules:`` as one item, stands for."""
    return load(f"name: x\nrules:\n  - {{name: {name}, {text}}}\n").rules[0]


def complaints(text: str, **environ: str) -> list[str]:
    """What is wrong with a text, as ``line:column message``."""
    try:
        load(text, **environ)
    except FileError as error:
        return [f"{finding.line}:{finding.column} {finding.message}" for finding in error.findings]
    return []


def rule_complaints(text: str) -> list[str]:
    """What is wrong with one rule, messages alone."""
    return [line.partition(" ")[2] for line in complaints(f"name: x\nrules:\n  - {{name: a, {text}}}\n")]
