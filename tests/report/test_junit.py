from __future__ import annotations

from xml.etree import ElementTree as ET

from voice_emulator.report.junit import Case, write_junit


def test_junit_counts_its_suites_in_the_order_they_appear():
    document = write_junit(
        "run",
        [
            Case("b", "one", failure="wrong", text="why"),
            Case("a", "two", skipped="no key"),
            Case("b", "three", note="n"),
        ],
        {"seed": "1"},
    )
    root = ET.fromstring(document)
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert [
        (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped")) for suite in root
    ] == [
        ("b", "2", "1", "0"),
        ("a", "1", "0", "1"),
    ]
    assert [prop.get("value") for prop in root.iter("property")] == ["1", "1"]
    assert [
        (out.text, failure.text)
        for out, failure in zip(root.iter("system-out"), root.iter("failure"), strict=True)
    ] == [("n", "why")]


def test_junit_replaces_characters_that_xml_cannot_hold():
    document = write_junit(
        "a\x00b", [Case("s\ud800", "n\x1b", failure="\ufffe<&>", text="\x08")], {"k\x01": "v"}
    )
    root = ET.fromstring(document)
    assert root.get("name") == "a\ufffdb"
    (failure,) = root.iter("failure")
    assert (failure.get("message"), failure.text) == ("\ufffd<&>", "\ufffd")
