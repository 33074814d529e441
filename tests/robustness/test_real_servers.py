"""Receipts reach receivers behind real servers, each with its own way of ending connections.

What these servers do is in tests/wire/test_connections.py as bare sockets; here they are themselves.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.rig import numbers, started
from tests.verify.reference import after
from tests.wire.delivery.test_attempting import attempts, call
from tests.wire.delivery.test_connections import rules_of
from tests.wire.traffic.test_faults import until

pytestmark = pytest.mark.long

#: A receiver for WSGI servers. The folder it runs in gets one file for each request, named by the called number.
WSGI = """
import os, pathlib, urllib.parse

def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    fields = environ.get("QUERY_STRING", "") + "&" + environ["wsgi.input"].read(length).decode()
    phone = urllib.parse.parse_qs(fields)["phone"][0]
    for copy in range(10):
        try:
            os.close(os.open(f"{phone}.{copy}.push", os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            pass
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "7")])
    return [b"success"]
"""

NODE = """
const http = require("http"), fs = require("fs");
http.createServer((request, response) => {
  let body = "";
  request.on("data", piece => body += piece);
  request.on("end", () => {
    const fields = new URLSearchParams(request.url.split("?")[1] + "&" + body);
    for (let copy = 0; copy < 10; copy++) {
      try { fs.closeSync(fs.openSync(`${fields.get("phone")}.${copy}.push`, "wx")); break; } catch (error) {}
    }
    response.end("success");
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
"""

SIMPLE = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/" + sys.argv[3]

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        fields = urlsplit(self.path).query + "&" + self.rfile.read(length).decode()
        phone = parse_qs(fields)["phone"][0]
        for copy in range(10):
            try:
                Path(f"{phone}.{copy}.push").touch(exist_ok=False)
                break
            except FileExistsError:
                pass
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"success")

    do_POST = do_GET

{"one": HTTPServer, "many": ThreadingHTTPServer}[sys.argv[2]](("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
"""


def gunicorn(port: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", *options, "receiver:application"]


def uwsgi(port: int, *options: str) -> list[str]:
    program = Path(sys.executable).parent / "uwsgi"
    return [str(program), *options, f"127.0.0.1:{port}", "--wsgi-file", "receiver.py", "--master", "--processes", "2",
            "--die-on-term", "--buffer-size", "32768"]  # fmt: skip


SERVERS = {
    "uwsgi-http": lambda port: uwsgi(port, "--http"),
    "uwsgi-http-socket": lambda port: uwsgi(port, "--http-socket"),
    "uwsgi-http-keepalive": lambda port: uwsgi(port, "--http-keepalive", "--http11-socket"),
    "gunicorn-sync": gunicorn,
    "gunicorn-gthread": lambda port: gunicorn(port, "-k", "gthread", "--threads", "4", "--keep-alive", "2"),
    "node": lambda port: ["node", "receiver.js", str(port)],
    "http.server-1.0": lambda port: [sys.executable, "simple.py", str(port), "one", "1.0"],
    "http.server-1.1": lambda port: [sys.executable, "simple.py", str(port), "one", "1.1"],
    "http.server-threads": lambda port: [sys.executable, "simple.py", str(port), "many", "1.1"],
}


@asynccontextmanager
async def served(name: str, folder: Path) -> AsyncIterator[str]:
    (folder / "receiver.py").write_text(WSGI)
    (folder / "receiver.js").write_text(NODE)
    (folder / "simple.py").write_text(SIMPLE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *SERVERS[name](port), cwd=folder, stdout=log, stderr=log
        )

    def answers() -> bool:
        assert process.returncode is None, (folder / "server.log").read_text()
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        await until(answers, 30)
        yield f"http://127.0.0.1:{port}/dr"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def pushed(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(".0.push") for path in folder.glob("*.push"))


def missing(name: str) -> str | None:
    """Why a server cannot be tried here."""
    if name == "node":
        return None if shutil.which("node") else "node is not installed"
    module = name.partition("-")[0]
    if module in ("uwsgi", "gunicorn") and sys.platform == "win32":
        return f"{module} does not run on Windows"
    if module == "uwsgi":
        return None if (Path(sys.executable).parent / "uwsgi").exists() else "uwsgi is not installed"
    return None if module != "gunicorn" or find_spec("gunicorn") else "gunicorn is not installed"


@pytest.mark.parametrize("clock", ["manual", "600x"])
@pytest.mark.parametrize("name", list(SERVERS))
async def test_every_receipt_reaches_a_real_server_once(name: str, clock: str, tmp_path: Path):
    reason = missing(name)
    if reason is not None:
        pytest.skip(reason)
    async with served(name, tmp_path) as url, started(clock=clock) as emu:
        emu.change({"callback_urls": {"nxcloud": url}})
        every = []
        # Bursts, and pauses between them in which servers give up idle connections: Node after 5 s, gunicorn's
        # threads after 2 s.
        for burst, pause in enumerate((0.0, 0.3, 1.2, 2.1, 5.05)):
            wanted = list(numbers(60, f"628{burst}"))
            every += wanted
            await call(emu, ",".join(wanted))
            if clock == "manual":
                await emu.advance("1h")
            await until(lambda: emu.tenant.attempts.total == len(every), 60)  # noqa: B023
            await after(pause)
        assert {outcome for outcome, _ in attempts(emu)} == {"delivered"}
        assert pushed(tmp_path) == sorted(every)
        # http.server lets five connections wait; the others come back a second or three later.
        assert rules_of(emu) <= ({"push-answered-slowly"} if name.startswith("http.server") else set())
