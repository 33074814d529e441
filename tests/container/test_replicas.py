"""examples/replicas: several replicas with Valkey, behind HAProxy or in Kubernetes."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

import voice_emulator
from tests.cli.process import get
from tests.cli.test_health import free_port
from tests.container.dockerfile import CHECKOUT
from tests.container.published import documents
from tests.patience import PATIENCE
from voice_emulator.app import GRACE
from voice_emulator.cli.serve.command import serve
from voice_emulator.core.clock import SECOND
from voice_emulator.settings import CONTROL_PORT, TRAFFIC_PORT, Options, StoreAddress
from voice_emulator.wire.control.document.request_schemas import LONGEST_WAIT

FOLDER = CHECKOUT / "examples" / "replicas"
SERVICES = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
REPLICAS = {name: service for name, service in SERVICES.items() if name.startswith("replica-")}
MANIFEST = documents((FOLDER / "kubernetes.yaml").read_text(encoding="utf-8"))
BALANCER = (FOLDER / "haproxy.cfg").read_text(encoding="utf-8")
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
FRONTS = {"traffic": TRAFFIC_PORT, "control": CONTROL_PORT}


def manifest(kind: str, name: str) -> Any:
    (found,) = [each for each in MANIFEST if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


POD = manifest("StatefulSet", "voice-emulator")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def options(given: dict[str, str]) -> Options:
    """The options of a replica with these variables. Raises for one that is unknown or has a wrong value."""
    known = {str(option.envvar): option for option in serve.params if isinstance(option, click.Option)}
    ours = {name: value for name, value in given.items() if name.startswith("VOICE_EMULATOR_")}
    assert ours.keys() <= known.keys()
    context = click.Context(serve)
    read = {
        known[name].name: known[name].type.convert(value, known[name], context)
        for name, value in ours.items()
    }
    return Options(host="::", state=read["state"], node_url=read["node_url"], node_secret=read["node_secret"])


# --- Compose ---------------------------------------------------------------------------------------


def test_compose_replicas_share_a_store_and_a_secret_and_are_reached_by_their_names():
    assert len(REPLICAS) == 3
    for name, service in REPLICAS.items():
        read = options(service["environment"])
        assert isinstance(read.state, StoreAddress)
        assert urlsplit(read.state.url).netloc == "valkey:6379"
        assert read.node_url == f"http://{name}:{CONTROL_PORT}"
        assert service["environment"]["VOICE_EMULATOR_NODE_SECRET"].startswith("${NODE_SECRET:?")
        assert int(service["stop_grace_period"].removesuffix("s")) > 2 * GRACE
    build = next(iter(REPLICAS.values()))["build"]
    assert (FOLDER / build / "Dockerfile").is_file()


def test_compose_publishes_only_the_balancer_on_this_machine_and_gives_no_privileges():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"haproxy"}
    assert SERVICES["haproxy"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in FRONTS.values()]
    for service in SERVICES.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


# --- Kubernetes ------------------------------------------------------------------------------------


def test_kubernetes_pods_are_reached_by_names_of_the_headless_service():
    nodes = manifest("Service", "voice-emulator-nodes")["spec"]
    assert nodes["clusterIP"] == "None"
    assert nodes["publishNotReadyAddresses"] is True
    assert manifest("StatefulSet", "voice-emulator")["spec"]["serviceName"] == "voice-emulator-nodes"
    names = [each["name"] for each in CONTAINER["env"]]
    assert names.index("POD_NAME") < names.index("VOICE_EMULATOR_NODE_URL")
    values = {each["name"]: each.get("value", "from a secret") for each in CONTAINER["env"]}
    values["VOICE_EMULATOR_NODE_URL"] = values["VOICE_EMULATOR_NODE_URL"].replace(
        "$(POD_NAME)", "voice-emulator-0"
    )
    read = options(values)
    assert read.node_url == f"http://voice-emulator-0.voice-emulator-nodes:{CONTROL_PORT}"
    assert isinstance(read.state, StoreAddress)
    store = manifest("Service", urlsplit(read.state.url).hostname or "")
    assert [port["port"] for port in store["spec"]["ports"]] == [urlsplit(read.state.url).port]
    (secret,) = [each for each in CONTAINER["env"] if each["name"] == "VOICE_EMULATOR_NODE_SECRET"]
    assert secret["valueFrom"]["secretKeyRef"] == {"name": "voice-emulator", "key": "node-secret"}


def test_kubernetes_probes_routes_that_exist_and_waits_for_the_hand_over():
    probed = {
        each: CONTAINER[f"{each}Probe"]["httpGet"]["path"] for each in ("startup", "readiness", "liveness")
    }
    assert probed == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}
    (before,) = re.findall(r"sleep\((\d+)\)", CONTAINER["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert POD["terminationGracePeriodSeconds"] > int(before) + 2 * GRACE
    assert manifest("PodDisruptionBudget", "voice-emulator")["spec"]["maxUnavailable"] == 1


def test_kubernetes_selects_the_pods_that_it_makes():
    labels = {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"]
        for each in MANIFEST
        if each["kind"] == "StatefulSet"
    }
    for each in MANIFEST:
        selector = each["spec"]["selector"]
        name = each["metadata"]["name"].removesuffix("-nodes")
        assert selector.get("matchLabels", selector) == labels[name], each["metadata"]


# --- HAProxy ---------------------------------------------------------------------------------------


def microseconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]] * SECOND


def test_haproxy_waits_longer_than_the_control_api_and_knows_every_replica():
    waits = dict(re.findall(r"^ +timeout (client|server|tunnel) (\S+)$", BALANCER, re.MULTILINE))
    assert len(waits) == 3
    assert all(microseconds(wait) > LONGEST_WAIT for wait in waits.values())
    for front, port in FRONTS.items():
        section = re.split(r"^listen ", BALANCER, flags=re.MULTILINE)[1:][list(FRONTS).index(front)]
        assert section.startswith(f"{front}\n    bind :{port}\n")
        servers = [(name, f"{name}:{port}") for name in REPLICAS]
        assert re.findall(r"server (\S+) (\S+)$", section, re.MULTILINE) == servers
        unready = [(f"{name}-unready", at) for name, at in servers]
        assert re.findall(r"server (\S+) (\S+) no-check backup$", section, re.MULTILINE) == unready
    found = re.search(r"inter (\d+)s fall (\d+)", BALANCER)
    assert found is not None
    assert int(found[1]) * int(found[2]) > GRACE


needs_haproxy = pytest.mark.skipif(HAPROXY is None, reason="HAProxy is not installed")


@needs_haproxy
def test_haproxy_accepts_the_file():
    done = subprocess.run(
        [str(HAPROXY), "-c", "-f", FOLDER / "haproxy.cfg"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Names of containers are known only beside them.
    told = [line for line in done.stderr.splitlines() if "[WARNING]" in line]
    assert [line for line in told if "could not resolve address 'replica-" not in line] == []


@contextmanager
def balanced(folder: Path, replicas: list[Any]) -> Iterator[dict[str, str]]:
    """The URLs of both ports of HAProxy before these replicas, by the file with other addresses."""
    urls = {front: f"http://127.0.0.1:{free_port()}" for front in FRONTS}
    text = BALANCER.replace(f"check port {CONTROL_PORT} ", "check ")
    text = text.replace("resolvers docker init-addr last,libc,none", "")
    for front, port in FRONTS.items():
        text = text.replace(f"bind :{port}\n", f"bind {urlsplit(urls[front]).netloc}\n")
        for name, replica in zip(REPLICAS, replicas, strict=True):
            at = urlsplit(replica.url if front == "traffic" else replica.control_url).netloc
            checked = urlsplit(replica.control_url).port
            text = text.replace(
                f"server {name} {name}:{port}\n", f"server {name} {at} check port {checked}\n"
            )
            text = text.replace(f" {name}:{port} no-check", f" {at} no-check")
    (folder / "haproxy.cfg").write_text(text)
    process = subprocess.Popen(
        [str(HAPROXY), "-db", "-f", folder / "haproxy.cfg"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                get(f"{urls['control']}/health")
                break
            except OSError:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                assert time.monotonic() < deadline
        yield urls
    finally:
        process.kill()
        process.wait(PATIENCE)
        if process.stderr is not None:
            process.stderr.close()


@needs_haproxy
def test_haproxy_spreads_connections_and_passes_by_a_replica_that_has_stopped(tmp_path: Path):
    """Without a store, each emulator knows only its own tenants: so one sees who answers."""
    with ExitStack() as first, ExitStack() as others:
        replicas = [each.enter_context(voice_emulator.running()) for each in (first, others, others)]
        with balanced(tmp_path, replicas) as urls:

            def who_answers() -> set[str]:
                """The replicas that nine connections reach, by their traffic ports."""
                path = "/openapi/nxcloud.json"
                return {get(urls["control"] + path)["servers"][0]["url"] for _ in range(9)}

            assert who_answers() == {replica.url for replica in replicas}
            with pytest.raises(OSError, match="40"):
                get(f"{urls['traffic']}/no/such/path")
            first.close()
            assert who_answers() == {replica.url for replica in replicas[1:]}
