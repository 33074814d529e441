"""The example plug-in beside the built-in providers: known to every part of the emulator, and installed from its wheel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

import voice_emulator
from tests.cli.process import CHECKOUT, command, get, serving
from tests.patience import PATIENCE
from tests.plugins import lay_out
from tests.rig import started
from voice_emulator.cli import commands
from voice_emulator.cli.receiver import Arrival, Receiver, make_guesser, receiving
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.model import Options
from voice_emulator.wire.delivery.grader import Grader

EXAMPLE = CHECKOUT / "examples" / "provider_plugin"
PLUGIN = "aliyun_vms"
FOUR = ["huawei_cec", "infin8linx", "nxcloud", PLUGIN]
SCENARIO = """\
name: with-the-example
providers:
  aliyun_vms: {batch_maximum: 3, callback_url: "http://127.0.0.1:9/"}
rules:
  - {match: {provider: aliyun_vms, operation: SingleCallByTts, fields: {TtsCode: TTS_*}}, call: {outcome: busy, cause: powered_off}}
  - {match: {provider: aliyun_vms}, receipt: {retry: aliyun_vms, set: {status_msg: odd}}}
  - {match: {operation: SingleCallByVoice}, reply: {error: isv.VOICE_FILE_ILLEGAL}}
"""
WRONG = "name: x\nrules: [{match: {provider: aliyun_vms}, receipt: {set: {statuscode: 1}}}]\n"


@pytest.fixture
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in lay_out(EXAMPLE, tmp_path / "site").split(":"):
        monkeypatch.syspath_prepend(each)
    monkeypatch.setattr("voice_emulator.cli.logs.set_up", lambda *options: None)


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(commands, arguments)
    assert done.exit_code == 0, done.output
    return done


@pytest.mark.usefixtures("_installed")
def test_the_commands_that_read_descriptors_know_it(tmp_path: Path):
    assert list(discover()) == FOUR
    right, wrong = tmp_path / "right.yaml", tmp_path / "wrong.yaml"
    right.write_text(SCENARIO)
    wrong.write_text(WRONG)
    assert "isv.BUSINESS_LIMIT_CONTROL" in run("errors", PLUGIN).stdout
    document = json.loads(run("openapi", PLUGIN).stdout)
    assert set(document["paths"]) == {"/"}
    body = document["webhooks"]["VoiceReport"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (body["type"], body["items"]) == ("array", {"$ref": "#/components/schemas/VoiceReport.receipt"})
    assert run("check", str(right)).stdout == f"{right}: ok\n"
    refused = CliRunner().invoke(commands, ["check", str(wrong)])
    assert refused.exit_code == 1
    assert "statuscode" in refused.stdout
    assert "status_code" in refused.stdout, "the nearest field of its receipt is named"
    schema = json.loads(run("scenarios", "schema").stdout)
    jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(SCENARIO))
    control = json.loads(run("openapi").stdout)["components"]["schemas"]
    assert PLUGIN in control["CallbackUrls"]["properties"]


@pytest.mark.usefixtures("_installed")
async def test_a_running_emulator_knows_it_in_scenarios_page_metrics_and_report():
    async with started(SCENARIO, callback_timeout=5) as emu:
        base = f"{emu.control}/v1/tenants/default"

        async def read(url: str) -> Any:
            async with emu.client.get(url) as reply:
                assert reply.status == 200, await reply.text()
                return await (reply.json() if "json" in reply.headers["Content-Type"] else reply.text())

        guide = await read(f"{emu.control}/llms.txt")
        assert f"## Provider {PLUGIN}: " in guide
        assert "\n- SingleCallByTts: " in guide
        offers = (await read(f"{base}/place"))["offers"]
        assert {offer["operation"] for offer in offers if offer["provider"] == PLUGIN} == {
            "SingleCallByTts", "SingleCallByVoice",
        }  # fmt: skip
        placed = {"provider": PLUGIN, "operation": "SingleCallByTts", "number": "13712345679"}
        async with emu.client.post(f"{base}/place", json=placed) as reply:
            (exchange,) = (await reply.json())["exchanges"]
        assert (exchange["status"], json.loads(exchange["reply"])["Code"]) == (200, "OK")
        emu.receiver.answer(200, '{"code": 0}', {"Content-Type": "application/json"})
        await emu.settle()
        (callback,) = (await read(f"{base}/callbacks"))["callbacks"]
        assert (callback["outcome"], callback["fields"]["status_code"]) == ("delivered", "200010")
        assert callback["fields"]["status_msg"] == "odd"
        report = await read(f"{base}/report")
        assert report["conservation"]["providers"][PLUGIN]["acknowledged"] == 1
        assert report["violations"] == []
        assert PLUGIN in await read(f"{base}/report?format=html")
        assert f'testsuite name="{PLUGIN}"' in await read(f"{base}/report?format=junit")
        assert f'provider="{PLUGIN}"' in await read(f"{emu.control}/metrics")
        schema = await read(f"{emu.control}/scenario.schema.json")
        assert PLUGIN in schema["properties"]["providers"]["properties"], (
            "what the page's editor completes from"
        )


@pytest.mark.usefixtures("_installed")
def test_the_tools_of_an_agent_know_it():
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    from voice_emulator.cli.mcp.tools import Tools

    with voice_emulator.running() as emulator:
        tools = Tools(emulator.client)
        begun = tools.start_tenant()
        assert {PLUGIN, "nxcloud"} <= set(begun["credentials"])
        assert f"## Provider {PLUGIN}: " in tools.guide()
        assert len(tools.place_test_call(begun["tenant"], PLUGIN, "13712345679")["calls"]) == 1


@pytest.mark.usefixtures("_installed")
async def test_a_receiver_of_it_can_be_graded_and_triggered():
    arrived: list[Arrival] = []
    providers = {PLUGIN: discover()[PLUGIN]}
    async with receiving(Receiver(arrived.append, make_guesser())) as url:
        grader = Grader(providers, SchemaSet.load(providers), Options(callback_url=url, seed=1))
        graded = await grader.run()
    assert {each.verdict for each in graded} <= {"passed", "skipped", "warning"}, [
        (each.id, each.reason) for each in graded if each.verdict == "failed"
    ]
    assert len([each for each in graded if each.verdict == "passed"]) > 10
    assert {(push.provider, push.kind) for push in arrived if push.provider} == {(PLUGIN, "VoiceReport")}
    assert len([push for push in arrived if push.receipts]) > 50, (
        "they are arrays, as the provider sends them"
    )
    assert arrived[0].reply == '{"code":0,"msg":"接收成功"}'


def commands_in_processes(python: str, env: Mapping[str, str], folder: Path) -> None:
    program = (python, "-m", "voice_emulator")
    scenario = folder / "scenario.yaml"
    scenario.write_text(SCENARIO)
    for arguments in (("errors", PLUGIN), ("openapi", PLUGIN), ("check", scenario), ("scenarios", "schema")):
        done = command(*arguments, env=env, program=program)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert PLUGIN in json.loads(done.stdout)["properties"]["providers"]["properties"]


def walk(python: str, env: Mapping[str, str], start: AbstractContextManager[Any], folder: Path) -> None:
    """What a fresh environment must show: a server that knows it, and the suite passed."""
    with start as server:
        control = server.ready["control"]
        assert PLUGIN in get(f"{control}/v1/tenants/default")["credentials"]
        assert "/" in get(f"{control}/openapi/{PLUGIN}.json")["paths"]
        assert PLUGIN in get(f"{control}/scenario.schema.json")["properties"]["providers"]["properties"]
        assert server.stop(signal.SIGTERM) == 0
    suite = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "voice_emulator.conformance",
         "--voice-emulator-provider", PLUGIN],
        cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert suite.returncode == 0, suite.stdout
    assert "13 passed" in suite.stdout


def test_processes_know_it_and_it_passes_the_conformance_suite(tmp_path: Path):
    env = {"PYTHONPATH": f"{CHECKOUT / 'emulator'}:{lay_out(EXAMPLE, tmp_path / 'site')}"}
    walk(sys.executable, env, serving(env=env), tmp_path)


@pytest.mark.long
def test_a_fresh_environment_with_both_wheels_knows_it_and_the_sdk_of_the_provider_drives_it(tmp_path: Path):
    dist = tmp_path / "dist"
    for project in (CHECKOUT, EXAMPLE):
        subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", dist, project],
            check=True, capture_output=True, timeout=PATIENCE,
        )  # fmt: skip
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=PATIENCE)
    python = str(tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
    wheels = [str(path) for path in dist.glob("*.whl")]
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VOICE_EMULATOR_"))
    }
    subprocess.run(
        [python, "-m", "pip", "install", "-q", *wheels, "pytest"], check=True, env=env, timeout=900
    )
    walk(
        python,
        {"PYTHONPATH": ""},
        serving(env={"PYTHONPATH": ""}, program=(python, "-m", "voice_emulator")),
        tmp_path,
    )
    got = subprocess.run(
        [python, "-m", "pip", "install", "-q", "alibabacloud-dyvmsapi20170525"],
        env=env, check=False, timeout=900, capture_output=True, text=True,
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"the SDK cannot be installed here: {got.stderr[-300:]}")
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", EXAMPLE / "pyproject.toml",
         "--rootdir", EXAMPLE, EXAMPLE / "tests"],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout, "the SDK is there, so its tests ran"
