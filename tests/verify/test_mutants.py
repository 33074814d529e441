"""A correct receiver passes every check; each realistic bug is told apart by exactly the checks that should."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from tests.verify.reference import KEY, Reference, after, served
from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.model import Options
from voice_emulator.wire.delivery.grader import Graded, Grader

PROVIDERS = discover()
SCHEMAS = SchemaSet.load(PROVIDERS)
ALL = ("huawei_cec", "infin8linx", "nxcloud")


def everywhere(*names: str) -> set[str]:
    return {f"{provider}/{name}" for provider in ALL for name in names}


class EmptyBody(Reference):
    """Acknowledges with 200 and an empty body."""

    def acknowledge(self, provider: str) -> web.Response:
        return web.Response()


class AcknowledgesFirst(Reference):
    """Acknowledges before storing, and then fails to store."""

    def store(self, provider: str, fields: dict[str, Any]) -> None:
        return None


class ChargesTwice(Reference):
    """Charges again when a receipt comes again."""

    def repeated(self, provider: str, fields: dict[str, Any], known: dict[str, Any], *, over: bool) -> None:
        if over:
            known["charge"] = str(float(known["charge"]) + 1)


class TurnsBack(Reference):
    """Lets news of a call that goes on overwrite that it has ended."""

    def repeated(self, provider: str, fields: dict[str, Any], known: dict[str, Any], *, over: bool) -> None:
        if not over:
            known.update(state="going on")


class RejectsUnknownFields(Reference):
    """Knows what fields there are, once and for all."""

    def check(self, provider: str, fields: dict[str, Any]) -> None:
        super().check(provider, fields)
        if any(name.startswith("new") for name in fields):
            raise AssertionError("unexpected keyword argument")

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        try:
            return await super().handle(raw)
        except AssertionError as error:
            return web.Response(status=500, text=str(error))


class IgnoresSignature(Reference):
    """Wants a signature, and does not look at it."""

    def same(self, expected: str, given: str) -> bool:
        return True


class ComparesInAnyCase(Reference):
    """Compares signatures case-insensitively."""

    def same(self, expected: str, given: str) -> bool:
        return expected.lower() == given.lower()


class AcceptsStale(Reference):
    """Does not look at the age of a signature."""

    def check_age(self, signed_at: float) -> None:
        return None


class CrashesOnNonAscii(Reference):
    """Writes its log in ASCII."""

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        try:
            return await super().handle(raw)
        except UnicodeEncodeError as error:
            return web.Response(status=500, text=str(error))

    def check(self, provider: str, fields: dict[str, Any]) -> None:
        json.dumps(fields, ensure_ascii=False).encode("ascii")
        super().check(provider, fields)


class Slow(Reference):
    """Does its work before it responses."""

    async def before(self, fields: dict[str, Any]) -> None:
        await after(0.3)


class ZeroIsAnswered(Reference):
    """Takes a call for answered as soon as the field for the talk time is there."""

    def answered(self, provider: str, fields: dict[str, Any]) -> bool:
        names = {
            "nxcloud": "second",
            "huawei_cec": "talkDuration",
            "infin8linx": "billsec",
            "agent": "duration",
        }
        return fields.get(names[provider]) is not None


class TrailingNewline(Reference):
    """Answers ``success`` with a line end, which is fine."""

    def acknowledge(self, provider: str) -> web.Response:
        if provider == "huawei_cec":
            return super().acknowledge(provider)
        return web.Response(text="success\n")


MUTANTS = [
    (Reference, set()),
    (EmptyBody, {"nxcloud/acknowledgement", "huawei_cec/acknowledgement"}),
    (AcknowledgesFirst, everywhere("stored", "burst-stored")),
    (ChargesTwice, everywhere("charged-once")),
    (TurnsBack, {"nxcloud/late-news-ignored"}),
    (RejectsUnknownFields, everywhere("unknown-field")),
    (
        IgnoresSignature,
        {f"huawei_cec/{name}" for name in ("bad-signature", "signature-case", "tampered-body")},
    ),
    (ComparesInAnyCase, {"huawei_cec/signature-case"}),
    (AcceptsStale, {"huawei_cec/stale-timestamp"}),
    (CrashesOnNonAscii, {*everywhere("non-ascii"), "nxcloud/older-body"}),
    (Slow, everywhere("prompt-answer")),
    (ZeroIsAnswered, everywhere("unanswered-not-answered")),
    (TrailingNewline, set()),
]


async def grade(receiver: Reference, providers: tuple[str, ...] = ALL) -> dict[str, Graded]:
    async with served(receiver) as url:
        options = Options(
            callback_url=f"{url}/receipts", agent_url=f"{url}/agents", probe_url=f"{url}/state",
            shared_key=KEY, seed=7, slow_after=0.25,
        )  # fmt: skip
        chosen = {name: PROVIDERS[name] for name in providers}
        graded = await Grader(chosen, SCHEMAS, options, at_once=20).run()
    return {each.id: each for each in graded}


@pytest.mark.parametrize(("mutant", "expected"), MUTANTS, ids=lambda value: getattr(value, "__name__", None))
async def test_each_bug_is_told_apart_by_exactly_the_checks_that_should(
    mutant: type[Reference], expected: set[str]
):
    graded = await grade(mutant())
    told = {name: each.reason for name, each in graded.items() if each.verdict in ("failed", "warning")}
    assert set(told) == expected, told


async def test_the_suite_holds_at_least_forty_checks_and_skips_none_of_them_when_everything_is_given():
    graded = await grade(Reference())
    skipped = {name: each.reason for name, each in graded.items() if each.verdict == "skipped"}
    # Its receipts travel in the query string; and every field of the other's is required.
    no_body = {"nxcloud/wrong-content-type", "nxcloud/half-a-body"}
    assert set(skipped) == {*no_body, "infin8linx/optional-fields-absent"}, skipped
    assert len([each for each in graded.values() if each.verdict == "passed"]) >= 100
    assert all(each.check.why and each.check.sends and each.check.expects for each in graded.values())


async def test_a_receiver_that_is_not_there_is_told_once_per_provider():
    options = Options(callback_url="http://127.0.0.1:9/none", seed=1)
    graded = await Grader(PROVIDERS, SCHEMAS, options, timeout=2).run()
    failed = [each.id for each in graded if each.verdict == "failed"]
    assert sorted(failed) == sorted(f"{provider}/acknowledgement" for provider in ALL)
    assert all("not judged" in each.reason for each in graded if each.check.order == "any")


async def test_a_receiver_beyond_the_private_networks_needs_permission():
    options = Options(callback_url="http://192.0.2.7/none", seed=1)
    graded = await Grader({"nxcloud": PROVIDERS["nxcloud"]}, SCHEMAS, options, timeout=2).run()
    assert "allow it with --allow-callback-host" in graded[0].reason
