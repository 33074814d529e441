"""The emulator as a container of Testcontainers: it needs ``pip install testcontainers``.

>>> with VoiceEmulatorContainer().with_scenario("all-busy") as emulator:
...     print(emulator.url, emulator.voice_emulator.credentials.nxcloud.appkey)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from voice_emulator.client import VoiceEmulator

try:
    from testcontainers.core.container import DockerContainer
except ImportError as error:  # the extra is not installed
    raise ImportError(
        "voice_emulator.testcontainers needs the package testcontainers: pip install testcontainers"
    ) from error

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["VoiceEmulatorContainer"]

TRAFFIC_PORT = 4880
CONTROL_PORT = 4881
IMAGE = "voice-emulator"
#: Where a scenario file lies inside the container.
SCENARIO = "/etc/voice-emulator/scenario.yaml"
_HOST = "http://host.docker.internal"
#: A receiver in the test's own process: what is localhost to the test is another machine to the container.
_REWRITES = f"http://localhost={_HOST} http://127.0.0.1={_HOST}"


class VoiceEmulatorContainer(DockerContainer):
    """One emulator in a container. Settings of ``serve`` go in by ``with_env("VOICE_EMULATOR_SEED", "7")``.

    A receiver of the test that listens on all addresses (``0.0.0.0``) is reached under ``http://localhost``.
    """

    def __init__(self, image: str = IMAGE, *, timeout: float = 60.0, **kwargs: Any) -> None:
        """``image`` is what ``docker build -t voice-emulator .`` made, ``timeout`` the real seconds to be ready."""
        kwargs.setdefault("extra_hosts", {"host.docker.internal": "host-gateway"})
        super().__init__(image, **kwargs)
        self.timeout = timeout
        self._held: VoiceEmulator | None = None
        self.with_exposed_ports(TRAFFIC_PORT, CONTROL_PORT)
        self.with_env("VOICE_EMULATOR_REWRITE_CALLBACK", _REWRITES)

    def with_scenario(self, scenario: str | Path) -> Self:
        """Start with a scenario: the name of a shipped one, or the Path of a file."""
        if isinstance(scenario, Path):
            self.with_volume_mapping(str(scenario.resolve()), SCENARIO, "ro")
            scenario = SCENARIO
        self.with_env("VOICE_EMULATOR_SCENARIO", scenario)
        return self

    def start(self) -> Self:
        """Start it, and return once it is ready.

        Raises NotReady when it is not in time, with what the container logged as a note.
        """
        super().start()
        try:
            token = self.env.get("VOICE_EMULATOR_CONTROL_TOKEN")
            # The container knows its traffic port, and not what that is mapped to.
            self._held = VoiceEmulator(self.control_url, url=self.url, token=token)
            self._held.client.wait_ready(self.timeout)
        except BaseException as error:
            output, log = self.get_logs()
            error.add_note((output + log).decode("utf-8", "replace"))
            self.stop()
            raise
        return self

    def stop(self, *arguments: Any, **keywords: Any) -> None:
        """Stop and remove it."""
        if self._held is not None:
            self._held.close()
            self._held = None
        super().stop(*arguments, **keywords)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Base URL of all three providers, as seen from the test."""
        return self._at(TRAFFIC_PORT)

    @property
    def control_url(self) -> str:
        """Base URL of the control port, as seen from the test."""
        return self._at(CONTROL_PORT)

    @property
    def voice_emulator(self) -> VoiceEmulator:
        """The tenant ``default``, as the fixture of the pytest plugin gives one. Raises RuntimeError before start."""
        if self._held is None:
            raise RuntimeError("the container is not started")
        return self._held

    def _at(self, port: int) -> str:
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(port)}"
