"""The tools of ``voice-emulator mcp``: a thin layer over the client of the control API.

An agent reads nothing but the descriptions (the docstrings below), the results and the errors, so each result says what
is needed next, and each error what to do instead.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from voice_emulator.cli.scenarios import make_loader
from voice_emulator.client import Client
from voice_emulator.errors import EmulatorError
from voice_emulator.providers.registry import discover, receiver_keys
from voice_emulator.report.explanation_text import explanation_text
from voice_emulator.report.text import contract_text
from voice_emulator.version import version

P = ParamSpec("P")
#: Most items of a list that one reply holds; the newest are what an agent looks for.
NEWEST = 50
#: Real seconds that the verification of a receiver may take.
VERIFICATION = 300

INSTRUCTIONS = """\
A local emulator of telecom voice providers: test a client that places calls and receives delivery receipts, without
calling anybody. Begin with start_tenant: it gives the URL and the credentials that the client under test must use. Let the
client place its call by HTTP (guide says how each provider wants it), advance the clock, read list_pushes and list_calls,
and end with verdict. Asserting comes before end_tenant: the verdict goes with the tenant."""

Tenant = Annotated[str, Field(description="The id that start_tenant returned.")]
Text = Annotated[
    str, Field(description="Name of a shipped scenario (such as all-busy), or a whole scenario as YAML text.")
]  # fmt: skip
Number = Annotated[
    str | None, Field(description="Only called numbers that match this; * and ? are wildcards.")
]


class Tools:
    """The tools, for the emulator of ``client``."""

    def __init__(self, client: Client) -> None:
        """Work on the emulator of ``client``. ``receiver`` is the URL of a receiver that acknowledges every push."""
        self._client = client
        self.receiver = ""

    def server(self) -> MCPServer:
        """A server with all of them."""
        server = MCPServer(
            "voice-emulator", version=version(), instructions=INSTRUCTIONS, log_level="WARNING"
        )
        for tool in (
            self.guide, self.start_tenant, self.check_scenario, self.load_scenario, self.place_test_call, self.advance,
            self.list_calls, self.list_requests, self.list_pushes, self.explain, self.verdict, self.verify_receiver,
            self.end_tenant,
        ):  # fmt: skip
            server.add_tool(_told(tool), description=tool.__doc__)
        return server

    def guide(self) -> str:
        """How to use the emulator, and every provider: credentials, operations with whole example requests, a first call
        as shell lines, its pushes and how a receiver acknowledges them, scenarios, contract rules, the control API.
        Read it before writing a client or a test.
        """
        return self._client.guide()

    def start_tenant(
        self,
        scenario: Text = "happy-path",
        clock: Annotated[str, Field(description="manual (advance moves it), real, or a speed such as 60x.")] = "manual",
        callback_urls: Annotated[
            dict[str, str] | None,
            Field(description="Where receipts are pushed, by provider: the receiver of the client under test. Without it, a "
                              "receiver of this server takes and acknowledges every push."),
        ] = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Start an isolated customer of all providers, with credentials of its own: one for each test. Returns its id, the
        base URL that the client under test uses in place of the providers' (`traffic`) and its `credentials`.
        """
        urls = callback_urls or dict.fromkeys(receiver_keys(self._providers()), self.receiver)
        made = self._client.create_tenant(scenario=_scenario(scenario), clock=clock, callback_urls=urls)
        return {
            "tenant": made.id,
            "traffic": self._client.address.with_port(self._client.health().traffic),
            "control": self._client.url,
            "credentials": made.credentials,
            "callback_urls": made.callback_urls,
            "scenario": made.scenario,
            "clock": made.clock,
            "next": "place a call at `traffic` with these credentials (guide shows how for each provider), then advance",
        }

    def check_scenario(
        self, scenario: Annotated[str, Field(description="A whole scenario as YAML text.")]
    ) -> dict[str, Any]:
        """Check a scenario without loading it. Findings are `line:column: message` and name the nearest valid word."""
        findings = make_loader().check_bytes(scenario.encode(), "scenario")
        return {
            "valid": all(finding.warning for finding in findings),
            "findings": [str(finding) for finding in findings],
        }

    def load_scenario(self, tenant: Tenant, scenario: Text) -> dict[str, Any]:
        """Decide how calls end and what goes wrong from now on. An invalid scenario changes nothing."""
        return {"scenario": self._client.load_scenario(tenant, _scenario(scenario)).scenario}

    def place_test_call(
        self,
        tenant: Tenant,
        provider: Annotated[str, Field(description="The id of a provider, as in the credentials of the tenant.")],
        number: Annotated[str, Field(description="Whom to call. With no scenario about it, the last four digits pick the "
                                                 "outcome: 0000 answered, 0486 busy, 0480 no answer.")],
        fields: Annotated[dict[str, Any] | None, Field(description="Fields over those of the documented example.")] = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Place one call as a client would, with the example request of the provider. To see a receipt without having a
        client; it does not test one.
        """
        return dict(self._client.place(tenant, provider, number, fields=fields).document)

    def advance(
        self,
        tenant: Tenant,
        by: Annotated[str | None, Field(description="Such as 90s, 5m or 24h; default: until nothing is pending.")] = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Move a manual clock forwards. Returns after every push that fell due has been attempted, with those pushes."""
        advanced = self._client.advance(tenant, by) if by else self._client.advance(tenant, to="idle")
        return {
            "now": advanced.now.isoformat(),
            "complete": advanced.complete,
            "pushes": [_push(push.document) for push in advanced.callbacks[:NEWEST]],
        }

    def list_calls(self, tenant: Tenant, number: Number = None) -> dict[str, Any]:
        """The calls that were placed: state, outcome, cause, charge, and how the client learned of the end (`receipt`)."""
        calls = self._client.every(self._client.calls(tenant, number=number))
        return _newest(
            "calls", [{k: v for k, v in call.document.items() if k != "timeline"} for call in calls]
        )

    def list_requests(self, tenant: Tenant) -> dict[str, Any]:
        """The requests of the client under test as they arrived, with the reply and what is wrong with it
        (`violations`, `why`, `fix`).
        A request with unknown credentials is in the tenant `default`.
        """
        entries = self._client.every(self._client.journal(tenant, kind="request"))
        names = (
            "id", "at", "provider", "operation", "numbers", "refused", "code", "violations", "why", "fix", "request",
            "reply", "fault",
        )  # fmt: skip
        return _newest("requests", [{name: entry.document.get(name) for name in names} for entry in entries])

    def list_pushes(self, tenant: Tenant, number: Number = None) -> dict[str, Any]:
        """The receipts that were pushed: `fields`, `outcome` (delivered: acknowledged as the provider expects), and what
        the receiver answered.
        """
        pushes = self._client.every(self._client.callbacks(tenant, number=number))
        return _newest("pushes", [_push(push.document) for push in pushes])

    def explain(
        self, tenant: Tenant, entry: Annotated[int, Field(description="`entry` of a finding, or `id` of list_requests.")]
    ) -> str:  # fmt: skip
        """Why a request or push went as it did: the rules that acted, what was drawn, the course of its call."""
        return explanation_text(self._client.explain(entry, tenant))

    def verdict(self, tenant: Tenant) -> dict[str, Any]:
        """Where the client under test broke the contract: findings by rule, each with how to fix it, and whether every
        accepted number is accounted for. `passed` needs at least one judged request and no error.
        """
        report = self._client.report(tenant)
        summary = report["summary"]
        return {
            "passed": summary["judged"] > 0 and not summary["errors"],
            "text": "\n".join(contract_text(report)),
            "summary": summary,
            "findings": report["findings"],
            "conservation": report["conservation"],
        }

    def verify_receiver(
        self,
        callback_url: Annotated[str, Field(description="The receiver to grade. It must be running.")],
        provider: Annotated[str, Field(description="Whose receipts to send.")],
    ) -> dict[str, Any]:
        """Send a receiver everything that the provider may push (each outcome, repeats, unknown ids and fields, bad
        signatures, 50 at once) and grade its answers. Takes about 20 seconds. No tenant is needed.
        """
        command = [
            sys.executable,
            "-m",
            "voice_emulator",
            "verify",
            "--callback-url",
            callback_url,
            "--provider",
            provider,
        ]
        done = subprocess.run(  # noqa: S603 - our own command, with no shell
            [*command, "--json", "-"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=VERIFICATION,
            check=False,
        )  # fmt: skip
        if not done.stdout.lstrip().startswith("{"):
            raise ToolError(done.stderr.strip() or "the verification could not be run")
        document = json.loads(done.stdout)
        names = ("id", "severity", "verdict", "reason", "why")
        wrong = [each for each in document["checks"] if each["verdict"] in ("failed", "warning")]
        return {
            "summary": document["summary"],
            "checks": [{name: each.get(name) for name in names} for each in wrong],
        }

    def end_tenant(self, tenant: Tenant) -> dict[str, Any]:
        """Delete a tenant with its journal and report."""
        self._client.delete_tenant(tenant)
        return {"deleted": tenant}

    def _providers(self) -> dict[str, Any]:
        known = self._client.tenant("default").credentials
        return {name: provider for name, provider in discover().items() if name in known}


def _scenario(text: str) -> str:
    """YAML of one line is YAML too: what has a line break is, for the client."""
    return text if "\n" in text or ":" not in text else text + "\n"


def _push(document: Any) -> dict[str, Any]:
    names = (
        "call_id", "provider", "kind", "number", "label", "at", "url", "method", "fields", "outcome", "reason", "status",
        "reply",
    )  # fmt: skip
    return {name: document.get(name) for name in names}


def _newest(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """The newest items, and how many there are."""
    return {name: items[-NEWEST:], "total": len(items)}


def _told(tool: Callable[P, Any]) -> Callable[P, Any]:
    """``tool``, whose refusals are text for the agent."""

    @functools.wraps(tool)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return tool(*args, **kwargs)
        except (EmulatorError, ValueError) as error:
            raise ToolError(str(error)) from error

    return call
