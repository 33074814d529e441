"""The nine operations and their paths."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from voice_emulator.providers.huawei_cec import access, create, errors, files, queries
from voice_emulator.providers.huawei_cec.fields import check_body, explain_by
from voice_emulator.providers.huawei_cec.records import PROVIDER_ID
from voice_emulator.providers.kit.tables import download, operations, route
from voice_emulator.providers.request import Header, Operation

JSON = frozenset({"json"})

_TOKEN_HEADERS = (Header("X-Token-Expire", "Lifetime of the token in seconds, at most 3600.", example="600"),)
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


_business = partial(
    Operation, accepts=JSON, identify=access.identify_by_token, authenticate=access.authenticate_token,
    headers=_BUSINESS_HEADERS,
)  # fmt: skip
_create = partial(
    _business, explain=create.explain, answer=create.answer, numbers=create.called_numbers,
    submit=create.submit, receipts=("release",),
)  # fmt: skip

OPERATIONS = operations(
    PROVIDER_ID,
    Operation(
        errors.TOKEN, "Ask for a token",
        "C1 System Configuration Interface Authentication (cec_07_0002, cec_07_0005, cec_07_2211)", JSON,
        identify=access.identify_by_secret, authenticate=access.authenticate_secret, explain=explain_by({}),
        check=check_body, answer=access.issue_token, order=_ORDER_TOKEN, headers=_TOKEN_HEADERS,
        issues_token=True,
    ),
    _create(
        errors.CREATE_V2, "Place a voice notification call, V2.0.0",
        "Creating a Voice Outbound Call (V2.0.0) (cec_07_1312, cec_07_0061); "
        "Creating a Voice Notification (V2.0.0) (cec_07_2802, cec_07_0077)",
        check=create.check_v2, order=create.ORDER_V2,
    ),
    _create(
        errors.CREATE_V1, "Place a voice notification call, V1.0.0",
        "Creating a Voice Outbound Call (V1.0.0) (cec_07_1311, cec_07_0060); "
        "Creating a Voice Notification (V1.0.0) (cec_07_2801)",
        check=create.check_v1, order=create.ORDER_V1,
    ),
    _business(
        errors.QUERY_MEDIA, "List approved recordings and templates",
        "Querying Voice Notification Recording Files (cec_07_2800, cec_07_0075)",
        answer=files.list_files, explain=files.explain_query, check=check_body, order=_ORDER_QUERY_MEDIA,
    ),
    _business(
        errors.UPLOAD, "Upload a recording", "Uploading IVR Voice Files (cec_07_1039, cec_07_0049)",
        answer=files.upload, explain=files.explain_upload, check=files.check_upload, order=_ORDER_UPLOAD,
        changes=True,
        receipts=("review",),
    ),
    _business(
        errors.TEMPLATE, "Make a text template",
        "Uploading a TTS Template for Voice Notifications (cec_07_1040, cec_07_0050)",
        answer=files.make_template, explain=files.explain_template, check=files.check_template,
        order=_ORDER_TEMPLATE, changes=True,
    ),
    _business(
        errors.RECORDS, "List call records", "Querying Call Detail Records (cec_07_1305, cec_07_0054)",
        answer=queries.list_records, explain=queries.explain_records, check=queries.check_records,
        order=queries.ORDER_RECORDS, queries_calls=True,
    ),
    _business(
        errors.STATE, "Show the state of a call", "Querying the Call State (cec_07_1306, cec_07_0055)",
        answer=queries.show_state, explain=queries.explain_state, check=check_body, order=queries.ORDER_STATE,
        queries_calls=True, provenance="inferred",
    ),
    _business(
        errors.RECORDING, "Get a link to a recording",
        "Obtaining the Recording Download Address (cec_07_1307, cec_07_0056)",
        answer=queries.link_recording, explain=queries.explain_recording, check=queries.check_recording,
        order=queries.ORDER_RECORDING, provenance="inferred",
    ),
)  # fmt: skip

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


ROUTES = (
    *(route(path, name) for name, path in PATHS.items()),
    download(queries.RECORDING_PATH, queries.serve_recording, queries.LINK_SPACE),
)
