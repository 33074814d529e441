"""The plugin as its users meet it: pytest in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import voice_emulator
import voice_emulator.embedded  # now: pytester forgets modules that are imported within a test

pytest_plugins = "pytester"

GOLDEN = Path(__file__).with_name("failure_report.txt")

CLIENT = """
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

FORM = {
    "country_code": "62", "show_phone": "1234", "url": "http://files.example.com/a.mp3",
    "content": "1-2-3", "lang": "en",
}


def call(voice_emulator, phone, operation="gpsend"):
    keys = voice_emulator.credentials.nxcloud
    form = FORM | {"appkey": keys.appkey, "secretkey": keys.secretkey, "phone": phone}
    url = f"{voice_emulator.url}/api/voiceSms/{operation}"
    try:
        with urlopen(url, urlencode(form).encode(), timeout=60) as reply:
            return reply.read().decode()
    except (URLError, OSError) as error:
        return str(error)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"success")

    def log_message(self, *args):
        pass


@contextmanager
def receiving():
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/dr"
    server.shutdown()
    thread.join()
    server.server_close()
"""

SYNCHRONOUS = """
import pytest
from client import call, receiving


def test_the_marker(voice_emulator):
    assert voice_emulator.scenario == "happy-path"
    assert voice_emulator.tenant.clock == "real"


@pytest.mark.voice_emulator(scenario="all-busy", clock="manual", seed=7)
class TestMarked:
    def test_says_how_the_tenant_begins(self, voice_emulator):
        assert (voice_emulator.scenario, voice_emulator.tenant.seed) == ("all-busy", 7)
        call(voice_emulator, "6281234567891")
        voice_emulator.advance("90s")
        assert voice_emulator.calls()[0].outcome == "busy"

    @pytest.mark.voice_emulator(scenario="name: mine\\n", settings={"nxcloud": {"language": "zh"}})
    @pytest.mark.voice_emulator(seed=8)
    def test_the_closest_wins(self, voice_emulator):
        assert (voice_emulator.scenario, voice_emulator.tenant.seed) == ("mine", 8)
        assert voice_emulator.tenant.clock == "manual"
        assert voice_emulator.settings["nxcloud"]["language"] == "zh"


def test_on_a_real_clock(voice_emulator):
    with receiving() as url:
        voice_emulator.callback_urls["nxcloud"] = url
        call(voice_emulator, "6281200000486")
        push = voice_emulator.wait_for_callback(number="6281200000486", timeout="1m")
    assert push.fields["hangup_cause"] == "USER_BUSY"
    voice_emulator.assert_no_violations()


def test_the_server_is_one_for_all_and_tenants_go(voice_emulator, voice_emulator_server):
    assert voice_emulator.control_url == voice_emulator_server.control_url
    tenants = [tenant.id for tenant in voice_emulator_server.client.tenants()]
    assert tenants == ["default", voice_emulator.id]
    voice_emulator_server.client.delete_tenant(voice_emulator.id)
"""

PYTEST_ASYNCIO = """
import asyncio

import pytest
from client import call
from voice_emulator.client import WouldDeadlock


@pytest.mark.asyncio
@pytest.mark.voice_emulator(clock="manual")
async def test_with_pytest_asyncio(voice_emulator):
    received = []

    async def receive(reader, writer):
        received.append(await reader.readuntil(b"\\r\\n\\r\\n"))
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 7\\r\\nConnection: close\\r\\n\\r\\nsuccess")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        voice_emulator.callback_urls["nxcloud"] = f"http://127.0.0.1:{port}/dr"
        await asyncio.to_thread(call, voice_emulator, "6281200000486")
        with pytest.raises(WouldDeadlock, match=r"await voice_emulator\\.aio\\.advance"):
            voice_emulator.advance("5s")
        done = await voice_emulator.aio.advance("5s")
    assert [push.outcome for push in done.callbacks] == ["delivered"]
    assert len(received) == 1
"""

PYTEST_AIOHTTP = """
import asyncio

from aiohttp import web
from client import call


