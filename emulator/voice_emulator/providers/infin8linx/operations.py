"""The five operations behind one dispatcher URL, chosen by the form field ``service``."""

from __future__ import annotations

import logging
import re

from voice_emulator.providers.infin8linx import access, bills, playvoice, recordings, sessions
from voice_emulator.providers.infin8linx.errors import ORDER, explain
from voice_emulator.providers.infin8linx.texts import ENGLISH, say
from voice_emulator.providers.provider import Route
from voice_emulator.providers.request import Operation, Problem, Request

log = logging.getLogger(__name__)

_METHODS = frozenset({"POST", "GET"})
_ACCEPTS = frozenset({"multipart", "urlencoded", "text", "query"})

LOGIN = Operation(
    name="Login",
    title="Obtain authorization token",
    source="Common API - Obtain authorization token interface",
    accepts=_ACCEPTS,
    request="infin8linx/Login.request",
    reply="infin8linx/Login.reply",
    identify=access.identify_appid,
    authenticate=access.check_login,
    explain=explain,
    answer=sessions.answer_login,
    order=ORDER,
    methods=_METHODS,
    issues_token=True,
)

LOGOUT = Operation(
    name="Logout",
    title="Clear the token",
    source="Common API - Clear the Token interface",
    accepts=_ACCEPTS,
    request="infin8linx/Logout.request",
    reply="infin8linx/Logout.reply",
    identify=access.identify_token,
    authenticate=access.check_token,
    explain=explain,
    answer=sessions.answer_logout,
    order=ORDER,
    methods=_METHODS,
)

PLAY_VOICE = Operation(
    name="PlayVoice",
    title="Call out IVR voice, in batches or to one number",
    source="Batch IVR - Call out ivr voice in batches",
    accepts=_ACCEPTS,
    request="infin8linx/PlayVoice.request",
    reply="infin8linx/PlayVoice.reply",
    identify=access.identify_flavour,
    authenticate=access.check_flavour,
    explain=explain,
    check=playvoice.check,
    numbers=playvoice.called_numbers,
    submit=playvoice.submit,
    answer=playvoice.answer,
    order=ORDER,
    methods=_METHODS,
    receipts=("record", "record2018", "record2017"),
)

GET_BILL = Operation(
    name="GetBill",
    title="Get call records",
    source="API for getting call records",
    accepts=_ACCEPTS,
    request="infin8linx/GetBill.request",
    reply="infin8linx/GetBill.reply",
    identify=access.identify_token,
    authenticate=access.check_token,
    explain=explain,
    check=bills.check,
    answer=bills.answer,
    order=ORDER,
    methods=_METHODS,
    queries_calls=True,
)

GET_RECODE_FILE = Operation(
    name="GetRecodeFile",
    title="Get the download link of a recording",
    source="Call recording download link interface",
    accepts=_ACCEPTS,
    request="infin8linx/GetRecodeFile.request",
    reply="infin8linx/GetRecodeFile.reply",
    identify=access.identify_token,
    authenticate=access.check_token,
    explain=explain,
    answer=recordings.answer_link,
    order=ORDER,
    methods=_METHODS,
)

OPERATIONS = {
    operation.name: operation for operation in (LOGIN, LOGOUT, PLAY_VOICE, GET_BILL, GET_RECODE_FILE)
}

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

    Blanks around the name are cut: the provider's own Logout sample has one. An unknown service is
    404, a missing or malformed one 400, as newer versions of the framework have it.
    """
    if not request.text("service") and request.text("s"):
        request.fields = {**request.fields, "service": request.text("s")}
    given = request.text("service")
    name = given.strip(" \t")
    if name != given:
        log.info("service %r has blanks around it, as in the Logout sample; they are cut", given[:100])
    if not name:
        return _illegal("400", "the form has no service", say(ENGLISH, "missing", name="service"))
    if not _SERVICE_FORM.fullmatch(name):
        return _illegal("400", f"service {name[:100]!r} is malformed", say(ENGLISH, "format", name="service"))
    operation = _SERVICES.get(name)
    if operation is None:
        name = name[:100]
        return _illegal("404", f"there is no service {name!r}", say(ENGLISH, "no_service", name=name))
    return operation


def _illegal(code: str, message: str, what: str) -> Problem:
    # Whose language to speak is not known before a tenant is, so the default one it is.
    return Problem(code, message, "/service", say(ENGLISH, "illegal") + what)


#: One dispatcher, at every path the documents and clients show, and the downloads.
ROUTES = (
    *(
        Route(path, select=select, methods=_METHODS, operations=tuple(OPERATIONS))
        for path in ("/api/yunhu", "/yunhu", "/")
    ),
    Route(recordings.DOWNLOADS, serve=recordings.serve, methods=frozenset({"GET", "HEAD"})),
)
