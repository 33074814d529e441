"""Suites of all kinds under mutants: what is killed, what survives, and what is never counted."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.process import CHECKOUT, serving
from tests.swarm.rig import catalogue
from voice_emulator.client import Client
from voice_emulator.core.overlay import NO_OVERLAY
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.mutants import Mutant, all_mutants
from voice_emulator.swarm.mutation import (
    KILLED,
    NOT_REACHED,
    SURVIVED,
    ControlSwitch,
    EnvironmentSwitch,
    Mutation,
)
from voice_emulator.swarm.subject import SetupError

#: A suite without an emulator: it acts and ends as it is told, and notes what an emulator would.
STUB = """
import json, os, sys
mutant = os.environ.get("VOICE_EMULATOR_MUTANT", "")
log = open(os.environ["VOICE_EMULATOR_MUTANT_LOG"], "a")
def note(what):
    print(json.dumps({what: "nxcloud", "mutant": mutant}), file=log, flush=True)
SCRIPT
"""

COMMON = """
import os, sys
from urllib.parse import urlencode
from urllib.request import urlopen

def dial(url, keys):
    form = {"appkey": keys["appkey"], "secretkey": keys["secretkey"], "phone": "6281234571171", "country_code": "62",
            "show_phone": "1234567890", "url": "https://files.example.com/hello.mp3"}
    return b"messageid" in urlopen(url + "/api/voiceSms/gpsend", urlencode(form).encode()).read()
"""

#: The same test, with emulators that come about in four ways. It notices when the receipt is lost, and nothing else.
LISTENER = """
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.pushes.append(self.path)
        self.send_response(200); self.end_headers(); self.wfile.write(b"success")
    def log_message(self, *arguments): pass

def receiver():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.pushes = []
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"
"""
USE = """
    server, url = receiver()
    ve.callback_urls["nxcloud"] = url
    assert dial(ve.url, ve.credentials.nxcloud)
    ve.advance("1h")
    assert server.pushes
"""
SUITES = {
    "fixture": "import pytest\n@pytest.mark.voice_emulator(clock='manual')\ndef test_one(voice_emulator):\n    ve = voice_emulator"
    + USE,
    "running": "import voice_emulator\nwith voice_emulator.running(clock='manual') as ve:" + USE,
    "serve": """
import json, subprocess
from voice_emulator.client import VoiceEmulator
command = [sys.executable, "-m", "voice_emulator", "serve", "--port", "0", "--control-port", "0", "--clock", "manual"]
with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
    try:
        ready = json.loads(process.stdout.readline())
        ve = VoiceEmulator(ready["control"])"""
    + USE.replace("\n    ", "\n        ")
    + """
    finally:
        process.terminate()
""",
    "control": """
