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

#: Module -> (test file below ``tests/``, reason).
TESTED_ELSEWHERE: dict[str, tuple[str, str]] = {
    "__main__.py": (
        "cli/test_serve.py",
        "two lines that start the command; every command test goes through them",
    ),
    "app.py": ("test_embedded.py", "it puts all parts together; tests.rig starts nearly every test with it"),
    "pytest_plugin.py": (
        "plugin/test_plugin.py",
        "a plugin is tested by pytest in a process of its own (pytester)",
    ),
    "settings.py": ("cli/test_serve.py", "one dataclass; each of its options is read there in both ways"),
    # cli
    "cli/demo_calls.py": ("cli/test_demo.py", "the demo's requests make sense only against an emulator"),
    "cli/event_loop.py": ("cli/test_serve_loop.py", "signals need a process of their own"),
    # contract
    "contract/observer.py": (_RULES, "it runs the rules: what it sees, and when, shows in what they find"),
    "contract/rules/__main__.py": ("contract/rules/test_pages.py", "it writes what the module pages makes"),
    "contract/rules/credentials.py": (_RULES, _PAIRS),
    "contract/rules/derived.py": (_RULES, _PAIRS),
    "contract/rules/pushes.py": (_RULES, _PAIRS),
    "contract/rules/queries.py": (_RULES, _PAIRS),
    "contract/rules/requests.py": (_RULES, _PAIRS),
    "contract/rules/submissions.py": (_RULES, _PAIRS),
    # core
    "core/placing.py": ("core/test_lifecycle.py", "two dataclasses without logic"),
    "core/steps.py": ("core/test_lifecycle.py", "placing a call and its steps are told as one story"),
    # providers
    "providers/grading.py": ("verify/test_receipt_factory.py", "two dataclasses without logic"),
    "providers/huawei_cec/examples.py": ("conformance/test_examples.py", _EXAMPLES),
    "providers/huawei_cec/finding_rules.py": (_RULES, _PAIRS),
    "providers/huawei_cec/operations.py": (
        "providers/huawei_cec/test_schemas.py",
        "a table of operations; each behaviour is tested beside the module that has it",
    ),
    "providers/infin8linx/examples.py": ("conformance/test_examples.py", _EXAMPLES),
    "providers/infin8linx/finding_rules.py": (_RULES, _PAIRS),
    "providers/nxcloud/examples.py": ("conformance/test_examples.py", _EXAMPLES),
    "providers/nxcloud/operations.py": (
        "providers/nxcloud/test_forms.py",
        "a table of operations; how each takes its form is tested there for all of them",
    ),
    # verify
    "verify/checks/contents.py": (_MUTANTS, _BUGS),
    "verify/checks/delivery.py": (_MUTANTS, _BUGS),
    "verify/checks/receipts.py": (_MUTANTS, _BUGS),
    "verify/checks/signatures.py": (_MUTANTS, _BUGS),
    "verify/checks/state.py": (_MUTANTS, _BUGS),
    # wire
    "wire/control/request_schemas.py": (
        "wire/control/test_openapi.py",
        "schemas are data; they are validated, and schemathesis sends what they allow and what they do not",
    ),
    "wire/control/response_schemas.py": (
        "wire/control/test_openapi.py",
        "schemas are data; tests.wire.api holds every reply of every control test against them",
    ),
    "wire/control/routes.py": ("wire/control/test_openapi.py", "a table; each route is asked there"),
    "wire/control/services.py": (
        "wire/control/test_server.py",
        "what it keeps and closes shows when the emulator stops and when clients go away",
    ),
    "wire/runtime.py": ("wire/control/test_server.py", "a dataclass without logic"),
    "wire/traffic/pipeline.py": (
        "wire/traffic/test_gateway.py",
        "the steps of a request; only the gateway takes them in their order, over a socket",
    ),
}
