"""Where pushes may go: this machine and private networks, and what a pattern allows; never the emulator's own ports.

Every address of a name is checked, and the connection goes to the checked address, so a name cannot be rebound in
between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable, Sequence

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from voice_emulator.core.matchers import compile_glob
from voice_emulator.settings import option

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
#: Metadata services with credentials in fc00::/7: AWS (metadata and EKS pod identity), Google, Oracle, Scaleway.
_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in ("fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128")
)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")


class TargetBlocked(OSError):
    """The emulator may not push to this address."""


class TargetPolicy:
    """Decides which targets are allowed. ``patterns`` are globs for host names and addresses."""

    def __init__(self, patterns: Sequence[str] = (), rewrites: Iterable[tuple[str, str]] = ()) -> None:
        """Allow what ``patterns`` match and the hosts that ``rewrites`` lead to, besides private addresses."""
        self._patterns = [compile_glob(pattern.lower()) for pattern in patterns]
        self._rewritten = {_plain(URL(target).host or "") for _, target in rewrites}
        #: Address and port of every socket of this emulator, and of its other replicas: never a target.
        self.own: frozenset[tuple[str, int]] = frozenset()
        self.replicas: frozenset[tuple[str, int]] = frozenset()

    def named(self, host: str) -> bool:
        """Whether a pattern or a rewrite allows this host, whatever it resolves to."""
        plain = _plain(host)
        return plain in self._rewritten or any(pattern(plain) for pattern in self._patterns)

    def _allows(self, ip: Address) -> bool:
        if self.named(str(ip)):
            return True
        private = any(ip in network for network in _PRIVATE)
        return private and not any(ip in network for network in _METADATA)

    def refusal(self, host: str, address: str, port: int) -> str | None:
        """Why ``address``, which ``host`` is or resolves to, is not allowed; None when it is."""
        ip = _parsed(address)
        shown = host if host == address else f"{host} resolves to {address}, which"
        if ip is None:
            return f"{shown} is not a valid address"
        if self._is_own(ip, port):
            return (
                f"{host} port {port} is a port of this emulator itself; "
                "set the callback URL to the receiver of your application"
            )
        if self.named(host) or self._allows(ip):
            return None
        allowed = option(f"--allow-callback-host {host}", f"allow_callback_hosts=({host!r},)")
        return f"{shown} is {_kind(ip)}; allow it with {allowed}"

    def check(self, url: URL) -> str | None:
        """Why ``url`` cannot be a target, or None; names are checked when they are resolved."""
        if url.scheme not in ("http", "https"):
            return f"a receiver's URL begins with http:// or https://, not {url.scheme or 'nothing'}"
        host = url.raw_host
        if not host:
            return "the URL has no host"
        if _parsed(host) is None:
            return _no_name(host)
        return self.refusal(host, host, url.port or 0)

    def _is_own(self, ip: Address, port: int) -> bool:
        """Whether a connection to this address and port reaches this emulator."""
        for host, own_port in (*self.own, *self.replicas):
            if port != own_port:
                continue
            bound = _parsed(host)
            # The unspecified address reaches this machine.
            if bound is None or ip == bound or ip.is_unspecified or (bound.is_unspecified and _is_local(ip)):
                return True
        return False


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _parsed(address: str) -> Address | None:
    """The address without its zone, mapped IPv6 as IPv4; None for what is not written as an address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0] if ":" in address else address)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return ip


def _kind(ip: Address) -> str:
    if any(ip in network for network in _METADATA):
        return "where a cloud keeps credentials"
    if ip.is_link_local:
        return "link-local, where clouds keep credentials"
    return "neither loopback nor private"


def _is_local(ip: Address) -> bool:
    """Whether this machine has the address: others cannot be bound."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(ip), 0))
    except OSError:
        return False
    return True


def _no_name(host: str) -> str | None:
    """Why ``host``, which is not written as an address, is not a name either; None when it is one.

    By the URL standard, a name that ends in a number is an address (``127.1``, ``0x7f000001``, ``2130706433``, digits
    of other scripts). Resolvers and HTTP clients disagree about them, so none is allowed.
    """
    # As resolvers read full-width digits and ideographic full stops.
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".")
    last = plain.rpartition(".")[2]
    if _NUMBER.fullmatch(last) or last.isdigit() or host.rpartition(".")[2].isdigit():
        try:
            meant = socket.inet_ntoa(socket.inet_aton(plain))
        except (OSError, ValueError):
            return f"{host} is neither an address nor a name: it ends in a number"
        return f"{host} is another spelling of {meant}; write {meant}"
    if plain.isascii() and not _NAME.fullmatch(plain):
        return f"{host} is neither an address nor a name"
    return None


class Resolver(AbstractResolver):
    """Resolves names, and refuses addresses that are not allowed."""

    def __init__(self, policy: TargetPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of ``host``. Raises TargetBlocked when any of them is not allowed."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        results: list[ResolveResult] = []
        for kind, _, proto, _, address in found:
            ip = str(address[0])
            refusal = self._policy.refusal(host, ip, port)
            if refusal is not None:
                raise TargetBlocked(refusal)
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
