"""The plug-in in a running emulator: signatures, the shared path, refusals, the pushes, and the provider's own SDK."""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

import voice_emulator

KEY, SECRET = "aliyun-access-key-id", "aliyun-access-key-secret"
TTS = {"CalledNumber": "13700000000", "TtsCode": "TTS_10001", "TtsParam": '{"code":"1234"}', "OutId": "abc 1"}
ACKNOWLEDGED = '{"code":0,"msg":"ok"}'


def signing() -> Any:
    return import_module("voice_emulator_aliyun_vms.signing")


# --- the signatures, by vectors that the provider's SDK made ----------------------------------------

VECTOR = {
    **TTS, "Action": "SingleCallByTts", "Format": "JSON", "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "SignatureVersion": "1.0",
    "Timestamp": "2024-01-02T03:04:05Z", "Version": "2017-05-25", "AccessKeyId": "testid",
}  # fmt: skip


@pytest.mark.parametrize(
    ("method", "signature"),
    [("POST", "RUUP4ULoWtJOZ+cE0SdpL3hh3v8="), ("GET", "ZWM971Zr5NOHBqGcqY4zkdcDMb0=")],
)
def test_the_older_signature_is_that_of_the_sdk(method: str, signature: str):
    assert signing().sign_v2(method, {**VECTOR, "Signature": "ignored"}, "testsecret") == signature


def test_the_newer_signature_is_that_of_the_sdk():
    headers = {
        "host": "dyvmsapi.aliyuncs.com", "x-acs-action": "SingleCallByTts", "x-acs-date": "2024-01-02T03:04:05Z",
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(), "x-acs-version": "2017-05-25",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
    }  # fmt: skip
    hashed = signing().request_hash("POST", TTS, headers, sorted(headers), headers["x-acs-content-sha256"])
    assert hashed == "ed4e8463fbf31815d0b0256258cf93cc136b3ea008f5a3cf9a4878b4f43d9226"
    assert (
        signing().sign_v3(hashed, "testsecret")
        == "0c3043fc14a0412abd4c2536f185b992f5c671eb7850fc563195dfb365d379ef"
    )


# --- a client and a receiver -------------------------------------------------------------------------


