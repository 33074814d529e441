"""The options of ``serve`` with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.journal import ENTRY_LIMIT
from voice_emulator.core.ledger import ENDED_LIMIT

TRAFFIC_PORT = 4880
CONTROL_PORT = 4881
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """All options (INTERFACE section 2). Durations are real seconds.

    ``scenario_env`` names the variables that scenarios sent over HTTP may use; ``seed`` and ``clock`` are for the tenant
    ``default``; ``rewrites`` are (from, to) prefixes; ``tls_fault`` is ``expired`` or ``wrong-host``. Without
    ``provider_plugins``, or with VOICE_EMULATOR_NO_PROVIDER_PLUGINS set, only the built-in providers are there.
    """

    scenario: str = "happy-path"
    scenario_env: tuple[str, ...] = ()
    host: str | tuple[str, ...] = LOOPBACK
    port: int = TRAFFIC_PORT
    control_port: int = CONTROL_PORT
    callback_url: str | None = None
    seed: int | None = None
    clock: ClockSpec | None = None
    watch: bool = False
    control_token: str | None = None
    allow_hosts: tuple[str, ...] = ()
    strict: bool = False
    callback_timeout: float = 10.0
    calls_limit: int = ENDED_LIMIT
    journal_limit: int = ENTRY_LIMIT
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self_signed: bool = False
    tls_fault: str | None = None
    callback_ca: Path | None = None
    log_format: str = "text"
    allow_callback_hosts: tuple[str, ...] = ()
    rewrites: tuple[tuple[str, str], ...] = ()
    lenient: bool = False
    report_on_exit: Path | None = None
    state: Path | None = None
    provider_plugins: bool = True

    @property
    def hosts(self) -> tuple[str, ...]:
        """``host`` as a tuple."""
        return (self.host,) if isinstance(self.host, str) else self.host
