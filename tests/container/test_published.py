"""Every YAML file for somebody else's system keeps to that system's public schema."""

from __future__ import annotations

import click
import pytest
import yaml

from tests.container.dockerfile import CHECKOUT
from tests.container.published import documents, findings, kind_of
from tests.docs.commands import emulator_commands, parse, strings
from voice_emulator.cli.init import SCHEMA, STARTERS
from voice_emulator.cli.serve.command import serve

FILES = {
    "action.yml": "github-action",
    "compose.yaml": "compose",
    ".github/workflows/ci.yml": "github-workflow",
    "emulator/voice_emulator/cli/starters/ci.yaml": "github-workflow",
    "emulator/voice_emulator/cli/starters/compose.yaml": "compose",
    "emulator/voice_emulator/cli/starters/gitlab-ci.yaml": "gitlab-ci",
    "emulator/voice_emulator/cli/starters/kubernetes.yaml": "kubernetes",
    "examples/replicas/compose.yaml": "compose",
    "examples/replicas/kubernetes.yaml": "kubernetes",
}


def text(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_published_file_keeps_to_the_public_schema_and_is_told_apart(name: str, kind: str):
    assert findings(kind, text(name)) == []
    assert {kind_of(document) for document in documents(text(name))} == {kind}


def test_none_is_forgotten():
    copied = STARTERS.keys() - {SCHEMA}
    written = {f"emulator/voice_emulator/cli/starters/{name}" for name in copied if name != "scenario.yaml"}
    assert written <= set(FILES)
    assert {path.name for path in (CHECKOUT / "emulator/voice_emulator/cli/starters").iterdir()} == copied


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("github-action", "name: x\nruns: {using: composite}\n"),
        ("github-workflow", "on: [push]\njobs: {a: {runs-on: x, steps: [{rum: x}]}}\n"),
        ("gitlab-ci", "a: {script: {x: 1}}\n"),
        ("compose", "services: {a: {imagge: x}}\n"),
        ("kubernetes", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {container: []}\n"),
    ],
)
def test_a_mistake_would_be_found(kind: str, wrong: str):
    assert findings(kind, wrong)


# --- what the schemas do not know -----------------------------------------------------------------


def compose(name: str) -> dict:
    return yaml.safe_load(text(name))["services"]


@pytest.mark.parametrize("name", ["compose.yaml", "emulator/voice_emulator/cli/starters/compose.yaml"])
def test_compose_publishes_on_this_machine_only_and_gives_no_privileges(name: str):
    for service in compose(name).values():
        assert all(str(port).startswith("127.0.0.1:") for port in service["ports"])
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_the_sidecar_is_probed_at_routes_that_exist_and_cannot_write():
    config, deployment = documents(text("emulator/voice_emulator/cli/starters/kubernetes.yaml"))
    pod = deployment["spec"]["template"]["spec"]
    (sidecar,) = pod["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["securityContext"]["readOnlyRootFilesystem"] is True
    assert {sidecar[f"{each}Probe"]["httpGet"]["path"] for each in ("startup", "readiness", "liveness")} == {
        "/readyz",
        "/livez",
    }
    assert pod["volumes"][0]["configMap"]["name"] == config["metadata"]["name"]


def test_the_scenario_in_the_config_map_loads():
    from voice_emulator.providers.registry import discover
    from voice_emulator.scenarios.catalogue import Catalogue
    from voice_emulator.scenarios.loader import ScenarioLoader
    from voice_emulator.schemas.validate import SchemaSet

    providers = discover()
    loader = ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})
    config, _ = documents(text("emulator/voice_emulator/cli/starters/kubernetes.yaml"))
    assert loader.text(config["data"]["scenario.yaml"]).name == "staging"


def test_every_command_in_the_snippets_has_the_options_it_is_given():
    found = [
        argv
        for name in FILES
        for document in documents(text(name))
        for script in strings(document)
        if "voice-emulator " in script and name != "action.yml"  # that one has tests of its own
        for argv in emulator_commands(script)
    ]
    for argv in found:
        parse(argv)
    assert {argv[0] for argv in found} == {"check", "serve", "wait-ready", "report"}


def test_published_containers_keep_to_the_public_schema():
    sidecar = documents(text("emulator/voice_emulator/cli/starters/kubernetes.yaml"))[1]["spec"]["template"][
        "spec"
    ]["initContainers"][0]
    parse(sidecar["args"])
    parse(compose("emulator/voice_emulator/cli/starters/compose.yaml")["voice-emulator"]["command"])


@pytest.mark.parametrize("name", ["compose.yaml", "emulator/voice_emulator/cli/starters/compose.yaml"])
def test_every_setting_in_an_environment_exists(name: str):
    given = compose(name)["voice-emulator"]["environment"]
    known = {str(option.envvar) for option in serve.params if isinstance(option, click.Option)}
    ours = {each for each in given if each.startswith("VOICE_EMULATOR_")}
    assert ours
    assert ours <= known
