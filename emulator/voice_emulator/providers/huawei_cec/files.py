"""Operations on the catalogue: upload a recording, make a template, list what is approved.

Sources: "Uploading IVR Voice Files" (cec_07_1039, cec_07_0049), "Uploading a TTS Template for Voice
Notifications" (cec_07_1040, cec_07_0050), "Querying Voice Notification Recording Files" (cec_07_2800,
cec_07_0075).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import MILLISECOND, SECOND
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.huawei_cec.callback_urls import check_trusted, is_legible, read_callback_url
from voice_emulator.providers.huawei_cec.errors import TEMPLATE, UPLOAD
from voice_emulator.providers.huawei_cec.fields import body_of, check_body, explain_by, text_of
from voice_emulator.providers.huawei_cec.media import (
    APPROVED,
    AUDIO,
    NOTIFICATION_SCENE,
    TEXT,
    CecState,
    VoiceFile,
    all_files,
    template_fault,
)
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
from voice_emulator.providers.request import Problem, Reply, Request, json_reply

LARGEST_FILE = 8 * 1024 * 1024
PAGE = 100
_KINDS = {0: AUDIO, 2: TEXT}
_OLD_FIELDS = ("tenant_id", "uploaddate", "voice_id", "name", "voicecontent", "type", "tenantSpaceName")

_UPLOAD_FIELDS = ("fileInfo", "locale", "voiceType", "fileType", "callBackUrl", "voiceFileName")
_TEMPLATE_FIELDS = ("name", "scene", "speed", "volume", "voicename", "voicecontent")

explain_upload = explain_by(dict.fromkeys(_UPLOAD_FIELDS, "1"))
explain_template = explain_by(dict.fromkeys(_TEMPLATE_FIELDS, "1"))
explain_query = explain_by({"type": "1", "offset": "2", "limit": "2"})


def check_upload(request: Request) -> Iterator[Problem]:
    """Flow control, then what the schema cannot check: the Base64, the size, the trustlist."""
    state = request.tenant.account_state(PROVIDER_ID, CecState)
    if not state.admit_upload(request.now, request.settings["upload_rate"]):
        yield Problem("429", "more uploads in a second than the account may make")
    yield from check_body(request)
    data = text_of(request, "fileInfo")
    if len(data) > (LARGEST_FILE + 2) // 3 * 4:
        yield _refused("fileInfo is larger than 8 MB", "/fileInfo")
    elif data and not _is_base64(data):
        yield _refused("fileInfo is not Base64", "/fileInfo")
    value = text_of(request, "callBackUrl")
    if is_legible(value) and ":" in value:
        try:
            check_trusted(read_callback_url(value, "plain"), request.settings["upload_trustlist"])
        except ValueError as error:
            yield _refused(f"callBackUrl {error}", "/callBackUrl")


def _is_base64(data: str) -> bool:
    try:
        base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _refused(message: str, place: str) -> Problem:
    return Problem("1", message, place, message)


def check_template(request: Request) -> Iterator[Problem]:
    """The rules on a template's text."""
    yield from check_body(request)
    content = body_of(request).get("voicecontent")
    text = content.get("textcontent") if isinstance(content, dict) else None
    # The schema reports a text that is empty, too long or begins with a variable.
    if isinstance(text, str) and 0 < len(text) <= 500 and not text.startswith("${"):
        fault = template_fault(text)
        if fault is not None:
            yield _refused(fault, "/voicecontent/textcontent")


def upload(request: Request, calls: Sequence[Call]) -> Reply:
    """Store a recording. If the request names a URL, the result of the review is pushed there."""
    file = _keep(request, UPLOAD, AUDIO, text_of(request, "voiceType"), text_of(request, "voiceFileName"))
    tenant = request.tenant
    extension = text_of(request, "fileType").lower()
    mark = tenant.ids.drawn_hexadecimal(8, "cec-file", file.id)
    account = tenant.ids.drawn_integer(1000, "cec-account")
    file.path = f"Y:/IVR/{account}/voice/{file.scene}/{mark}_{request.now // MILLISECOND}.{extension}"
    file.name = file.name or mark
    file.callback_url = text_of(request, "callBackUrl") or None
    if file.callback_url is not None and file.reviewed_at is not None:
        settings = request.settings
        waits = (settings["review_interval"] * SECOND,) * (settings["review_attempts"] - 1)
        due = file.reviewed_at
        push = Push(f"review-{file.id}", PROVIDER_ID, "review", file, None, due, retry=Retry(waits))
        file.review = push
        tenant.outbox.schedule(push)
    payload = {"returnCode": "0", "description": "File uploaded successfully.", "fileId": file.id}
    return json_reply(payload, code="0")


