"""Environment variables: what Kubernetes injects is nobody's wish, and a misspelt name is told."""

from __future__ import annotations

import pytest

from tests.cli.process import COMMAND, command, get, serving
from voice_emulator.cli.environment import given, injected, misspelt

#: What a pod finds in its environment where a Service is called voice-emulator, with the ports 4880 and 4881, and
#: another one voice-emulator-control.
KUBERNETES = {
    "VOICE_EMULATOR_PORT": "tcp://10.96.0.12:4880",
    "VOICE_EMULATOR_PORT_4880_TCP": "tcp://10.96.0.12:4880",
    "VOICE_EMULATOR_PORT_4880_TCP_ADDR": "10.96.0.12",
    "VOICE_EMULATOR_PORT_4880_TCP_PORT": "4880",
    "VOICE_EMULATOR_PORT_4880_TCP_PROTO": "tcp",
    "VOICE_EMULATOR_SERVICE_HOST": "10.96.0.12",
    "VOICE_EMULATOR_SERVICE_PORT": "4880",
    "VOICE_EMULATOR_SERVICE_PORT_TRAFFIC": "4880",
    "VOICE_EMULATOR_CONTROL_PORT": "tcp://10.96.0.13:4881",
    "VOICE_EMULATOR_CONTROL_SERVICE_HOST": "10.96.0.13",
}


def test_a_service_of_our_name_changes_nothing():
    env = {**KUBERNETES, "VOICE_EMULATOR_SEED": "7"}
    with serving(env=env) as server:
        assert get(server.ready["control"] + "/v1/tenants/default")["seed"] == 7
    assert not [line for line in server.log.end() if "environment" in line]


def test_nor_is_it_in_the_way_of_the_ports():
    done = command("serve", "--host", "192.0.2.1", env=KUBERNETES, program=COMMAND)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot listen on 192.0.2.1 port 4880" in done.stderr


@pytest.mark.parametrize("value", ["tcp://10.96.0.13:4881", "udp://10.96.0.13:4881", ""])
def test_health_looks_at_the_usual_port_then(value: str):
    done = command("health", env={"VOICE_EMULATOR_CONTROL_PORT": value})
    assert "http://127.0.0.1:4881" in done.stderr + done.stdout


@pytest.mark.parametrize(
    "name", ["VOICE_EMULATOR_PROT", "VOICE_EMULATOR_CONTROLPORT", "VOICE_EMULATOR_SCENARIOS"]
)
def test_a_misspelt_variable_is_named_in_a_warning(name: str):
    with serving(env={name: "1"}) as server:
        line = server.log.wait_for(name)
    assert "unknown environment variable" in line
    assert "did you mean" in line


def test_what_others_know_is_not_misspelt():
    known = dict.fromkeys(
        [
            "VOICE_EMULATOR_URL", "VOICE_EMULATOR_CONTROL", "VOICE_EMULATOR_TENANT", "VOICE_EMULATOR_NUMBERS",
            "VOICE_EMULATOR_RECEIVER_PORT", "VOICE_EMULATOR_RUN_DIR", "VOICE_EMULATOR_MUTANT",
            "VOICE_EMULATOR_MUTANT_LOG", "VOICE_EMULATOR_CA", "VOICE_EMULATOR_NO_PROVIDER_PLUGINS",
            "VOICE_EMULATOR_NXCLOUD_APPKEY", "VOICE_EMULATOR_HUAWEI_CEC_APP_SECRET", "VOICE_EMULATOR_INFIN8LINX_APPID",
            "VOICE_EMULATOR_ACME_TEL_KEY", "PATH",
        ],
        "x",
    )  # fmt: skip
    providers = ["nxcloud", "huawei_cec", "infin8linx", "acme_tel"]
    assert misspelt(known, [], providers) == []
    assert misspelt(KUBERNETES, [], providers) == []
    (told,) = misspelt({"VOICE_EMULATOR_SED": "x"}, ["VOICE_EMULATOR_SEED"], providers)
    assert told == "unknown environment variable VOICE_EMULATOR_SED; did you mean 'VOICE_EMULATOR_SEED'?"


def test_a_value_that_somebody_gave_is_taken():
    assert given("VOICE_EMULATOR_PORT", {"VOICE_EMULATOR_PORT": "5000"}) == "5000"
    assert given("VOICE_EMULATOR_PORT", {}) is None
    assert not injected("VOICE_EMULATOR_CALLBACK_URL", "http://tcp:9000/tcp://")
    assert not injected("VOICE_EMULATOR_CONTROL_PORT", "4881")