async def test_with_pytest_aiohttp(voice_emulator, aiohttp_server):
    received = []

    async def receive(request):
        received.append(request.query["phone"])
        return web.Response(text="success")

    app = web.Application()
    app.router.add_post("/dr", receive)
    voice_emulator.callback_urls["nxcloud"] = (await aiohttp_server(app)).make_url("/dr")
    await asyncio.to_thread(call, voice_emulator, "6281200000486")
    push = await voice_emulator.aio.wait_for_callback(number="6281200000486")
    assert push.delivered
    assert received == ["6281200000486"]
"""


def test_without_any_asyncio_plugin(run):
    result = run({"client.py": CLIENT, "test_it.py": SYNCHRONOUS}, "-p", "no:asyncio", "-p", "no:aiohttp")
    result.assert_outcomes(passed=5)


def test_with_asyncio_plugins(run):
    """pytest-asyncio in its strict mode, then pytest-aiohttp's automatic one."""
    files = {"client.py": CLIENT, "test_asyncio.py": PYTEST_ASYNCIO, "test_it.py": SYNCHRONOUS}
    run(files).assert_outcomes(passed=6)
    files = {"client.py": CLIENT, "test_aiohttp.py": PYTEST_AIOHTTP, "test_asyncio.py": PYTEST_ASYNCIO}
    run(files, "--asyncio-mode=auto", "test_aiohttp.py", "test_asyncio.py").assert_outcomes(passed=2)


PARALLEL = """
import pytest
from client import call


@pytest.mark.parametrize("number", range(12))
@pytest.mark.voice_emulator(clock="manual")
def test_nothing_crosses_over(voice_emulator, number):
    phone = f"62812{number:03d}0486"
    call(voice_emulator, phone)
    voice_emulator.advance("5s")
    assert [each.number for each in voice_emulator.calls()] == [phone]
    with open("seen.txt", "a") as seen:
        seen.write(f"{voice_emulator.control_url} {voice_emulator.id}\\n")
"""


def test_under_xdist_every_worker_has_its_own(run, pytester):
    run({"client.py": CLIENT, "test_it.py": PARALLEL}, "-n", "2").assert_outcomes(passed=12)
    seen = [line.split() for line in pytester.path.joinpath("seen.txt").read_text("utf-8").splitlines()]
    assert len({url for url, _ in seen}) == 2
    assert len({tenant for _, tenant in seen}) == 12


SIDECAR = """
def test_it(voice_emulator, voice_emulator_server):
    assert voice_emulator_server.sidecar
    assert voice_emulator.id != "default"
    assert voice_emulator.tenant.clock == "60x"
    with open("seen.txt", "a") as seen:
        seen.write(f"{voice_emulator.control_url} {voice_emulator.url}\\n")
"""


def test_a_sidecar_is_used_where_there_is_one(run, pytester):
    with voice_emulator.running(control_token="secret") as sidecar:
        chosen = ("--voice-emulator-clock", "60x")
        options = ("--voice-emulator-control", sidecar.control_url, "--voice-emulator-token", "secret")
        by_option = run({"test_it.py": SIDECAR}, *options, *chosen)
        environment = {
            "VOICE_EMULATOR_CONTROL": sidecar.control_url,
            "VOICE_EMULATOR_CONTROL_TOKEN": "secret",
            "VOICE_EMULATOR_URL": "http://elsewhere:1",
        }
        by_environment = run({"test_it.py": SIDECAR}, *chosen, environment=environment)
        assert [tenant.id for tenant in sidecar.client.tenants()] == ["default"]
    by_option.assert_outcomes(passed=1)
    by_option.stdout.fnmatch_lines([f"voice-emulator: {sidecar.control_url}"])
    by_environment.assert_outcomes(passed=1)
    seen = pytester.path.joinpath("seen.txt").read_text("utf-8").splitlines()
    assert seen == [f"{sidecar.control_url} {sidecar.url}", f"{sidecar.control_url} http://elsewhere:1"]


