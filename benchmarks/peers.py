"""The peers: other servers that can stand in for an HTTP API, doing the nearest thing they can.

Each is asked for the reply of createVoiceNotification to the same JSON body over the same 64 connections,
with the checks it has: a schema where it knows schemas, predicates where it knows those. None of them
authenticates, plans a call or pushes a receipt behind the reply. What is not installed is left out and named.

``make bench-peers`` installs them into ``benchmarks/.peers``; VOICE_EMULATOR_PEERS names another folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.ceilings import CONNECTIONS, PATH, REPLY
from benchmarks.load import Load, drive
from benchmarks.processes import Ceiling, Ours, running
from benchmarks.requests import notification, notify, play_voice, post
from benchmarks.requests_rows import RINGING
from benchmarks.rows import Size

FOLDER = Path(os.environ.get("VOICE_EMULATOR_PEERS", Path(__file__).parent / ".peers"))
#: Seconds a peer may take to start, and seconds it is loaded for at most (the slowest do 100 requests a second).
PATIENCE, LOADED = 30, 6
#: Seconds of warming up for each round that is measured.
WARMING = 2

SCHEMA = {
    "type": "object",
    "required": ["called", "playList"],
    "properties": {
        "called": {"type": "string", "pattern": "^[0-9]{1,21}$"},
        "playList": {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "object"}},
        "playTimes": {"type": "integer", "minimum": 1, "maximum": 5},
        "callerPresent": {"type": "string", "maxLength": 32},
    },
}

HTTPSERVER = """
import json, sys, time
from pytest_httpserver import HTTPServer
server = HTTPServer(port=int(sys.argv[1]))
server.start()
server.expect_request(sys.argv[2], method="POST").respond_with_json(json.loads(sys.argv[3]))
time.sleep(3600)
"""


@dataclass(frozen=True)
class Peer:
    """One peer. ``command`` gives the command line for a port, with a folder to put files in; None when absent.

    ``path`` and ``body`` replace the request where the peer serves an API of its own.
    """

    name: str
    what: str
    command: Callable[[int, Path], Sequence[str] | None]
    path: str = PATH
    body: bytes | None = None
    content_type: str = "application/json"
    expected: bytes = b"retCode"
    headers: str = ""


def _tool(name: str) -> str | None:
    local = FOLDER / "node_modules" / ".bin" / name
    return str(local) if local.exists() else shutil.which(name)


def _python(module: str) -> str | None:
    """A Python that has the module: the peers' own environment."""
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        return None
    asked = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, check=False)
    return str(python) if asked.returncode == 0 else None


def _prism(port: int, folder: Path) -> Sequence[str] | None:
    tool = _tool("prism")
    document = {
        "openapi": "3.1.0", "info": {"title": "cec", "version": "1"},
        "paths": {PATH: {"post": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": SCHEMA}}},
            "responses": {"200": {"description": "ok", "content": {"application/json": {
                "schema": {"type": "object"}, "example": REPLY}}}},
        }}},
    }  # fmt: skip
    (folder / "api.json").write_text(json.dumps(document))
    return tool and [
        tool,
        "mock",
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-v",
        "fatal",
        str(folder / "api.json"),
    ]


def _mountebank(port: int, folder: Path) -> Sequence[str] | None:
    tool = _tool("mb")
    imposter = {
        "port": port, "protocol": "http", "host": "127.0.0.1",
        "stubs": [{
            "predicates": [{"equals": {"method": "POST", "path": PATH}}, {"exists": {"body": {"called": True}}},
                           {"matches": {"body": {"called": "^[0-9]{1,21}$"}}}],
            "responses": [{"is": {"statusCode": 200, "headers": {"Content-Type": "application/json",
                                                                 "Connection": "keep-alive"}, "body": REPLY}}],
        }],
    }  # fmt: skip
    (folder / "imposters.json").write_text(json.dumps({"imposters": [imposter]}))
    return tool and [
        tool, "--port", str(_free_port()), "--localOnly", "--loglevel", "error", "--nologfile",
        "--pidfile", str(folder / "mb.pid"), "--configfile", str(folder / "imposters.json"), "--noParse",
    ]  # fmt: skip


def _mockoon(port: int, folder: Path) -> Sequence[str] | None:
    tool = _tool("mockoon-cli")
    answer = {
        "uuid": "r", "body": json.dumps(REPLY), "latency": 0, "statusCode": 200, "label": "", "filePath": "",
        "headers": [{"key": "Content-Type", "value": "application/json"}], "bodyType": "INLINE", "databucketID": "",
        "sendFileAsBody": False, "rules": [{"target": "body", "modifier": "called", "value": "^[0-9]{1,21}$",
                                            "invert": False, "operator": "regex"}],
        "rulesOperator": "AND", "disableTemplating": True, "fallbackTo404": False, "default": False,
        "crudKey": "id", "callbacks": [],
    }  # fmt: skip
    environment = {
        "uuid": "e", "lastMigration": 33, "name": "cec", "endpointPrefix": "", "latency": 0, "port": port,
        "hostname": "127.0.0.1", "folders": [], "rootChildren": [{"type": "route", "uuid": "p"}], "proxyMode": False,
        "proxyHost": "", "proxyRemovePrefix": False, "tlsOptions": {"enabled": False, "type": "CERT", "pfxPath": "",
        "certPath": "", "keyPath": "", "caPath": "", "passphrase": ""}, "cors": False, "headers": [],
        "proxyReqHeaders": [], "proxyResHeaders": [], "data": [], "callbacks": [],
        "routes": [{"uuid": "p", "type": "http", "documentation": "", "method": "post", "endpoint": PATH.lstrip("/"),
                    "responses": [answer], "responseMode": None, "streamingMode": None, "streamingInterval": 0}],
    }  # fmt: skip
    (folder / "cec.json").write_text(json.dumps(environment))
    return tool and [
        tool,
        "start",
        "--data",
        str(folder / "cec.json"),
        "--disable-log-to-file",
        "--disable-admin-api",
    ]


