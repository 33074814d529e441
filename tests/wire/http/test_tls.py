"""TLS on both ports and towards receivers: real handshakes with real certificates."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web

import voice_emulator
from tests.cli.process import command
from tests.rig import Running, receiving, served, started
from tests.wire.raw import GPSEND
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options
from voice_emulator.wire.http.tls import WRONG_HOST, certificates, names, push_trust

PROVIDERS_PATH = "/api/voiceSms/gpsend"


def trusting(pem: bytes | None) -> ssl.SSLContext:
    assert pem is not None
    return ssl.create_default_context(cadata=pem.decode("ascii"))


async def call(emu: Running, trust: ssl.SSLContext | None = None, **fields: str) -> dict[str, str]:
    data = {**GPSEND, "phone": "6212345678", **fields}
    async with emu.client.post(emu.url + PROVIDERS_PATH, data=data, ssl=trust or True) as reply:
        return await reply.json(content_type=None)


def own_certificate(folder: Path, *hosts: str) -> tuple[trustme.CA, Path, Path]:
    """A CA of the user's, and a certificate and key of it as files."""
    authority = trustme.CA()
    leaf = authority.issue_cert(*(hosts or ("127.0.0.1",)))
    cert, key = folder / "cert.pem", folder / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(cert)
    leaf.private_key_pem.write_to_path(key)
    return authority, cert, key


# --- both ports -----------------------------------------------------------------------------------


async def test_a_self_signed_certificate_serves_both_ports_and_its_authority_is_there_for_download():
    async with started(tls_self_signed=True) as emu:
        assert emu.url.startswith("https://")
        assert emu.control.startswith("https://")
        trust = trusting(emu.emulator.runtime.ca_pem)
        assert (await call(emu, trust))["code"] == "0"
        async with emu.client.get(f"{emu.control}/v1/tls/ca.pem", ssl=trust) as reply:
            assert reply.content_type == "application/x-pem-file"
            assert await reply.read() == emu.emulator.runtime.ca_pem
        async with emu.client.get(f"{emu.control}/openapi.json", ssl=trust) as reply:
            assert (await reply.json())["servers"] == [{"url": emu.control}]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
async def test_certificate_is_good_for_the_names_this_machine_is_called_by(name: str):
    async with started(tls_self_signed=True) as emu:
        port = emu.url.rpartition(":")[2]
        trust = trusting(emu.emulator.runtime.ca_pem)
        async with emu.client.get(f"https://{name}:{port}/", ssl=trust) as reply:
            assert reply.status < 500


def test_certificate_is_good_for_the_names_that_options_give():
    listed = names(Options(host="10.1.2.3", allow_hosts=("ci.example.org", "*.example.net", "a*.example")))
    assert {"10.1.2.3", "ci.example.org", "*.example.net", "localhost", "::1"} <= set(listed)
    assert "a*.example" not in listed, "no certificate can say that"
    assert "0.0.0.0" not in names(Options(host="0.0.0.0"))


async def test_a_client_that_does_not_trust_it_is_not_served():
    async with started(tls_self_signed=True) as emu:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await call(emu)
        # And the emulator goes on.
        assert (await call(emu, trusting(emu.emulator.runtime.ca_pem)))["code"] == "0"


async def test_plain_http_at_a_tls_port_gets_no_answer_and_does_no_harm():
    async with started(tls_self_signed=True) as emu:
        with pytest.raises(aiohttp.ClientError):
            await emu.client.get(emu.url.replace("https:", "http:"))
        assert (await call(emu, trusting(emu.emulator.runtime.ca_pem)))["code"] == "0"


async def test_a_certificate_of_the_users_own(tmp_path: Path):
    authority, cert, key = own_certificate(tmp_path)
    async with started(tls_cert=cert, tls_key=key) as emu:
        trust = trusting(authority.cert_pem.bytes())
        assert (await call(emu, trust))["code"] == "0"
        async with emu.client.get(f"{emu.control}/v1/tls/ca.pem", ssl=trust) as reply:
            assert reply.status == 404
            assert "--tls-self-signed" in (await reply.json())["detail"]