OWN_OPTIONS = """
import pytest


@pytest.fixture(scope="session")
def voice_emulator_options():
    return {"control_token": "secret", "scenario": "all-busy"}


def test_it(voice_emulator, voice_emulator_server):
    assert voice_emulator_server.client.health().scenario == "all-busy"
    assert voice_emulator.scenario == "happy-path"
    assert voice_emulator.aio
"""


def test_the_own_emulator_takes_options(run):
    run({"test_it.py": OWN_OPTIONS}).assert_outcomes(passed=1)


FAILING = '''
import pytest
from client import call, receiving

SCENARIO = """
name: bad-day
rules:
  - name: replies get lost
    match: {operation: versend}
    fault: reset
  - name: receipts get lost
    match: {number: "*0480"}
    receipt: {lost: true}
"""


@pytest.fixture
def called(voice_emulator):
    with receiving() as url:
        voice_emulator.callback_urls["nxcloud"] = url
        call(voice_emulator, "6281200000486,6281200000480")
        call(voice_emulator, "nonsense")
        call(voice_emulator, "6281200000603", "versend")
        voice_emulator.advance("1m")


@pytest.mark.voice_emulator(
    scenario=SCENARIO, clock={"mode": "manual", "start": "2026-01-05T09:00:00+08:00"}
)
def test_fails(called, voice_emulator):
    voice_emulator.assert_no_violations()


def test_passes(voice_emulator):
    call(voice_emulator, "nonsense")


def test_fails_with_an_empty_journal(voice_emulator):
    voice_emulator.wait_for_callback(timeout="10ms")


def test_fails_without_a_tenant():
    assert False
'''


def test_a_failure_shows_the_journal_of_its_tenant(run, monkeypatch):
    monkeypatch.delenv("CI", raising=False)  # there pytest does not shorten its summary
    """The golden text: the whole report of four tests, from the first failure to the summary."""
    result = run({"client.py": CLIENT, "test_it.py": FAILING}, "-q", "--no-header")
    result.assert_outcomes(passed=1, failed=3)
    lines = result.stdout.lines
    report = lines[next(index for index, line in enumerate(lines) if "FAILURES" in line) : -1]
    shown = re.sub(r"127\.0\.0\.1:[0-9]+", "127.0.0.1:PORT", "\n".join([*report, ""]))
    assert shown == GOLDEN.read_text("utf-8")


BREAKING = """
import pytest
from client import call


def test_breaks(voice_emulator):
    call(voice_emulator, "nonsense")


@pytest.mark.voice_emulator(strict=False)
def test_may(voice_emulator):
    call(voice_emulator, "nonsense")


def test_fails_by_itself(voice_emulator):
    call(voice_emulator, "nonsense")
    assert False, "its own reason"


def test_skips(voice_emulator):
    call(voice_emulator, "nonsense")
    pytest.skip("later")


def test_keeps_to_it(voice_emulator):
    call(voice_emulator, "6281200000486")
    voice_emulator.assert_no_violations()


def test_places_no_call(voice_emulator):
    voice_emulator.assert_no_violations(warnings=True)


@pytest.mark.voice_emulator(clock="manual")
class TestWarnings:
    def test_are_counted_if_asked(self, voice_emulator):
        call(voice_emulator, "6281200000486")
        voice_emulator.advance("1m")  # there is no receiver: an orphan
        voice_emulator.assert_no_violations()
        with pytest.raises(AssertionError, match="1 violation .*\\n  warning "):
            voice_emulator.assert_no_violations(warnings=True)


def test_without_a_tenant():
    pass
"""


