"""The pytest plugin: fixture ``voice_emulator``, its options and marker, the journal of a failing test, the report.

pytest imports this module wherever voice-emulator is installed, so it imports nothing costly: the
emulator and its client are loaded when the first test asks for them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import ssl

    from voice_emulator.client import Client, VoiceEmulator
    from voice_emulator.swarm.marked_tests import MarkedTest

__tracebackhide__ = True

MARKER = "voice_emulator"
SWARM_MARKER = "voice_swarm"
STRICT_INI = "voice_emulator_strict"
CONTROL_ENV = "VOICE_EMULATOR_CONTROL"
URL_ENV = "VOICE_EMULATOR_URL"
TOKEN_ENV = "VOICE_EMULATOR_CONTROL_TOKEN"
CA_ENV = "VOICE_EMULATOR_CA"
TENANT_ENV = "VOICE_EMULATOR_TENANT"
SECTION = "voice emulator journal"
#: What the marker may say: the arguments of a new tenant, and whether findings fail the test.
ARGUMENTS = ("scenario", "clock", "seed", "settings", "callback_urls", "credentials", "strict")
#: Those that a tenant of somebody else's (:data:`TENANT_ENV`) takes too: the rest is what it was made for.
OF_ANY_TENANT = ("settings", "callback_urls")
#: Real seconds that a sidecar is given to become ready.
SIDECAR_PATIENCE = 5
#: Characters of a tenant's id that come from the test's own name.
NAME_LENGTH = 40

#: Where a worker of pytest-xdist puts its reports for the process that merges them.
REPORTS = "voice_emulator_reports"


@dataclass(slots=True)
class Held:
    """The tenant of a test, from the wall time ``began`` on (microseconds).

    ``journal`` is its journal as text, kept since the emulator is about to stop.
    """

    tenant: VoiceEmulator
    strict: bool
    fresh: bool
    began: int
    journal: str | None = None

    def timeline(self) -> str:
        """The journal as text, or why there is none."""
        from voice_emulator.client import ClientError
        from voice_emulator.core.words import visible

        if self.journal is not None:
            return self.journal
        try:
            return visible(self.tenant.timeline() + self._elsewhere())
        except ClientError as error:
            return visible(f"not available: {error}")

    def _elsewhere(self) -> str:
        """What the default tenant got meanwhile, if this one got nothing: the client may have wrong credentials."""
        from voice_emulator.client.operations import DEFAULT_TENANT
        from voice_emulator.client.pages import PAGE_LIMIT
        from voice_emulator.client.timeline import timeline

        client = self.tenant.client
        if self.tenant.id == DEFAULT_TENANT or self.tenant.requests():
            return ""
        entries = client.every(client.journal(DEFAULT_TENANT, kind="request", limit=PAGE_LIMIT))
        strays = [entry for entry in entries if entry.at.timestamp() * 1_000_000 >= self.began]
        return f"\nmeanwhile: {timeline(client.tenant(DEFAULT_TENANT), strays)}" if strays else ""


@dataclass(slots=True)
class Run:
    """This test run, or one worker's part of it: the report to be written, and the tenant of the test that runs."""

    report: Path | None = None
    #: The reports of tenants, each as JSON, compressed: a run may have thousands.
    reports: list[bytes] = field(default_factory=list)
    held: Held | None = None
    #: The test that is being run for many seeds (voice_swarm).
    swarm: MarkedTest | None = None
    #: What the summary says about the report.
    written: str = ""


_RUN: pytest.StashKey[Run] = pytest.StashKey()


