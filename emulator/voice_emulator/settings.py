"""The options of ``serve`` with their defaults."""

from __future__ import annotations

from contextvars import ContextVar
from pathlib import Path

from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.journal import ENTRY_LIMIT
from voice_emulator.core.ledger import ENDED_LIMIT
from voice_emulator.core.urls import PORT_LIMIT, url_problem
from voice_emulator.core.values import plain_value
from voice_emulator.errors import UsageError

TRAFFIC_PORT = 4880
CONTROL_PORT = 4881
LOOPBACK = "127.0.0.1"

#: Whether the emulator of this context was started from Python, not by ``serve``.
EMBEDDED: ContextVar[bool] = ContextVar("EMBEDDED", default=False)


def option(typed: str, python: str) -> str:
    """What to change, in the words of whoever started this emulator: ``typed`` is for a command line."""
    return python if EMBEDDED.get() else typed


@plain_value
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
    access_log: bool = False
    quiet: bool = False
    allow_callback_hosts: tuple[str, ...] = ()
    rewrites: tuple[tuple[str, str], ...] = ()
    lenient: bool = False
    report_on_exit: Path | None = None
    state: Path | None = None
    provider_plugins: bool = True

    def __post_init__(self) -> None:
        """Raise UsageError for a value that cannot be used, from wherever it comes."""
        ports: tuple[tuple[str, object], ...] = (("port", self.port), ("control_port", self.control_port))
        for name, port in ports:
            if not isinstance(port, int) or not 0 <= port <= PORT_LIMIT:
                raise UsageError(f"{name} must be a number from 0 to {PORT_LIMIT}, not {port!r}")
        if self.port == self.control_port != 0:
            raise UsageError(f"the traffic port and the control port are both {self.port}; they must differ")
        problem = url_problem(self.callback_url) if self.callback_url is not None else None
        if problem is not None:
            raise UsageError(f"callback_url: {problem}")
        if not self.callback_timeout > 0:
            raise UsageError(f"callback_timeout must be more than 0 seconds, not {self.callback_timeout!r}")
        for name, limit in (("calls_limit", self.calls_limit), ("journal_limit", self.journal_limit)):
            if limit < 1:
                raise UsageError(f"{name} must be at least 1, not {limit!r}")

    @property
    def hosts(self) -> tuple[str, ...]:
        """``host`` as a tuple."""
        return (self.host,) if isinstance(self.host, str) else self.host