@pytest.mark.parametrize("ci", ["", "true"])
def test_strict_mode_fails_a_test_in_its_call_phase(run, monkeypatch, ci):
    # Where CI is set, pytest's summary has whole messages, not their first lines.
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("BUILD_NUMBER", raising=False)
    files = {"client.py": CLIENT, "test_it.py": BREAKING}
    run(files).assert_outcomes(passed=6, failed=1, skipped=1)
    strict = run(files, "-o", "voice_emulator_strict=true")
    strict.assert_outcomes(passed=5, failed=2, skipped=1)
    told, summary = strict.stdout.str().split("short test summary info")
    assert (
        told.count("(voice_emulator_strict is set)") == summary.count("FAILED test_it.py::test_breaks") == 1
    )
    strict.stdout.fnmatch_lines(
        ["1 violation of the providers' contract", "  error schema-violation nxcloud.gpsend *: /phone: *"]
    )
    strict.stdout.fnmatch_lines(["*- voice emulator journal -*", "*request    nxcloud gpsend nonsense*"])


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_one_report_of_all_tests_and_workers(run, pytester, workers):
    files = {"client.py": CLIENT, "test_it.py": BREAKING, "test_parallel.py": PARALLEL}
    pytester.path.joinpath("all.json").write_text("from another run", "utf-8")
    result = run(files, "--voice-emulator-report=all.json", *workers)
    result.stdout.fnmatch_lines(
        ["voice-emulator report *all.json: 4 violations of the contract, 13 warnings."]
    )
    report = json.loads(pytester.path.joinpath("all.json").read_text("utf-8"))
    assert (report["tenant"], report["summary"]["requests"], report["summary"]["accepted"]) == ("all", 18, 14)
    assert {group["rule"]: group["count"] for group in report["findings"]} == {
        "schema-violation": 4,
        "orphaned-call": 13,
    }
    assert len({each["tenant"] for each in report["violations"]}) == 17


def test_a_report_of_nothing_is_not_written_and_one_that_cannot_be_is_told_at_once(run, pytester):
    pytester.path.joinpath("all.xml").write_text("from another run", "utf-8")
    idle = run({"test_it.py": "def test_it(): pass"}, "--voice-emulator-report", "all.xml")
    idle.stdout.fnmatch_lines(["voice-emulator report *all.xml not written: no test used the fixture*"])
    assert not pytester.path.joinpath("all.xml").exists()
    for name, words in {
        "all.txt": "must end in .json, *",
        "no/all.xml": "cannot write *: No such file *",
    }.items():
        refused = run({}, "--voice-emulator-report", name)
        assert refused.ret == pytest.ExitCode.USAGE_ERROR
        refused.stderr.fnmatch_lines([f"ERROR: --voice-emulator-report: *{words}"])


OF_ANOTHER = """
import pytest
from client import call


@pytest.mark.voice_emulator(scenario="all-busy", clock="real", settings={"nxcloud": {"language": "zh"}})
def test_first(voice_emulator):
    assert (voice_emulator.id, voice_emulator.scenario) == ("theirs", "no-answer-day")
    assert voice_emulator.settings["nxcloud"]["language"] == "zh"
    call(voice_emulator, "6281200000486")
    voice_emulator.advance("1m")


def test_second(voice_emulator):
    assert [each.number for each in voice_emulator.calls()] == ["6281200000486"]
    call(voice_emulator, "6281200000480")
"""


def test_the_tenant_of_the_environment_is_used_and_stays(run, pytester):
    with voice_emulator.running() as sidecar:
        scenario = "name: no-answer-day\nrules: [{call: {outcome: no_answer}}]\n"
        sidecar.client.create_tenant("theirs", scenario=scenario, clock="manual")
        environment = {"VOICE_EMULATOR_CONTROL": sidecar.control_url, "VOICE_EMULATOR_TENANT": "theirs"}
        result = run(
            {"client.py": CLIENT, "test_it.py": OF_ANOTHER},
            "--voice-emulator-report=all.json",
            environment=environment,
        )
        assert len(sidecar.client.calls("theirs").items) == 2
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([f"voice-emulator: {sidecar.control_url}, tenant theirs"])
    report = json.loads(pytester.path.joinpath("all.json").read_text("utf-8"))
    assert report["summary"]["accepted"] == 2  # the calls of the first test are not counted twice

    alone = run(
        {"client.py": CLIENT, "test_it.py": OF_ANOTHER}, environment={"VOICE_EMULATOR_TENANT": "theirs"}
    )
    alone.assert_outcomes(errors=2)
    alone.stdout.fnmatch_lines(["VOICE_EMULATOR_TENANT is set, and *: set VOICE_EMULATOR_CONTROL"])


