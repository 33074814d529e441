"""Checks for ``Setting.check``: each raises ValueError with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network


def networks(values: Iterable[str]) -> None:
    """Every value is an IP address or a network such as ``10.0.0.0/8``."""
    for value in values:
        ip_network(value, strict=False)
