"""Modules without a test file of their own: which file in ``tests/`` covers them, and why it is there.

:mod:`tests.layout` reads this. An entry needs a reason that would convince a reader, because the rule is
``tests/<room>/test_<module>.py``. Good reasons: the module is data that a table-driven test walks through; it
acts on the whole process, so only a process of its own can show it; it puts together what others do.
"""

from __future__ import annotations

_RULES = "contract/test_rules.py"
_PAIRS = "one table for all rules: a client that breaks the rule and one that does not; it has no gaps"
_MUTANTS = "verify/test_mutants.py"
_BUGS = "checks are only as good as the receivers they tell apart: each is run against a table of bugs"
_EXAMPLES = "examples are data; every one is sent, and its reply and receipts held against golden files"
_SUITE = "a suite is as good as the providers it tells apart: broken ones are run through it"
_CLIENT = "client/test_client.py"
_METHODS = "its methods are tested through the clients that offer them, against a running emulator"
_SMALL = "providers/kit/test_small.py"
_FEW_LINES = "a few lines; the small building blocks share a file"
_GATEWAY = "wire/traffic/test_gateway.py"
_STEPS = "one step of a request; only the gateway takes the steps in their order, over a socket"
_RESTORE = "state/test_restore.py"
_RESTARTS = "what the state file is for shows after a restart: each story is told through one"
_REPLICAS = "only several replicas over one store show what it is for"
_SERVE = "cli/serve/test_command.py"
_REPORT = "report/test_document.py"
_FORMATS = "the formats say the same: one table of documents goes through all of them"
_RELAY = "wire/relay/test_relay.py"
_HALVES = "one half of a relay shows nothing without the other: two replicas, seen over raw sockets"

