"""Requests to the traffic port, and what the journal says of them."""

from __future__ import annotations

from typing import Any

from tests.rig import Running

GP = "/api/voiceSms/gpsend"
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
CREATE = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
YUNHU = "/api/yunhu"
LOGIN = {"service": "App.Sip_Auth.Login", "appid": "in8-appid", "accesskey": "in8-accesskey"}


async def post(emu: Running, path: str, **arguments: Any) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of the reply."""
    async with emu.client.post(emu.url + path, **arguments) as reply:
        return reply.status, dict(reply.headers), await reply.text()


def last(emu: Running) -> dict[str, Any]:
    """The newest request in the journal, as the control API shows it."""
    return [entry for entry in emu.tenant.journal if entry.kind == "request"][-1].record.shown()
