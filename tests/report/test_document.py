"""The contract report in its formats, over a run in which much goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import junitparser
import pytest
from junitparser import Failure

from tests.contract.clients import Client
from tests.contract.evening import SCENARIO
from tests.rig import Running, numbers, started
from voice_emulator.contract.coverage import ALL_FAULTS
from voice_emulator.contract.rules import all_rules
from voice_emulator.contract.rules.pages import pages
from voice_emulator.core.findings import Finding
from voice_emulator.core.scenario import RECEIPT_FAULTS, ReceiptEffect
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.registry import discover
from voice_emulator.report import gather, render, render_document, write
from voice_emulator.report.merge import merged
from voice_emulator.report.text import contract_text, workflow_commands
from voice_emulator.resources import data_path


def schema_of(name: str) -> jsonschema_rs.Draft202012Validator:
    document = json.loads(data_path("schemas").joinpath(name).read_text(encoding="utf-8"))
    return jsonschema_rs.Draft202012Validator(document)


async def misbehave(emu: Running) -> None:
    client = Client(emu)
    await client.gpsend(phone=",".join(numbers(60)))
    await client.gpsend(country_code="+62", msg_content="<script>alert('\u0000 & |')</script>")
    await client.send("/nowhere/<img src=x>")
    token = await client.cec_token()
    await client.cec_call(token)
    await client.play(destnumber=",".join(numbers(10)))
    await emu.settle()
    await client.cdr(page_size="100")
    emu.receiver.answer(200, "nope")
    await client.gpsend(phone=",".join(numbers(5, "62899")))
    await emu.settle()


@pytest.fixture
async def emu():
    async with started(SCENARIO) as running:
        await misbehave(running)
        yield running


async def test_the_json_report_satisfies_its_schema(emu):
    kind, body = render(emu.emulator.runtime, emu.tenant, "json")
    assert kind.startswith("application/json")
    document = json.loads(body)
    assert [str(error) for error in schema_of("report.schema.json").iter_errors(document)] == []
    assert document["summary"]["verdict"] == "violations"
    assert document["scenario"] == "mixed-evening"


async def test_an_empty_report_satisfies_its_schema_too():
    async with started() as emu:
        document = gather(emu.emulator.runtime, emu.tenant)
        assert [str(error) for error in schema_of("report.schema.json").iter_errors(document)] == []
        assert document["summary"]["verdict"] == "empty"
        for name in ("html", "junit", "markdown"):
            assert b"No request was judged" in render_document(document, name)[1]


async def test_every_number_is_accounted_for_and_the_charges_agree(emu):
    accounts = gather(emu.emulator.runtime, emu.tenant)["conservation"]
    assert accounts["accepted"] == 60 + 1 + 10 + 5
    fates = ("acknowledged", "reconciled", "pending", "uncertain", "orphan", "dropped")
    assert sum(accounts[fate] for fate in fates) == accounts["accepted"]
    assert accounts["reconciled"] > 0, "the query showed what the rule had lost"
    charges = accounts["providers"]["nxcloud"]["charges"]
    assert charges["agree"]
    later = sum(
        call.bill.charge
        for call in emu.tenant.ledger.of_provider("nxcloud")
        if call.number.startswith("62899")
    )
    assert Decimal(charges["queries"]) == Decimal(charges["ledger"]) - later
    assert float(charges["receipts"]) < float(charges["ledger"])


async def test_a_receipt_that_tells_another_price_is_noticed():
    text = "name: cheap\nrules:\n  - name: cheap\n    receipt: {set: {customer_price: '0.001'}}\n"
    async with started(text) as emu:
        await Client(emu).gpsend()
        await emu.settle()
        charges = gather(emu.emulator.runtime, emu.tenant)["conservation"]["providers"]["nxcloud"]["charges"]
        assert (charges["receipts"], charges["receipts_due"], charges["agree"]) == ("0.001", "0.036", False)


async def test_what_was_exercised_and_what_never(emu):
    coverage = gather(emu.emulator.runtime, emu.tenant)["coverage"]
    assert set(coverage["outcomes"]["exercised"]) == {"answered", "busy"}
    assert coverage["outcomes"]["of"] == len(Outcome)
    nxcloud = coverage["providers"]["nxcloud"]
    assert nxcloud["operations"]["exercised"] == {"gpsend": 3, "getVoiceCdr": 1}
    assert "versend" in nxcloud["operations"]["never"]
    assert set(nxcloud["causes"]["exercised"]) == {"NORMAL_CLEARING", "USER_BUSY"}
    assert "CALL_REJECTED" in nxcloud["causes"]["never"]
    (refused,) = nxcloud["errors"]["exercised"]
    assert (refused["operation"], refused["code"]) == ("gpsend", "23")
    assert set(coverage["faults"]["exercised"]) == {"receipt.lost"}
    assert {"fault.reset", "reply.error", "receipt.corrupt"} <= set(coverage["faults"]["never"])
    (unused,) = coverage["rules"]["unused"]
    assert unused["rule"] == "never met"
    assert any("operation" in difference for difference in unused["nearest"])


def test_every_effect_of_a_receipt_is_among_those_counted():
    names = set(ReceiptEffect.__dataclass_fields__) - {"gap", "retry"}
    assert names == set(RECEIPT_FAULTS)
    assert len(ALL_FAULTS) == len(set(ALL_FAULTS))


async def test_junit_loads_with_a_case_per_rule_and_provider(emu, tmp_path):
    path = tmp_path / "report.xml"
    path.write_bytes(render(emu.emulator.runtime, emu.tenant, "junit")[1])
    suites = {suite.name: suite for suite in junitparser.JUnitXml.fromfile(str(path))}
    assert set(suites) == {*discover(), "none"}, "something was judged, so no case says otherwise"
    cases = {(suite.name, case.name): case for suite in suites.values() for case in suite}
    rules = all_rules(discover().values())
    for provider in discover():
        fitting = {rule.id for rule in rules if not rule.providers or provider in rule.providers}
        assert {name for owner, name in cases if owner == provider} == fitting
    failed = {key for key, case in cases.items() if any(isinstance(each, Failure) for each in case.result)}
    skipped = {key for key, case in cases.items() if case.is_skipped}
    # Exercised without a finding is passed; not exercised is not.
    assert not {("nxcloud", "wrong-method"), ("huawei_cec", "schema-violation")} & (failed | skipped)
    assert {("nxcloud", "receiver-tls-trouble"), ("infin8linx", "revoked-token-used")} <= skipped
    assert {
        ("nxcloud", "schema-violation"),
        ("none", "unknown-path"),
        ("nxcloud", "push-not-acknowledged"),
    } <= failed
    assert ("huawei_cec", "schema-violation") not in failed
    assert sum(suite.failures for suite in suites.values()) == len(failed)


def groups_of(document: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(each["rule"], each["severity"]): each for each in document["findings"]}


async def test_findings_are_grouped_by_rule_with_what_to_do_and_the_calls(emu):
    document = gather(emu.emulator.runtime, emu.tenant)
    groups = groups_of(document)
    assert len(groups) == len(document["findings"])
    severities = [each["severity"] for each in document["findings"]]
    assert severities == sorted(severities), "errors first"
    summary = document["summary"]
    for severity, total in (("error", summary["errors"]), ("warning", summary["warnings"])):
        assert sum(each["count"] for each in document["findings"] if each["severity"] == severity) == total
    for each in document["findings"]:
        assert each["fix"]
        assert each["count"] == sum(each["providers"].values())
        assert len(each["examples"]) == min(each["count"], 20)
    refused = groups["push-not-acknowledged", "error"]
    ended = {call.id for call in emu.tenant.ledger.of_provider("nxcloud") if call.number.startswith("62899")}
    assert set(refused["calls"]) <= ended
    assert refused["calls_counted"] == refused["count"]
    for name in ("html", "markdown", "junit"):
        text = render_document(document, name)[1].decode()
        assert refused["calls"][0] in text
        assert "reply exactly what the page says" in text
    lines = "\n".join(contract_text(document))
    assert refused["calls"][0] in lines
    assert "how to fix it: reply exactly what the page says" in lines


async def test_ten_thousand_findings_are_two_groups():
    async with started() as emu:

        def found(rule: str, index: int) -> Finding:
            return Finding(
                rule, "error", "nxcloud", "gpsend", f"message {index}", "page", index + 1, 0, f"call-{index}"
            )

        for index in range(9_000):
            emu.tenant.findings.add(found("schema-violation", index))
        for index in range(3_000):
            emu.tenant.findings.add(found("secret-in-url", index))
        document = gather(emu.emulator.runtime, emu.tenant)
        assert [(each["rule"], each["count"]) for each in document["findings"]] == [
            ("schema-violation", 9_000), ("secret-in-url", 3_000),
        ]  # fmt: skip
        assert document["summary"]["errors"] == 12_000
        for name in ("html", "markdown", "junit"):
            body = render_document(document, name)[1]
            assert len(body) < 250_000, name
            assert b"8,980 more" in body or b"the first 20" in body, name


async def test_what_the_ledger_has_of_the_same_calls_stands_beside_what_was_told(emu):
    document = gather(emu.emulator.runtime, emu.tenant)
    charges = document["conservation"]["providers"]["nxcloud"]["charges"]
    assert charges["ledger"] != charges["receipts"] == charges["receipts_due"]
    page = Page(render_document(document, "html")[1].decode())
    words = [word.strip() for word in page.words]
    row = words[words.index(charges["ledger"]) :]
    assert row[:3] == [charges["ledger"], charges["receipts"], charges["receipts_due"]]
    assert "ledger, same calls" in words


async def test_the_reports_of_two_tenants_are_one(emu):
    other = emu.new_tenant("second")
    keys = other.credentials["nxcloud"]
    await Client(emu).gpsend(appkey=keys["appkey"], secretkey=keys["secretkey"], country_code="")
    await Client(emu).gpsend(appkey=keys["appkey"], secretkey=keys["secretkey"])
    own = [gather(emu.emulator.runtime, tenant) for tenant in (emu.tenant, other)]
    document = merged(own)
    assert [str(error) for error in schema_of("report.schema.json").iter_errors(document)] == []
    for name in ("errors", "warnings", "requests", "judged", "accepted"):
        assert document["summary"][name] == sum(each["summary"][name] for each in own)
    group = groups_of(document)["schema-violation", "error"]
    assert group["count"] == sum(groups_of(each)["schema-violation", "error"]["count"] for each in own)
    assert {each["tenant"] for each in group["examples"]} == {"default", "second"}
    operations = document["coverage"]["providers"]["nxcloud"]["operations"]
    assert operations["exercised"]["gpsend"] == 5
    assert operations["of"] == own[0]["coverage"]["providers"]["nxcloud"]["operations"]["of"]
    assert document["latency"] == own[0]["latency"], "the second tenant had no push"
    assert document["conservation"]["accepted"] == sum(each["conservation"]["accepted"] for each in own)
    assert document["conservation"]["balanced"]
    for name in ("html", "markdown", "junit"):
        assert render_document(document, name)[1]
    assert merged([own[0]])["findings"] == [
        {**each, "examples": [{**one, "tenant": "default"} for one in each["examples"]]}
        for each in own[0]["findings"]
    ]
    assert merged([own[0]])["coverage"] == own[0]["coverage"]


def test_workflow_commands_escape_what_the_runner_would_read():
    group = {
        "rule": "a-rule", "severity": "warning", "title": "50% of it, all: of it", "fix": "do\r\nit", "count": 1,
        "providers": {"nxcloud": 1}, "calls": [], "calls_counted": 0,
        "examples": [{"operation": "", "entry": None, "message": "::error::no"}],
    }  # fmt: skip
    summary = {"judged": 1, "errors": 0, "warnings": 1}
    (line,) = workflow_commands({"summary": summary, "findings": [group]})
    assert line == (
        "::warning title=a-rule (nxcloud 1)::50%25 of it, all: of it%0AHow to fix it: do%0D%0Ait"
        "%0Athe run: ::error::no"
    )


class Page(HTMLParser):
    """Collects what a test asks of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "xlink:href")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


