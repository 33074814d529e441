from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.process import COMMAND, command, running, url_of
from voice_emulator.providers.registry import discover


@pytest.fixture(scope="module")
def receiver():
    with running("listen") as process:
        yield process


def fields_of(output: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(output[output.index("{\n") : output.rindex("\n}") + 2])
    return found


@pytest.mark.parametrize("provider", discover())
def test_a_receipt_of_each_provider_arrives_and_is_acknowledged(receiver, provider):
    done = command("trigger", provider, "--callback-url", f"{url_of(receiver)}/{provider}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(f"POST {url_of(receiver)}/{provider}")
    assert done.stdout.splitlines()[-1] == "delivered: acknowledged as the provider expects"
    assert f"  {provider} " in receiver.out.wait_for(f"POST /{provider}")
    assert "6281234567890" in fields_of(done.stdout).values()


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["nxcloud", "--outcome", "busy"], {"hangup_cause": "USER_BUSY", "second": "0"}),
        (["nxcloud", "--number", "6281200000480"], {"hangup_cause": "NO_ANSWER", "phone": "6281200000480"}),
        (["nxcloud", "--number", "620480", "--outcome", "answered"], {"hangup_cause": "NORMAL_CLEARING"}),
        (["nxcloud", "--set", "second=-1", "--set", "ivr_result=a=b"], {"second": "-1", "ivr_result": "a=b"}),
        (["nxcloud", "--operation", "versend"], {"voice_type": "1"}),
        (["huawei_cec", "--outcome", "barred"], {"releaseReason": "10", "talkDuration": "0"}),
        (["infin8linx", "--outcome", "rejected"], {"hangupcause": 10003, "billsec": 0}),
    ],
)
def test_the_receipt_is_the_one_that_was_asked_for(receiver, args, wanted):
    done = command("trigger", *args, "--callback-url", url_of(receiver))
    assert done.returncode == 0, done.stderr
    fields = fields_of(done.stdout)
    assert {name: fields[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("provider", "identity"),
    [("nxcloud", "messageid"), ("huawei_cec", "callSerialNo"), ("infin8linx", "id"), ("infin8linx", "uuid")],
)
def test_two_receipts_report_two_calls(receiver, provider, identity):
    first, second = (
        fields_of(command("trigger", provider, "--callback-url", url_of(receiver), program=COMMAND).stdout)[
            identity
        ]
        for _ in range(2)
    )
    assert first != second
    if identity == "id":
        assert 1_000_001 <= first < second < 2**31


def test_a_receiver_that_answers_otherwise_is_status_1():
    with running("listen", "--reply", "thanks") as other:
        done = command("trigger", "nxcloud", "--callback-url", url_of(other))
    assert done.returncode == 1
    assert "answered 200 thanks" in done.stdout
    assert done.stderr.startswith("Error: refused: ")


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1:1/", "Error: failed: "), ("http://192.0.2.1/", "--allow-callback-host 192.0.2.1")],
)
def test_a_receiver_out_of_reach_is_status_1_and_one_sentence(url, words):
    done = command("trigger", "infin8linx", "--callback-url", url)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nxclod"], "there is no provider 'nxclod'; did you mean 'nxcloud'?"),
        (["nxcloud", "--outcome", "bussy"], "there is no outcome 'bussy'; did you mean 'busy'?"),
        (["nxcloud", "--set", "hangup_caus=1"], "did you mean 'hangup_cause'?"),
        (["nxcloud", "--set", "hangup_cause"], "write field=value"),
        (["nxcloud", "--operation", "gpsent"], "did you mean 'gpsend'?"),
    ],
)
def test_wrong_usage_names_the_nearest(args, words):
    done = command("trigger", *args, "--callback-url", "http://127.0.0.1:1/")
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]


def test_the_receiver_is_required():
    done = command("trigger", "nxcloud")
    assert done.returncode == 2
    assert "--callback-url" in done.stderr
