"""A correct receiver passes every check; each realistic bug is told apart by exactly the checks that should."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

from tests.verify.reference import KEY, Reference, Refused, after, served
from voice_emulator.providers.provider import PushRequest
from voice_emulator.providers.registry import discover
from voice_emulator.report.conformance import render_conformance
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.verify.model import Options
from voice_emulator.wire.delivery.grader import Graded, Grader, conformance_document
from voice_emulator.wire.delivery.push_client import PushClient

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


class RefusesUnknownIds(Reference):
    """Refuses the receipt of a call it does not know."""

    def unknown(self, fields: dict[str, Any]) -> None:
        raise Refused("no such call")


class InsistsOnContentType(Reference):
    """Reads a body only under the content type it expects."""

    def check_content_type(self, kind: str, body: bytes) -> None:
        if body and kind not in ("application/json", "application/x-www-form-urlencoded"):
            raise Refused(f"{kind} is not what the providers send")


class TrailingNewline(Reference):
    """Answers ``success`` with a line end, which is fine."""

    def acknowledge(self, provider: str) -> web.Response:
        if provider == "huawei_cec":
            return super().acknowledge(provider)
        return web.Response(text="success\n")


class ClosesWithoutSaying(Reference):
    """Closes each connection after its answer, which says nothing of it; some servers do."""

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        response = await super().handle(raw)
        if raw.transport is not None:
            asyncio.get_running_loop().call_later(self.closes_after, raw.transport.close)
        return response

    closes_after = 0.002


class ClosesLater(ClosesWithoutSaying):
    closes_after = 0.03


MUTANTS = [
    (ClosesWithoutSaying, set()),
    (ClosesLater, set()),
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
    (RefusesUnknownIds, everywhere("unknown-id")),
    (InsistsOnContentType, {"huawei_cec/wrong-content-type", "infin8linx/wrong-content-type"}),
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
    # NXCloud's receipts travel in the query string; every field of Infin8linx's is required.
    no_body = {"nxcloud/wrong-content-type", "nxcloud/half-a-body"}
    assert set(skipped) == {*no_body, "infin8linx/optional-fields-absent"}, skipped
    assert len([each for each in graded.values() if each.verdict == "passed"]) >= 100
    assert all(each.check.why and each.check.sends and each.check.expects for each in graded.values())


async def replayed(push: dict[str, Any]) -> str:
    """What the receiver replies to the push's curl line."""
    line = push["curl"].replace("curl ", "curl -sS ", 1)
    shell = await asyncio.create_subprocess_shell(
        line, stdout=PIPE, stderr=PIPE, executable="/bin/bash", env={"PATH": os.environ["PATH"]}
    )
    out, err = await shell.communicate()
    assert shell.returncode == 0, err
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("provider", ALL)
async def test_every_failure_shows_the_push_as_it_was_sent_and_curl_repeats_it(provider):
    """Whatever a check sends, its curl line is the same request: a receiver that fails on everything sees it twice."""
    heard: list[tuple[str, str, bytes, str]] = []

    class Fails(Reference):
        async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
            body = await raw.read()
            kind = raw.headers.get("Content-Type", "")
            heard.append((raw.method, raw.path_qs, body, kind))
            # A plain receipt is accepted, so that the other checks are judged; the signature ones accept forgeries.
            return web.Response(status=200 if len(heard) == 1 or b"signature" in body else 500, text="")

    async with served(Fails()) as url:
        options = Options(callback_url=f"{url}/receipts", agent_url=f"{url}/agents", shared_key=KEY, seed=7)
        graded = await Grader({provider: PROVIDERS[provider]}, SCHEMAS, options, at_once=20).run()
        wrong = [each.shown() for each in graded if each.verdict in ("failed", "warning")]
        assert len(wrong) >= 10
        for each in wrong:
            assert each["pushes"], each["id"]
            assert all(bool(push["fields"]) != each["id"].endswith("/no-fields") for push in each["pushes"])
            # Takes seconds, or is longer than a command line can be.
            if not each["id"].endswith(("/slow-sender", "/oversize")):
                before = heard.copy()
                await replayed(each["pushes"][-1])
                assert heard[-1] in before, each["id"]
        # A check that nothing went wrong with shows no push.
        assert all(not each.pushes for each in graded if each.verdict in ("passed", "skipped"))


async def test_no_secret_of_the_receivers_url_is_shown():
    async with served(EmptyBody()) as url:
        secret = url.replace("//", "//user99:pass99@") + "/receipts?token=s3cr3t99"
        options = Options(callback_url=secret, seed=7)
        graded = await Grader(PROVIDERS, SCHEMAS, options, only=["acknowledgement"]).run()
    document = conformance_document(options, graded, "0", "now")
    assert [each["verdict"] for each in document["checks"]].count("failed") == 2
    for name in ("json", "junit", "html", "markdown"):
        text = render_conformance(document, name).decode()
        assert not [part for part in ("user99", "pass99", "s3cr3t99") if part in text], name
    assert "RECEIVER_TOKEN" in text or "RECEIVER_TOKEN" in json.dumps(document)


async def test_only_the_checks_that_are_named_are_run():
    async with served(Reference()) as url:
        options = Options(callback_url=f"{url}/receipts", seed=7)
        graded = await Grader(PROVIDERS, SCHEMAS, options, only=["repeat", "nxcloud/unknown-id"]).run()
    assert sorted(each.id for each in graded) == sorted([*everywhere("repeat"), "nxcloud/unknown-id"])
    assert {each.verdict for each in graded} == {"passed"}


async def test_a_receiver_that_is_not_there_is_told_once_per_provider():
    options = Options(callback_url="http://127.0.0.1:9/none", seed=1)
    graded = await Grader(PROVIDERS, SCHEMAS, options, timeout=2).run()
    failed = [each.id for each in graded if each.verdict == "failed"]
    assert sorted(failed) == sorted(f"{provider}/acknowledgement" for provider in ALL)
    assert all("not judged" in each.reason for each in graded if each.check.order == "any")
    refused = "connection refused by 127.0.0.1:9; is your receiver running?"
    assert all(refused in each.reason for each in graded if each.id.endswith("/acknowledgement"))


async def test_a_receiver_beyond_the_private_networks_needs_permission():
    options = Options(callback_url="http://192.0.2.7/none", seed=1)
    graded = await Grader({"nxcloud": PROVIDERS["nxcloud"]}, SCHEMAS, options, timeout=2).run()
    assert "allow it with --allow-callback-host" in graded[0].reason


async def test_what_the_emulator_itself_could_not_send_is_skipped(monkeypatch: pytest.MonkeyPatch):
    """It says nothing about the receiver."""
    real, sent = PushClient.exchange, []

    async def exchange(self: PushClient, url: URL, request: PushRequest, **named: Any) -> Any:
        sent.append(url)
        if len(sent) % 7 == 0:  # never the first one, without which nothing is judged
            raise OSError(errno.EMFILE, "too many open files")
        return await real(self, url, request, **named)

    monkeypatch.setattr(PushClient, "exchange", exchange)
    graded = await grade(Reference(), ("infin8linx",))
    assert {each.verdict for each in graded.values()} == {"passed", "skipped"}
    assert any("too many open files" in each.reason for each in graded.values() if each.verdict == "skipped")
