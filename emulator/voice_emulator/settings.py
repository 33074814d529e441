"""The options of ``serve`` with their defaults."""

from __future__ import annotations

import re
from contextvars import ContextVar
from dataclasses import field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.journal import ENTRY_LIMIT
from voice_emulator.core.ledger import ENDED_LIMIT
from voice_emulator.core.urls import PORT_LIMIT, url_problem
from voice_emulator.core.values import plain_value
from voice_emulator.errors import UsageError

TRAFFIC_PORT = 4880
CONTROL_PORT = 4881
LOOPBACK = "127.0.0.1"
#: Real seconds for which a replica owns its tenants after it last reached the store.
LEASE = 10.0
#: The schemes of a store that replicas share, and what the client calls them.
STORES = {"valkey": "valkey", "redis": "valkey", "valkeys": "valkeys", "rediss": "valkeys"}

#: Whether the emulator of this context was started from Python, not by ``serve``.
EMBEDDED: ContextVar[bool] = ContextVar("EMBEDDED", default=False)


def option(typed: str, python: str) -> str:
    """What to change, in the words of whoever started this emulator: ``typed`` is for a command line."""
    return python if EMBEDDED.get() else typed


@plain_value
class StoreAddress:
    """A Valkey server that replicas share: how the client reaches it, and what all keys begin with.

    ``shown`` is without the password.
    """

    url: str = field(repr=False)
    prefix: str
    shown: str

    @classmethod
    def read(cls, text: str) -> StoreAddress:
        """``valkey://[USER:PASSWORD@]HOST:6379/0?prefix=ve``. Raises UsageError, without repeating a password."""
        example = "write one like valkey://127.0.0.1:6379/0?prefix=ve"
        try:
            parts = urlsplit(text)
            fine = bool(parts.hostname) and parts.port != 0
        except ValueError:
            raise UsageError(f"the address of the store cannot be read; {example}") from None
        shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
        if parts.scheme not in STORES or not fine or not re.fullmatch(r"/?|/[0-9]{1,4}", parts.path):
            raise UsageError(f"{shown} is not the address of a store; {example}")
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        prefix = given.pop("prefix", "ve")
        unknown = [name for name in given if not name.startswith("ssl_")]
        if unknown:
            raise UsageError(f"{shown}: a store has no option {unknown[0][:40]!r}; {example}")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", prefix):
            raise UsageError(f"{shown}: prefix must be 1 to 64 letters, digits, '.', '_' or '-'")
        url = urlunsplit(parts._replace(scheme=STORES[parts.scheme], query=urlencode(given)))
        return cls(url, prefix, shown)


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
    state: Path | StoreAddress | None = None
    node_url: str | None = None
    node_secret: str | None = field(default=None, repr=False)
    lease: float = LEASE
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
        self._check_replica()

    def _check_replica(self) -> None:
        if not isinstance(self.state, StoreAddress):
            given = (self.node_url, self.node_secret, None if self.lease == LEASE else self.lease)
            for name, value in zip(("--node-url", "--node-secret", "--lease"), given, strict=True):
                if value is not None:
                    raise UsageError(
                        f"{name} is for replicas that share a store: it needs --state valkey://HOST:6379/0"
                    )
            return
        problem = url_problem(self.node_url) if self.node_url is not None else None
        if problem is not None:
            raise UsageError(f"node_url: {problem}")
        if not self.lease >= 1:
            raise UsageError(f"lease must be at least 1 second, not {self.lease!r}")
        if self.node_url is None and any(_is_wildcard(host) for host in self.hosts):
            raise UsageError(
                "--host is every address: say with --node-url how other replicas reach the control port of this one, "
                "like http://10.0.0.3:4881"
            )
        if not self.node_secret and not all(_is_local(host) for host in self.hosts):
            raise UsageError("--host can be reached from elsewhere: give all replicas the same --node-secret")

    @property
    def hosts(self) -> tuple[str, ...]:
        """``host`` as a tuple."""
        return (self.host,) if isinstance(self.host, str) else self.host


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return host in ("", "*")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
