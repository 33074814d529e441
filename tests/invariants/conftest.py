from __future__ import annotations

from tests.patience import nobody_waits

__all__ = ["nobody_waits"]
