from __future__ import annotations

from tests.valkey_server import any_store_server, store_address, store_server

__all__ = ["any_store_server", "store_address", "store_server"]
