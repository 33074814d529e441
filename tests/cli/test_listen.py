from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from tests.cli.process import COMMAND, command, environment, get, post, running, serving, url_of
from tests.patience import PATIENCE

RELEASE = json.dumps(
    {"callSerialNo": "1", "called": "8888", "releaseReason": "0", "talkDuration": "3"}
).encode()


def test_listen_prints_each_push_with_its_fields_and_answers_as_the_provider_expects():
    with running("listen") as receiver:
        url = url_of(receiver)
        fields = {
            "phone": "62812", "countryCode": "62", "duration": "0", "voice_type": "0", "messageid": "m1",
            "second": "0", "cycle": "60", "size": "0", "customer_price": "0.036", "basic_price": "0.005",
            "result": "Unsuccessful connection", "hangup_cause": "USER_BUSY",
            "hangup_disposition": "recv_refuse", "ivr_result": "",
        }  # fmt: skip
        assert post(f"{url}/nx?{urlencode(fields)}", b"") == (200, b"success")
        status, body = post(f"{url}/cec", RELEASE, **{"Content-Type": "application/json"})
        assert (status, json.loads(body)["retCode"]) == (200, "0")
        receiver.out.wait_for("POST /nx?...  nxcloud group  answered 200 success")
        receiver.out.wait_for('  "hangup_cause": "USER_BUSY",')
        receiver.out.wait_for("POST /cec  huawei_cec release  answered 200 ")
        assert receiver.stop(signal.SIGTERM) == 0
        assert receiver.log.end() == []


@pytest.mark.parametrize("where", ["given", "of --control", "the token is missing", "not an emulator"])
def test_register_makes_it_the_receiver_of_the_tenant(where: str):
    options = ["--control-token", "a-token"] if "token" in where else []
    with serving(*options) as server:
        control = server.ready["control"]
        options = ["--register"] if where == "of --control" else ["--register", control]
        if where == "not an emulator":
            options = ["--register", "http://127.0.0.1:9"]
        with running("listen", "--control", control, *options) as receiver:
            if where in ("given", "of --control"):
                url = url_of(receiver)
                receiver.out.wait_for(f"listening at {url}, the receiver of {control} (Ctrl-C ends)")
                urls = get(f"{control}/v1/tenants/default")["callback_urls"]
                assert {"nxcloud", "huawei_cec", "infin8linx"} <= {
                    key.partition("_")[0] for key in urls
                } | set(urls)
                assert set(urls.values()) == {url}
            else:
                told = (
                    "needs a control token: give --control-token"
                    if "token" in where
                    else "connection refused"
                )
                assert any(told in line for line in receiver.log.end())


def test_reply_and_status_are_what_was_asked_for():
    with running("listen", "--reply", "no", "--status", 503) as receiver:
        with pytest.raises(HTTPError) as refused:
            post(f"{url_of(receiver)}/cec", RELEASE)
        assert (refused.value.code, refused.value.read()) == (503, b"no")
        receiver.out.wait_for("POST /cec  huawei_cec release  answered 503 no")
        assert receiver.stop(signal.SIGINT) == 0


def test_a_push_of_nobody_is_shown_all_the_same():
    with running("listen") as receiver:
        assert post(url_of(receiver), b"hello=1", **{"Content-Type": "text/plain"}) == (200, b"success")
        receiver.out.wait_for("POST /  of no provider I know  answered 200 success")
        receiver.out.wait_for('"hello": "1"')


def test_a_taken_port_is_a_failure_that_names_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("listen", "--port", port, program=COMMAND)
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp936", "latin-1", "utf-8"])
def test_a_push_in_a_foreign_script_is_acknowledged_and_shown(encoding: str):
    body = json.dumps({"called": "8899", "text": "你好 🎉 žluťoučký"}, ensure_ascii=False).encode()
    with running("listen", env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}) as receiver:
        url = url_of(receiver)
        for number in (1, 2):
            assert post(url, body, **{"Content-Type": "application/json"})[0] == 200
            receiver.out.wait_for(
                lambda _, number=number: sum("8899" in line for line in receiver.out.lines) == number
            )
        assert receiver.stop(signal.SIGINT) == 0
    assert not [line for line in receiver.log.end() if "Error" in line]


@pytest.mark.parametrize(
    ("encoding", "arguments"),
    [
        ("ascii", ("openapi", "nxcloud")), ("cp1252", ("openapi", "huawei_cec")), ("cp936", ("openapi", "control")),
        ("ascii", ("errors",)), ("cp1252", ("scenarios", "show", "happy-path")), ("cp936", ("scenarios",)),
        ("ascii", ("check", "{}")), ("cp1252", ("check", "{}")), ("cp936", ("check", "{}")),
    ],
)  # fmt: skip
def test_no_command_dies_of_text_that_the_terminal_cannot_show(
    encoding: str, arguments: tuple[str, ...], tmp_path: Path
):
    odd = tmp_path / "odd.yaml"
    odd.write_text("name: 你好\n你好🎉: 1\n", encoding="utf-8")
    filled = [str(odd) if each == "{}" else each for each in arguments]
    env = {
        **environment(),
        "PYTHONIOENCODING": encoding,
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
    }
    done = subprocess.run([*COMMAND, *filled], env=env, capture_output=True, timeout=PATIENCE, check=False)
    assert b"Traceback" not in done.stderr
    assert done.returncode == (1 if arguments[0] == "check" else 0), done.stderr
    if arguments[0] == "check":
        assert b"odd.yaml:" in done.stderr + done.stdout
    else:
        assert done.stdout