from voice_emulator.client import VoiceEmulator
ve = VoiceEmulator(os.environ["SIDECAR"])
ve.reset()"""
    + USE.replace("\n    ", "\n"),
}


def mutant(name: str, provider: str = "nxcloud") -> Mutant:
    return Mutant(name, provider, "It costs.", "lost-receipts", NO_OVERLAY)


def stub(tmp_path: Path, script: str, *names: str, timeout: float = 60) -> list[tuple[str, str]]:
    path = tmp_path / "suite.py"
    path.write_text(STUB.replace("SCRIPT", script), encoding="utf-8")
    run = Mutation([sys.executable, str(path)], [EnvironmentSwitch(tmp_path)], timeout)
    return [(each.mutant.name, each.verdict) for each in run.run([mutant(name) for name in names])]


def test_a_mutant_that_did_not_act_is_never_counted_however_the_suite_ended(tmp_path):
    """It fails for a reason of its own from the second run on."""
    script = 'note("request")\nif mutant: sys.exit(1)'
    assert stub(tmp_path, script, "a", "b") == [("a", NOT_REACHED), ("b", NOT_REACHED)]


def test_one_that_acted_is_killed_or_has_survived(tmp_path):
    script = 'note("request")\nif mutant: note("acted")\nsys.exit(mutant == "bad")'
    assert stub(tmp_path, script, "bad", "good") == [("bad", KILLED), ("good", SURVIVED)]


def test_a_provider_that_got_no_request_is_not_reached_without_a_run(tmp_path):
    path = tmp_path / "suite.py"
    path.write_text(STUB.replace("SCRIPT", 'note("request")\nif mutant: note("acted")'), encoding="utf-8")
    run = Mutation([sys.executable, str(path)], [EnvironmentSwitch(tmp_path)], 60)
    (verdict,) = run.run([mutant("a", "huawei_cec")])
    assert (verdict.verdict, verdict.seconds) == (NOT_REACHED, 0)


def test_a_suite_that_hangs_under_a_mutant_has_noticed_it(tmp_path):
    script = 'note("request")\nif mutant:\n    note("acted")\n    import time\n    time.sleep(600)'
    assert stub(tmp_path, script, "a", timeout=3) == [("a", KILLED)]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            'note("request")\nprint("oh no")\nsys.exit(4)',
            "already ends with exit status 4; its output ends with:\noh no",
        ),
        ("pass", "without a mutant, no request reached a provider"),
    ],
)
def test_a_suite_that_cannot_judge_is_refused(tmp_path, script, message):
    with pytest.raises(SetupError, match=message):
        stub(tmp_path, script, "a")


def test_stopped_from_outside_keeps_what_there_is(tmp_path):
    path = tmp_path / "suite.py"
    path.write_text(STUB.replace("SCRIPT", 'note("request")\nif mutant: note("acted")'), encoding="utf-8")
    stopped = threading.Event()
    run = Mutation([sys.executable, str(path)], [EnvironmentSwitch(tmp_path)], 60, stopped)
    verdicts = run.run([mutant("a"), mutant("b")], lambda verdict: stopped.set())
    assert [each.mutant.name for each in verdicts] == ["a"]


@pytest.mark.parametrize("way", SUITES)
def test_an_emulator_is_wrong_however_the_suite_comes_by_it(tmp_path, monkeypatch, way):
    path = tmp_path / "test_suite.py"
    path.write_text(COMMON + LISTENER + SUITES[way], encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(CHECKOUT / "emulator"), str(CHECKOUT))))
    command = [sys.executable, str(path)]
    if way == "fixture":
        monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # the many plugins here are slow to import
        command[1:1] = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "voice_emulator.pytest_plugin"]
    mutants = [mutant("receipt-lost"), mutant("field-extra")]
    if way == "running":
        mutants.append(mutant("query-lags"))

    def verdicts(*told):
        return [each.verdict for each in Mutation(command, told, 60).run(mutants)]

    if way == "control":
        with serving("--clock", "manual") as server, Client(server.ready["control"]) as client:
            monkeypatch.setenv("SIDECAR", server.ready["control"])
            assert verdicts(EnvironmentSwitch(tmp_path), ControlSwitch(client)) == [KILLED, SURVIVED]
            assert client.mutant().name == ""
    else:
        assert verdicts(EnvironmentSwitch(tmp_path)) == [KILLED, SURVIVED, NOT_REACHED][: len(mutants)]


# --- what suites are worth: all mutants, so these take minutes --------------------------------------

EXAMPLES = {
    "nxcloud_reminders": "nxcloud", "huawei_notifier": "huawei_cec", "infin8linx_campaign": "infin8linx",
}  # fmt: skip

#: The happy path: the reply is good, and a while later the call has ended and its receipt was taken.
HAPPY = """
import voice_emulator
with voice_emulator.running(clock="manual") as ve:
    server, url = receiver()
    ve.callback_urls["nxcloud"] = url
    assert dial(ve.url, ve.credentials.nxcloud)
    ve.advance("48h")
    assert [call.outcome for call in ve.calls()] == ["answered"]
    assert ve.callbacks()[0].outcome in ("delivered", "lost")
"""


def judged(command: list[str], directory: Path, provider: str) -> dict[str, set[str]]:
    """The names of the mutants by verdict, but for one that costs seconds of real time in every test."""
    providers = catalogue().providers
    mutants = [
        each
        for each in all_mutants(ScenarioLoader(catalogue(), {}), providers)
        if each.provider == provider and each.name != "reply-slow"
    ]
    found: dict[str, set[str]] = {KILLED: set(), SURVIVED: set(), NOT_REACHED: set()}
    for each in Mutation(command, [EnvironmentSwitch(directory)]).run(mutants):
        found[each.verdict].add(each.mutant.name)
    return found


@pytest.mark.long
def test_the_examples_kill_nearly_all_mutants(tmp_path):
    killed, applying = set(), set()
    for example, provider in EXAMPLES.items():
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            str(CHECKOUT / "examples" / example),
        ]
        found = judged(command, tmp_path, provider)
        killed |= found[KILLED]
        applying |= found[KILLED] | found[SURVIVED]
    assert len(killed) >= 22, sorted(applying - killed)


@pytest.mark.long
def test_the_happy_path_alone_kills_at_most_a_third(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(CHECKOUT / "emulator"), str(CHECKOUT))))
    path = tmp_path / "suite.py"
    path.write_text(COMMON + LISTENER + HAPPY, encoding="utf-8")
    found = judged([sys.executable, str(path)], tmp_path, "nxcloud")
    assert 0 < len(found[KILLED]) <= sum(map(len, found.values())) / 3, found
