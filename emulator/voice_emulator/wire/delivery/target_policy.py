"""Whom the emulator may push to: this machine and private networks, unless a pattern allows more.

Every address a name resolves to is checked, and the checked address is the one dialled, so a name
cannot be rebound between the check and the connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from voice_emulator.core.matchers import compile_glob

_PRIVATE = tuple(
    ipaddress.ip_network(text) for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
_PRIVATE6 = tuple(ipaddress.ip_network(text) for text in ("::1/128", "fc00::/7"))


class TargetBlocked(OSError):
    """The address is not one the emulator may push to."""


class Reach:
    """Decides about targets. ``patterns`` are globs over host names and addresses."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        """Allow what ``patterns`` name besides loopback and private addresses."""
        self._patterns = [compile_glob(pattern.lower()) for pattern in patterns]

    def named(self, host: str) -> bool:
        """Whether a pattern allows this very host, wherever it resolves to."""
        lowered = host.lower().strip("[]")
        return any(pattern(lowered) for pattern in self._patterns)

    def allows_address(self, address: str) -> bool:
        """Whether an IP address may be dialled. Mapped IPv6 is judged as the IPv4 address it carries."""
        try:
            ip = ipaddress.ip_address(address.split("%", 1)[0])
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        if self.named(str(ip)):
            return True
        networks = _PRIVATE if ip.version == 4 else _PRIVATE6
        return any(ip in network for network in networks)

    def check(self, url: URL) -> str | None:
        """Why ``url`` cannot be a target at all, or None; names are judged when they are resolved."""
        if url.scheme not in ("http", "https"):
            return f"a receiver's URL begins with http:// or https://, not {url.scheme or 'nothing'}"
        host = url.host
        if not host:
            return "the URL has no host"
        try:
            ipaddress.ip_address(host.split("%", 1)[0])
        except ValueError:
            return _odd_spelling(host)
        if self.named(host) or self.allows_address(host):
            return None
        return f"{host} is neither loopback nor private; allow it with --allow-callback-host {host}"


def _odd_spelling(host: str) -> str | None:
    """Why ``host`` is no target if it is an IPv4 address in disguise: ``127.1``, ``0x7f000001``, ``2130706433``.

    Resolvers take them for addresses and HTTP clients do not agree about them, so none is dialled.
    """
    try:
        meant = socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None  # a name: judged when it is resolved
    return f"{host} is another spelling of {meant}; write the address like that"


class Resolver(AbstractResolver):
    """Resolves names and lets only permitted addresses through."""

    def __init__(self, reach: Reach) -> None:
        """Judge by ``reach``."""
        self._reach = reach

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of ``host``. Raises TargetBlocked when any of them is not permitted."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results: list[ResolveResult] = []
        free = self._reach.named(host)
        for kind, _, proto, _, address in found:
            ip = str(address[0])
            if not free and not self._reach.allows_address(ip):
                raise TargetBlocked(
                    f"{host} resolves to {ip}, which is neither loopback nor private; "
                    f"allow it with --allow-callback-host {host}"
                )
            results.append(
                ResolveResult(
                    hostname=host, host=ip, port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST
                )
            )
        return results

    async def close(self) -> None:
        """Nothing to close."""


def blocked_by(error: BaseException | None) -> TargetBlocked | None:
    """The TargetBlocked behind an exception of the client, if there is one."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, TargetBlocked):
            return error
        inner = getattr(error, "os_error", None)
        error = inner if isinstance(inner, BaseException) and inner is not error else error.__cause__
        seen += 1
    return None
