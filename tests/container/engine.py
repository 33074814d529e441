"""A container engine whose containers are processes of this machine: as much of Docker's API as one client uses."""

from __future__ import annotations

import json
import re
import socketserver
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cli.process import Lines, Running, environment


@dataclass
class Container:
    """One container: what was asked for, and the process once it is started."""

    asked: dict[str, Any]
    process: Running | None = None

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.process.poll() is None

    def start(self) -> None:
        """Run `serve` with the container's environment, on free ports; volumes are where the host has them."""
        given = dict(pair.split("=", 1) for pair in self.asked["Env"])
        for bind in self.asked["HostConfig"].get("Binds") or ():
            source, inside, _ = bind.split(":")
            given = {name: source if value == inside else value for name, value in given.items()}
        child = subprocess.Popen(
            [sys.executable, "-m", "voice_emulator", "serve"],
            env=environment(**given, VOICE_EMULATOR_PORT="0", VOICE_EMULATOR_CONTROL_PORT="0"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.process = Running(child, Lines(child.stdout or ()), Lines(child.stderr or ()))

    def remove(self) -> None:
        if self.process is None:
            return
        child = self.process.process
        child.terminate()
        child.wait(30)
        for lines, stream in ((self.process.out, child.stdout), (self.process.log, child.stderr)):
            lines.end()
            if stream is not None:
                stream.close()

    def shown(self, name: str) -> dict[str, Any]:
        """What `inspect` says: the mapped ports are those that the process has picked."""
        ports: dict[str, Any] = {}
        if self.running and self.process is not None:
            ready = json.loads(self.process.out.wait_for('"ready"'))
            for inside, port in ((4880, "traffic"), (4881, "control")):
                host = ready[port].rpartition(":")[2]
                ports[f"{inside}/tcp"] = [{"HostIp": "127.0.0.1", "HostPort": host}]
        state = {"Status": "running" if self.running else "exited", "Running": self.running, "ExitCode": 1}
        return {
            "Id": name, "Name": f"/{name}", "State": state, "Config": self.asked, "Image": "sha256:0",
            "NetworkSettings": {"Ports": ports, "Networks": {}},
        }  # fmt: skip


@dataclass
class Engine:
    """Where it listens, and the containers by id; removed ones stay listed."""

    url: str
    containers: dict[str, Container] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """An engine at a Unix socket in ``folder``."""
    path = folder / "engine.sock"
    here = Engine(f"unix://{path}")

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def address_string(self) -> str:
            return "unix"

        def answer(self, status: int, document: object = None) -> None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            kind = "application/vnd.docker.raw-stream" if isinstance(document, bytes) else "application/json"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if status != 204 else 0))
            self.end_headers()
            self.wfile.write(body if status != 204 else b"")

        def do_GET(self) -> None:
            if re.search(r"/version$", self.path):
                self.answer(200, {"ApiVersion": "1.47", "MinAPIVersion": "1.24", "Version": "27"})
            elif re.search(r"/images/.*/json", self.path):
                self.answer(200, {"Id": "sha256:0", "RepoTags": ["voice-emulator:latest"], "Config": {}})
            elif found := re.search(r"/containers/([0-9]+)/json", self.path):
                self.answer(200, here.containers[found[1]].shown(found[1]))
            elif found := re.search(r"/containers/([0-9]+)/logs", self.path):
                self.answer(200, self.log(here.containers[found[1]]))
            else:
                self.answer(404, {"message": f"no {self.path}"})

        def log(self, container: Container) -> bytes:
            wanted = parse_qs(urlsplit(self.path).query)
            out = b""
            if container.process is not None:
                for number, name, lines in (
                    (1, "stdout", container.process.out),
                    (2, "stderr", container.process.log),
                ):
                    text = "\n".join(lines.lines if container.running else lines.end()).encode()
                    if wanted.get(name) == ["1"] and text:
                        out += struct.pack(">BxxxL", number, len(text)) + text
            return out

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if re.search(r"/containers/create", self.path):
                name = str(len(here.containers) + 1)
                here.containers[name] = Container(json.loads(body))
                self.answer(201, {"Id": name, "Warnings": []})
            elif found := re.search(r"/containers/([0-9]+)/start", self.path):
                here.containers[found[1]].start()
                self.answer(204)
            else:
                self.answer(404, {"message": f"no {self.path}"})

        def do_DELETE(self) -> None:
            found = re.search(r"/containers/([0-9]+)", self.path)
            assert found is not None
            here.containers[found[1]].remove()
            here.removed.append(found[1])
            self.answer(204)

    server = socketserver.ThreadingUnixStreamServer(str(path), Api)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for container in here.containers.values():
            if container.running:
                container.remove()