class Receiver(ThreadingHTTPServer):
    """Keeps the body of each push, and answers with ``reply``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.reply, self.status = ACKNOWLEDGED, 200
        self.bodies: list[bytes] = []
        self.types: list[str | None] = []
        self.silent = threading.Event()
        self.silent.set()

    @property
    def callees(self) -> list[list[str]]:
        return [[report["callee"] for report in json.loads(body)] for body in self.bodies]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.types.append(self.headers["Content-Type"])
        self.server.silent.wait()
        body = self.server.reply.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.silent.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def emulator(_installed: None) -> Iterator[Any]:
    with voice_emulator.running(clock="manual", strict=True) as running:
        yield running


@pytest.fixture
def ve(emulator: Any, receiver: Receiver) -> Any:
    emulator.reset()
    emulator.load("happy-path")
    emulator.change(settings={"aliyun_vms": None})
    emulator.callback_urls["aliyun_vms"] = receiver.url
    return emulator


def fetch(request: Request) -> tuple[int, str]:
    try:
        with urlopen(request, timeout=20) as reply:
            return reply.status, reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def sign(
    method: str, action: str, fields: dict[str, str], secret: str = SECRET, **changes: str
) -> dict[str, str]:
    given = {
        **fields, "Action": action, "Version": "2017-05-25", "Format": "JSON", "AccessKeyId": KEY,
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **changes,
    }  # fmt: skip
    return {**given, "Signature": signing().sign_v2(method, given, secret)}


def ask(ve: Any, action: str, fields: dict[str, str], way: str = "form", **changes: str) -> tuple[int, Any]:
    """Send a request that is signed in the older way, as a form, a query by POST, or a query by GET."""
    method = "GET" if way == "get" else "POST"
    text = urlencode(sign(method, action, fields, **changes))
    url, body = (ve.url + "/", text.encode()) if way == "form" else (f"{ve.url}/?{text}", None)
    status, answer = fetch(Request(url, data=body, method=method))
    return status, json.loads(answer) if answer.startswith("{") else answer


def ask_v3(
    ve: Any, action: str, fields: dict[str, str], secret: str = SECRET, body: bytes = b""
) -> tuple[int, Any]:
    headers = {
        "host": urlsplit(ve.url).netloc, "x-acs-action": action, "x-acs-version": "2017-05-25",
        "x-acs-date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    names = sorted(headers)
    hashed = signing().request_hash("POST", fields, headers, names, headers["x-acs-content-sha256"])
    signature = signing().sign_v3(hashed, secret)
    headers["Authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={KEY},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    request = Request(f"{ve.url}/?{urlencode(fields)}", data=body, method="POST", headers=headers)
    status, answer = fetch(request)
    return status, json.loads(answer)


# --- requests ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["form", "query", "get", "v3"])
@pytest.mark.parametrize("action", ["SingleCallByTts", "SingleCallByVoice"])
def test_a_call_is_accepted_and_reported(ve: Any, receiver: Receiver, way: str, action: str):
    fields = (
        TTS
        if action == "SingleCallByTts"
        else {"CalledNumber": "13700000000", "VoiceCode": "a.wav", "OutId": "abc 1"}
    )
    status, reply = ask_v3(ve, action, fields) if way == "v3" else ask(ve, action, fields, way)
    assert (status, reply["Code"]) == (200, "OK")
    ve.advance("1h")
    (body,) = receiver.bodies
    (report,) = json.loads(body)
    assert report["call_id"] == reply["CallId"]
    assert (report["status_code"], report["out_id"], report["callee"]) == ("200000", "abc 1", "13700000000")
    assert receiver.types == ["application/json;charset=utf-8"]
    (push,) = ve.callbacks()
    assert (push.outcome, push.fields["duration"], len(push.call_ids)) == ("delivered", "10", 1)
    ve.assert_no_violations()


REFUSED = [
    ({}, {"AccessKeyId": "nobody"}, 404, "InvalidAccessKeyId.NotFound"),
    ({}, {"secret": "wrong"}, 400, "SignatureDoesNotMatch"),
    ({}, {"Timestamp": "2020-01-01T00:00:00Z"}, 400, "InvalidTimeStamp.Expired"),
    ({}, {"Timestamp": "2020-01-01 00:00:00"}, 400, "InvalidTimeStamp.Format"),
    ({}, {"SignatureNonce": ""}, 400, "MissingSignatureNonce"),
    ({"TtsCode": ""}, {}, 200, "isv.INVALID_PARAMETERS"),
    ({"TtsCode": None}, {}, 400, "MissingTtsCode"),
    ({"CalledNumber": "+86137"}, {}, 200, "isv.MOBILE_NUMBER_ILLEGAL"),
    ({"PlayTimes": "4"}, {}, 200, "isv.INVALID_PARAMETERS"),
    ({"TtsParam": "x" * 250}, {}, 200, "isv.PARAM_LENGTH_LIMIT"),
    ({"TtsParam": "[1]"}, {}, 200, "isv.TEMPLATE_PARAMS_ILLEGAL"),
    ({"TtsParam": '{"a":"http://x"}'}, {}, 200, "isv.PARAM_NOT_SUPPORT_URL"),
]


@pytest.mark.parametrize(("fields", "changes", "status", "code"), REFUSED, ids=[each[3] for each in REFUSED])
def test_a_bad_request_is_refused_with_its_code(ve: Any, fields: dict, changes: dict, status: int, code: str):
    given = {name: value for name, value in {**TTS, **fields}.items() if value is not None}
    got, reply = ask(ve, "SingleCallByTts", given, **changes)
    assert (got, reply["Code"]) == (status, code)
    assert ("HostId" in reply) is not code.startswith("is")
    assert "CallId" not in reply


def test_a_nonce_is_good_once(ve: Any):
    nonce = str(uuid.uuid4())
    assert ask(ve, "SingleCallByTts", TTS, SignatureNonce=nonce)[0] == 200
    assert ask(ve, "SingleCallByTts", TTS, SignatureNonce=nonce)[1]["Code"] == "SignatureNonceUsed"


def test_an_unknown_action_is_refused_by_the_gateway(ve: Any):
    status, reply = ask(ve, "SmartCall", TTS)
    assert (status, reply["Code"], reply["HostId"]) == (404, "InvalidApi.NotFound", "dyvmsapi.aliyuncs.com")


def test_the_newer_signature_covers_the_body(ve: Any):
    assert ask_v3(ve, "SingleCallByTts", TTS, body=b"Volume=5")[0] == 200
    assert ask_v3(ve, "SingleCallByTts", TTS, secret="wrong")[1]["Code"] == "SignatureDoesNotMatch"


def test_one_signature_alone_can_be_accepted(ve: Any):
    ve.settings["aliyun_vms"]["signatures"] = "v3"
    assert ask(ve, "SingleCallByTts", TTS)[1]["Code"] == "InvalidSignatureMethod"
    assert ask_v3(ve, "SingleCallByTts", TTS)[1]["Code"] == "OK"


def test_xml_is_answered_where_it_is_asked_for(ve: Any):
    status, text = ask(ve, "SingleCallByTts", TTS, Format="XML")
    assert status == 200
    assert text.startswith("<?xml version='1.0' encoding='UTF-8'?><SingleCallByTtsResponse><RequestId>")
    assert "<Error>" in ask(ve, "SingleCallByTts", TTS, Format="xml", secret="wrong")[1]


def test_the_path_is_shared_with_infin8linx(ve: Any):
    keys = ve.credentials.infin8linx
    form = {"service": "App.Sip_Auth.Login", "appid": keys.appid, "accesskey": keys.accesskey}
    status, text = fetch(Request(ve.url + "/", data=urlencode(form).encode(), method="POST"))
    assert (status, json.loads(text)["data"]["status"]) == (200, 0)
    assert ask(ve, "SingleCallByTts", TTS)[1]["Code"] == "OK"
    assert [entry.provider for entry in ve.requests()] == ["infin8linx", "aliyun_vms"]


def test_calls_to_one_number_can_be_limited(ve: Any):
    ve.settings["aliyun_vms"]["throttle"] = True
    codes = [ask(ve, "SingleCallByTts", TTS)[1]["Code"] for _ in range(2)]
    ve.advance("61s")
    codes.append(ask(ve, "SingleCallByTts", TTS)[1]["Code"])
    assert codes == ["OK", "isv.BUSINESS_LIMIT_CONTROL", "OK"]


def test_the_query_shows_what_the_receipt_said_and_reconciles_a_lost_one(ve: Any):
    ve.load(
        "name: lost\nmagic_numbers: false\n"
        "rules: [{match: {provider: aliyun_vms}, call: {outcome: busy}, receipt: {lost: true}}]\n"
    )
    call = ask(ve, "SingleCallByTts", TTS)[1]["CallId"]
    ve.advance("1h")
    assert ve.report()["conservation"]["orphan"] == 1
    today = str(int(ve.tenant.now.timestamp() * 1000))
    query = {"CallId": call, "ProdId": "11010000138001", "QueryDate": today}
    reply = ask(ve, "QueryCallDetailByCallId", query)[1]
    record = json.loads(reply["Data"])
    assert (record["state"], record["callee"], record["duration"]) == ("200002", "13700000000", 0)
    assert ve.report()["conservation"]["reconciled"] == 1
    assert "Data" not in ask(ve, "QueryCallDetailByCallId", {**query, "ProdId": "11000000300005"})[1]


# --- pushes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reply", "outcome"),
    [
        (200, '{"code":7}', "delivered"),
        (200, '{"code":0,"msg":"x"}', "delivered"),
        (200, '{"code":"0"}', "refused"),
        (200, '{"code":true}', "refused"),
        (200, "success", "refused"),
        (201, ACKNOWLEDGED, "refused"),
        (500, ACKNOWLEDGED, "refused"),
    ],
)
def test_http_200_and_a_numeric_code_acknowledge(
    ve: Any, receiver: Receiver, status: int, reply: str, outcome: str
):
    receiver.status, receiver.reply = status, reply
    ask(ve, "SingleCallByTts", TTS)
    ve.advance("20s")
    assert ve.callbacks()[0].outcome == outcome
    ve.advance("1h")
    assert len(receiver.bodies) == (1 if outcome == "delivered" else 4)


def test_a_push_is_repeated_unchanged_after_1_5_and_10_minutes(ve: Any, receiver: Receiver):
    receiver.status = 500
    ask(ve, "SingleCallByTts", TTS)
    ve.advance("1h")
    first, *others = [push.at for push in ve.callbacks()]
    assert [round((at - first).total_seconds()) for at in others] == [60, 360, 960]
    assert len(set(receiver.bodies)) == 1
    assert ve.report()["conservation"]["orphan"] == 1


def test_an_answer_after_700_ms_is_too_late_and_the_receipt_comes_again(ve: Any, receiver: Receiver):
    receiver.silent.clear()
    ask(ve, "SingleCallByTts", TTS)
    ve.advance("20s")
    (push,) = ve.callbacks()
    assert (push.outcome, push.reason) == ("failed", "no answer within 0.7 s")
    receiver.silent.set()
    ve.advance("2m")
    assert [push.outcome for push in ve.callbacks()] == ["failed", "delivered"]
    assert receiver.bodies[0] == receiver.bodies[1], (
        "the receiver has stored it twice, unless it looks at call_id"
    )


def test_reports_can_travel_together(ve: Any, receiver: Receiver):
    ve.settings["aliyun_vms"].update({"batch_maximum": 3, "batch_wait": 2000})
    numbers = ["13700000001", "13700000002", "13700000003", "13700000004"]
    for number in numbers:
        ask(ve, "SingleCallByTts", {**TTS, "CalledNumber": number})
    ve.advance("1h")
    assert receiver.callees == [numbers[:3], numbers[3:]]
    together, _ = ve.callbacks()
    assert len(together.call_ids) == len(together.receipts) == 3
    assert ve.wait_for_callback(number="13700000002").id == together.id
    assert ve.report()["conservation"]["acknowledged"] == 4


def test_http_200_alone_can_acknowledge(ve: Any, receiver: Receiver):
    ve.settings["aliyun_vms"]["acknowledgement_code_required"] = False
    receiver.reply = "thanks"
    ask(ve, "SingleCallByTts", TTS)
    ve.advance("1h")
    assert [push.outcome for push in ve.callbacks()] == ["delivered"]


# --- the provider's own SDK, unmodified ---------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["v2", "ACS3-HMAC-SHA256"])
def test_the_sdk_of_the_provider_drives_it_unmodified(ve: Any, receiver: Receiver, algorithm: str):
    client_module = pytest.importorskip("alibabacloud_dyvmsapi20170525.client")
    models = import_module("alibabacloud_dyvmsapi20170525.models")
    config = import_module("alibabacloud_tea_openapi.utils_models").Config(
        access_key_id=KEY, access_key_secret=SECRET, endpoint=urlsplit(ve.url).netloc, protocol="http",
        signature_algorithm=algorithm,
    )  # fmt: skip
    client = client_module.Client(config)
    reply = client.single_call_by_tts(
        models.SingleCallByTtsRequest(
            called_number="13700000000", tts_code="TTS_10001", tts_param='{"code":"1234"}', out_id="abc 1"
        )
    )
    assert (reply.status_code, reply.body.code) == (200, "OK")
    voice = client.single_call_by_voice(
        models.SingleCallByVoiceRequest(called_number="13700000001", voice_code="a.wav")
    )
    assert voice.body.code == "OK"
    refused = client.single_call_by_tts(
        models.SingleCallByTtsRequest(called_number="x", tts_code="TTS_10001")
    )
    assert refused.body.code == "isv.MOBILE_NUMBER_ILLEGAL", "the SDK does not raise: the caller must look"
    ve.advance("1h")
    reported = {json.loads(body)[0]["call_id"] for body in receiver.bodies}
    assert reported == {reply.body.call_id, voice.body.call_id}
    detail = client.query_call_detail_by_call_id(
        models.QueryCallDetailByCallIdRequest(
            call_id=reply.body.call_id,
            prod_id=11010000138001,
            query_date=int(ve.calls()[0].submitted_at.timestamp() * 1000),
        )
    )
    assert json.loads(detail.body.data)["state"] == "200000"
