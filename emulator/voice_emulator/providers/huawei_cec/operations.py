"""The nine operations and their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.providers.huawei_cec import access, create, errors, files, queries
from voice_emulator.providers.huawei_cec.fields import check_body, explain_by
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
from voice_emulator.providers.provider import Route
from voice_emulator.providers.request import Header, Operation, Problem, Reply, Request

JSON = frozenset({"json"})

_TOKEN_HEADERS = (
    Header("X-Token-Expire", "Wished lifetime of the token in seconds, at most 3600.", example="600"),
)
_BUSINESS_HEADERS = (
    Header("Authorization", "Bearer, exactly one space, and the AccessToken of tokenByAkSk.", required=True,
           example="Bearer zzzzzzzzzzzzzzzzzz", secret=True),
    Header("X-APP-Key", "The app_key the token was issued for; mandatory on some pages, optional on others.",
           example="cec-app-key"),
)  # fmt: skip

_ORDER_QUERY_MEDIA = ("method", "401", "403", "encoding", "malformed", "1", "2")
_ORDER_UPLOAD = ("method", "401", "403", "429", "encoding", "malformed", "1")
_ORDER_TEMPLATE = ("method", "401", "403", "encoding", "malformed", "1")
_ORDER_TOKEN = ("method", "encoding", "malformed", "403")


def _business(
    name: str,
    title: str,
    source: str,
    answer: Callable[[Request, Sequence[Call]], Reply],
    explain: Callable[[Request, Any], Problem],
    check: Callable[[Request], Iterable[Problem]],
    order: tuple[str, ...],
    **more: Any,
) -> Operation:
    return Operation(
        name=name,
        title=title,
        source=source,
        accepts=JSON,
        request=f"{PROVIDER_ID}/{name}.request",
        reply=f"{PROVIDER_ID}/{name}.reply",
        identify=access.identify_by_token,
        authenticate=access.authenticate_token,
        explain=explain,
        answer=answer,
        check=check,
        order=order,
        headers=_BUSINESS_HEADERS,
        **more,
    )


_CREATE: Mapping[str, Any] = {
    "numbers": create.called_numbers,
    "submit": create.submit,
    "receipts": ("release",),
}

_ALL = (
    Operation(
        name=errors.TOKEN,
        title="Ask for a token",
        source="C1 System Configuration Interface Authentication (cec_07_0002, cec_07_0005, cec_07_2211)",
        accepts=JSON,
        request=f"{PROVIDER_ID}/tokenByAkSk.request",
        reply=f"{PROVIDER_ID}/tokenByAkSk.reply",
        identify=access.identify_by_secret,
        authenticate=access.authenticate_secret,
        explain=explain_by({}),
        check=check_body,
        answer=access.issue_token,
        order=_ORDER_TOKEN,
        headers=_TOKEN_HEADERS,
        issues_token=True,
    ),
    _business(
        errors.CREATE_V2, "Place a voice notification call, V2.0.0",
        "Creating a Voice Outbound Call (V2.0.0) (cec_07_1312, cec_07_0061); "
        "Creating a Voice Notification (V2.0.0) (cec_07_2802, cec_07_0077)",
        create.answer, create.explain, create.check_v2, create.ORDER_V2, **_CREATE,
    ),
    _business(
        errors.CREATE_V1, "Place a voice notification call, V1.0.0",
        "Creating a Voice Outbound Call (V1.0.0) (cec_07_1311, cec_07_0060); "
        "Creating a Voice Notification (V1.0.0) (cec_07_2801)",
        create.answer, create.explain, create.check_v1, create.ORDER_V1, **_CREATE,
    ),
    _business(
        errors.QUERY_MEDIA, "List approved recordings and templates",
        "Querying Voice Notification Recording Files (cec_07_2800, cec_07_0075)",
        files.list_files, files.explain_query, check_body, _ORDER_QUERY_MEDIA,
    ),
    _business(
        errors.UPLOAD, "Upload a recording", "Uploading IVR Voice Files (cec_07_1039, cec_07_0049)",
        files.upload, files.explain_upload, files.check_upload, _ORDER_UPLOAD, receipts=("review",),
    ),
    _business(
        errors.TEMPLATE, "Make a text template",
        "Uploading a TTS Template for Voice Notifications (cec_07_1040, cec_07_0050)",
        files.make_template, files.explain_template, files.check_template, _ORDER_TEMPLATE,
    ),
    _business(
        errors.RECORDS, "List call records", "Querying Call Detail Records (cec_07_1305, cec_07_0054)",
        queries.list_records, queries.explain_records, queries.check_records, queries.ORDER_RECORDS,
        queries_calls=True,
    ),
    _business(
        errors.STATE, "Show the state of a call", "Querying the Call State (cec_07_1306, cec_07_0055)",
        queries.show_state, queries.explain_state, check_body, queries.ORDER_STATE, queries_calls=True,
        provenance="inferred",
    ),
    _business(
        errors.RECORDING, "Get a link to a recording",
        "Obtaining the Recording Download Address (cec_07_1307, cec_07_0056)",
        queries.link_recording, queries.explain_recording, queries.check_recording, queries.ORDER_RECORDING,
        provenance="inferred",
    ),
)  # fmt: skip

OPERATIONS: Mapping[str, Operation] = MappingProxyType({operation.name: operation for operation in _ALL})

PATHS: Mapping[str, str] = MappingProxyType(
    {
        errors.TOKEN: "/apigovernance/api/oauth/tokenByAkSk",
        errors.CREATE_V2: "/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
        errors.CREATE_V1: "/apiaccess/rest/voiceNotification/v1/createVoiceNotification",
        errors.QUERY_MEDIA: "/apiaccess/rest/voiceNotification/v1/queryVoiceNotificationRecording",
        errors.UPLOAD: "/apiaccess/rest/cc-management/v1/importVoiceFile/upload",
        errors.TEMPLATE: "/apiaccess/rest/cc-management/v1/createVoiceTemplate",
        errors.RECORDS: "/apiaccess/CC-Management/v1/mobileAgent/queryCallDetailRecord",
        errors.STATE: "/apiaccess/CC-Management/v1/mobileAgent/queryCallState",
        errors.RECORDING: "/apiaccess/CC-Management/v1/mobileAgent/getRecordingAddress",
    }
)


def _always(name: str) -> Callable[[Request], str | Problem]:
    return lambda request: name


ROUTES = (
    *(Route(path, select=_always(name), operations=(name,)) for name, path in PATHS.items()),
    Route(queries.RECORDING_PATH, serve=queries.serve_recording, methods=frozenset({"GET"})),
)
