"""The five operations behind one dispatcher URL, chosen by the form field ``service``."""

from __future__ import annotations

import logging
import re
from functools import partial

from voice_emulator.providers.infin8linx import access, bills, playvoice, recordings, sessions
from voice_emulator.providers.infin8linx.errors import explain
from voice_emulator.providers.infin8linx.texts import ENGLISH, translated
from voice_emulator.providers.kit.tables import download, operations
from voice_emulator.providers.provider import Route
from voice_emulator.providers.request import Operation, Problem, Request

log = logging.getLogger(__name__)

_METHODS = frozenset({"POST", "GET"})

_operation = partial(
    Operation, accepts=frozenset({"multipart", "urlencoded", "text", "query"}), methods=_METHODS,
    explain=explain, identify=access.identify_token, authenticate=access.check_token,
)  # fmt: skip

OPERATIONS = operations(
    access.PROVIDER_ID,
    _operation(
        "Login", "Obtain authorization token", "Common API - Obtain authorization token interface",
        identify=access.identify_appid, authenticate=access.check_login, answer=sessions.answer_login,
        issues_token=True,
    ),
    _operation(
        "Logout", "Clear the token", "Common API - Clear the Token interface", answer=sessions.answer_logout,
        changes=True,
    ),
    _operation(
        "PlayVoice", "Call out IVR voice, in batches or to one number",
        "Batch IVR - Call out ivr voice in batches",
        identify=access.identify_flavour, authenticate=access.check_flavour, check=playvoice.check,
        numbers=playvoice.called_numbers, submit=playvoice.submit, answer=playvoice.answer,
        receipts=("record", "record2018", "record2017"),
    ),
    _operation(
        "GetBill", "Get call records", "API for getting call records", check=bills.check, answer=bills.answer,
        queries_calls=True,
    ),
    _operation(
        "GetRecodeFile", "Get the download link of a recording", "Call recording download link interface",
        answer=recordings.answer_link,
    ),
)  # fmt: skip

_SERVICES = {
    "App.Sip_Auth.Login": "Login",
    "App.Sip_Auth.Logout": "Logout",
    "App.Sip_Call.PlayVoice": "PlayVoice",
    "App.Sip_Cdr.GetBill": "GetBill",
    "App.Sip_Cdr.GetRecodeFile": "GetRecodeFile",
}
_SERVICE_FORM = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){1,9}")


def select(request: Request) -> str | Problem:
    """The operation that ``service`` (or ``s``, the framework's short form) names.

    Blanks around the name are removed: the provider's own Logout sample has one. An unknown service is
    404, a missing or malformed one 400, as in newer versions of the framework.
    """
    if not request.text("service") and request.text("s"):
        request.fields = {**request.fields, "service": request.text("s")}
    given = request.text("service")
    name = given.strip(" \t")
    if name != given:
        log.info("service %r has blanks around it, as in the Logout sample; they are cut", given[:100])
    if not name:
        return _illegal("400", "the form has no service", "missing")
    if not _SERVICE_FORM.fullmatch(name):
        return _illegal("400", f"service {name[:100]!r} is malformed", "format")
    return _SERVICES.get(name) or _illegal(
        "404", f"there is no service {name[:100]!r}", "no_service", name[:100]
    )


def _illegal(code: str, message: str, text: str, name: str = "service") -> Problem:
    # The language of the tenant is not known yet, so this is the default one.
    told = translated(ENGLISH, "illegal") + translated(ENGLISH, text, name=name)
    return Problem(code, message, "/service", told)


#: One dispatcher, at every path the documents and clients show, and the downloads.
ROUTES = (
    *(
        Route(path, select=select, methods=_METHODS, operations=tuple(OPERATIONS))
        for path in ("/api/yunhu", "/yunhu", "/")
    ),
    download(recordings.DOWNLOADS, recordings.serve, recordings.LINK_SPACE, methods="GET HEAD"),
)