TOLD = """
import asyncio
from pathlib import Path

import pytest
import voice_emulator as package
from client import call, receiving


def test_a_real_clock(voice_emulator):
    voice_emulator.advance("90s")


def test_a_real_clock_from_a_loop(voice_emulator):
    async def later():
        await voice_emulator.aio.advance(to="idle")

    asyncio.run(later())


def test_an_unknown_scenario(voice_emulator):
    voice_emulator.load("all-bussy")


def test_no_such_file(voice_emulator):
    voice_emulator.load(Path("nope.yaml"))


def test_two_mistakes(voice_emulator):
    voice_emulator.load("name: x\\nrules: [{call: {outcom: busy}}]\\n")


def test_an_unknown_key(voice_emulator):
    voice_emulator.callback_urls["nxclod"] = "http://127.0.0.1:9/dr"


def test_an_unknown_setting(voice_emulator):
    voice_emulator.settings["nxcloud"]["balanc"] = "0"


def test_an_unknown_credential(voice_emulator):
    voice_emulator.credentials.nxcloud.appkye


def test_a_duration(voice_emulator):
    voice_emulator.wait_for_callback(timeout="5 secs")


def test_nothing_answers(voice_emulator):
    with package.running() as other:
        pass
    other.calls()


@pytest.mark.voice_emulator(scenario="all-bussy")
def test_a_marker(voice_emulator):
    pass


@pytest.mark.voice_emulator(clock="manual")
def test_pushes_that_go_nowhere(voice_emulator):
    for url in ("http://93.184.216.34/dr", "http://127.0.0.1:9/dr", None):
        if url:
            voice_emulator.callback_urls["nxcloud"] = url
        else:
            del voice_emulator.callback_urls["nxcloud"]
        call(voice_emulator, "6281200000486")
        voice_emulator.advance("1m")
    assert False


@pytest.fixture
def checked(voice_emulator):
    yield voice_emulator
    voice_emulator.assert_no_violations()


@pytest.mark.parametrize("last", [False, True])  # after the last test the emulator stops
def test_in_a_teardown(checked, last):
    call(checked, "nonsense")
"""


STRAY = """
from types import SimpleNamespace

from client import call


def stray(voice_emulator, phone):
    keys = SimpleNamespace(nxcloud=SimpleNamespace(appkey="wrong", secretkey="wrong"))
    call(SimpleNamespace(url=voice_emulator.url, credentials=keys), phone)


def test_before(voice_emulator):
    stray(voice_emulator, "6281200000001")


def test_with_wrong_credentials(voice_emulator):
    stray(voice_emulator, "6281200000002")
    assert False


def test_without_a_request(voice_emulator):
    assert False
"""


def test_requests_with_wrong_credentials_are_shown_where_they_went(run):
    result = run({"client.py": CLIENT, "test_it.py": STRAY})
    result.assert_outcomes(passed=1, failed=2)
    told = result.stdout.str()
    assert "gpsend 6281200000001" not in told
    result.stdout.fnmatch_lines(
        [
            "tenant test-with-*: nothing came over the wire",
            "meanwhile: tenant default, *",
            "*nxcloud gpsend 6281200000002 -> 200 code 1, with the credentials of no tenant (/appkey: no tenant has *",
            "tenant test-without-*: nothing came over the wire",
        ]
    )
    assert told.count("meanwhile:") == 1


