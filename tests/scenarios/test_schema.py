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
from voice_emulator.errors import FileError
from voice_emulator.providers.registry import discover
from voice_emulator.resources import data_path
from voice_emulator.scenarios import (
    call_section,
    documents,
    match_section,
    receipt_section,
    reply_section,
    rule_section,
)
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.scenarios.schema import scenario_schema
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


def test_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


def test_schema_patterns_use_explicit_classes():
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
        "name: x\nrules: [{receipt: {set: {second: 3}, add: {trace: 7}, drop: phone, corrupt: empty, encoding: json, "
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
    "name: x\nproviders: {nxcloud: {batch_limit: 0}}\n",
    "name: x\nproviders: {huawei_cec: {auth_failure_status: 500}}\n",
    "name: x\nrules: [{call: {outcome: answered, weight: 2}}]\n",
    "name: x\nrules: [{receipt: {lost: YES, drop: phone}}]\n",
    "name: x\nrules: [{receipt: {add: {}}}]\n",
    "name: x\nrules: [{receipt: {add: [trace]}}]\n",
    "name: x\nclock: 0.5\n",
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


@pytest.mark.parametrize("provider", discover())
def test_the_default_of_every_setting_is_accepted(provider: str):
    settings = discover()[provider].settings.defaults()
    assert accepted({"name": "x", "providers": {provider: settings}})


@pytest.mark.parametrize(
    ("provider", "name"), [(each.id, name) for each in discover().values() for name in each.settings.settings]
)
def test_schema_judges_values_of_settings_as_the_loader_does(
    provider: str, name: str, loader: ScenarioLoader
):
    setting = discover()[provider].settings.settings[name]
    values = ["", "0", "1", "-1", "2025", "true", "off", "~", "some text", "1.5", "[a, b]", "{}"]
    values += setting.choices
    if setting.minimum is not None:
        values += [str(setting.minimum), str(setting.minimum - 1)]
    if setting.maximum is not None:
        values += [str(setting.maximum), str(setting.maximum + 1)]
    for value in values:
        text = f"name: x\nproviders: {{{provider}: {{{name}: {value}}}}}\n"
        refusal = refused(text, loader)
        if refusal is None:
            assert accepted(instance(text)), value
        # What is a network, only the loader knows.
        elif setting.check is None:
            assert not accepted(instance(text)), f"{value!r}: {refusal}"


@pytest.mark.parametrize(
    ("provider", "name"), [(each.id, name) for each in discover().values() for name in each.settings.settings]
)
def test_every_setting_but_a_mapping_may_be_a_reference(provider: str, name: str):
    taken = accepted({"name": "x", "providers": {provider: {name: "${X}"}}})
    assert taken is (
        discover()[provider].settings.settings[name].kind not in ("words", "entries", "tariff", "tariffs")
    )


def refused(text: str, loader: ScenarioLoader) -> str | None:
    try:
        loader.text(text)
    except FileError as error:
        return str(error)
    return None


def test_schema_knows_the_providers_of_plug_ins():
    tinytel = discover("tests.fourth")["tinytel"]
    schema = scenario_schema({"tinytel": tinytel})
    Draft202012Validator.check_schema(schema)
    assert set(schema["properties"]["providers"]["properties"]) == {"tinytel"}
    assert schema["$defs"]["operation"]["anyOf"][0]["enum"] == list(tinytel.operations)


def test_every_key_of_a_section_is_in_it():
    assert tuple(SCHEMA["properties"]) == documents.KEYS
    assert set(DEFINITIONS["rule"]["properties"]) == set(rule_section.KEYS)
    assert set(DEFINITIONS["match"]["properties"]) == set(match_section.KEYS)
    assert set(DEFINITIONS["choice"]["properties"]) == {"weight", *call_section.KEYS}
    assert set(DEFINITIONS["reply"]["properties"]) == set(reply_section.REPLY_KEYS)
    assert set(DEFINITIONS["receipt"]["properties"]) == set(receipt_section.KEYS)
    assert set(DEFINITIONS["fault"]["anyOf"][2]["properties"]) == {"latency", "placed", *FAULTS}


def test_every_reference_leads_to_a_definition():
    named = set(re.findall(r'"#/\$defs/([a-z_0-9]+)"', json.dumps(SCHEMA)))
    assert named == set(DEFINITIONS)
