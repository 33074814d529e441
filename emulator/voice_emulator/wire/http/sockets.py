"""What asyncio does not offer about sockets."""

from __future__ import annotations

import socket
import struct


def reset_on_close(sock: object) -> None:
    """Have the socket answer its peer with RST instead of FIN when it is closed."""
    fileno = getattr(sock, "fileno", None)
    if fileno is None or fileno() < 0:
        return
    # A duplicate of the descriptor: asyncio's and uvloop's socket objects do not let options be set everywhere.
    with socket.fromfd(fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
        duplicate.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
