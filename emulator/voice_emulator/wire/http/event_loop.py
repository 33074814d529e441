"""The kind of event loop that the emulator runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """For :class:`asyncio.Runner`: makes uvloop's loops where uvloop is installed, else None, for asyncio's own."""
    try:
        import uvloop
    except ImportError:  # Windows, PyPy
        return None
    return uvloop.new_event_loop
