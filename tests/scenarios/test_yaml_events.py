from __future__ import annotations

import pytest
import yaml

from voice_emulator.scenarios import yaml_events as yaml_text
from voice_emulator.scenarios.nodes import MappingNode, Scalar, SequenceNode, as_value
from voice_emulator.scenarios.yaml_events import SIZE_LIMIT, from_yaml


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def _both_parsers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "_LOADER", getattr(yaml, request.param, yaml.SafeLoader))


def read(text: str):
    node, findings = from_yaml(text, "label")
    assert findings == []
    assert node is not None
    return node


def wrong(text: str) -> list[str]:
    return [f"{finding.line}:{finding.column} {finding.message}" for finding in from_yaml(text, "label")[1]]


def test_scalars_stay_the_text_of_the_file():
    node = read('a: [0123, no, 1e3, 2026-01-05, "yes", 0x10, ~, 1_000]')
    assert as_value(node) == {"a": ["0123", "no", "1e3", "2026-01-05", "yes", "0x10", None, "1_000"]}


def test_every_node_knows_its_place():
    node = read("name: x\nrules:\n  - call: {outcome: busy}\n")
    assert isinstance(node, MappingNode)
    rules = node.entries["rules"]
    assert isinstance(rules, SequenceNode)
    call = rules.items[0]
    assert isinstance(call, MappingNode)
    assert (call.keys["call"].line, call.keys["call"].column, call.keys["call"].pointer) == (
        3,
        5,
        "/rules/0/call",
    )
    inner = call.entries["call"]
    assert isinstance(inner, MappingNode)
    outcome = inner.entries["outcome"]
    assert (outcome.location.line, outcome.location.column, outcome.location.pointer) == (
        3,
        21,
        "/rules/0/call/outcome",
    )


def test_aliases_repeat_what_they_name():
    assert as_value(read("a: &list [1, 2]\nb: *list\n")) == {"a": ["1", "2"], "b": ["1", "2"]}


def test_an_alias_may_be_a_key():
    assert as_value(read("a: &word talk\n*word : 3s\n")) == {"a": "talk", "talk": "3s"}


def test_a_byte_order_mark_is_no_content():
    assert as_value(read("\ufeffname: x\n")) == {"name": "x"}


def test_json_is_read_as_well():
    assert as_value(read('{"name": "x", "rules": [{"name": "a"}]}')) == {
        "name": "x",
        "rules": [{"name": "a"}],
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n...\n"])
def test_no_content(text: str):
    node, findings = from_yaml(text, "label")
    assert findings == []
    assert node is None or (isinstance(node, Scalar) and node.missing)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: b: c", "1:5", "not valid YAML"),
        ("a:\n\t- b", "2:1", "indent with spaces, not tabs"),
        ("a: 'open", "1:4", "the quote that opens here is not closed"),
        ("a: [1, {b: 2}", "1:4", "a comma or a closing bracket is missing here"),
        ("a: 1\n---\nb: 2", "2:1", "a second document"),
        ("a: 1\nb: 2\na: 3", "3:1", "duplicate key 'a' (first on line 1)"),
        ("a: !!python/name:os.system x", "1:4", "is not supported"),
        ("a: !secret x", "1:4", "'!secret' is not supported"),
        ("a: *b", "1:4", 'undefined alias *b; quote it if it is a pattern: "*b"'),
        ("a: &b [*b]", "1:8", "inside its own anchor"),
        ("{[a]: b}", "1:2", "a key must be plain text"),
        ("<<: {a: b}", "1:1", "merge keys"),
        ("a: é\x00", "1:5", "U+0000"),
        ('a: "\ud800"', "1:5", "U+D800"),
        ("[" * 30, "1:25", "deeper than 24"),
    ],
)
def test_mistakes_of_the_text_have_a_place(text: str, place: str, message: str):
    found = wrong(text)
    assert len(found) == 1
    assert found[0].startswith(place + " ")
    assert message in found[0]


def test_several_mistakes_are_found_at_once():
    assert [line.split()[0] for line in wrong("a: 1\na: 2\nb: {c: 1, c: 2}\n")] == ["2:1", "3:11"]


def test_what_stands_twice_counts_once():
    node, _ = from_yaml("a: 1\na: 2\n", "label")
    assert as_value(node) == {"a": "1"}  # type: ignore[arg-type]  # a node came back


def test_an_alias_bomb_is_refused_before_it_goes_off():
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    found = wrong("\n".join(levels))
    assert len(found) == 1
    assert "more than 100000 values, with aliases expanded" in found[0]


def test_a_file_that_is_no_scenario_by_its_size():
    assert "larger than 1 MB" in wrong("#" * (SIZE_LIMIT + 1))[0]
