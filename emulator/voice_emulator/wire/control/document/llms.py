"""``GET /llms.txt``: what this is and how to use it, in one page that an agent can act on (llmstxt.org).

The prose is in ``llms.txt`` beside this module. What a provider, a scenario, a rule or a route says of itself is filled
in from there, and what a provider accepts and pushes from a rehearsal, so a plug-in provider is described as the
built-in ones are.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from string import Template

from voice_emulator.contract.rules.pages import rule_summaries
from voice_emulator.core.shapes import Call, Callback
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.wire.control.document.provider_guide import provider_section
from voice_emulator.wire.control.request import Route
from voice_emulator.wire.runtime import Runtime

_PROSE = Path(__file__).with_suffix(".txt")


def llms_text(runtime: Runtime, tenant: Tenant, routes: Iterable[Route], control: str) -> str:
    """The page, with the credentials of ``tenant`` and the URL of the control port."""
    providers = runtime.providers
    rules = rule_summaries(providers.values())
    return Template(_PROSE.read_text(encoding="utf-8")).substitute(
        provider_names=", ".join(one.title for one in providers.values()),
        first_provider=next(iter(providers)),
        control=control,
        traffic=runtime.traffic,
        providers="\n".join(provider_section(runtime, tenant, one) for one in providers.values()),
        outcomes=", ".join(outcome.value for outcome in Outcome),
        push_members=" ".join(Callback.__dataclass_fields__),
        call_members=" ".join(Call.__dataclass_fields__),
        scenarios="\n".join(f"- {name}: {text.partition('. ')[0]}" for name, text in runtime.loader.shipped()),
        rules="\n".join(f"- {rule['id']} ({rule['severity']}): {rule['title']}" for rule in rules),
        routes="\n".join(f"- {route.method} {route.path}: {route.summary}" for route in routes),
    )  # fmt: skip