#: Module -> (test file below ``tests/``, reason).
TESTED_ELSEWHERE: dict[str, tuple[str, str]] = {
    "wire/relay/frames.py": (_RELAY, _HALVES),
    "wire/relay/incoming.py": (_RELAY, _HALVES),
    "wire/relay/outgoing.py": (_RELAY, _HALVES),
    "wire/relay/siblings.py": (_RELAY, "what it looks up shows in what the policy of pushes refuses"),
    "replicas/restoring.py": ("replicas/test_membership.py", _REPLICAS),
    "replicas/committer.py": ("replicas/test_membership.py", _REPLICAS),
    "replicas/lease.py": ("replicas/test_membership.py", _REPLICAS),
    "replicas/connection.py": ("replicas/test_membership.py", _REPLICAS),
    "replicas/store.py": ("state/test_store.py", "it does what every store does"),
    "recording/calls.py": (
        "recording/test_distil.py",
        "which push reports which call shows in the scenario that comes out",
    ),
    "recording/fitting.py": (
        "recording/test_distil.py",
        "a fit is good if calls drawn from it are like those that were measured",
    ),
    "recording/replay.py": (
        "recording/test_drift.py",
        "a replay is right if a provider like the emulator shows no difference",
    ),
    "recording/results.py": (
        "cli/recording/test_drift.py",
        "reports are held against what the command prints",
    ),
    "recording/exchanges.py": (
        "recording/test_proxy.py",
        "what it reads decides what is forwarded; the proxy is shown every request that two readers could read differently",
    ),
    "recording/guards.py": (
        "recording/test_proxy.py",
        "a guard is as good as the socket behind it: each is tried from a client, at once with others",
    ),
    "recording/masking.py": (
        "recording/test_bundle.py",
        "what matters is that no entry of a written bundle has a secret in it",
    ),
    "scenarios/flow.py": (
        "swarm/test_rules.py",
        "what it writes is read again there, inside whole scenarios",
    ),
    "wire/traffic/push_fields.py": (
        "cli/test_receiver.py",
        "what a push carries shows at a receiver that is sent every example",
    ),
    "__main__.py": (_SERVE, "two lines that start the command; every command test goes through them"),
    "app.py": ("test_embedded.py", "it puts all parts together; tests.rig starts nearly every test with it"),
    "pytest_plugin.py": (
        "plugin/test_plugin.py",
        "a plugin is tested by pytest in a process of its own (pytester)",
    ),
    "settings.py": (_SERVE, "one dataclass; each of its options is read there in both ways"),
    # cli
    "cli/mcp/command.py": (
        "cli/mcp/test_tools.py",
        "the tools are used over standard input and output, as an agent does",
    ),
    "cli/demo/calls.py": (
        "cli/demo/test_command.py",
        "the demo's requests make sense only against an emulator",
    ),
    "cli/event_loop.py": (_SERVE, "signals need a process of their own"),
    "cli/explain.py": (
        "cli/test_report.py",
        "a command of a few lines, run there on the journal that the report is made of",
    ),
    "cli/packing.py": (
        "test_packaging.py",
        "a wheel is good when pip installs it: tested with the other wheels",
    ),
    "cli/process.py": (_SERVE, "it acts on the whole process; only a process of its own can show it"),
    "cli/serve/loop.py": (_SERVE, "it runs until a signal ends it: that needs a process of its own"),
    # client
    "client/asynchronous.py": (_CLIENT, _METHODS),
    "client/endpoints.py": (_CLIENT, _METHODS),
    "client/observing.py": (_CLIENT, _METHODS),
    "client/operations.py": (_CLIENT, _METHODS),
    "client/pages.py": (_CLIENT, _METHODS),
    # conformance
    "conformance/examples.py": ("conformance/test_suite.py", _SUITE),
    "conformance/goldens.py": ("conformance/test_suite.py", _SUITE),
    "conformance/session.py": ("conformance/test_suite.py", _SUITE),
    "conformance/test_provider.py": ("conformance/test_suite.py", _SUITE),
    # contract
    "contract/observer.py": (_RULES, "it runs the rules: what it sees, and when, shows in what they find"),
    "contract/rules/__main__.py": (_REPORT, "it writes what the module pages makes"),
    "contract/rules/credentials.py": (_RULES, _PAIRS),
    "contract/rules/derived.py": (_RULES, _PAIRS),
    "contract/rules/pages.py": (_REPORT, "the pages are held against the rules that reports name"),
    "contract/rules/pushes.py": (_RULES, _PAIRS),
    "contract/rules/queries.py": (_RULES, _PAIRS),
    "contract/rules/requests.py": (_RULES, _PAIRS),
    "contract/rules/submissions.py": (_RULES, _PAIRS),
    # core
    "core/encodings.py": (
        "wire/traffic/test_bodies.py",
        "it names the encoding of a body; each one is sent to each place that reads bodies",
    ),
    "core/integers.py": (
        "providers/test_integers.py",
        "limits of integers: tested for every provider that sends some",
    ),
    "core/layers.py": ("core/test_tenants.py", "layers make sense only as the configuration of a tenant"),
    "core/placing.py": ("core/test_lifecycle.py", "two dataclasses without logic"),
    "core/secrets.py": (
        "core/test_masking.py",
        "the masker is its only user: what it finds is what is masked",
    ),
    "core/steps.py": ("core/test_lifecycle.py", "placing a call and its steps are told as one story"),
    "core/tenancy.py": ("core/test_tenants.py", "tenants are made, found and deleted there in one story"),
    "core/turns.py": ("core/test_rules.py", "a type and a loop; rules take turns there"),
    "core/urls.py": (
        "wire/traffic/test_callback_urls.py",
        "one table of URLs goes through every place that takes one",
    ),
    # providers
    "providers/examples.py": (
        "verify/test_receipt_factory.py",
        "it places the call whose receipts are made there",
    ),
    "providers/grading.py": ("verify/test_receipt_factory.py", "two dataclasses without logic"),
    "providers/huawei_cec/examples.py": ("conformance/test_suite.py", _EXAMPLES),
    "providers/huawei_cec/finding_rules.py": (_RULES, _PAIRS),
    "providers/huawei_cec/operations.py": (
        "providers/huawei_cec/test_schemas.py",
        "a table of operations; each behaviour is tested beside the module that has it",
    ),
    "providers/infin8linx/examples.py": ("conformance/test_suite.py", _EXAMPLES),
    "providers/infin8linx/finding_rules.py": (_RULES, _PAIRS),
    "providers/kit/checks.py": (_SMALL, _FEW_LINES),
    "providers/kit/fields.py": (_SMALL, _FEW_LINES),
    "providers/kit/memory.py": (_SMALL, _FEW_LINES),
    "providers/kit/problems.py": (
        "conformance/test_fourth.py",
        "data for providers; the plug-in there and a built-in provider use it",
    ),
    "providers/kit/replies.py": (_SMALL, _FEW_LINES),
    "providers/kit/tables.py": (_SMALL, _FEW_LINES),
    "providers/nxcloud/examples.py": ("conformance/test_suite.py", _EXAMPLES),
    "providers/nxcloud/operations.py": (
        "providers/nxcloud/test_forms.py",
        "a table of operations; how each takes its form is tested there for all of them",
    ),
    # report
    "report/html.py": (_REPORT, _FORMATS),
    "report/merge.py": (_REPORT, "what is merged is whole reports: tested beside the document that they are"),
    "report/text.py": (_REPORT, _FORMATS),
    # state
    "state/documents.py": (_RESTORE, _RESTARTS),
    "state/changes.py": (_RESTORE, _RESTARTS),
    "state/writer.py": (_RESTORE, _RESTARTS),
    # verify
    "verify/checks/contents.py": (_MUTANTS, _BUGS),
    "verify/checks/delivery.py": (_MUTANTS, _BUGS),
    "verify/checks/receipts.py": (_MUTANTS, _BUGS),
    "verify/checks/signatures.py": (_MUTANTS, _BUGS),
    "verify/checks/state.py": (_MUTANTS, _BUGS),
    # wire
    "wire/control/document/provider_guide.py": (
        "wire/control/document/test_llms.py",
        "a section of the page; its samples are sent as the page prints them",
    ),
    "wire/control/document/push_guide.py": (
        "wire/control/document/test_llms.py",
        "a part of the page; what it shows is read there",
    ),
    "wire/control/document/request_schemas.py": (
        "wire/control/document/test_openapi.py",
        "schemas are data; they are validated, and schemathesis sends what they allow and what they do not",
    ),
    "wire/control/document/response_schemas.py": (
        "wire/control/document/test_openapi.py",
        "schemas are data; tests.wire.api holds every reply of every control test against them",
    ),
    "wire/control/refusals.py": (
        "wire/control/test_search.py",
        "sentences about refused requests; they show in the rows that a search finds",
    ),
    "wire/control/request.py": (
        "wire/control/test_server.py",
        "reading requests and writing replies of the API, over a socket",
    ),
    "wire/control/routes.py": ("wire/control/document/test_openapi.py", "a table; each route is asked there"),
    "wire/control/services.py": (
        "wire/control/test_server.py",
        "what it keeps and closes shows when the emulator stops and when clients go away",
    ),
    "wire/control/system.py": (
        "wire/control/test_server.py",
        "health and the page: what the server offers besides the API proper",
    ),
    "swarm/charge_causes.py": (
        "swarm/test_reconciliation.py",
        "a cause is a cause of a difference: each is planted in a bill there",
    ),
    "swarm/matching.py": (
        "swarm/test_reconciliation.py",
        "which row is which call's shows in the differences, over bills that leave out ids, times or both",
    ),
    "wire/delivery/answers.py": (
        "wire/delivery/test_push_client.py",
        "it reads what receivers answer; only the push client reads answers",
    ),
    "wire/delivery/session_client.py": (
        "wire/delivery/test_push_client.py",
        "the same tests go through both clients of pushes",
    ),
    "wire/delivery/transport_faults.py": (
        "wire/delivery/test_attempting.py",
        "a reset shows at a raw receiver, as the other attempts do",
    ),
    "wire/http/agent.py": ("security/test_own_ports.py", "one name; what it is for is tested there"),
    "wire/http/connection_limits.py": (
        "security/test_limits.py",
        "limits are tested together, with many connections at a time",
    ),
    "wire/http/event_loop.py": (
        "wire/test_disconnects.py",
        "what differs between the loops is how connections end: tested there on both",
    ),
    "wire/http/request_body.py": (_GATEWAY, "bodies of every size and speed come over a socket there"),
    "wire/machine_time.py": (
        "robustness/test_clock.py",
        "the machine's clock jumps only in a process of its own",
    ),
    "wire/runtime.py": ("wire/control/test_server.py", "a dataclass without logic"),
    "wire/traffic/downloads.py": (_GATEWAY, _STEPS),
    "wire/traffic/exchange.py": (_GATEWAY, _STEPS),
    "wire/traffic/handling.py": (_GATEWAY, _STEPS),
    "wire/traffic/pipeline.py": (
        _GATEWAY,
        "the steps of a request; only the gateway takes them in their order, over a socket",
    ),
    "wire/turns.py": (
        "robustness/test_stalls.py",
        "it keeps long work off the event loop: tested with each kind of long work, over sockets",
    ),
    "wire/ownership.py": (
        _GATEWAY,
        "a protocol: what it promises shows with several replicas",
    ),
    # swarm
    "swarm/families.py": ("swarm/test_space.py", "data: the space walks through all families"),
    "swarm/session.py": ("cli/test_swarm.py", "it puts all parts together, for the command"),
}
