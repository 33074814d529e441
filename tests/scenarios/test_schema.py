"""``schemas/scenario.schema.json``, which editors use, against the loader that decides."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from voice_emulator.core.faults import FAULTS
from voice_emulator.core.scenario import CORRUPTIONS, RETRIES
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.registry import discover
from voice_emulator.resources import data_path
from voice_emulator.scenarios import (
    call_section,
    documents,
    receipt_section,
    reply_section,
    rule_section,
)
from voice_emulator.scenarios import (
    match_section as matching,
)
from voice_emulator.scenarios.catalogue import Catalogue, url_settings
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.schemas.validate import SchemaSet

WRONG = sorted((Path(__file__).parent / "wrong").glob("*.yaml"))
BLIND = b"# schema accepts"
SCHEMA = json.loads(data_path("schemas", "scenario.schema.json").read_text(encoding="utf-8"))
DEFINITIONS = SCHEMA["$defs"]


class _Editor(yaml.SafeLoader):
    """Reads YAML as an editor does: dates are text."""


_Editor.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def instance(text: str | bytes) -> Any:
    return yaml.load(text, _Editor)  # a SafeLoader


def accepted(document: Any) -> bool:
    return bool(Draft202012Validator(SCHEMA).is_valid(document))


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_its_patterns_use_explicit_classes():
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', json.dumps(SCHEMA))
    assert patterns
    assert not [pattern for pattern in patterns if re.search(r"\\\\[dws]", pattern)]


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_scenario_satisfies_it(name: str):
    document = instance(data_path("scenarios", f"{name}.yaml").read_text(encoding="utf-8"))
    errors = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(document)
    ]
    assert errors == []


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_wrong_files_do_not(path: Path):
    try:
        document = instance(path.read_bytes())
    except yaml.YAMLError:
        return  # the editor says so by itself
    assert accepted(document) is (BLIND in path.read_bytes())


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {"X": "http://127.0.0.1/"})


RIGHT = [
    "name: x\nseed: '5'\nclock: 60x\n",
    "name: x\nclock: {mode: manual, start: 2026-01-05T09:00:00+08:00}\nmagic_numbers: no\n",
    "name: x\nproviders:\n  nxcloud:\n  huawei_cec: {credentials: {access_codes: ['960003']}}\n",
    "name: x\nproviders: {nxcloud: {callback_url: '${X}', tariff: {cycle: 60, price: 0.036}}}\n",
    "name: x\nrules: [{fault: reset}, {fault: {latency: {exponential: {mean: 3s}}, placed: true}}]\n",
    (
        "name: x\nrules: [{match: {number: 62899, attempt: [1, 2], nth: {every: 5}}, "
        "call: {outcome: answered, keys: 1}}]\n"
    ),
    (
        "name: x\nrules: [{match: {number: ['62*', '*0']}, times: 3, chance: 12.5%, "
        "reply: {status: 202, body: ok}}]\n"
    ),
    (
        "name: x\nrules: [{call: {mix: [{weight: 1, outcome: answered, hangup: {callee: 1}}, "
        "{outcome: busy, ring: 2s}]}}]\n"
    ),
    (
        "name: x\nrules: [{receipt: {lost: true, query_lag: 3s}}, {receipt: {retry: {attempts: 2, "
        "every: 1m}, hold: 2}}]\n"
    ),
    (
        "name: x\nrules: [{receipt: {set: {second: 3}, drop: phone, corrupt: empty, encoding: json, "
        "slow_body: true}}]\n"
    ),
    (
        "name: x\nrules: [{receipt: {lost: false, copies: 2, gap: {uniform: [1s, 2s]}, "
        "repeat_set: {second: ''}}}]\n"
    ),
]
REFUSED_BY_BOTH = [
    "name: x\nrules: [{call: {outcome: busy, talk: 3s}}]\n",
    "name: x\nrules: [{call: {outcome: barred, ring: 3s}}]\n",
    "name: x\nrules: [{receipt: {lost: true, copies: 2}}]\n",
    "name: x\nrules: [{fault: {reset: true, hang: true}}]\n",
    "name: x\nrules: [{fault: {placed: true}}]\n",
    "name: x\nrules: [{reply: {error: auth_failed, body: x}}]\n",
    "name: x\nrules: [{reply: {headers: {Content-Length: 3}}}]\n",
    "name: x\nrules: [{chance: 100.5%, fault: reset}]\n",
    "name: x\nproviders: {nxcloud: {dialect: french}}\n",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_loader_takes_it_takes(text: str, loader: ScenarioLoader):
    assert loader.text(text).name == "x"
    assert accepted(instance(text))


@pytest.mark.parametrize("text", REFUSED_BY_BOTH)
def test_what_the_loader_refuses_it_refuses(text: str, loader: ScenarioLoader):
    with pytest.raises(Exception, match="not a valid scenario"):
        loader.text(text)
    assert not accepted(instance(text))


def test_its_words_are_the_loaders():
    providers = discover()
    catalogue = Catalogue(providers, SchemaSet.load(providers))
    match = DEFINITIONS["match"]["properties"]
    assert tuple(SCHEMA["properties"]) == documents.KEYS
    assert set(DEFINITIONS["rule"]["properties"]) == set(rule_section.KEYS)
    assert set(match) == set(matching.KEYS)
    assert set(DEFINITIONS["choice"]["properties"]) == {"weight", *call_section.KEYS}
    assert set(DEFINITIONS["reply"]["properties"]) == set(reply_section.REPLY_KEYS)
    assert set(DEFINITIONS["receipt"]["properties"]) == set(receipt_section.KEYS)
    assert set(DEFINITIONS["fault"]["anyOf"][2]["properties"]) == {"latency", "placed", *FAULTS}
    assert DEFINITIONS["outcome"]["anyOf"][0]["enum"] == [outcome.value for outcome in Outcome]
    assert DEFINITIONS["receipt"]["properties"]["corrupt"]["anyOf"][0]["enum"] == list(CORRUPTIONS)
    assert DEFINITIONS["receipt"]["properties"]["retry"]["anyOf"][0]["enum"] == list(RETRIES)
    assert match["provider"]["anyOf"][0]["anyOf"][0]["enum"] == list(catalogue.providers)
    assert set(match["operation"]["anyOf"][0]["anyOf"][0]["enum"]) == {
        name for provider in catalogue.providers.values() for name in provider.operations
    }


def test_its_settings_are_the_providers():
    providers = discover()
    for known in Catalogue(providers, SchemaSet.load(providers)).providers.values():
        properties = SCHEMA["properties"]["providers"]["properties"][known.id]["anyOf"][0]["properties"]
        assert set(properties) == {*known.settings.settings, *url_settings(known), "credentials"}
        assert set(properties["credentials"]["properties"]) == set(known.default_credentials)