async def test_the_html_report_is_one_file_that_loads_nothing(emu):
    text = render(emu.emulator.runtime, emu.tenant, "html")[1].decode()
    page = Page(text)
    assert page.links == []
    assert "script" not in page.tags
    assert page.tags.count("svg") >= 4, "fates, outcomes, latency, timeline"
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    words = " ".join(page.words)
    assert "never met" in words
    assert "schema-violation" in words


async def test_what_clients_send_stays_text_in_every_format(emu):
    # NULs, markup and table bars came in with the requests.
    html = render(emu.emulator.runtime, emu.tenant, "html")[1].decode()
    assert "<img" not in html
    assert "<script>alert" not in html
    markdown = render(emu.emulator.runtime, emu.tenant, "markdown")[1].decode()
    for line in markdown.splitlines():
        if line.startswith("| schema-violation"):
            assert line.replace("\\|", "").count("|") == 6


async def test_markdown_begins_with_the_verdict(emu):
    lines = render(emu.emulator.runtime, emu.tenant, "markdown")[1].decode().splitlines()
    assert lines[0] == "## Voice contract report: default"
    assert lines[2].startswith("**")
    assert "of the contract" in lines[2]
    assert any(line.startswith("| nxcloud |") for line in lines)


async def test_the_format_of_a_written_file_is_told_by_its_name(emu, tmp_path):
    begins = {
        "a.json": b"{",
        "a.xml": b"<?xml",
        "a.html": b"<!DOCTYPE html>",
        "a.md": b"## Voice",
    }
    for name, beginning in begins.items():
        write(emu.emulator.runtime, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(beginning)
    with pytest.raises(ValueError, match="must end in"):
        write(emu.emulator.runtime, tmp_path / "a.txt")
    with pytest.raises(KeyError):
        write(emu.emulator.runtime, tmp_path / "a.json", "nobody")


async def test_an_unknown_format_is_refused(emu):
    with pytest.raises(ValueError, match="none of json, junit, html, markdown"):
        render(emu.emulator.runtime, emu.tenant, "pdf")


async def test_the_control_api_gives_every_format_and_all_violations(emu):
    base = f"{emu.control}/v1/tenants/default"
    for name, kind in (("json", "application/json"), ("junit", "application/xml"), ("html", "text/html"),
                       ("markdown", "text/markdown")):  # fmt: skip
        async with emu.client.get(f"{base}/report", params={"format": name}) as reply:
            assert (reply.status, reply.content_type) == (200, kind)
    async with emu.client.get(f"{base}/violations", params={"limit": 1000}) as reply:
        found: list[Mapping[str, Any]] = (await reply.json())["violations"]
    assert {each["rule"] for each in found} >= {"schema-violation", "unknown-path", "orphaned-call"}


def test_the_rule_pages_are_current():
    folder = Path(__file__).parents[2] / "docs" / "rules"
    wanted = pages(list(discover().values()))
    assert {path.name for path in folder.glob("*.md")} == set(wanted)
    # Made with `python -m voice_emulator.contract.rules docs/rules`.
    for name, text in wanted.items():
        assert (folder / name).read_text(encoding="utf-8") == text, name


def test_every_rule_is_documented():
    rules = all_rules(discover().values())
    assert len({rule.id for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.title.endswith(".")
        assert "How to fix it:" in rule.text, rule.id
