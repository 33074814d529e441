"""A customer who does anything in any order, and what must hold after every step."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.examples import examples
from tests.rig import Running, receivers, started
from tests.scenarios.day import Customer
from voice_emulator.core.calls import Call
from voice_emulator.core.pushes import Push
from voice_emulator.core.vocabulary import Fate, PushOutcome, State, Step
from voice_emulator.wire.traffic.exchange import RequestRecord

#: A few numbers, so that they are called again and again; some of them are magic.
NUMBERS = st.sampled_from(
    [
        "6281234567",
        "6281234568",
        "6281234569",
        "62812300486",
        "62812300480",
        "62812300404",
        "62812300602",
        "6281000603",
    ]
)
SCENARIOS = {
    "plain": "rules: []",
    "lost": "rules: [{name: r, chance: 50%, receipt: {lost: true}}]",
    "copies": "rules: [{name: r, receipt: {copies: 3, gap: {uniform: [0s, 90s]}}}]",
    "retry": "rules: [{name: r, receipt: {retry: fast-ladder}}]",
    "copies again and again": "rules: [{name: r, receipt: {copies: 2, retry: {attempts: 3, every: 1m}}}]",
    "held": "rules: [{name: r, chance: 50%, receipt: {hold: 2}}]",
    "late": "rules: [{name: r, receipt: {delay: {exponential: {mean: 10m}}, query_lag: 1h}}]",
    "early": "rules: [{name: r, chance: 70%, receipt: {before_reply: true}}]",
    "early and twice": "rules: [{name: r, chance: 70%, receipt: {before_reply: true, copies: 2, gap: 5s}}]",
    "spoiled": "rules: [{name: r, receipt: {corrupt: wrong_id, drop: [hangup_cause], reset: true}}]",
    "torn": "rules: [{name: r, chance: 50%, fault: reset}, {name: s, chance: 50%, fault: truncate}]",
    "unplaced": "rules: [{name: r, chance: 50%, fault: {empty: true, placed: false}}]",
    "gateway": "rules: [{name: r, match: {nth: {every: 2}}, fault: {http_status: 503}}]",
    "refusing": "rules: [{name: r, times: 3, reply: {error: system_error, placed: true}}]",
    "outcomes": (
        "rules: [{name: r, call: {mix: [{weight: 1, outcome: answered, talk: {uniform: [1s, 2h]}}, "
        "{weight: 1, outcome: busy}, {weight: 1, outcome: no_answer, ring: {uniform: [0s, 1m]}}]}}]"
    ),
    "one line": "providers: {infin8linx: {dial_concurrency: 1}}\nrules: [{name: r, call: {outcome: answered, talk: 5m}}]",
}
#: Receivers: one with a wrong reply, another target, or the right reply.
RECEIVERS: dict[str, tuple[int, str] | str | None] = {
    "fine": "",
    "failing": (500, ""),
    "refusing": (200, "no"),
    "redirecting": (302, ""),
    "down": "http://127.0.0.1:1/",
    "out of reach": "http://192.0.2.1/",
    "none": None,
}
OPERATIONS = st.sampled_from(
    [
        "gpsend",
        "notsend",
        "versend",
        "makecall",
        "createVoiceNotification",
        "createVoiceNotificationV1",
        "PlayVoice",
    ]
)
PHONES = st.lists(NUMBERS, min_size=1, max_size=4)
#: Seconds to advance; 0 is to the next thing due.
SPANS = st.sampled_from([0, 1, 3, 13, 61, 600, 7200])
#: The instants a call must have by now, and may not have yet.
REACHED = {
    State.QUEUED: ("submitted_at",),
    State.DIALLING: ("submitted_at", "dialled_at"),
    State.RINGING: ("submitted_at", "dialled_at", "ring_at"),
    State.TALKING: ("submitted_at", "dialled_at", "ring_at", "answered_at"),
}


class Customers(RuleBasedStateMachine):
    """Steps are requests over HTTP, to both ports; invariants look inside as well."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.emu: Running = self.loop.run(self.stack.enter_async_context(started()))
        self.customer = Customer(self.emu)
        self.last_id = 0

    def teardown(self) -> None:
        self.loop.run(self.stack.aclose())
        self.loop.close()

    def do(self, coroutine: Any) -> Any:
        return self.loop.run(coroutine)

    async def control(self, method: str, path: str, **arguments: Any) -> tuple[int, Any]:
        url = f"{self.emu.control}/v1/tenants/default{path}"
        async with self.emu.client.request(method, url, **arguments) as reply:
            return reply.status, await reply.json() if reply.content_length else None

    # --- steps --------------------------------------------------------------------------------

    @initialize()
    def sign_in(self) -> None:
        self.do(self.customer.sign_in())

    @rule(operation=OPERATIONS, phones=PHONES)
    def submit(self, operation: str, phones: list[str]) -> None:
        self.do(self._submit(operation, phones))

    async def _submit(self, operation: str, phones: list[str]) -> None:
        customer = self.customer
        match operation:
            case "gpsend":
                await customer.group_call(*phones)
            case "notsend" | "versend":
                await customer.spoken(operation, phones[0])
            case "makecall":
                await customer.agent_call(phones[0], "")
            case "createVoiceNotification":
                await customer.notify(phones[0])
            case "createVoiceNotificationV1":
                await customer.notify_v1(phones[0])
            case "PlayVoice":
                await customer.play(*phones)

    @rule(
        scenario=st.sampled_from(sorted(SCENARIOS)), receivers=st.sampled_from(sorted(RECEIVERS)),
        submissions=st.lists(st.tuples(OPERATIONS, PHONES), min_size=1, max_size=4), seconds=SPANS,
    )  # fmt: skip
    def spend_some_time(
        self, scenario: str, receivers: str, submissions: list[tuple[str, list[str]]], seconds: int
    ) -> None:
        """Several steps in one, which together lead somewhere."""
        self.change_scenario(scenario)
        self.change_receivers(receivers)
        for operation, phones in submissions:
            self.submit(operation, phones)
        self.advance(seconds)

    @rule(bad=st.booleans())
    def ask(self, bad: bool) -> None:
        if bad:
            self.do(self.customer.group_call("no number"))
        else:
            self.do(self.customer.sign_in())
            self.do(self.customer.ask_for_records())

    @rule(seconds=SPANS)
    def advance(self, seconds: int) -> None:
        body = {"seconds": seconds} if seconds else {"to": "next"}
        status, done = self.do(self.control("POST", "/clock/advance", json=body))
        assert status == 200
        assert done["complete"]

    @rule()
    def settle(self) -> None:
        body = {"to": "idle", "at_most": "200h"}
        status, done = self.do(self.control("POST", "/clock/advance", json=body))
        assert status == 200
        assert done["complete"]
        tenant = self.emu.tenant
        assert len(tenant.engine) == 0
        assert tenant.outbox.idle
        assert all(call.ended and call.fate is not Fate.PENDING for call in tenant.ledger)
        assert tenant.conservation.count(Fate.PENDING) == 0

    @rule(name=st.sampled_from(sorted(SCENARIOS)))
    def change_scenario(self, name: str) -> None:
        text = f"name: now\ndescription: {name}\n{SCENARIOS[name]}\n"
        headers = {"Content-Type": "application/yaml"}
        status, said = self.do(self.control("PUT", "/scenario", data=text.encode(), headers=headers))
        assert status == 200, said

    @rule(name=st.sampled_from(sorted(RECEIVERS)))
    def change_receivers(self, name: str) -> None:
        answer = RECEIVERS[name]
        urls: dict[str, str | None] = dict(receivers(self.emu.emulator, self.emu.receiver))
        self.emu.receiver.answer_properly()
        if isinstance(answer, tuple):
            self.emu.receiver.answer(*answer)
        elif answer != "":
            urls = dict.fromkeys(urls, answer)
        assert self.do(self.control("PATCH", "", json={"callback_urls": urls}))[0] == 200

    @precondition(lambda self: any(call.ended for call in self.emu.tenant.ledger))
    @rule(data=st.data())
    def push_again(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from([call.id for call in self.emu.tenant.ledger if call.ended]))
        status, said = self.do(self.control("POST", f"/calls/{call}/push"))
        assert status in (200, 202), said

    @rule()
    def reset(self) -> None:
        status, _ = self.do(self.control("POST", "/reset"))
        assert status in (200, 204)
        self.emu.receiver.received.clear()
        assert len(self.emu.tenant.ledger) == len(self.emu.tenant.engine) == 0
        assert self.emu.tenant.outbox.idle

    # --- what must hold -----------------------------------------------------------------------

    @invariant()
    def the_journal_goes_on(self) -> None:
        entries = list(self.emu.tenant.journal)
        ids = [entry.id for entry in entries]
        assert ids == list(range(ids[0], ids[0] + len(ids))) if ids else True
        assert not ids or ids[-1] >= self.last_id
        self.last_id = self.emu.tenant.journal.last_id
        times = [entry.at for entry in entries]
        assert times == sorted(times)
        assert all(at <= self.emu.tenant.now for at in times)

    @invariant()
    def calls_are_in_legal_states(self) -> None:
        now = self.emu.tenant.now
        for call in self.emu.tenant.ledger:
            names = ("submitted_at", "dialled_at", "ring_at", "answered_at", "ended_at")
            times = [getattr(call, name) for name in names]
            seen = [at for at in times if at is not None]
            assert seen == sorted(seen)
            assert seen[-1] <= now
            if call.ended:
                assert call.ended_at is not None
                assert call.bill is not None
                assert call.dropped == (call.dialled_at is None)
                assert call.dropped or call.answered == (call.outcome in ("answered", "time_limit"))
            else:
                there = tuple(name for name, at in zip(names, times, strict=True) if at is not None)
                assert there == REACHED[call.state]
                assert call.bill is None

    @invariant()
    def every_accepted_number_is_accounted_for(self) -> None:
        tenant = self.emu.tenant
        books = tenant.conservation
        calls = list(tenant.ledger)
        assert books.balanced
        assert books.accepted == len(calls)
        assert Counter(call.fate for call in calls) == Counter({f: n for f in Fate if (n := books.count(f))})
        assert all(account.sums.agree for account in books.accounts.values())
        assert {orphan.call_id for orphan in books.orphans} == {c.id for c in calls if c.fate is Fate.ORPHAN}
        # Each call belongs to the one request whose numbers it stands for.
        placed = Counter[str]()
        for entry in tenant.journal:
            if isinstance(entry.record, RequestRecord) and entry.record.calls:
                placed.update(entry.record.calls)
                named = [
                    found.number for found in map(tenant.ledger.get, entry.record.calls) if found is not None
                ]
                assert named == list(entry.record.request.numbers)
        assert placed == Counter(dict.fromkeys((call.id for call in calls), 1))

    @invariant()
    def no_timer_is_lost(self) -> None:
        """Each call that goes on has exactly one thing coming; each receipt is done or has exactly one."""
        tenant = self.emu.tenant
        pending = [argument for *_, argument in tenant.engine._heap]
        waiting = [call for dialler in tenant.steps._diallers.values() for call in dialler.waiting]
        coming = Counter(id(call) for call in [*pending, *waiting] if isinstance(call, Call))
        assert coming == Counter({id(call): 1 for call in tenant.ledger if not call.ended})
        assert not tenant.outbox.in_flight
        assert not tenant.outbox.due
        pushes = [push for push in pending if isinstance(push, Push)] + list(tenant.outbox.held)
        assert len({(push.id, push.copy) for push in pushes}) == len(pushes)
        on_the_way = Counter(push.call.id for push in pushes if push.call is not None)
        for call in tenant.ledger:
            tried = {a.push.id for a in tenant.attempts.of_call(call.id) if not a.push.by_hand}
            tried |= {push.id for push in pushes if push.call is call}
            copies = call.effect.copies if call.effect is not None else 1
            wanted = sum(
                copies if plan.ruled else 1
                for plan in call.submission.receipts
                if plan.on is Step.END and call.ended and (plan.dropped or not call.dropped)
            )
            early = [plan for plan in call.submission.receipts if plan.on is not Step.END]
            assert wanted <= len(tried) <= wanted + len(early)
            # What the books wait for is really on its way.
            if call.ended:
                assert call.open_pushes == on_the_way[call.id]
                assert call.fate is not Fate.PENDING or call.open_pushes

    @invariant()
    def the_receiver_saw_what_the_journal_says(self) -> None:
        answered = [a for a in self.emu.tenant.attempts if a.reply is not None]
        assert len(answered) == len(self.emu.receiver.received)
        for attempt in answered:
            assert attempt.outcome in (PushOutcome.DELIVERED, PushOutcome.REFUSED)


Customers.TestCase.settings = settings(
    max_examples=examples(30), stateful_step_count=40, deadline=None, phases=[Phase.generate]
)
TestCustomers = pytest.mark.filterwarnings("ignore::ResourceWarning")(Customers.TestCase)