async def test_without_tls_there_is_no_authority():
    async with started() as emu, emu.client.get(f"{emu.control}/v1/tls/ca.pem") as reply:
        assert reply.status == 404


async def test_tls_1_1_is_refused():
    async with started(tls_self_signed=True) as emu:
        context = trusting(emu.emulator.runtime.ca_pem)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(aiohttp.ClientError):
            await call(emu, context)


# --- what can be wrong with a certificate ---------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"), [("expired", "certificate has expired"), ("wrong-host", "not valid for '127.0.0.1'")]
)
async def test_a_faulty_certificate_is_refused_for_its_fault_alone(fault: str, words: str):
    async with started(tls_self_signed=True, tls_fault=fault) as emu:
        trust = trusting(emu.emulator.runtime.ca_pem)
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match=words):
            await call(emu, trust)
        # The control port stays usable, and a client that believes anything is served.
        async with emu.client.get(f"{emu.control}/health", ssl=trust) as reply:
            assert reply.status == 200
        blind = ssl.create_default_context()
        blind.check_hostname = False
        blind.verify_mode = ssl.CERT_NONE
        assert (await call(emu, blind))["code"] == "0"


async def test_the_wrong_host_is_the_only_thing_wrong_with_it():
    async with started(tls_self_signed=True, tls_fault="wrong-host") as emu:
        context = trusting(emu.emulator.runtime.ca_pem)
        host, _, port = emu.url.removeprefix("https://").partition(":")
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=context, server_hostname=WRONG_HOST
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 ")
        writer.close()


# --- faults over TLS ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["reset", "empty", "truncate", "{slow_body: {every: 1ms, bytes: 16}}"])
async def test_faults_are_felt_over_tls_too(fault: str):
    text = f"name: spoiled\nrules:\n  - {{name: spoiled, match: {{nth: 1}}, fault: {fault}}}\n"
    async with started(text, tls_self_signed=True) as emu:
        trust = trusting(emu.emulator.runtime.ca_pem)
        if fault.startswith("{"):
            assert (await call(emu, trust))["code"] == "0"
        else:
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await call(emu, trust)
        assert (await call(emu, trust))["code"] == "0"


# --- pushes to receivers with TLS -----------------------------------------------------------------