def _wiremock(port: int, folder: Path) -> Sequence[str] | None:
    tool = _tool("wiremock") if shutil.which("java") else None
    mappings = folder / "mappings"
    mappings.mkdir()
    mapping = {
        "request": {"method": "POST", "urlPath": PATH, "bodyPatterns": [{"matchesJsonSchema": SCHEMA}]},
        "response": {"status": 200, "jsonBody": REPLY, "headers": {"Content-Type": "application/json"}},
    }
    (mappings / "create.json").write_text(json.dumps(mapping))
    return tool and [tool, "--port", str(port), "--bind-address", "127.0.0.1", "--root-dir", str(folder)]


def _localstripe(port: int, folder: Path) -> Sequence[str] | None:
    python = _python("localstripe")
    return python and [python, "-m", "localstripe", "--port", str(port), "--from-scratch"]


def _pytest_httpserver(port: int, folder: Path) -> Sequence[str] | None:
    python = _python("pytest_httpserver")
    return python and [python, "-c", HTTPSERVER, str(port), PATH, json.dumps(REPLY)]


PEERS = (
    Peer("WireMock", "JSON Schema matcher, request journal", _wiremock),
    Peer("Prism", "validates against OpenAPI", _prism),
    Peer("mountebank", "predicates", _mountebank),
    Peer("Mockoon", "a rule on the body", _mockoon),
    Peer("localstripe", "its own API: creates a customer", _localstripe, "/v1/customers", b"email=a%40example.org",
         "application/x-www-form-urlencoded", b'"id"', "Authorization: Bearer sk_test_12345\r\n"),
    Peer("pytest-httpserver", "method and path only", _pytest_httpserver),
)  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _started(command: Sequence[str], port: int, folder: Path) -> Any:
    """A peer that accepts connections; ended with all that it started."""
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until = time.perf_counter() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if time.perf_counter() > until or process.poll() is not None:
                    raise RuntimeError((folder / "log").read_text("utf-8", "replace")[-300:]) from None
                time.sleep(0.05)  # noqa: TID251 - it is another process that starts
        yield process
    finally:
        log.close()
        # Its own session, so that a JVM behind a script goes too, and nobody else.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def _rate(port: int, request: Callable[[int], bytes], size: Size, expected: bytes) -> tuple[float, int]:
    """Median requests per second of the rounds, within :data:`LOADED` seconds or so, and wrong replies.

    Before that it is loaded until it is warm: a JVM needs its time. Some get slower from request to request, so
    each load is as long as the one before it suggests.
    """
    probe: Load = await asyncio.wait_for(drive(port, request, 64, 16, expected), PATIENCE)
    rate, loads, until = probe.rate, [], time.perf_counter() + WARMING * size.rounds
    while len(loads) < size.rounds:
        count = max(64, min(size.requests, int(rate * LOADED / 5)))
        load = await asyncio.wait_for(drive(port, request, count, CONNECTIONS, expected), PATIENCE)
        rate = load.rate
        if time.perf_counter() > until:
            loads.append(load)
    return median(load.rate for load in loads), sum(load.wrong for load in loads)


async def run(size: Size) -> str:
    """Measure everything that is installed; a Markdown table."""
    lines = [
        "| POST createVoiceNotification, 64 connections | what it checks | requests/s |",
        "|---|---|---|",
    ]
    checks = "authentication, JSON Schema, the provider's checks, rules; journal; plans a call"
    bare, ours = Ceiling("reply"), Ours(RINGING)
    with running(bare, ours):
        multipart = play_voice(ours.credentials("infin8linx"))
        for kind, what, parses in (
            (notify(ours.token()), "", "JSON"), (multipart, f", {multipart.name}", "multipart")
        ):  # fmt: skip
            request = kind.requests(8_800_000_000)
            rate, _ = await _rate(bare.port, request, size, kind.expected.encode())
            lines.append(f"| bare aiohttp + uvloop{what} | parses {parses} | {rate:,.0f} |")
            rate, wrong = await _rate(ours.port, request, size, kind.carried_out.encode())
            lines.append(f"| voice-emulator{what} | {checks} | {rate:,.0f}{_wrong(wrong)} |")
    lines += [f"| {peer.name} | {peer.what} | {await _measured(peer, size)} |" for peer in PEERS]
    return "\n".join(lines) + "\n"


async def _measured(peer: Peer, size: Size) -> str:
    with tempfile.TemporaryDirectory(prefix="voice-emulator-peer-") as name:
        port, folder = _free_port(), Path(name)
        command = peer.command(port, folder)
        if command is None:
            return "not installed"
        try:
            with _started(command, port, folder):

                def request(index: int) -> bytes:
                    body = peer.body if peer.body is not None else notification(8_800_000_000 + index)
                    return post(peer.path, body, peer.content_type, peer.headers)

                rate, wrong = await _rate(port, request, size, peer.expected)
        except (RuntimeError, TimeoutError, OSError, ValueError) as error:
            return f"failed: {type(error).__name__} {' '.join(str(error).split())[:160]}"
    return f"{rate:,.0f}{_wrong(wrong)}"


def _wrong(count: int) -> str:
    return f" ({count} wrong replies)" if count else ""
