"""Two made-up providers, so that the loader is tested without any of ours; and short ways to load."""

from __future__ import annotations

from typing import Any

from voice_emulator.core.scenario import Rule, Scenario
from voice_emulator.errors import FileError
from voice_emulator.providers.provider import ErrorCode, Provider, ReceiptKind
from voice_emulator.providers.request import Operation
from voice_emulator.providers.settings import Setting, SettingTable
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import Schema, SchemaSet


def _never(*arguments: Any) -> Any:
    raise AssertionError("reading a scenario calls no slot of a provider")


def operation(provider: str, name: str, **more: Any) -> Operation:
    return Operation(
        name, name, "a page", frozenset({"json"}), request=f"{provider}/{name}.request", reply=f"{provider}/{name}.reply",
        identify=_never, authenticate=_never, explain=_never, answer=_never, **more,
    )  # fmt: skip


def receipt(provider: str, name: str, url_key: str, **more: Any) -> ReceiptKind:
    return ReceiptKind(
        name, name, "a page", schema=f"{provider}/{name}.receipt", url_key=url_key,
        fields=_never, encode=_never, judge=_never, **more,
    )  # fmt: skip


def made_up(id: str, operations: list[Operation], receipts: list[ReceiptKind], **more: Any) -> Provider:
    return Provider(
        id=id, title=id, description="Made up.", routes=(), keys=_never, refuse=_never,
        operations={each.name: each for each in operations}, receipts={each.name: each for each in receipts}, **more,
    )  # fmt: skip


def schemas(**fields: str) -> SchemaSet:
    """Schemas with these fields; ``acme__dial__request`` is ``acme/dial.request``."""
    named = {name.replace("__", "/", 1).replace("__", "."): text.split() for name, text in fields.items()}
    return SchemaSet(
        {name: Schema(name, {"properties": {field: {} for field in known}}) for name, known in named.items()}
    )


ACME = made_up(
    "acme",
    [operation("acme", "dial", submit=_never, receipts=("done",)), operation("acme", "login")],
    [
        receipt(
            "acme", "done", "acme", encodings=("query", "form"), corrupt={"empty": "id", "wrong_id": "id"}
        ),
        receipt("acme", "late", "acme_late"),
    ],
    errors=(
        ErrorCode("auth_failed", "401", "Who?"),
        ErrorCode("no_money", "7", "No money.", operations=frozenset({"dial"})),
    ),
    causes=frozenset({"16", "NORMAL", "17", "BUSY"}),
    settings=SettingTable(
        Setting("limit", "integer", 5, "A limit.", minimum=1), Setting("files", "mapping", {}, "Files.")
    ),
    default_credentials={"key": "acme-key", "family": {"login": "me"}, "codes": None},
    token_expired="401",
)
BELL = made_up(
    "bell",
    [operation("bell", "ring", submit=_never, receipts=("record",))],
    [receipt("bell", "record", "bell", encodings=("json",), corrupt={"bad_date": "at"})],
    errors=(ErrorCode("auth_failed", "E1", "Who?"), ErrorCode("no_line", "E2", "No line.")),
    causes=frozenset({"HUNG_UP"}),
    settings=SettingTable(),
    default_credentials={"token": "t"},
)
CATALOGUE = Catalogue(
    {"acme": ACME, "bell": BELL},
    schemas(
        acme__dial__request="key to voice", acme__login__request="key secret", acme__done__receipt="id cause",
        acme__late__receipt="id delay", bell__ring__request="number", bell__record__receipt="uuid",
    ),
)  # fmt: skip


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