@dataclass(frozen=True, slots=True)
class VoiceEmulatorServer:
    """The emulator of this test run: base URLs, and a client of its control API. ``url`` None: ask it."""

    control_url: str
    url: str | None
    token: str | None
    client: Client
    sidecar: bool
    trust: ssl.SSLContext | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("voice-emulator", "voice-emulator")
    group.addoption(
        "--voice-emulator-control",
        metavar="URL",
        help=f"Use the emulator that runs already, at this control URL, instead of starting one "
        f"(also {CONTROL_ENV}).",
    )
    group.addoption(
        "--voice-emulator-url",
        metavar="URL",
        help=f"Base URL of that emulator's traffic port, where it differs from what the emulator tells, "
        f"for instance behind a port mapping (also {URL_ENV}).",
    )
    group.addoption(
        "--voice-emulator-token",
        metavar="TOKEN",
        help=f"Control token of that emulator (also {TOKEN_ENV}).",
    )
    group.addoption(
        "--voice-emulator-ca",
        metavar="FILE",
        help=f"Authority (PEM) to trust where that emulator's control URL is https:// (also {CA_ENV}).",
    )
    group.addoption(
        "--voice-emulator-clock",
        metavar="CLOCK",
        help="Clock of the tests' tenants, unless their marker says otherwise: real (default), manual, 60x.",
    )
    group.addoption(
        "--voice-emulator-provider",
        metavar="ID",
        action="append",
        help="Run the conformance suite (--pyargs voice_emulator.conformance) on this provider; default: all.",
    )
    group.addoption(
        "--voice-emulator-write-golden",
        action="store_true",
        help="Let the conformance suite write its golden files instead of comparing with them.",
    )
    group.addoption(
        "--voice-emulator-report",
        metavar="FILE",
        help="Write the contract report of all tests together: .json, .xml (JUnit), .html or .md.",
    )
    parser.addini(
        STRICT_INI,
        "Fail each test whose client broke a provider's contract (an error finding of its tenant).",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker. Raises UsageError for a report that cannot be written."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}({', '.join(f'{name}=...' for name in ARGUMENTS)}): how the tenant of the fixture "
        "voice_emulator begins; scenario is a shipped name, a Path, or YAML text; strict=False lets the test break "
        f"the contract where {STRICT_INI} is set.",
    )
    config.addinivalue_line(
        "markers",
        f"{SWARM_MARKER}(seeds=50, mode='legal'): run the test for so many seeds, each with other faults, and look for "
        "what breaks the client; the test takes the fixture voice_emulator.",
    )
    run = config.stash[_RUN] = Run()
    wanted = config.getoption("voice_emulator_report")
    if wanted:
        run.report = config.invocation_params.dir / wanted
    if run.report is not None and not _is_worker(config):
        from voice_emulator.report import writable

        try:
            writable(run.report)
        except ValueError as error:
            raise pytest.UsageError(f"--voice-emulator-report: {error}") from None
        run.report.unlink(missing_ok=True)  # nobody takes the report of an earlier run for this one's


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the sidecar, if there is one."""
    control = _given(config, "control", CONTROL_ENV)
    tenant = os.environ.get(TENANT_ENV)
    return (
        ", ".join([f"voice-emulator: {control}", *([f"tenant {tenant}"] if tenant else [])])
        if control
        else None
    )


@pytest.fixture(scope="session")
def voice_emulator_options() -> Mapping[str, Any]:
    """Options of the emulator that this test run starts; override it in your conftest.py.
    A mapping with the options of `voice-emulator serve`, named as in voice_emulator.settings.Options:
    {"allow_callback_hosts": ("*.test",), "callback_timeout": 2.0}. Not used with a sidecar.
    """
    return {}


@pytest.fixture(scope="session")
def voice_emulator_server(
    pytestconfig: pytest.Config, voice_emulator_options: Mapping[str, Any]
) -> Iterator[VoiceEmulatorServer]:
    """The emulator of this test run (of this worker under pytest-xdist), started when first needed.
    With --voice-emulator-control or VOICE_EMULATOR_CONTROL it is the one that runs there already.
    Most tests want the fixture `voice_emulator`, which is a tenant of it.
    """
    import ssl

    from voice_emulator.client import Client
    from voice_emulator.client.asynchronous import remember_session

    remember_session()
    run = pytestconfig.stash[_RUN]
    control = _given(pytestconfig, "control", CONTROL_ENV)
    token = _given(pytestconfig, "token", TOKEN_ENV)
    if control:
        ca = _given(pytestconfig, "ca", CA_ENV)
        trust = ssl.create_default_context(cafile=ca) if ca else None
        with Client(control, token=token, ssl_context=trust) as client:
            client.wait_ready(SIDECAR_PATIENCE)
            url = _given(pytestconfig, "url", URL_ENV)
            yield VoiceEmulatorServer(client.url, url, token, client, sidecar=True, trust=trust)
            _last_words(run)
        return
    from voice_emulator.embedded import embedded

    own = embedded(**voice_emulator_options)
    own.start()
    try:
        own_token = voice_emulator_options.get("control_token")
        with Client(own.control_url, token=own_token, ssl_context=own.trust) as client:
            yield VoiceEmulatorServer(
                own.control_url, own.url, own_token, client, sidecar=False, trust=own.trust
            )
            _last_words(run)
    finally:
        own.stop()


@pytest.fixture
def voice_emulator(
    request: pytest.FixtureRequest, voice_emulator_server: VoiceEmulatorServer
) -> Iterator[VoiceEmulator]:
    """The voice APIs of NXCloud, Huawei CEC and Infin8linx, with an account of this test's own.
    A fresh tenant for every test: its own credentials, scenario, clock, callback URLs and journal, so
    tests may run at the same time. If the test fails, the report shows what went over the wire.
        voice_emulator.url                              base URL, in place of the providers' own
        voice_emulator.credentials.nxcloud.appkey       also .huawei_cec.app_key, .infin8linx.appid
        voice_emulator.callback_urls["nxcloud"] = url   where receipts go
        voice_emulator.load("all-busy")                 a shipped scenario, a Path, or YAML text
        voice_emulator.wait_for_callback(number=...)    the receipt: .fields, .outcome, .reply
        voice_emulator.advance("90s")                   on a manual clock: time passes, receipts arrive
        voice_emulator.verify(number=..., exactly=1)    what the client asked for
        voice_emulator.calls(), .requests(), .callbacks(), .violations(), .timeline()
        voice_emulator.assert_no_violations()           the client kept to the providers' contract
    In asyncio tests whose receiver runs in the test's own loop, await the methods that wait:
    `await voice_emulator.aio.advance("90s")`, `await voice_emulator.aio.wait_for_callback(...)`.
    @pytest.mark.voice_emulator(scenario="all-busy", clock="manual", seed=7) says how the tenant begins.
    Where the ini option voice_emulator_strict is set, a test fails when its client broke the contract.
    With VOICE_EMULATOR_TENANT set, the fixture is that tenant of the emulator that runs, not a fresh one.
    """
    from voice_emulator.client import NotFound, VoiceEmulator
    from voice_emulator.wire.machine_time import wall_now

    server, run = voice_emulator_server, request.config.stash[_RUN]
    arguments = _arguments(request)
    if run.swarm is not None and run.swarm.scenario is not None:
        arguments |= {"scenario": run.swarm.scenario.text, "seed": run.swarm.scenario.seed, "strict": False}
        arguments.pop("clock", None)
        _refuse_unless(
            TENANT_ENV not in os.environ, f"{SWARM_MARKER} needs tenants of its own: unset {TENANT_ENV}"
        )
    strict = arguments.pop("strict", True) and request.config.getini(STRICT_INI)
    shared = os.environ.get(TENANT_ENV)
    if shared:
        _refuse_unless(
            server.sidecar, f"{TENANT_ENV} is set, and the emulator it belongs to is not: set {CONTROL_ENV}"
        )
        changes = {name: value for name, value in arguments.items() if name in OF_ANY_TENANT}
        tenant = server.client.change_tenant(shared, **changes) if changes else server.client.tenant(shared)
    else:
        tenant = server.client.create_tenant(_tenant_id(request.node, server), **arguments)
    held = VoiceEmulator(
        server.control_url, id=tenant.id, url=server.url, token=server.token, ssl_context=server.trust
    )
    run.held = Held(held, strict, fresh=not shared, began=wall_now())
    yield held
    if run.report is not None:
        try:
            run.reports.append(zlib.compress(json.dumps(held.report()).encode()))
        except NotFound:  # the test itself may have deleted it
            pass


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test with the marker voice_swarm for all its seeds."""
    run = item.config.stash[_RUN]
    if item.get_closest_marker(SWARM_MARKER) is None or run.swarm is not None:
        return None
    from voice_emulator.swarm.marked_tests import run_marked

    def begin(marked: MarkedTest | None) -> None:
        run.swarm = marked

    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in run_marked(item, nextitem, begin):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that passed while its client broke the contract, under ``voice_emulator_strict``."""
    run = item.config.stash[_RUN]
    held = run.held
    if run.swarm is not None:
        error: Exception | None = None
        try:
            yield
        except pytest.skip.Exception:
            raise
        except (Exception, pytest.fail.Exception) as raised:  # noqa: BLE001 - it is what swarm looks for
            error = raised  # type: ignore[assignment]
        run.swarm.called(held.tenant if held is not None else None, error)
        return
    yield
    if held is not None and held.strict:
        from voice_emulator.client import NotFound, Unsatisfied

        try:
            held.tenant.assert_no_violations()
        except Unsatisfied as error:
            pytest.fail(f"{error}\n({STRICT_INI} is set)", pytrace=False)
        except NotFound:
            pass


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal of the test's tenant to the report of a failure; after the teardown the tenant goes."""
    report = yield
    run = item.config.stash[_RUN]
    if run.held is not None:
        if report.failed:
            report.sections.append((SECTION, run.held.timeline()))
        if report.when == "teardown":
            _let_go(run.held)
            run.held = None
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take the reports of a worker of pytest-xdist."""
    node.config.stash[_RUN].reports += getattr(node, "workeroutput", {}).get(REPORTS, [])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report of all tests; a worker of pytest-xdist hands over its own."""
    config = session.config
    run = config.stash[_RUN]
    if run.report is None:
        return
    if _is_worker(config):
        config.workeroutput[REPORTS] = run.reports  # type: ignore[attr-defined]
        return
    from voice_emulator.report import format_of, render_document
    from voice_emulator.report.merge import merged
    from voice_emulator.report.wording import verdict_line

    if not run.reports:
        run.written = f"{run.report} not written: no test used the fixture voice_emulator"
        return
    # All tests of a shared tenant have the same report, which grows.
    counted = run.reports[-1:] if os.environ.get(TENANT_ENV) else run.reports
    document = merged([json.loads(zlib.decompress(each)) for each in counted])
    run.report.write_bytes(render_document(document, format_of(run.report))[1])
    run.written = f"{run.report}: {verdict_line(document['summary'])}"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the report is, and its verdict."""
    if config.stash[_RUN].written:
        terminalreporter.write_line(f"voice-emulator report {config.stash[_RUN].written}")


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _last_words(run: Run) -> None:
    """The emulator is about to stop: keep the journal of a test whose teardown may have failed."""
    if run.held is not None:
        run.held.journal = run.held.timeline()


def _let_go(held: Held) -> None:
    from voice_emulator.client import ClientError

    with (
        closing(held.tenant),
        suppress(ClientError),
    ):  # the test may have deleted it; the emulator may have stopped
        if held.fresh:
            held.tenant.client.delete_tenant(held.tenant.id)


def _refuse_unless(right: bool, message: str) -> None:
    if not right:
        pytest.fail(message, pytrace=False)


def _given(config: pytest.Config, name: str, environment: str) -> str | None:
    value: str | None = config.getoption(f"voice_emulator_{name}")
    return value or os.environ.get(environment) or None


def _arguments(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the markers of the test, its class and its module say; the closest one wins."""
    found: dict[str, Any] = {}
    default_clock = request.config.getoption("voice_emulator_clock")
    if default_clock:
        found["clock"] = default_clock
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        unknown = [name for name in marker.kwargs if name not in ARGUMENTS]
        if marker.args or unknown:
            wrong = ", ".join(map(repr, [*marker.args, *unknown]))
            pytest.fail(
                f"@pytest.mark.{MARKER} takes {', '.join(ARGUMENTS)} by name, not {wrong}", pytrace=False
            )
        found |= marker.kwargs
    return found


def _tenant_id(node: pytest.Item, server: VoiceEmulatorServer) -> str:
    """An id made of the test's own: credentials repeat from run to run, unless others share the emulator."""
    name = re.sub(r"[^a-z0-9]+", "-", node.name.lower()).strip("-")[:NAME_LENGTH].strip("-")
    digest = secrets.token_hex(6) if server.sidecar else hashlib.sha256(node.nodeid.encode()).hexdigest()[:12]
    return f"{name or 'test'}-{digest}"
