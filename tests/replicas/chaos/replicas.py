"""The replicas: processes of the real command on fixed ports, started again, killed, stopped, frozen and woken."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.cli.process import COMMAND, environment
from tests.patience import PATIENCE
from tests.replicas.chaos.history import History
from tests.replicas.chaos.receiver import Receiver

#: What a replica logs when it cannot keep its tenants although nobody did anything to it.
_LAPSE = re.compile(r"lease|does not answer|another replica|out of reach", re.IGNORECASE)


def free_ports(count: int) -> list[int]:
    """Ports that are free at this moment, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@dataclass
class Replica:
    """One replica; ``state`` is ``down``, ``starting``, ``running``, ``frozen`` or ``stopping``."""

    name: str
    traffic_port: int
    control_port: int
    options: tuple[str, ...]
    history: History
    state: str = "down"
    process: asyncio.subprocess.Process | None = None
    log: list[str] = field(default_factory=list)
    starts: int = 0
    _reading: asyncio.Task[None] | None = None

    @property
    def traffic(self) -> str:
        """Base URL of its traffic port."""
        return f"http://127.0.0.1:{self.traffic_port}"

    @property
    def control(self) -> str:
        """Base URL of its control port."""
        return f"http://127.0.0.1:{self.control_port}"

    async def start(self) -> None:
        """Start the process, and return when it is ready."""
        self.state = "starting"
        self.starts += 1
        self.process = process = await asyncio.create_subprocess_exec(
            *COMMAND, "serve", "--port", str(self.traffic_port), "--control-port", str(self.control_port),
            *self.options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment(),
        )  # fmt: skip
        assert process.stdout is not None
        self._reading = asyncio.create_task(self._read(process))
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        if not line:
            await self._reading
            raise AssertionError(f"{self.name} did not start: {''.join(self.log[-20:])}")
        assert json.loads(line)["ready"]
        self.state = "running"

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for raw in process.stderr:
            line = raw.decode(errors="replace")
            self.log.append(line)
            if _LAPSE.search(line):
                self.history.lapses.append(time.time())
            if "Traceback" in line:
                self.history.complaints.append(f"{self.name} printed a traceback")
        await process.wait()
        if self.state in ("starting", "running") and self.process is process:
            self.state = "down"
            self.history.complaints.append(
                f"{self.name} ended by itself with status {process.returncode}: {''.join(self.log[-3:])}"
            )

    async def kill(self) -> None:
        """SIGKILL."""
        self.state = "down"
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM; it hands its tenants over."""
        self.state = "stopping"
        status = await self._end(signal.SIGTERM)
        self.state = "down"
        if status:
            self.history.complaints.append(f"{self.name} ended with status {status} after SIGTERM")

    async def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        process = self.process
        if process.returncode is None:
            process.send_signal(how)
        status = await asyncio.wait_for(process.wait(), PATIENCE)
        if self._reading is not None:
            await self._reading
        return status

    def freeze(self) -> None:
        """SIGSTOP."""
        assert self.process is not None
        self.state = "frozen"
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
        self.state = "running"

    def traceback(self) -> str:
        """What it printed from its first traceback on."""
        text = "".join(self.log)
        at = text.find("Traceback")
        return text[max(0, at - 500) : at + 4000] if at >= 0 else ""


@dataclass
class Cluster:
    """All replicas. ``options`` are those that all of them have."""

    replicas: list[Replica]
    history: History

    def running(self) -> list[Replica]:
        """Those that serve at this moment, as far as we know."""
        return [each for each in self.replicas if each.state == "running"]

    def by_url(self, url: str) -> Replica | None:
        """Which one has this control port."""
        return next((each for each in self.replicas if url.rstrip("/") == each.control), None)

    @property
    def traffic_ports(self) -> list[int]:
        return [each.traffic_port for each in self.replicas]

    @property
    def control_ports(self) -> list[int]:
        return [each.control_port for each in self.replicas]


@asynccontextmanager
async def cluster(
    names: Sequence[str], receiver: Receiver, history: History, *options: object
) -> AsyncIterator[Cluster]:
    """Replicas with these options, all started; killed in the end."""
    ports = free_ports(2 * len(names))
    replicas = [
        Replica(
            name, ports[2 * index], ports[2 * index + 1],
            (*map(str, options), *receiver.rewriting(name)), history,
        )
        for index, name in enumerate(names)
    ]  # fmt: skip
    found = Cluster(replicas, history)
    try:
        await replicas[0].start()
        await asyncio.gather(*(each.start() for each in replicas[1:]))
        yield found
    finally:
        for each in replicas:
            if each.process is not None and each.process.returncode is None:
                await each.kill()


def replica_names(count: int) -> list[str]:
    """Names for so many."""
    return [f"replica-{index}" for index in range(count)]
