"""A fact is written once: each mechanism that had copies has one home, and nothing like it is elsewhere.

A row has the fact, what gives a copy away, and where it may be. Behaviour is tested beside each home; this finds
the second parser, the second table, the second encoder while it is new.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "emulator" / "voice_emulator"
SOURCES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")
}
PROVIDERS = ("nxcloud", "huawei_cec", "infin8linx")

#: The fact, a regular expression for what does the work, and the modules that may.
HOMES: list[tuple[str, str, set[str]]] = [
    ("a call as JSON", r"\bCall\.shown\(", {"wire/control/views.py"}),
    ("a tenant as JSON", r"\bTenant\.shown\(", {"wire/control/views.py"}),
    ("a finding as JSON", r"\bViolation\.shown\(", {"core/findings.py"}),
    # One for attempts that ended, one for those that have not.
    ("an attempt as JSON", r"\bCallback\.shown\(", {"core/attempts.py", "wire/control/views.py"}),
    # One for entries, one for their rows.
    (
        "a journal entry as JSON",
        r"\bJournalEntry\.shown\(",
        {"wire/control/views.py", "wire/control/search.py"},
    ),
    ("the timeline of a call", r"\bTimelineStep\.shown\(", {"core/call_timeline.py"}),
    ("members of a shape", r'"provider_id":|\bprovider_id: str = ', {"core/shapes.py"}),
    ("the units of a duration", r'"ms": \d', {"core/durations.py"}),
    ("the texts of a clock", r"\(real\|manual\|", {"core/clock.py"}),
    # A bill's numbers are read as they are written.
    (
        "strict JSON",
        r"parse_constant|object_pairs_hook|JSONDecoder\(",
        {"wire/http/strict_json.py", "swarm/bill_file.py"},
    ),
    ("reading the body of a request", r"\.readany\(|\.read_nowait\(", {"wire/http/request_body.py"}),
    ("the kind of event loop", r"\bimport uvloop|new_event_loop", {"wire/http/event_loop.py"}),
    (
        "address lists of providers",
        r"\bip_address\(|\bip_network\(",
        {"providers/kit/access.py", "providers/kit/checks.py"},
    ),
    ("sounds", r"\bimport wave\b|\bb\"RIFF", {"providers/kit/audio.py"}),
    ("encoding of pushes", r"\burlencode\(|boundary=", {"providers/kit/pushes.py"}),
    ("a call by an operation's example", r"\bsteps\.start\(\[call\]", {"providers/examples.py"}),
    ("the shell's quoting", r"\bshlex\.quote\(", {"report/curl.py"}),
]
#: Where a row looks; the others look everywhere.
ROOMS = {
    "address lists of providers": "providers/",
    "encoding of pushes": "providers/",
    "reading the body of a request": "wire/",
}


@pytest.mark.parametrize(("fact", "sign", "homes"), HOMES, ids=[fact for fact, _, _ in HOMES])
def test_each_fact_has_one_home(fact: str, sign: str, homes: set[str]):
    room = ROOMS.get(fact, "")
    found = {path for path, text in SOURCES.items() if path.startswith(room) and re.search(sign, text)}
    assert found == homes


@pytest.mark.parametrize("hook", ["register", "listeners.add"])
def test_listeners_are_registered_by_the_composition_root(hook: str):
    sign = rf"\btenancy\.{hook}\(" if hook == "register" else r"\blisteners\.add\("
    found = {path for path, text in SOURCES.items() if re.search(sign, text)}
    assert found == ({"app.py"} if hook == "register" else {"core/tenancy.py"})


def test_no_provider_has_a_mechanism_of_the_kit():
    kit = {
        name for path, text in SOURCES.items() if path.startswith("providers/kit/") for name in defined(text)
    }
    for provider in PROVIDERS:
        for path, text in SOURCES.items():
            if path.startswith(f"providers/{provider}/"):
                assert not kit & defined(text), path


def defined(text: str) -> set[str]:
    """Public functions and classes of a module."""
    return set(re.findall(r"^(?:def|class) ([a-z]\w+|[A-Z]\w+)", text, re.MULTILINE)) - {"check", "decorate"}
