"""By what one emulator recognises another: its pushes, its own commands, and its traffic port."""

from __future__ import annotations

#: The User-Agent of pushes.
AGENT = "voice-emulator"
#: That of commands and of clients of the control API.
CLIENT = "voice-emulator-client"
#: How the traffic port's answer begins at a path that no provider has, such as those of the control port.
NO_PROVIDER = "no provider serves"


def tells_traffic_port(body: bytes) -> bool:
    """Whether ``body`` answers a request that was meant for the control port and went to the traffic port."""
    return body.startswith(NO_PROVIDER.encode())
