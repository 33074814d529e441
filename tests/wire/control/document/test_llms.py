"""``/llms.txt`` alone suffices to write a passing test for each provider: this follows it to the letter."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.docs.pages import CHECKOUT
from tests.patience import PATIENCE
from tests.wire.api import Api
from voice_emulator.providers.registry import built_in, discover
from voice_emulator.wire.control.routes import control_routes

PROVIDERS = discover()


@pytest.fixture
async def guide(api: Api) -> str:
    reply = await api.get("/llms.txt")
    assert reply.headers["Content-Type"].startswith("text/plain")
    return reply.text


async def test_the_page_has_every_provider_operation_push_error_scenario_rule_and_route(api: Api, guide: str):
    for provider in PROVIDERS.values():
        section = section_of(guide, provider.id)
        for operation in provider.operations:
            assert f"\n- {operation}: " in section
        for kind in provider.receipts.values():
            assert f"Push `{kind.name}`" in section
            assert f"callback_urls.{kind.url_key}" in section
        for error in provider.errors:
            codes = re.search(rf"[ ,]{re.escape(error.name)} \(([^)]*)\)", section)
            assert codes
            assert error.code in codes[1].split("/")
        for name in provider.default_settings():
            assert f" {name}=" in section
        assert str(dict(provider.default_credentials).popitem()[0]) in section
    for scenario in (await api.get("/v1/scenarios")).json["scenarios"]:
        assert f"\n- {scenario['name']}: " in guide
    for rule in (await api.get("/v1/rules")).json["rules"]:
        assert f"\n- {rule['id']} (" in guide
    for route in control_routes(PROVIDERS):
        assert f"\n- {route.method} {route.path}: " in guide


async def test_the_page_says_how_outcomes_ids_tokens_and_shared_receivers_show(guide: str):
    huawei, infin8linx, nxcloud = (
        section_of(guide, name) for name in ("huawei_cec", "infin8linx", "nxcloud")
    )
    assert (
        "Outcomes in `releaseReason`: answered 1 (0 if the called party hangs up), no_answer 4, busy 6"
        in huawei
    )
    assert "Outcomes in `hangupcause`: answered 10001, no_answer 10016, busy 10006" in infin8linx
    assert "Outcomes in `hangup_cause`: answered NORMAL_CLEARING, no_answer NO_ANSWER" in nxcloud
    assert "`result.callSerialNo` of the reply is `callSerialNo`" in huawei
    assert "`messageid` of the reply is `messageid`" in nxcloud
    assert "repeats of a receipt have the same `id` and `destnumber`" in infin8linx
    assert "with the token in `AccessToken`" in huawei
    assert "with the token in `data.result.token`" in infin8linx
    assert "`release` has `callSerialNo`, `review` has `fileUrl`" in huawei
    assert "signature" not in huawei.partition("Push `release`")[2].partition("\n\n")[0]
    assert "Login: POST /api/yunhu (also at /yunhu, /; form or multipart" in infin8linx
    assert '"duration": 3, "billsec": 10' in infin8linx


async def test_the_samples_of_tokens_and_calls_are_accepted_as_they_are_printed_without_a_finding(
    api: Api, guide: str
):
    async with aiohttp.ClientSession() as session:
        for provider in PROVIDERS.values():
            token = ""
            described = {
                name: (method, path, about, json.loads(sample))
                for name, method, path, about, sample in re.findall(
                    r"^- (\w+): (\w+) (\S+) \((.*?)\): .*\n  (.*)$",
                    section_of(guide, provider.id),
                    re.MULTILINE,
                )
            }
            assert set(described) == set(provider.operations)
            for name, (method, path, about, sample) in sorted(
                described.items(), key=lambda each: "issues the token" not in each[1][2]
            ):
                if "issues the token" not in about and "places calls" not in about:
                    continue
                fields = {key: token if value == "TOKEN" else value for key, value in sample.items()}
                sent: dict[str, Any] = {"json": fields} if about.startswith("JSON") else {"data": fields}
                known = {"Authorization": f"Bearer {token}", "X-APP-Key": "cec-app-key"}
                headers = {key: value for key, value in known.items() if key in about}
                async with session.request(method, api.emu.url + path, headers=headers, **sent) as reply:
                    document = await reply.json(content_type=None)
                place = re.search(
                    rf"^- {name}: .*\n.*\n  reply, with the token in `(.*?)`", guide, re.MULTILINE
                )
                if place:
                    token = functools.reduce(lambda value, key: value[key], place[1].split("."), document)
    entries = (await api.get("/v1/tenants/default/journal", kind="request")).json["entries"]
    assert [entry["operation"] for entry in entries if entry["refused"]] == []
    submissions = sum(
        operation.places_calls
        for provider in PROVIDERS.values()
        for operation in provider.operations.values()
    )
    assert len((await api.get("/v1/tenants/default/calls")).json["calls"]) == submissions
    assert (await api.get("/v1/tenants/default/violations")).json["violations"] == []


async def test_the_samples_carry_no_token_and_no_magic_number(guide: str):
    assert re.findall(r"\b62812\d+(?:0000|0486|0480|0603)\b", guide) == []
    assert '"token": "TOKEN"' in section_of(guide, "infin8linx")


async def test_the_page_says_how_a_rule_without_a_number_comes_after_magic_numbers(guide: str):
    scenarios = guide.partition("## Scenarios")[2].partition("\n## ")[0]
    assert "magic_numbers: false" in scenarios
    assert "/scenario.schema.json" in scenarios


async def test_the_credentials_on_the_page_are_not_those_that_somebody_configured(api: Api):
    assert (
        await api(
            "PATCH", "/v1/tenants/default", {"credentials": {"nxcloud": {"secretkey": "my own secret"}}}
        )
    ).status == 200
    assert "my own secret" not in (await api.get("/llms.txt")).text


def section_of(guide: str, provider: str) -> str:
    return guide.partition(f"## Provider {provider}:")[2].partition("\n## ")[0]


def python_test(guide: str, provider: str) -> str:
    """The Python test of the page for ``provider``: its dots are replaced by the shell lines that the page has for it.

    The lines hold the credentials of `default`; those of the test's own tenant replace them, as the page says.
    """
    block = guide.partition("## A test in Python")[2].partition("\n## ")[0]
    code = "\n".join(line[4:] for line in block.splitlines() if line.startswith("    "))
    section = section_of(guide, provider)
    answer = re.search(r"^Acknowledge it with HTTP 200 and: (.*)$", section, re.MULTILINE)
    shell = [line[4:] for line in section.splitlines() if line.startswith("    ")]
    assert answer
    assert shell
    variables = {
        name: f"keys.{path.partition('.')[2].partition('.')[2]}"
        for name, path in re.findall(r"^(\w+)=\.\.\.  # (credentials\..*)$", "\n".join(shell), re.MULTILINE)
    }
    lines = "\n".join(line for line in shell if "=...  #" not in line)
    defaults = dict(PROVIDERS[provider].default_credentials)
    call = f"""lines = {lines!r}.replace({TRAFFIC!r}, voice_emulator.url)
    for name, usual in { ({k: v for k, v in defaults.items() if isinstance(v, str)})!r}.items():
        lines = lines.replace(usual, keys[name])
    import os, subprocess
    secrets = {{{", ".join(f"{name!r}: {value}" for name, value in variables.items())}}}
    subprocess.run(["bash", "-ec", lines], env={{**os.environ, **secrets}}, check=True)"""
    code = code.replace("RECEIVER_ANSWER", repr(answer[1])).replace("PROVIDER", provider)
    assert code.count("\n    ...  ") == 1
    assert code.count("assert_no_violations()") == 1
    code = code.replace("assert_no_violations()", "assert_no_violations(warnings=True)")
    return re.sub(r"\n    \.\.\. .*", lambda _: f"\n    {call}", code)


TRAFFIC = "http://127.0.0.1:4880"


def test_the_test_on_the_page_passes_for_every_provider(tmp_path: Path):
    guide = (CHECKOUT / "docs/llms.txt").read_text(encoding="utf-8")
    for provider in built_in():
        (tmp_path / f"test_{provider}.py").write_text(python_test(guide, provider))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path, tmp_path],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE * 3, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


async def test_the_steps_in_any_language_are_followed(api: Api, guide: str):
    """Each numbered step of the page names a route that exists, and the steps work in that order."""
    steps = guide.partition("## The same in any language")[2].partition("\n## ")[0]
    named = re.findall(r"(GET|POST|PUT|DELETE) \S*(/v1/\S+)", steps)
    assert len(named) == 6
    made = (
        await api.post("/v1/tenants", {"clock": "manual", "callback_urls": {"nxcloud": api.emu.receiver.url}})
    ).json
    tenant = f"/v1/tenants/{made['id']}"
    assert (await api("PUT", f"{tenant}/scenario", {"name": "all-busy"})).status == 200
    await api.dial("6281200010000", credentials=made["credentials"]["nxcloud"])
    assert (await api.post(f"{tenant}/clock/advance", {"to": "idle"})).json["complete"]
    (push,) = (await api.get(f"{tenant}/callbacks")).json["callbacks"]
    assert (push["outcome"], push["fields"]["hangup_cause"]) == ("delivered", "USER_BUSY")
    assert (await api.get(f"{tenant}/violations", severity="error")).json["violations"] == []
    assert (await api("DELETE", tenant)).status == 204


async def test_a_second_page_is_the_same_and_rehearses_nothing(api: Api, guide: str, monkeypatch):
    monkeypatch.delattr("voice_emulator.wire.control.document.provider_guide.Rehearsal")
    assert (await api.get("/llms.txt")).text == guide