def make_template(request: Request, calls: Sequence[Call]) -> Reply:
    """Store a template. No page says that the result of its review is pushed."""
    file = _keep(request, TEMPLATE, TEXT, NOTIFICATION_SCENE, text_of(request, "name"))
    file.text = body_of(request)["voicecontent"]["textcontent"]
    return json_reply({"returnCode": "0", "description": "success", "templateId": file.id}, code="0")


def _keep(request: Request, space: str, kind: str, scene: str, name: str) -> VoiceFile:
    settings = request.settings
    file = VoiceFile(
        id=request.tenant.ids.increasing(space, request.now, 6, *request.key),
        name=name,
        kind=kind,
        scene=scene,
        verdict=settings["review_verdict"],
        uploaded_at=request.now,
        reviewed_at=request.now + settings["review_delay"] * SECOND,
        comment=settings["review_comment"],
    )
    request.tenant.account_state(PROVIDER_ID, CecState).files[file.id] = file
    return file


def revive(tenant: Tenant, pushes: Sequence[Push]) -> None:
    """Rebuild what the account knows of its calls and of files under review. Other files are forgotten."""
    state = tenant.account_state(PROVIDER_ID, CecState)
    for call in tenant.ledger.of_provider(PROVIDER_ID):
        tenant.ledger.name(call, call.provider_id)
    for push in pushes:
        if isinstance(push.subject, VoiceFile):
            state.files[push.subject.id] = push.subject


def list_files(request: Request, calls: Sequence[Call]) -> Reply:
    """A page of the approved voice notification files, oldest first. A limit above 100 counts as 100."""
    body = body_of(request)
    offset = int(body.get("offset") or 0)
    limit = min(int(body.get("limit") or PAGE), PAGE)
    kind = _KINDS.get(int(body["type"])) if body.get("type") is not None else None
    state = request.tenant.account_state(PROVIDER_ID, CecState)
    found = [
        file
        for file in all_files(request.settings, state)
        if file.scene == NOTIFICATION_SCENE
        and file.status(request.now) == APPROVED
        and kind in (None, file.kind)
    ]
    page = [_shown(request, file) for file in found[offset : offset + limit]]
    return json_reply({"returnCode": "0", "description": "query success", "voiceInfo": page}, code="0")


def _shown(request: Request, file: VoiceFile) -> dict[str, Any]:
    spoken = {"textcontent": file.text} if file.kind == TEXT else {"filepath": file.path}
    content = {"languageId": "0", **spoken}
    shown = {
        "tenant_id": str(10**11 + request.tenant.ids.drawn_integer(10**11, "cec-tenant")),
        "uploaddate": file.uploaded_at // MILLISECOND,
        "voice_id": file.id,
        "name": file.name,
        "voicecontent": json.dumps({"0": content}, ensure_ascii=False, separators=(",", ":")),
        "type": 2 if file.kind == TEXT else 0,
        "tenantSpaceName": request.tenant.id,
        "auditaccount": "reviewer",
        "noReference": True,
        "auditcomments": file.comment,
        "auditdate": (file.reviewed_at or file.uploaded_at) // MILLISECOND,
        "scene": int(file.scene),
        "uploadaccount": request.credentials["app_key"],
        "isUpdateRec": 0,
        "status": int(file.review.acknowledged) if file.review is not None else 0,
        "callbackTimes": file.review.attempt if file.review is not None else 0,
    }
    if request.settings["recording_details"] == "short":
        return {name: shown[name] for name in _OLD_FIELDS}
    return shown
