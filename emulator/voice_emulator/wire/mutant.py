"""The mutant in force: laid over every scenario of this process, and noted when it acted.

``voice-emulator mutate`` names it in VOICE_EMULATOR_MUTANT (and VOICE_EMULATOR_MUTANT_PROVIDER for one provider of it), and
a file for notes in VOICE_EMULATOR_MUTANT_LOG; or over the control API, with ``PUT /v1/mutant``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.faults import TokenExpired
from voice_emulator.core.listeners import Listener
from voice_emulator.core.overlay import NO_OVERLAY, Overlay
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.errors import UsageError
from voice_emulator.providers.provider import Provider
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.scenarios.mutants import Mutant, find_mutants
from voice_emulator.wire.traffic.exchange import RequestRecord

MUTANT, PROVIDER, LOG = "VOICE_EMULATOR_MUTANT", "VOICE_EMULATOR_MUTANT_PROVIDER", "VOICE_EMULATOR_MUTANT_LOG"
#: Outcomes of pushes of which a receiver may have seen something.
_SENT = (PushOutcome.DELIVERED, PushOutcome.REFUSED, PushOutcome.FAILED)
# Bound now: a test with a fake file system (pyfakefs) replaces the name in this module.
_write = os.write


class MutantInForce(Listener):
    """At most one mutant for the whole process. ``acted`` and ``requests`` count since it was put in force."""

    def __init__(
        self, loader: ScenarioLoader, providers: Mapping[str, Provider], environment: Mapping[str, str]
    ) -> None:
        """Raises UsageError for an unknown mutant or provider, and for a file that cannot be written."""
        self._loader = loader
        self._providers = providers
        self.acted = 0
        #: Requests to each provider.
        self.requests: dict[str, int] = {}
        self._told: set[str] = set()
        self._log = _open(environment[LOG]) if environment.get(LOG) else None
        self._by_provider: dict[str, Mutant] = {}
        self.name: str | None = None
        self.provider: str | None = None
        self._listens = False
        #: Registers this as a listener; the composition root sets it.
        self.register: Callable[[], None] = lambda: None
        if environment.get(MUTANT):
            self.put(environment[MUTANT], environment.get(PROVIDER) or None)

    @property
    def wanted(self) -> bool:
        """Whether somebody asks for a mutant, or for notes, from the start."""
        return self.name is not None or self._log is not None

    def listen(self) -> None:
        """Be told of what happens, from now on; before that, it costs nothing."""
        if not self._listens:
            self._listens = True
            self.register()

    def put(self, name: str | None, provider: str | None = None) -> Overlay:
        """Put another mutant in force, None for none, and return what is to be laid over all scenarios.

        ``provider`` is the only provider that is wrong, None for all that it applies to. Raises UsageError.
        """
        found = [] if name is None else find_mutants(name, self._loader, self._providers)
        chosen = [mutant for mutant in found if provider in (None, mutant.provider)]
        if name is not None and not chosen:
            raise UsageError(f"the mutant {name!r} does not apply to {provider or 'any provider'}")
        self.name, self.provider = name, provider
        self._by_provider = {mutant.provider: mutant for mutant in chosen}
        self.acted = 0
        self.requests = {}
        self._told.clear()
        return self.overlay

    @property
    def overlay(self) -> Overlay:
        """What is to be laid over all scenarios."""
        if not self._by_provider:
            return NO_OVERLAY
        overlays = [mutant.overlay for mutant in self._by_provider.values()]
        settings = {name: each for overlay in overlays for name, each in overlay.settings.items()}
        return Overlay(tuple(rule for overlay in overlays for rule in overlay.rules), settings)

    def close(self) -> None:
        """Close the file."""
        if self._log is not None:
            os.close(self._log)
            self._log = None

    # --- when it acts ---------------------------------------------------------------------------------------------

    def request_finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """Count the request, and see whether a rule of the mutant changed its reply or its calls."""
        request = record.request
        provider = request.provider
        if request.operation is None or provider not in self._providers:
            return
        self.requests[provider] = self.requests.get(provider, 0) + 1
        self._tell("request", provider)
        mutant = self._by_provider.get(provider)
        if mutant is not None and self._changed(tenant, mutant, record):
            self._act(mutant)

    @staticmethod
    def _changed(tenant: Tenant, mutant: Mutant, record: RequestRecord) -> bool:
        """Whether the reply, or the calls behind it, differ from those without the mutant."""
        operation, fault = record.request.operation, mutant.fault
        if record.reply_rule == mutant.rule:
            return True
        if record.fault_rule == mutant.rule and fault is not None:
            if fault.in_part:
                return bool(record.calls) and len(record.request.numbers) > len(record.calls)
            # What is refused anyway has no token to expire.
            return not (record.problems and fault.fault.name == TokenExpired.name)
        if operation is None or not operation.queries_calls or record.problems:
            return False
        if mutant.overlay.settings:
            below = tenant.settings_below(mutant.provider)
            return bool(tenant.ledger.ended_count) and tenant.settings[mutant.provider] != below
        now = tenant.now
        return any(
            call.receipt_rule == mutant.rule and call.query_from is not None and call.query_from > now
            for call in tenant.ledger
        )

    def push_scheduled(self, tenant: Tenant, push: Push) -> None:
        """A receipt that will come late: a test may end before it is attempted."""
        mutant = self._mutant_of(push)
        if (
            mutant is None
            or mutant.receipt is None
            or mutant.receipt.delay is None
            or push.attempt > 1
            or push.copy
        ):
            return
        kind = self._providers[push.provider].receipts[push.kind]
        if kind.target(tenant, push) or tenant.callback_urls.get(kind.url_key):
            self._act(mutant)

    def attempt_finished(self, tenant: Tenant, attempt: Attempt) -> None:
        """See whether receipts were sent, or lost, otherwise than without the mutant."""
        for part, fields in zip(attempt.push.parts, (attempt.fields, *attempt.others), strict=False):
            under = self._by_provider.get(part.provider)
            mutant = self._mutant_of(part)
            if under is not None and under.overlay.settings:
                acted = attempt.outcome in _SENT and self._fields(tenant, part) != self._fields_below(
                    tenant, part
                )
            else:
                acted = (
                    mutant is not None
                    and mutant.receipt is not None
                    and self._differs(tenant, mutant.receipt, attempt, part, fields)
                )
            if acted:
                self._act(self._by_provider[part.provider])

    def _mutant_of(self, push: Push) -> Mutant | None:
        mutant = self._by_provider.get(push.provider)
        return mutant if mutant is not None and push.rule == mutant.rule and not push.by_hand else None

    def _fields(self, tenant: Tenant, push: Push) -> Mapping[str, Any]:
        return self._providers[push.provider].receipts[push.kind].fields(tenant, push)

    def _fields_below(self, tenant: Tenant, push: Push) -> Mapping[str, Any]:
        """The fields with the settings that lie below the mutant's."""
        settings = tenant.settings
        tenant.settings = {**settings, push.provider: tenant.settings_below(push.provider)}
        try:
            return self._fields(tenant, push)
        finally:
            tenant.settings = settings

    def _differs(
        self, tenant: Tenant, effect: ReceiptEffect, attempt: Attempt, push: Push, fields: Mapping[str, Any]
    ) -> bool:
        if effect.lost:
            return attempt.outcome is PushOutcome.LOST and bool(attempt.url)
        if attempt.outcome not in _SENT:
            return False
        if effect.copies > 1:
            return push.copy > 0
        if effect.hold:
            return push.held < effect.hold
        if effect.bad_signature or effect.stale_timestamp or effect.duplicate_nonce:
            # The first nonce of all has none before it that it could repeat.
            repeats = not effect.duplicate_nonce or len(tenant.attempts) > 1
            return repeats and any("sign" in name.lower() for name in (*fields, *dict(attempt.headers)))
        if (
            effect.before_reply
            or effect.reset
            or effect.slow_body
            or effect.wrong_content_type
            or effect.encoding
        ):
            return True
        plain = self._fields(tenant, push)
        added = {name for name, _ in effect.add}
        return bool(added & fields.keys()) or any(fields.get(name) != value for name, value in plain.items())

    # --- notes ------------------------------------------------------------------------------------------------------

    def _act(self, mutant: Mutant) -> None:
        self.acted += 1
        self._tell("acted", mutant.provider)

    def _tell(self, what: str, provider: str) -> None:
        """Note it in the file, once for each process."""
        note = json.dumps({what: provider, "mutant": self.name})
        if self._log is not None and note not in self._told:
            _write(self._log, f"{note}\n".encode())
        self._told.add(note)


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise UsageError(f"{LOG}: cannot write {path}: {error.strerror or error}") from error


def read_notes(text: str) -> Sequence[Mapping[str, Any]]:
    """What emulators noted in the file."""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]
