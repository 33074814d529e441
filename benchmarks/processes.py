"""The processes that are measured: started, asked, and ended by their own id."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
#: Compiled modules are kept, as they are wherever a package is installed; the first start of each is not measured.
_CACHE = tempfile.TemporaryDirectory(prefix="voice-emulator-bench-pyc-")
ENVIRONMENT = {
    **{
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHONDONT", "VOICE_EMULATOR_"))
    },
    "PYTHONPYCACHEPREFIX": _CACHE.name,
}
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = resource.getpagesize()


class Process:
    """One server process that prints a line when it listens."""

    def __init__(self, *arguments: str) -> None:
        self.spawned = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.line = self._process.stdout.readline()
        if not self.line:
            assert self._process.stderr is not None
            raise RuntimeError(f"{' '.join(arguments)} did not start: {self._process.stderr.read()[-2000:]}")
        # Logs are a few lines per run, far below what a pipe holds, so they need not be read.

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def cpu(self) -> float:
        """Seconds of CPU the process has used."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    @property
    def memory(self) -> float:
        """Resident memory in megabytes."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE / 1e6

    def stop(self) -> float:
        """Ask it to end (SIGTERM); the seconds that took."""
        started = time.perf_counter()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return time.perf_counter() - started


def get_json(
    url: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
) -> Any:
    """One small request. HTTP errors raise RuntimeError with what the server said."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.code} {error.read()[:500]!r}") from error


class Ours(Process):
    """The emulator as users start it."""

    def __init__(self, scenario: str | None = None, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="voice-emulator-bench-")
        extra = list(options)
        if scenario is not None:
            path = Path(self._folder.name) / "bench.yaml"
            path.write_text(scenario)
            extra += ["--scenario", str(path)]
        super().__init__("voice_emulator", "serve", "--port", "0", "--control-port", "0", *extra)
        ready = json.loads(self.line)
        self.traffic: str = ready["traffic"]
        self.control: str = ready["control"]
        self.port = int(self.traffic.rsplit(":", 1)[1])

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the control API; ``path`` is under ``/v1``."""
        return get_json(f"{self.control}/v1{path}", method, body)

    def token(self, app_key: str = "cec-app-key", secret: str = "cec-app-secret") -> str:
        """A CEC token for one hour."""
        url = f"{self.traffic}/apigovernance/api/oauth/tokenByAkSk"
        reply = get_json(url, "POST", {"app_key": app_key, "app_secret": secret}, {"X-Token-Expire": "3600"})
        return str(reply["AccessToken"])

    def credentials(self, provider: str) -> dict[str, Any]:
        """The credentials of the tenant ``default`` at a provider."""
        found: dict[str, Any] = self.api("GET", "/tenants/default")["credentials"][provider]
        return found

    def conservation(self, tenant: str = "default") -> dict[str, Any]:
        """The conservation of a tenant: accepted numbers, and their fates."""
        books: dict[str, Any] = self.api("GET", f"/tenants/{tenant}/report?format=json")["conservation"]
        return books

    def stop(self) -> float:
        seconds = super().stop()
        self._folder.cleanup()
        return seconds


class Ceiling(Process):
    """The bare aiohttp server of :mod:`benchmarks.ceilings`."""

    def __init__(self, kind: str, receiver: str = "") -> None:
        super().__init__("benchmarks.ceilings", kind, *filter(None, [receiver]))
        self.port = int(self.line)


class Receiver(Process):
    """The receiver of :mod:`benchmarks.receiver`."""

    def __init__(self, delay_ms: int = 0) -> None:
        super().__init__("benchmarks.receiver", str(delay_ms))
        self.port = int(self.line)
        self.url = f"http://127.0.0.1:{self.port}/receipts"

    def arrived(self) -> dict[str, Any]:
        """``count``, ``distinct``, ``doubled`` ids, ``seconds`` from the first to the last, ``last`` instant."""
        answer: dict[str, Any] = get_json(f"http://127.0.0.1:{self.port}/count")
        return answer

    def clear(self) -> None:
        """Forget what arrived."""
        get_json(f"http://127.0.0.1:{self.port}/clear")

    def wait_for(self, count: int, seconds: float = 120) -> dict[str, Any]:
        """What has arrived once there are ``count`` pushes. Raises RuntimeError when they do not come."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            arrived = self.arrived()
            if arrived["count"] >= count:
                return arrived
            time.sleep(0.05)  # noqa: TID251 - asking costs the machine that is measured
        raise RuntimeError(f"{count} pushes were expected, {self.arrived()['count']} came")


@contextmanager
def running(*processes: Process) -> Iterator[None]:
    """End the processes afterwards, whatever happens."""
    try:
        yield
    finally:
        for process in processes:
            process.stop()


def bare_push(kind: str, receiver: str, count: int) -> tuple[float, float]:
    """Seconds, and seconds of CPU, of the bare push client: ``push`` (64 connections) or ``sequential``."""
    command = [sys.executable, "-m", "benchmarks.ceilings", kind, receiver, str(count)]
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    seconds, spent = map(float, done.stdout.split())
    return seconds, spent
