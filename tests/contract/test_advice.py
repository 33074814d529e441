"""verify, docs/failures.md, the shipped scenarios and the contract rules give one advice, not several."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.clients import Client, rules_found
from tests.rig import numbers, started
from voice_emulator.resources import data_path
from voice_emulator.verify.suite import CHECKS

ROWS = re.compile(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \| `([a-z-]+)` \|$", re.MULTILINE)
PAGE = (Path(__file__).parents[2] / "docs" / "failures.md").read_text(encoding="utf-8")
FAILURES = {name: advice for advice, name in ROWS.findall(PAGE)}
SCENARIOS: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".yaml"): yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in data_path("scenarios").iterdir()
    if path.name.endswith(".yaml")
}
EXPECTS = {check.name: check.expects for check in CHECKS}
ACCEPT = re.compile(r"\b(acknowledges?|accepts?|reads?( fields| them)? from wherever|takes them in)\b")
REFUSE = re.compile(r"\b(refuses?|rejects?)\b")
#: What a scenario does to a receipt, and the check that sends the same.
CHECK_OF = {
    "corrupt: wrong_id": "unknown-id", "corrupt: wrong_type": "wrong-type", "corrupt: oversize": "oversize",
    "corrupt: negative": "negative-duration", "corrupt: bad_date": "bad-date", "copies": "repeat",
    "bad_signature": "bad-signature", "duplicate_nonce": "replayed-nonce",
    "wrong_content_type": "wrong-content-type", "encoding": "other-encoding",
}  # fmt: skip


def stance(text: str) -> set[str]:
    """What a text says a good client does with a receipt."""
    return {word for word, found in (("accept", ACCEPT), ("refuse", REFUSE)) if found.search(text)}


def effects(scenario: dict[str, Any]) -> set[str]:
    found = set()
    for rule in scenario.get("rules", ()):
        for name, value in (rule.get("receipt") or {}).items():
            found.add(f"corrupt: {value}" if name == "corrupt" else name)
    return found


PAIRS = [
    (name, CHECK_OF[effect])
    for name, scenario in sorted(SCENARIOS.items())
    for effect in sorted(effects(scenario))
    if effect in CHECK_OF and "repeat_set" not in effects(scenario) and name != "bad-evening"
]


def test_the_pairs_are_found():
    assert {name for name, _ in PAIRS} >= {
        "unknown-receipt-id", "duplicate-receipts", "spoiled-receipts", "bad-signatures", "odd-encodings",
        "repeated-nonces",
    }  # fmt: skip
    assert len(FAILURES) == len(SCENARIOS)


@pytest.mark.parametrize(("scenario", "check"), PAIRS)
def test_verify_expects_what_the_page_and_the_scenario_advise(scenario, check):
    wanted = "accept" if EXPECTS[check].startswith(("accepted", "both", "all")) else "refuse"
    for where, text in (("page", FAILURES[scenario]), ("scenario", SCENARIOS[scenario]["description"])):
        said = stance(" ".join(text.split()))
        assert wanted in said or not said, (where, said, wanted)
    assert stance(FAILURES[scenario]) or stance(" ".join(SCENARIOS[scenario]["description"].split()))


async def receive(emu, name: str) -> None:
    client = Client(emu)
    await client.gpsend(phone=",".join(numbers(12)))
    token = await client.cec_token()
    for number in numbers(3, "62877"):
        await client.cec_call(token, called=number)
    await emu.settle()
    await client.cdr(page_size="100")


#: Scenarios that change receipts; what is slow in real time, or changes requests too, is left to their own tests.
RECEIPTS = sorted(
    name for name, scenario in SCENARIOS.items()
    if effects(scenario) and not any({"reply", "fault"} & set(rule) for rule in scenario["rules"])
    and "slow_body" not in effects(scenario)
)  # fmt: skip


@pytest.mark.parametrize("scenario", RECEIPTS)
async def test_a_receiver_that_acknowledges_everything_breaks_nothing(scenario):
    async with started(scenario) as emu:
        await receive(emu, scenario)
        assert rules_found(emu) <= {"orphaned-call", "pages-unread"}


@pytest.mark.parametrize(
    "scenario",
    ["spoiled-receipts", "bad-signatures", "repeated-nonces", "odd-encodings", "unknown-receipt-id"],
)
async def test_refusing_what_a_rule_changed_is_no_finding(scenario):
    async with started(scenario) as emu:
        emu.receiver.answer(400, "no")
        await receive(emu, scenario)
        changed = {attempt.entry_id for _, attempt in emu.tenant.attempts.after(0) if attempt.faults}
        found = [each for each in emu.tenant.findings.all() if each.rule.startswith("push-")]
        assert not changed & {each.entry for each in found}


async def test_right_credentials_are_sent_again_after_the_token_service_refused_them():
    async with started("token-refused") as emu:
        client = Client(emu)
        for number in numbers(8):
            token = await client.cec_token()
            while not isinstance(token, str):
                token = await client.cec_token()
            await client.cec_call(token, called=number)
            await client.cec_call(token, called=f"{number}1")
        await emu.settle()
        assert rules_found(emu) == set()


async def test_a_token_that_died_early_is_replaced_and_the_request_repeated_once():
    async with started("token-expiry") as emu:
        client = Client(emu)
        token = await client.cec_token()
        for number in numbers(9):
            reply = await client.cec_call(token, called=number)
            if "callSerialNo" not in str(reply):
                token = await client.cec_token()
                await client.cec_call(token, called=number)
        await emu.settle()
        assert rules_found(emu) == set()


def accepted(reply: Any) -> bool:
    """Whether a submission went through at its provider."""
    if not isinstance(reply, dict):
        return False
    return (reply.get("code") in ("0", 200)) if "code" in reply else reply.get("retCode") == "0"


@pytest.mark.parametrize(
    "scenario", ["rate-limited", "outage-window", "gateway-html-error", "provider-outage"]
)
async def test_a_client_that_waits_and_repeats_the_refused_request_breaks_nothing(scenario):
    """As the page advises; the pause doubles. The calls differ, so what is found is about the repeats."""
    async with started(scenario) as emu:
        client = Client(emu)
        await emu.advance("115s")  # where the disturbance goes by time, it is on
        repeats = 0
        while not isinstance(token := await client.cec_token(), str):
            repeats += 1
            await emu.advance("5s")
        for number in numbers(6):
            for send in (
                lambda number=number: client.gpsend(phone=number),
                lambda number=number: client.cec_call(token, called=f"{number}1"),
                lambda number=number: client.play(destnumber=f"{number}2"),
            ):
                pause = 5
                while not accepted(await send()):
                    repeats += 1
                    await emu.advance(f"{pause}s")
                    pause *= 2
        assert repeats
        await emu.settle()
        assert rules_found(emu) <= {"orphaned-call", "expired-token-used"}, repeats
