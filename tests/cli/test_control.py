"""The options that every command has which talks to a control port."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner, Result

import voice_emulator
from voice_emulator.cli import COMMANDS, commands
from voice_emulator.cli.control import ControlPort

OPTIONS = {"--control", "--control-token", "--ca", "--insecure"}
#: How each is called in the tests below.
CALLS = {
    "report": ["report"],
    "explain": ["explain", "1"],
    "tail": ["tail"],
    "reconcile": ["reconcile", "--ledger", "/dev/null"],
    "health": ["health"],
    "wait-ready": ["wait-ready", "--timeout", "200ms"],
}
ASKING = ("report", "explain", "tail", "reconcile")


def invoke(*args: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(commands, list(args), env=env or {})


@pytest.fixture(scope="module")
def emulator():
    with voice_emulator.running(control_token="right", tls_self_signed=True) as running:
        yield running


def test_every_command_with_one_of_them_has_them_all_with_the_same_variables():
    found = {}
    for name in COMMANDS:
        command = commands.get_command(click.Context(commands), name)
        given = {
            option.opts[0]: option.envvar
            for option in command.params
            if isinstance(option, click.Option) and option.opts[0] in OPTIONS
        }
        if given and name != "serve":
            found[name] = given
    # These ask only with --register and --control: see test_listen.py, test_mutate.py, test_swarm.py, mcp/test_tools.py.
    assert set(found) == {*CALLS, "listen", "mutate", "swarm", "mcp"}
    for given in found.values():
        assert given == {
            "--control": "VOICE_EMULATOR_CONTROL",
            "--control-token": "VOICE_EMULATOR_CONTROL_TOKEN",
            "--ca": "VOICE_EMULATOR_CA",
            "--insecure": "VOICE_EMULATOR_INSECURE",
        }


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("insecure", [["--insecure"], []], ids=["option", "variable"])
def test_a_token_that_is_missing_is_told_from_one_that_is_wrong(emulator, name: str, insecure: list[str]):
    where = [*CALLS[name], "--control", emulator.control_url, *insecure]
    env = {} if insecure else {"VOICE_EMULATOR_INSECURE": "1"}
    missing = invoke(*where, env=env)
    assert (missing.exit_code, missing.output) == (
        2,
        (
            f"Error: {emulator.control_url} needs a control token: give --control-token, or set "
            "VOICE_EMULATOR_CONTROL_TOKEN\n"
        ),
    )
    by_option = invoke(*where, "--control-token", "wrong", env=env)
    by_variable = invoke(*where, env={**env, "VOICE_EMULATOR_CONTROL_TOKEN": "wrong"})
    assert (by_option.exit_code, by_option.output) == (
        2,
        (
            f"Error: {emulator.control_url} refuses this control token: --control-token (or "
            "VOICE_EMULATOR_CONTROL_TOKEN) must be the one that `serve` was started with\n"
        ),
    )
    assert by_variable.output == by_option.output


def test_the_right_token_and_authority_are_taken_from_options_and_variables(emulator, tmp_path):
    import ssl

    path = tmp_path / "ca.pem"
    path.write_text(
        "".join(map(ssl.DER_cert_to_PEM_cert, emulator.ssl_context.get_ca_certs(binary_form=True)))
    )
    env = {
        "VOICE_EMULATOR_CONTROL": emulator.control_url,
        "VOICE_EMULATOR_CA": str(path),
        "VOICE_EMULATOR_CONTROL_TOKEN": "right",
    }
    assert invoke("health", env=env).exit_code == 0
    assert invoke("wait-ready", env=env).exit_code == 0
    assert invoke("report", "--allow-empty", env=env).exit_code == 0
    assert "has no entry '1'" in invoke("explain", "1", env=env).output
    as_options = ["--control", emulator.control_url, "--ca", str(path), "--control-token", "right"]
    assert invoke("report", "--allow-empty", *as_options).exit_code == 0


@pytest.mark.parametrize("name", CALLS)
def test_the_traffic_port_is_recognised(emulator, name: str):
    done = invoke(*CALLS[name], "--control", emulator.url, "--insecure")
    assert done.exit_code == 1
    assert "the traffic port of an emulator" in done.output
    assert "control port" in done.output
    assert "404" not in done.output
    # The client under test did nothing wrong.
    assert emulator.journal() == []


@pytest.mark.parametrize("name", CALLS)
def test_an_unknown_authority_is_said_with_the_options_that_help(emulator, name: str):
    done = invoke(*CALLS[name], "--control", emulator.control_url)
    assert done.exit_code == 1
    assert "certificate of" in done.output
    assert "; give its authority with --ca FILE, or use --insecure" in done.output


def test_a_file_without_certificates_is_refused(tmp_path):
    (tmp_path / "x.pem").write_text("nothing")
    done = invoke("report", "--ca", str(tmp_path / "x.pem"))
    assert done.exit_code == 2
    assert "holds no certificates in PEM" in done.output
    assert ControlPort("http://x", None, None).tls is None
