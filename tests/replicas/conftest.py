from __future__ import annotations

from tests.valkey_server import store_address, store_server

__all__ = ["store_address", "store_server"]
