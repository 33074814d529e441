"""Login and Logout: a token for the account's credentials, good for 12 hours.

Sources: "Common API - Obtain authorization token interface", "Common API - Clear the Token interface".
"""

from __future__ import annotations

from collections.abc import Sequence

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import HOUR
from voice_emulator.providers.infin8linx.access import TOKEN_SPACE
from voice_emulator.providers.infin8linx.envelopes import done
from voice_emulator.providers.request import Reply, Request


def answer_login(request: Request, calls: Sequence[Call]) -> Reply:
    """Issue a token: a new one each time; older ones stay valid unless the account is single_token."""
    tenant, settings = request.tenant, request.settings
    holder = request.text("appid")
    if settings["single_token"]:
        tenant.tokens.revoke_all(TOKEN_SPACE, holder)
    value = tenant.ids.hexadecimal(TOKEN_SPACE, 32, *request.key)
    tenant.issue_token(TOKEN_SPACE, holder, settings["token_hours"] * HOUR, value)
    result = {
        "companycode": settings["company_code"],
        "companyname": settings["company_name"],
        "token": value,
        "authtime": settings["licence_until"],
        "authmodel": ",".join(settings["modules"] or ()),
    }
    return done(request, result)


def answer_logout(request: Request, calls: Sequence[Call]) -> Reply:
    """Clear the token: it is refused with 600 from now on."""
    request.tenant.tokens.revoke(request.text("token"))
    return done(request)
