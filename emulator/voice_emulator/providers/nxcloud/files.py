"""Voice files: both uploads, the list of uploaded files, and the addresses they are served under."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import date

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import MILLISECOND, wall_text
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.kit.access import by_header, issued_to, same_secret
from voice_emulator.providers.kit.replies import file_reply, own_failure
from voice_emulator.providers.nxcloud import access
from voice_emulator.providers.nxcloud.account import VoiceFile, account_of
from voice_emulator.providers.nxcloud.replies import listed, trace_id
from voice_emulator.providers.nxcloud.signing import sign
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

#: The path of uploaded files, as in the provider's own addresses.
FOLDER = "/voice_group/"
#: Space of the file names in the directory.
FILES = "nx-file"
#: How far ``ts`` may be off, in milliseconds (API Interface Invocation Convention).
TOLERANCE = 60_000

UPLOAD_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "auth_failed", "account_disabled",
    "ip_not_allowed", "content_too_long", "request_failed", "system_error",
)  # fmt: skip
LIST_ORDER = (
    "method", "malformed", "encoding", "invalid_parameter", "page_invalid", "auth_failed",
    "system_error",
)  # fmt: skip
SIGNED_ORDER = (
    "method", "header_missing", "auth_failed", "header_invalid", "timestamp_expired",
    "signature_invalid", "malformed", "encoding", "invalid_parameter", "app_unavailable",
    "file_too_large", "system_error",
)  # fmt: skip

_TYPES = {"mp3": "audio/mpeg", "m4a": "audio/mp4", "wav": "audio/wav"}
_SIGNED_HEADERS = ("accessKey", "ts", "bizType", "action", "sign")


def base_url(request: Request) -> str:
    """The base of the addresses in replies and receipts: the setting, else the address the client used."""
    configured: str = request.settings["public_url"]
    return configured.rstrip("/") or f"{request.scheme}://{request.host or '127.0.0.1'}"


def is_known_file(tenant: Tenant, url: str) -> bool:
    """Whether ``url`` is that of an uploaded file."""
    return url.rpartition("/")[2] in account_of(tenant).files


def serve_file(request: Request) -> Reply:
    """The content of an uploaded file; 404 for an unknown or forgotten one."""
    stored = request.path.removeprefix(FOLDER)
    tenant = issued_to(request, FILES, stored)
    file = account_of(tenant).files.get(stored) if tenant is not None else None
    if file is None or file.content is None:
        return own_failure(404, f"there is no voice file {stored[:80]!r}")
    return file_reply(file.content, _TYPES.get(stored.rpartition(".")[2], "application/octet-stream"))


# --- uploadVoiceFile --------------------------------------------------------------------------


def check_upload(request: Request) -> Iterable[Problem]:
    """The content must be Base64 of a file that is not too large."""
    yield from access.check_outage(request)
    content = request.text("content")
    if not content:
        return
    try:
        decoded = _decode(content)
    except ValueError as error:
        yield Problem("invalid_parameter", f"content is not Base64: {error}", "/content")
        return
    request.scratch["content"] = decoded
    yield from _check_size(request, decoded, "content_too_long", "/content")


def answer_upload(request: Request, calls: Sequence[Call]) -> Reply:
    """Keep the file and return its address."""
    file = _keep(request, request.text("filename"), request.scratch.get("content", b""))
    return json_reply({"code": "success", "info": file.url}, code="success")


def _decode(content: str) -> bytes:
    # A client that does not encode its form sends + as a space; line breaks are usual in Base64.
    text = "".join(content.strip().split("\r\n") if "\r" in content else content.strip().split("\n"))
    text = text.replace(" ", "+")
    if "=" not in text:
        # The page's own sample has none.
        text += "=" * (-len(text) % 4)
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _check_size(request: Request, content: bytes, code: str, place: str) -> Iterable[Problem]:
    limit = request.settings["upload_limit"]
    if len(content) > limit:
        yield Problem(code, f"the file has {len(content)} bytes, at most {limit}", place)


def _keep(request: Request, name: str, content: bytes) -> VoiceFile:
    """Store a file under the current time in milliseconds, as the provider does."""
    tenant = request.tenant
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    suffix = f".{ending}" if ending.isascii() and ending.isalnum() and len(ending) <= 5 else ""
    millis = request.now // MILLISECOND
    stored = tenant.ids.unique(FILES, lambda n: f"{millis + n}{suffix}")
    file = VoiceFile(name, stored, f"{base_url(request)}{FOLDER}{stored}", request.now, content)
    account_of(tenant).keep_file(file)
    return file


# --- getUserFileUrl ---------------------------------------------------------------------------


def check_list(request: Request) -> Iterable[Problem]:
    """An invalid date counts as a parameter not filled in correctly."""
    yield from access.check_outage(request)
    for name in ("startTime", "endTime"):
        if (text := request.text(name)) and _day(text) is None:
            yield Problem("invalid_parameter", f"invalid date {text[:20]!r}", f"/{name}")


def answer_list(request: Request, calls: Sequence[Call]) -> Reply:
    """Uploaded files, newest first."""
    tenant, offset = request.tenant, request.settings["utc_offset"]
    first, last, part = request.text("startTime"), request.text("endTime"), request.text("queryName")
    found = []
    for file in reversed(account_of(tenant).files.values()):
        day = wall_text(file.at, offset)[:10]
        if (first and day < first) or (last and day > last) or (part and part not in file.name):
            continue
        found.append(file)
    return listed(request, "success", found, lambda file: _file_row(file, offset))


def _file_row(file: VoiceFile, offset: int) -> dict[str, str]:
    # Eight hours east of Greenwich, whatever the name says: the sample's file name proves it.
    return {"gmt_create": wall_text(file.at, offset), "file_name": file.name, "url": file.url}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# --- uploadFile -------------------------------------------------------------------------------


by_access_key = by_header("accesskey", "accessKey")


def check_signature(request: Request) -> Iterable[Problem]:
    """The common errors of the convention: headers, access key, business, time, signature."""
    if request.lenient:
        return
    given = {name: request.headers.get(name.lower(), "") for name in _SIGNED_HEADERS}
    missing = [name for name in _SIGNED_HEADERS if not given[name]]
    for name in missing:
        yield Problem("header_missing", "is required and missing", f"header:{name}")
    if missing:
        return
    if not request.attributed:
        message = f"no tenant has the accessKey {given['accessKey'][:80]!r}"
        yield Problem("auth_failed", message, "header:accessKey")
        return
    if given["action"] != "upload":
        yield Problem("header_invalid", "action must be upload", "header:action")
    if given["bizType"] not in request.settings["upload_biz_types"]:
        wanted = " or ".join(request.settings["upload_biz_types"])
        yield Problem("header_invalid", f"bizType must be {wanted}", "header:bizType")
    ts = given["ts"]
    if not (ts.isascii() and ts.isdigit() and len(ts) <= 15):
        yield Problem("header_invalid", "ts must be milliseconds since the epoch", "header:ts")
    # The real time, not the tenant's: the client has no other clock for ts.
    elif abs(int(ts) - request.wall // MILLISECOND) > TOLERANCE:
        yield Problem("timestamp_expired", "ts is more than a minute off", "header:ts")
    body = request.body.decode("utf-8", "replace") if request.encoding == "json" else ""
    secret = access.part(request.credentials, "signed", "accessSecret")
    expected = sign(given["accessKey"], given["action"], given["bizType"], ts, body, secret)
    if not same_secret(given["sign"], expected):
        yield Problem("signature_invalid", "sign does not match the headers", "header:sign")


def check_signed_upload(request: Request) -> Iterable[Problem]:
    """An application of this customer, and one file of at most 2 MB."""
    yield from access.check_outage(request)
    appkey = request.text("appkey")
    if appkey and not request.lenient and appkey != request.credentials.get("appkey"):
        yield Problem("app_unavailable", f"there is no application {appkey[:80]!r}", "/appkey")
    elif request.settings["application"] == "disabled":
        yield Problem("app_unavailable", "the application is disabled by a setting", "/appkey")
    file = request.files.get("file")
    if file is None:
        yield Problem("invalid_parameter", "a file part called file is required", "/file")
        return
    yield from _check_size(request, file.content, "file_too_large", "/file")
    if not file.content:
        yield Problem("system_error", "the file is empty", "/file")


def answer_signed_upload(request: Request, calls: Sequence[Call]) -> Reply:
    """Keep the file and return its address."""
    uploaded = request.files["file"]
    file = _keep(request, uploaded.filename, uploaded.content)
    payload = {"code": 0, "message": "Success", "data": file.url, "traceId": trace_id(request)}
    return json_reply(payload, code="0")
