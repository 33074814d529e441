"""Every example of every request schema is sent; reply and receipts must satisfy their schemas and golden bytes.

Providers, operations and examples are found, not listed: a new folder is tested as soon as it is there.
"""

from __future__ import annotations

import json

import pytest

from tests import goldens
from tests.conformance.asking import (
    HOST,
    Example,
    call_first,
    encodings,
    examples,
    fields_of,
    provider_of,
    ready,
    send,
)  # fmt: skip
from tests.rig import Running, started
from voice_emulator.providers.registry import discover
from voice_emulator.wire.traffic.exchange import RequestRecord

#: The fourth provider stands for every one that is still to come.
PACKAGES = ("voice_emulator.providers", "tests.fourth")
EXAMPLES = [example for package in PACKAGES for example in examples(package)]
#: No page says that voice calls are recorded, so none is until an account setting says so.
NOTHING_TO_SHOW = {("voice_emulator.providers", "infin8linx", "GetRecodeFile")}


async def replies_and_receipts(emu: Running, example: Example, encoding: str) -> dict:
    """What one example gets, with every part held against its schema."""
    provider, schemas = provider_of(emu, example), emu.emulator.runtime.schemas
    operation = provider.operations[example.operation]
    if not operation.places_calls:
        await call_first(emu, example)
    before, tried = len(emu.receiver.received), emu.tenant.attempts.total
    fields, headers = ready(emu, example)
    answer = await send(emu, example, encoding, fields, headers)
    assert schemas.get(operation.reply).violations(answer.payload) == []
    entry = [entry for entry in emu.tenant.journal if entry.kind == "request"][-1].record
    assert isinstance(entry, RequestRecord)
    assert entry.operation == example.operation
    assert entry.request.encoding == (encoding if encoding != "query" else "none")
    receipts = []
    await emu.settle()
    pushes = emu.receiver.received[before:]
    attempts = [attempt for _, attempt in emu.tenant.attempts.after(tried)]
    assert len(attempts) == len(pushes)
    for attempt, push in zip(attempts, pushes, strict=True):
        kind = provider.receipts[attempt.push.kind]
        assert kind.name in operation.receipts
        assert schemas.get(kind.schema).violations(fields_of(push)) == []
        assert push.body == attempt.body
        receipts.append(
            {
                "kind": kind.name,
                "at": attempt.shown()["at"],
                "outcome": attempt.outcome.value,
                "method": push.method,
                "target": attempt.url.removeprefix(emu.receiver.url) if attempt.url else None,
                "content_type": push.headers.get("Content-Type"),
                "body": push.body.decode(),
            }
        )
    return {
        "reply": {
            "status": answer.status,
            "content_type": answer.content_type,
            "body": answer.body.decode(),
            "refused": entry.refused,
        },
        "receipts": receipts,
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_an_example_gets_what_its_schemas_and_its_golden_file_say(example: Example):
    seen = []
    operation = discover(example.package)[example.provider].operations[example.operation]
    async with started(provider_package=example.package, seed=1) as emu:
        said_as = list(encodings(operation, ready(emu, example)[0]))
        assert said_as
        for encoding in said_as:
            emu.receiver.received.clear()
            emu.tenant.reset()
            seen.append(await replies_and_receipts(emu, example, encoding))
    # Whatever it is said in, the answer is one and the same.
    assert all(other == seen[0] for other in seen), said_as
    goldens.check(example.name, seen[0])


def test_every_operation_has_an_example_that_is_accepted():
    """Read from the golden files, which the test above holds to be true."""
    accepted = {
        (example.package, example.provider, example.operation)
        for example in EXAMPLES
        if '"refused": false' in (goldens.FOLDER / f"{example.name}.json").read_text(encoding="utf-8")
    }
    assert accepted | NOTHING_TO_SHOW == {
        (package, provider.id, name)
        for package in PACKAGES
        for provider in discover(package).values()
        for name in provider.operations
    }


def test_every_accepted_submission_has_its_receipt():
    for example in EXAMPLES:
        operation = discover(example.package)[example.provider].operations[example.operation]
        kept = json.loads((goldens.FOLDER / f"{example.name}.json").read_text(encoding="utf-8"))
        if operation.places_calls and not kept["reply"]["refused"]:
            assert kept["receipts"], example.name


def test_no_golden_file_has_lost_its_example():
    known = {f"{example.name}.json" for example in EXAMPLES}
    kept = {
        str(path.relative_to(goldens.FOLDER))
        for provider in {example.provider for example in EXAMPLES}
        for path in (goldens.FOLDER / provider).iterdir()
    }
    assert kept == known


def test_links_lead_to_the_host_that_the_client_used():
    texts = [path.read_text(encoding="utf-8") for path in goldens.FOLDER.rglob("*.json")]
    assert any(f"http://{HOST}/" in text for text in texts)
    assert not any("127.0.0.1" in text for text in texts)