def test_what_goes_wrong_is_a_sentence_about_the_test(run):
    """No frame of the client, no cause from a library, no option of a command line, and the journal every time."""
    result = run({"client.py": CLIENT, "test_it.py": TOLD}, "-p", "no:asyncio", "-p", "no:aiohttp", "-vv")
    result.assert_outcomes(passed=2, failed=11, errors=3)
    result.stdout.fnmatch_lines(
        [
            "*at teardown of test_in_a_teardown*",
            "E *Unsatisfied: 1 violation of the providers' contract",
            "*- voice emulator journal -*",
            "*request    nxcloud gpsend nonsense*",
            "*at teardown of test_in_a_teardown*",
            "*- voice emulator journal -*",
            "*request    nxcloud gpsend nonsense*",
        ]
    )
    told = result.stdout.str()
    sentences = [
        'this one is real; mark the test @pytest.mark.voice_emulator(clock="manual")',
        "the request is invalid: /name: there is no scenario 'all-bussy'; did you mean 'all-busy'?",
        "FileError: cannot read the scenario nope.yaml: No such file or directory",
        "the scenario is invalid\nE         /rules/0/call: outcome is missing",
        "/callback_urls/nxclod: unknown key; did you mean 'nxcloud'?",
        "/settings/nxcloud/balanc: unknown key; did you mean 'balance'?",
        "no 'appkye' here; there are 'appkey', ",
        "invalid duration '5 secs': write 250ms, 3s, 2m or 1h",
        "; is an emulator running there?",
        "/scenario: there is no scenario 'all-bussy'; did you mean 'all-busy'?",
        "allow it with allow_callback_hosts=('93.184.216.34',)",
        "has no receiver for nxcloud: set callback_urls['nxcloud']",
    ]
    assert [each for each in sentences if each not in told] == []
    assert not re.search(
        r"voice_emulator/\w+(/\w+)*\.py:[0-9]+: (in |\w+$)|direct cause|http/client\.py", told, re.MULTILINE
    )
    assert not re.search(r" --[a-z]", told.partition("= FAILURES")[2])


WRONG = """
import pytest


@pytest.mark.voice_emulator(scenari="all-busy")
def test_unknown_argument(voice_emulator):
    pass


@pytest.mark.voice_emulator(scenario="all-bussy")
def test_unknown_scenario(voice_emulator):
    pass


@pytest.mark.voice_emulator(clock="manuel")
def test_unknown_clock(voice_emulator):
    pass
"""


def test_what_is_wrong_with_a_marker_is_told(run):
    result = run({"test_it.py": WRONG})
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "*@pytest.mark.voice_emulator takes scenario, clock, * by name, not 'scenari'*",
            "*all-bussy*all-busy*",
            "*invalid clock 'manuel'*",
        ]
    )


def test_an_emulator_that_does_not_run_is_told(run):
    result = run({"test_it.py": SIDECAR}, "--voice-emulator-control", "http://127.0.0.1:9")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*NotReady: no emulator became ready within *"])


def test_fixtures_and_marker_explain_themselves(run):
    fixtures = run({}, "--fixtures")
    fixtures.stdout.fnmatch_lines(
        [
            "voice_emulator -- *",
            "*The voice APIs of NXCloud, Huawei CEC and Infin8linx, with an account of this test's own.",
            "*voice_emulator.callback_urls*where receipts go",
            "*await voice_emulator.aio.advance*",
            "*@pytest.mark.voice_emulator(scenario=*",
        ]
    )
    fixtures.stdout.fnmatch_lines(["voice_emulator_options *", "*A mapping with the options of*"])
    fixtures.stdout.fnmatch_lines(["voice_emulator_server *", "*With --voice-emulator-control or *"])
    run({}, "--markers").stdout.fnmatch_lines(
        ["@pytest.mark.voice_emulator(scenario=..., clock=..., seed=..., *"]
    )
    run({}, "--help").stdout.fnmatch_lines(["voice-emulator:", "*--voice-emulator-control=URL*"])


def test_a_run_that_does_not_use_it_pays_nothing():
    code = (
        "import sys; import pytest; before = set(sys.modules); import voice_emulator.pytest_plugin; "
        "print(sorted(name for name in set(sys.modules) - before if '.' not in name or 'emulator' in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # What `secrets` brings along is loaded by some versions of pytest anyway.
    secrets = {"secrets", "hmac", "hashlib", "_hashlib", "_blake2"}
    assert set(eval(done.stdout)) <= {"voice_emulator", "voice_emulator.pytest_plugin"} | secrets


def test_emulator_starts_only_when_a_test_asks(run):
    result = run(
        {
            "test_it.py": "def test_it():\n    import sys\n    assert 'voice_emulator.client' not in sys.modules\n"
        }
    )
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
