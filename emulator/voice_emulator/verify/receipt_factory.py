"""Makes calls that ended as a check wants, and the pushes that report them.

Every push is rendered, encoded and signed by the provider's own code, from the example request of
the provider's own documents, so what a receiver gets here is what it gets from the emulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND, ClockSpec, TimeSource
from voice_emulator.core.distributions import Fixed
from voice_emulator.core.draws import hexadecimal, integer
from voice_emulator.core.layers import Layer
from voice_emulator.core.ledger import FIRST_RECORD
from voice_emulator.core.plan import NO_LIMITS, make_plan
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import PLAIN_RECEIPT, CallEffect, CallSpec, ReceiptEffect, Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.examples import place_example
from voice_emulator.providers.grading import Grading
from voice_emulator.providers.provider import Envelope, Provider
from voice_emulator.providers.spoiling import spoil
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.model import NotApplicable, Options, TestPush

#: Calls begin this long ago, so that they end about now.
AGO = 90 * SECOND
TALK = 25 * SECOND


@dataclass(frozen=True, slots=True)
class Draft:
    """A call that has ended, and its receipt before it is encoded."""

    push: Push
    call: Call
    fields: Mapping[str, Any]
    id: str


class ReceiptFactory:
    """Makes pushes of one provider for one check. Ids depend on (seed, provider, check) alone."""

    def __init__(
        self, provider: Provider, schemas: SchemaSet, options: Options, name: str, source: TimeSource
    ) -> None:
        """``source`` is the machine's time in microseconds. Raises ValueError for a bad shared key."""
        grading = provider.contract.grading
        if grading is None:
            raise NotApplicable(f"nothing is known about the receivers of {provider.id}")
        self.provider = provider
        self.grading: Grading = grading
        self.options = options
        self.name = name
        self._schemas = schemas
        self._now = source()
        self._made = 0
        self._pushes = 0
        self._settings: dict[str, Any] = {}
        self._tenants: dict[str, Tenant] = {}

    # --- calls and receipts -------------------------------------------------------------------

    def draft(
        self,
        outcome: Outcome = Outcome.ANSWERED,
        *,
        operation: str = "",
        settings: Mapping[str, Any] | None = None,
        id: str | None = None,
        earlier: int = 0,
    ) -> Draft:
        """The receipt of a call that went like ``outcome``, ``earlier`` microseconds before the others."""
        tenant = self._tenant(settings or {})
        name = operation or self.grading.operation
        call = self._call(tenant, name, outcome, earlier)
        index = self._made
        self._made += 1
        known = id if id is not None else self.make_id(index, agent=self._is_agent(name))
        identity = self._identity(name)
        kind = next(
            (plan.kind for plan in call.submission.receipts if plan.ruled), call.submission.receipts[-1].kind
        )
        push = Push(f"{call.id}-{kind}", self.provider.id, kind, call, call, self._now)
        fields = dict(self.provider.receipts[kind].fields(tenant, push))
        fields[identity] = known
        return Draft(push, call, fields, known)

    def news(self, draft: Draft, kind: str) -> Draft:
        """A push of another kind about the same call."""
        push = Push(f"{draft.call.id}-{kind}", self.provider.id, kind, draft.call, draft.call, self._now)
        fields = dict(self.provider.receipts[kind].fields(self._tenant({}), push))
        fields[self._identity(draft.call.operation)] = draft.id
        return Draft(push, draft.call, fields, draft.id)

    def push(
        self,
        draft: Draft,
        effect: ReceiptEffect = PLAIN_RECEIPT,
        *,
        signed: bool = True,
        changes: Mapping[str, Any] | None = None,
        drop: Sequence[str] = (),
        pause: int = 0,
    ) -> TestPush:
        """``draft`` on the wire, with ``changes`` to its fields, and spoiled as ``effect`` says.

        Every push of one receipt is an attempt of its own, so a repeat has another nonce.
        """
        kind = self.provider.receipts[draft.push.kind]
        fields = {**draft.fields, **(changes or {})}
        for name in drop:
            fields.pop(name, None)
        fields = spoil(fields, effect, kind.corrupt)
        self._pushes += 1
        url = self.url(draft.push.kind)
        push = replace(draft.push, attempt=self._pushes)
        submission = draft.call.submission
        submission.callback_url = url if signed else None
        tenant = next(each for each in self._tenants.values() if draft.call.id in each.ledger)
        envelope = Envelope(tenant, push, fields, url, self._now, effect, kind.array)
        settings = tenant.settings[self.provider.id]
        return TestPush(kind.encode(envelope), kind, envelope.fields, draft.id, settings, url, pause)

    def plain(self, outcome: Outcome = Outcome.ANSWERED, **options: Any) -> TestPush:
        """The push of one unspoiled receipt."""
        return self.push(self.draft(outcome, **options))

    def stranger(self) -> ReceiptFactory:
        """A factory whose ids the receiver cannot know."""
        options = replace(self.options, known_ids={}, seed=self.options.seed + 1_000_003)
        return ReceiptFactory(self.provider, self._schemas, options, self.name, lambda: self._now)

    # --- what the documents leave open --------------------------------------------------------

    def optional(self, draft: Draft) -> list[str]:
        """The fields the receipt may lack: leaving all of them out still satisfies its schema."""
        schema = self._schemas.get(self.provider.receipts[draft.push.kind].schema)
        left = dict(draft.fields)
        gone: list[str] = []
        # One by one, then in pairs: some fields come and go only together.
        singles: list[tuple[str, ...]] = [(name,) for name in left]
        for names in [*singles, *combinations(left, 2)]:
            without = {key: value for key, value in left.items() if key not in names}
            if len(without) < len(left) and schema.accepts(without):
                gone += [name for name in names if name in left]
                left = without
        return gone

    def make_id(self, index: int, *, agent: bool = False) -> str:
        """The id of the check's call number ``index``, in the form this provider's ids have."""
        known = self.options.known_ids.get(self.provider.id, ())
        if known and not agent:
            return known[(integer(len(known), self.name) + index) % len(known)]
        key = (self.options.seed, self.provider.id, self.name, index)
        digits = hexadecimal(32, *key)
        if agent:
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        example = self._example_id()
        if example.isdigit():
            return str(10 ** (len(example) - 1) + integer(9 * 10 ** (len(example) - 1), *key))
        return digits

    def _example_id(self) -> str:
        tenant = self._tenant({})
        call = self._call(tenant, self.grading.operation, Outcome.BUSY, 0)
        push = Push("example", self.provider.id, call.submission.receipts[0].kind, call, call, self._now)
        fields = self.provider.receipts[push.kind].fields(tenant, push)
        return str(fields[self.grading.identity]) or "x" * 32

    def url(self, kind: str) -> str:
        """Where pushes of a kind go. Raises NotApplicable without such a receiver."""
        news = self.grading.news
        if news is not None and kind in (news.last, news.late):
            if self.options.agent_url is None:
                raise NotApplicable(
                    "--agent-url is not given: nothing receives records and states of agent calls"
                )
            return self.options.agent_url
        return self.options.callback_url

    # --- making -------------------------------------------------------------------------------

    def _is_agent(self, operation: str) -> bool:
        return self.grading.news is not None and operation == self.grading.news.operation

    def _identity(self, operation: str) -> str:
        news = self.grading.news
        return news.identity if news is not None and operation == news.operation else self.grading.identity

    def _tenant(self, settings: Mapping[str, Any]) -> Tenant:
        mark = repr(sorted(settings.items()))
        found = self._tenants.get(mark)
        if found is None:
            key = self.grading.key
            own = {key: self.options.shared_key} if key and self.options.shared_key else {}
            layer = Layer(
                seed=self.options.seed,
                credentials={self.provider.id: own} if own else {},
                settings={self.provider.id: dict(settings)} if settings else {},
            )
            tenancy = Tenancy({self.provider.id: self.provider}, lambda: self._now)
            name = f"verify-{hexadecimal(12, self.options.seed, self.provider.id, self.name, mark)}"
            clock = ClockSpec("manual", start=self._now - AGO)
            found = self._tenants[mark] = tenancy.create(Scenario("verify"), id=name, clock=clock, api=layer)
            # Record ids count. To the receiver all checks are one customer, so each begins somewhere else.
            found.ledger.records[self.provider.id] = FIRST_RECORD + integer(2**30, name)
        return found

    def _call(self, tenant: Tenant, name: str, outcome: Outcome, earlier: int) -> Call:
        operation = self.provider.operations[name]
        news = self.grading.news
        fields = news.fields if news is not None and name == news.operation else None
        index = len(tenant.ledger)
        number = f"62812{integer(10**7, self.options.seed, self.name, name, index):07d}"
        begun = self._now - AGO - earlier
        effect = CallEffect((CallSpec(outcome, talk=Fixed(TALK)),))
        call = place_example(
            tenant, self.provider, operation, self._schemas, number, at=begun, ordinal=index + 1, fields=fields,
            plan=make_plan(effect, NO_LIMITS, lambda purpose: 0.5),
        )  # fmt: skip
        if call is None:
            raise NotApplicable(f"{name} places no call by its own example")
        # All its steps, at their own instants; the pushes that fall due with them are not sent.
        tenant.engine.fire(begun + AGO)
        tenant.outbox.clear()
        tenant.engine.clear()
        if not call.ended:
            raise NotApplicable(
                f"a call with the outcome {outcome.value} does not end within {AGO // SECOND} s"
            )
        return call
