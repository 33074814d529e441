"""The addresses a server listens on: one port on all of them, IPv4 and IPv6 alike."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Sequence

from voice_emulator.errors import UsageError

#: How many ports are tried to find one that is free on every address.
FREE_PORT_TRIES = 20
_WILDCARD = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - what to look for, not what to bind
_LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
#: Errors for an address, or a family of addresses, that this machine does not have.
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

Address = tuple[socket.AddressFamily, str]


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Sockets bound to one port on every address of ``hosts``; port 0 picks one that is free on all of them.

    ``localhost`` and ``::`` stand for IPv4 and IPv6 as far as this machine has them. Raises UsageError when an
    address cannot be bound.
    """
    addresses = _addresses(hosts)
    for _ in range(FREE_PORT_TRIES if port == 0 else 1):
        sockets: list[socket.socket] = []
        chosen, failure = port, None
        for host, group in addresses.items():
            try:
                bound, failed = _bind_group(group, chosen)
            except OSError as error:
                failure = _cannot(host, chosen, error)
                break
            sockets += bound
            if not bound:
                failure = _cannot(host, chosen, failed or OSError(errno.EADDRNOTAVAIL, ""))
                break
            chosen = sockets[0].getsockname()[1]
        if failure is None:
            return sockets
        for each in sockets:
            each.close()
    raise failure or AssertionError("no host was given")


def dialled(sockets: Sequence[socket.socket]) -> str:
    """Host and port, as in a URL, by which this machine reaches the first of ``sockets``."""
    first = sockets[0]
    host, port = first.getsockname()[:2]
    if host == _WILDCARD[first.family]:
        host = _LOOPBACK[first.family]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach a socket bound to ``address``. Mapped IPv6 counts as IPv4."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def bare(host: str) -> str:
    """``host`` without the brackets around an IPv6 address in a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _bind_group(group: Sequence[Address], port: int) -> tuple[list[socket.socket], OSError | None]:
    """The sockets of one host, and the error if this machine has none of its addresses."""
    bound: list[socket.socket] = []
    missing = None
    for family, address in group:
        try:
            bound.append(_bind_one(family, address, bound[0].getsockname()[1] if bound else port))
        except OSError as error:
            if error.errno not in _NOT_HERE:
                for each in bound:
                    each.close()
                raise
            missing = error
    return bound, missing


def _bind_one(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix" and sys.platform != "cygwin":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    made.setblocking(False)
    return made


def _addresses(hosts: Sequence[str]) -> dict[str, list[Address]]:
    """The addresses of each host, without duplicates and those that a wildcard includes."""
    found: dict[str, list[Address]] = {}
    for given in hosts:
        host = bare(given.strip())
        if not host:
            raise UsageError("an empty --host would serve every network; write 0.0.0.0 or :: for that")
        found.setdefault(host, _lookup(host))
    wild = {each[0] for group in found.values() for each in group if each[1] == _WILDCARD[each[0]]}
    seen: set[Address] = set()
    kept: dict[str, list[Address]] = {}
    for host, group in found.items():
        left = []
        for each in group:
            covered = each[0] in wild and each[1] != _WILDCARD[each[0]]
            if not covered and each not in seen:
                seen.add(each)
                left.append(each)
        if left:
            kept[host] = left
    return kept


def _lookup(host: str) -> list[Address]:
    both = [(family, address) for family, address in (_WILDCARD if host == "::" else _LOOPBACK).items()]
    if host.lower() in ("localhost", "::"):
        return both
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [(socket.AF_INET if ip.version == 4 else socket.AF_INET6, host)]
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"--host {host}: {why.lower()}") from error
    return [(family, str(address[0])) for family, _, _, _, address in answers if family in _LOOPBACK]


class CannotListen(UsageError):
    """An address or port that cannot be listened on; ``taken`` when another socket has it."""

    def __init__(self, message: str, *, taken: bool) -> None:
        """Say which, and why."""
        super().__init__(message)
        self.taken = taken


def _cannot(host: str, port: int, error: OSError) -> CannotListen:
    why = os.strerror(error.errno).lower() if error.errno else str(error)
    return CannotListen(f"cannot listen on {host} port {port}: {why}", taken=error.errno == errno.EADDRINUSE)


def reset_on_close(sock: object) -> None:
    """Let the socket send RST instead of FIN when it is closed."""
    fileno = getattr(sock, "fileno", None)
    if fileno is None or fileno() < 0:
        return
    # A duplicate of the descriptor: asyncio's and uvloop's socket objects cannot set all options.
    with socket.fromfd(fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