@asynccontextmanager
async def tls_receiver(leaf: trustme.LeafCert) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A receiver that answers as NXCloud expects, over TLS."""
    seen: list[bytes] = []

    async def answer(raw: web.BaseRequest) -> web.Response:
        seen.append(raw.path_qs.encode() + await raw.read())
        return web.Response(text="success")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    leaf.configure_cert(context)
    async with served(answer, context) as url:
        yield f"{url}/dr", seen


async def test_a_receiver_with_a_private_authority_is_trusted_by_option(tmp_path: Path):
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    async with tls_receiver(authority.issue_cert("127.0.0.1")) as (url, seen):
        async with started(callback_ca=ca) as emu:
            emu.change({"callback_urls": {"nxcloud": url}})
            await call(emu)
            (attempt,) = (await emu.advance("1h")).callbacks
            assert attempt.outcome is PushOutcome.DELIVERED, attempt.reason
            assert b"phone=6212345678" in seen[0]
        async with started() as emu:
            emu.change({"callback_urls": {"nxcloud": url}})
            await call(emu)
            (attempt,) = (await emu.advance("1h")).callbacks
            assert (attempt.outcome, attempt.trouble) == (PushOutcome.FAILED, "tls")
            assert len(seen) == 1


async def test_a_receiver_whose_certificate_is_for_another_host_gets_nothing(tmp_path: Path):
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    async with (
        tls_receiver(authority.issue_cert("receiver.example")) as (url, seen),
        started(callback_ca=ca) as emu,
    ):
        emu.change({"callback_urls": {"nxcloud": url}})
        await call(emu)
        (attempt,) = (await emu.advance("1h")).callbacks
        assert (attempt.outcome, attempt.trouble) == (PushOutcome.FAILED, "tls")
        assert seen == []


async def test_a_push_that_a_rule_resets_verifies_the_receiver_as_well(tmp_path: Path):
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    text = "name: cut\nrules:\n  - {name: cut, receipt: {reset: true}}\n"
    async with tls_receiver(authority.issue_cert("127.0.0.1")) as (url, _):
        for options, reason in (({"callback_ca": ca}, "reset by a rule"), ({}, "is not trusted")):
            async with started(text, **options) as emu:  # type: ignore[arg-type]
                emu.change({"callback_urls": {"nxcloud": url}})
                await call(emu)
                (attempt,) = (await emu.advance("1h")).callbacks
                assert attempt.outcome is PushOutcome.FAILED
                assert reason in attempt.reason


# --- wrong usage ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tls_cert": "cert"}, "go together"),
        ({"tls_key": "key"}, "go together"),
        (
            {"tls_cert": "cert", "tls_key": "key", "tls_self_signed": True},
            "leave --tls-cert and --tls-key out",
        ),
        ({"tls_cert": "key", "tls_key": "key"}, "not a certificate and its key in PEM"),
        ({"tls_cert": "cert", "tls_key": "other"}, "not a certificate and its key in PEM"),
        ({"tls_cert": "cert", "tls_key": "encrypted"}, "is encrypted"),
        ({"tls_cert": "nowhere", "tls_key": "key"}, "No such file"),
        ({"tls_fault": "expired"}, "needs --tls-self-signed"),
        ({"callback_ca": "nowhere"}, "--callback-ca"),
        ({"callback_ca": "key"}, "contains no certificates"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(tmp_path: Path, given: dict[str, object], words: str):
    own_certificate(tmp_path)
    (tmp_path / "cert").write_bytes((tmp_path / "cert.pem").read_bytes())
    (tmp_path / "key").write_bytes((tmp_path / "key.pem").read_bytes())
    _, _, other = own_certificate(tmp_path)
    (tmp_path / "other").write_bytes(other.read_bytes())
    (tmp_path / "encrypted").write_bytes(encrypted_key())
    files = {
        name: tmp_path / value
        for name, value in given.items()
        if isinstance(value, str) and name != "tls_fault"
    }
    options = replace(Options(), **{**given, **files})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=words):
        (push_trust(options.callback_ca), certificates(options))


def encrypted_key() -> bytes:
    from cryptography.hazmat.primitives import serialization as how
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        how.Encoding.PEM, how.PrivateFormat.PKCS8, how.BestAvailableEncryption(b"secret")
    )


# --- the same emulator inside a process -----------------------------------------------------------


def test_running_trusts_its_own_certificate():
    with voice_emulator.running(tls_self_signed=True) as ve:
        assert ve.url.startswith("https://")
        assert ve.tenant.id == "default"
        assert ve.ssl_context is not None


async def test_the_coroutines_of_a_running_emulator_trust_it_too():
    def served() -> str:
        with voice_emulator.running(tls_self_signed=True, clock="manual") as ve:
            advanced = asyncio.run(ve.aio.advance("1s"))
            return str(advanced.complete)

    assert await asyncio.to_thread(served) == "True"


def test_running_with_a_certificate_for_another_name(tmp_path: Path):
    _, cert, key = own_certificate(tmp_path, "emulator.example")
    with voice_emulator.running(tls_cert=cert, tls_key=key) as ve:
        assert ve.tenant.id == "default"


async def test_a_receiver_over_plain_http_still_works_beside_tls():
    async with receiving() as receiver, started(tls_self_signed=True) as emu:
        emu.change({"callback_urls": {"nxcloud": f"{receiver.url}/dr"}})
        await call(emu, trusting(emu.emulator.runtime.ca_pem))
        (attempt,) = (await emu.advance("1h")).callbacks
        assert attempt.outcome is PushOutcome.DELIVERED


@pytest.mark.slow
def test_starting_without_tls_does_not_import_trustme():
    code = "import sys, voice_emulator.app; print('trustme' in sys.modules)"
    assert command("-c", code, program=(sys.executable,)).stdout == "False\n"
