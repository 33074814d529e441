"""The pytest plugin: fixture ``voice_emulator``, its options and marker, and the journal of a failing test.

pytest imports this module wherever voice-emulator is installed, so it imports nothing costly: the
emulator and its client are loaded when the first test asks for them.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import ssl

    from voice_emulator.client import Client, VoiceEmulator

MARKER = "voice_emulator"
CONTROL_ENV = "VOICE_EMULATOR_CONTROL"
URL_ENV = "VOICE_EMULATOR_URL"
TOKEN_ENV = "VOICE_EMULATOR_CONTROL_TOKEN"
CA_ENV = "VOICE_EMULATOR_CA"
SECTION = "voice emulator journal"
#: What the marker may say: the arguments of a new tenant.
ARGUMENTS = ("scenario", "clock", "seed", "settings", "callback_urls", "credentials")
#: Real seconds that a sidecar is given to become ready.
SIDECAR_PATIENCE = 5
#: Characters of a tenant's id that come from the test's own name.
NAME_LENGTH = 40

_HELD: pytest.StashKey[VoiceEmulator] = pytest.StashKey()


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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}({', '.join(f'{name}=...' for name in ARGUMENTS)}): how the tenant of the fixture "
        "voice_emulator begins; scenario is a shipped name, a Path, or YAML text.",
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the sidecar, if there is one."""
    control = _given(config, "control", CONTROL_ENV)
    return f"voice-emulator: {control}" if control else None


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
    control = _given(pytestconfig, "control", CONTROL_ENV)
    token = _given(pytestconfig, "token", TOKEN_ENV)
    if control:
        ca = _given(pytestconfig, "ca", CA_ENV)
        trust = ssl.create_default_context(cafile=ca) if ca else None
        with Client(control, token=token, ssl_context=trust) as client:
            client.wait_ready(SIDECAR_PATIENCE)
            url = _given(pytestconfig, "url", URL_ENV)
            yield VoiceEmulatorServer(client.url, url, token, client, sidecar=True, trust=trust)
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
    """
    from voice_emulator.client import NotFound, VoiceEmulator

    server = voice_emulator_server
    tenant = server.client.create_tenant(_tenant_id(request.node, server), **_arguments(request))
    held = VoiceEmulator(
        server.control_url, id=tenant.id, url=server.url, token=server.token, ssl_context=server.trust
    )
    request.node.stash[_HELD] = held
    with closing(held):
        yield held
    with suppress(NotFound):  # the test itself may have deleted it
        server.client.delete_tenant(tenant.id)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal of the test's tenant to the report of a failure."""
    report = yield
    held = item.stash.get(_HELD, None)
    if held is not None and report.failed and report.when in ("setup", "call"):
        report.sections.append((SECTION, _journal(held)))
    return report


def _journal(held: VoiceEmulator) -> str:
    from voice_emulator.client import ClientError
    from voice_emulator.core.words import visible

    try:
        return visible(held.timeline())
    except ClientError as error:
        return visible(f"not available: {error}")


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
            raise pytest.UsageError(
                f"@pytest.mark.{MARKER} takes {', '.join(ARGUMENTS)} by name, not {wrong}"
            )
        found |= marker.kwargs
    return found


def _tenant_id(node: pytest.Item, server: VoiceEmulatorServer) -> str:
    """An id made of the test's own: credentials repeat from run to run, unless others share the emulator."""
    name = re.sub(r"[^a-z0-9]+", "-", node.name.lower()).strip("-")[:NAME_LENGTH].strip("-")
    digest = secrets.token_hex(6) if server.sidecar else hashlib.sha256(node.nodeid.encode()).hexdigest()[:12]
    return f"{name or 'test'}-{digest}"
