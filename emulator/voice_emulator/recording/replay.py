"""Sends the recorded requests to an emulator whose calls go as the recorded ones did.

It runs on a manual clock that begins with the recording. Only the course of each call is taken from the recording;
credentials are the emulator's own, and ids and tokens are those that it issued in the place of the recorded ones.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from voice_emulator.app import Emulator, serving
from voice_emulator.core.accounts import named_values
from voice_emulator.core.clock import HOUR, SECOND, ClockSpec
from voice_emulator.core.masking import MASK
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Request
from voice_emulator.recording.distil import courses_only
from voice_emulator.recording.exchanges import Exchange, Pairs, Read, Reader, header, leaves
from voice_emulator.recording.proxy import callback_to, end_to_end
from voice_emulator.schemas.fields import fields as fields_of
from voice_emulator.settings import Options
from voice_emulator.wire.http.sockets import bind, dialled

#: After the last request, everything that is pending happens, for at most so long.
REST = 24 * HOUR
#: Receipts have whole seconds, so a call may end here so much later.
ROUNDING = SECOND
_KEPT = 10_000


@dataclass(slots=True)
class Pair:
    """A recorded exchange and the one in its place here; None where there is none."""

    recorded: Read | None
    here: Read | None


@dataclass(slots=True)
class Replay:
    """What a replay gives. ``requests`` are in order, ``pushes`` by the receipt that they carry, in order."""

    requests: list[Pair] = field(default_factory=list)
    pushes: dict[tuple[str, str, str], tuple[list[Read], list[Read]]] = field(default_factory=dict)


async def replayed(reader: Reader, exchanges: Sequence[Exchange]) -> Replay:
    """Send the recorded requests to an emulator of our own, in their order and at their times."""
    requests = [one for one in exchanges if not one.is_push]
    begin = min((one.at for one in exchanges), default=0)
    options = Options(
        port=0, control_port=0, clock=ClockSpec("manual", start=begin), journal_limit=_KEPT, seed=1,
    )  # fmt: skip
    async with serving(options, scenario_text=courses_only(reader, exchanges)) as emulator:
        run = _Run(reader, exchanges, emulator)
        await run.through(requests)
    return run.result


class _Run:
    def __init__(self, reader: Reader, exchanges: Sequence[Exchange], emulator: Emulator) -> None:
        self._reader = reader
        self._runtime = emulator.runtime
        self._tenant = emulator.runtime.tenancy.default
        self.result = Replay()
        self._signers = {name: _Signer(each, reader) for name, each in reader.providers.items()}
        #: What was issued here in the place of a recorded id, and the reverse.
        self._issued: dict[str, dict[str, str]] = defaultdict(dict)
        self._recorded: dict[str, dict[str, str]] = defaultdict(dict)
        self._pushes: dict[tuple[str, str, str], list[Read]] = defaultdict(list)
        for one in exchanges:
            if one.is_push:
                read = reader.read(one)
                for key in self._keys(read, {}):
                    self._pushes[key].append(read)
        self._here: dict[tuple[str, str, str], list[Read]] = defaultdict(list)
        self._base = ""

    async def through(self, requests: Sequence[Exchange]) -> None:
        tenant, driver = self._tenant, self._runtime.driver
        runner = web.ServerRunner(web.Server(self._receive, access_log=None), shutdown_timeout=1)
        await runner.setup()
        try:
            sockets = bind(["127.0.0.1"], 0)
            await web.SockSite(runner, sockets[0]).start()
            base = f"http://{dialled(sockets)}"
            urls = {
                key: f"{base}/{name}"
                for name, each in self._reader.providers.items()
                for key in each.url_keys
            }
            tenant.change({"callback_urls": urls})
            self._base = base
            connector = aiohttp.TCPConnector(limit=0)
            async with aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
            ) as client:
                for one in requests:
                    at = one.at + (ROUNDING if self._queries(one) else 0)
                    if at > tenant.now:
                        await driver.advance(tenant, to=at)
                    await self._send(client, one)
                await driver.advance(tenant, to=tenant.now + REST, until_idle=True)
        finally:
            await runner.cleanup()
        for key in self._pushes.keys() | self._here.keys():
            self.result.pushes[key] = (self._pushes.get(key, []), self._here.get(key, []))

    def _queries(self, one: Exchange) -> bool:
        """Whether a request asks for the records of calls: the last one may have ended a moment before."""
        operations = self._reader.providers[one.provider].operations
        found = operations.get(self._reader.read(one).name)
        return found is not None and found.queries_calls

    async def _send(self, client: aiohttp.ClientSession, one: Exchange) -> None:
        read = self._reader.read(one)
        headers, body, target = self._renewed(one, read)
        url = URL(self._runtime.traffic + target, encoded=True)
        at = self._tenant.now
        try:
            async with client.request(
                one.method, url, data=body or None, headers=CIMultiDict(headers), allow_redirects=False
            ) as reply:
                here = Exchange(
                    "request", one.provider, at, one.method, target, headers, body, reply.status,
                    end_to_end(reply.raw_headers), await reply.read(),
                )  # fmt: skip
        except aiohttp.ClientError:
            here = Exchange("request", one.provider, at, one.method, target, headers, body)
        again = self._reader.read(here)
        self.result.requests.append(Pair(read, again))
        operation = self._reader.providers[one.provider].operations.get(read.name) if read.name else None
        if operation is not None:
            self._learn(one.provider, operation.reply, read.answer, again.answer)

    def _renewed(self, one: Exchange, read: Read) -> tuple[Pairs, bytes, str]:
        request = self._reader.request(one.method, one.target, one.headers, one.body)
        if request is None:
            return one.headers, one.body, one.target
        issued = self._issued[request.provider]
        fields, headers = self._signers[request.provider].credentials(request, issued, self._tenant)
        sent = tuple(
            (name, headers[name.lower()] if name.lower() in headers else _value(value, issued))
            for name, value in one.headers
            if name.lower() not in ("host", "content-length", "accept-encoding")
        )
        path, mark, query = one.target.partition("?")
        target = _value(path, issued) + mark + _form(query, fields, issued)
        return sent, self._body(one, request, fields, issued), target

    def _body(
        self, one: Exchange, request: Request, fields: Mapping[str, str], issued: Mapping[str, str]
    ) -> bytes:
        if request.encoding == "json" and isinstance(request.document, dict):
            document = {
                name: self._callback(request.provider, name, fields.get(name, _mapped(value, issued)))
                for name, value in request.document.items()
            }
            return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        if request.encoding in ("urlencoded", "text"):
            text = one.body.decode("utf-8", "surrogateescape")
            return _form(text, fields, issued).encode("utf-8", "surrogateescape")
        body = one.body
        for name, new in (*fields.items(), *issued.items()):
            old = str(request.fields.get(name, name))
            body = body.replace(f"\r\n\r\n{old}\r\n".encode(), f"\r\n\r\n{new}\r\n".encode())
        return body

    def _callback(self, provider: str, name: str, value: Any) -> Any:
        """The value, but for a callback URL: pushes come here, whatever host the recording names."""
        return callback_to(f"{self._base}/{provider}", name, value) or value

    def _learn(self, provider: str, schema: str, recorded: Any, here: Any) -> None:
        """Note what was issued here in the place of recorded ids."""
        if schema not in self._reader.schemas:
            return
        known = fields_of(self._reader.schemas.get(schema).document)
        mine: dict[str, list[Any]] = defaultdict(list)
        for path, value in leaves(here):
            mine[path].append(value)
        for path, value in leaves(recorded):
            issued = mine[path].pop(0) if mine[path] else None
            is_id = path in known and (known[path].kind == "id" or known[path].secret)
            if is_id and isinstance(value, str) and value and isinstance(issued, str) and issued:
                if MASK in value:  # stands for every secret that our own archive masked: the newest counts
                    self._issued[provider][value] = issued
                self._issued[provider].setdefault(value, issued)
                self._recorded[provider].setdefault(issued, value)

    async def _receive(self, raw: web.BaseRequest) -> web.StreamResponse:
        """A push of the emulator's, answered as the recorded one was."""
        provider = raw.path.strip("/")
        one = Exchange(
            "push",
            provider,
            self._tenant.now,
            raw.method,
            raw.path_qs,
            end_to_end(raw.raw_headers),
            await raw.read(),
        )
        read = self._reader.read(one)
        answer: Exchange | None = None
        for key, receipt in zip(self._keys(read, self._recorded[provider]), read.receipts, strict=True):
            before = self._pushes.get(key, [])
            index = len(self._here[key])
            self._here[key].append(read)
            if index < len(before):
                answer = before[index].exchange
                self._learn(provider, read.schema, dict(before[index].receipts[0]), dict(receipt))
        if answer is not None:
            kind = header(answer.reply_headers, "content-type") or "text/plain"
            return web.Response(
                status=answer.status or 503, body=answer.reply, headers={"Content-Type": kind}
            )
        known = self._reader.providers[provider].receipts.get(read.name)
        return web.Response(text=known.accepted_body if known is not None else "")

    def _keys(self, read: Read, known: Mapping[str, str]) -> list[tuple[str, str, str]]:
        """By what recorded pushes and ours are told to be the same: the called number, else an id."""
        return [
            (read.exchange.provider, read.name, self._subject(read, receipt, known))
            for receipt in read.receipts
        ]

    def _subject(self, read: Read, receipt: Mapping[str, Any], known: Mapping[str, str]) -> str:
        if not read.schema:
            return ""
        schema = self._reader.schemas.get(read.schema)
        number = next((str(receipt[name]) for name in sorted(schema.numbers) if name in receipt), None)
        if number is not None:
            return number
        found = fields_of(schema.document)
        ids = sorted(path[1:] for path, one in found.items() if one.kind == "id" and path[1:] in receipt)
        return next((known.get(str(receipt[name]), str(receipt[name])) for name in ids), "")


def _form(text: str, fields: Mapping[str, str], issued: Mapping[str, str]) -> str:
    pairs = parse_qsl(text, keep_blank_values=True, errors="surrogateescape")
    changed = [(name, fields.get(name, _value(value, issued))) for name, value in pairs]
    return text if changed == pairs else urlencode(changed, errors="surrogateescape")


def _mapped(value: Any, issued: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _value(value, issued)
    if isinstance(value, list):
        return [_mapped(item, issued) for item in value]
    return {name: _mapped(item, issued) for name, item in value.items()} if isinstance(value, dict) else value


def _value(value: str, issued: Mapping[str, str]) -> str:
    """A value with the recorded ids in it replaced: alone, after a scheme, or as a part of a path."""
    scheme, space, rest = value.rpartition(" ")
    if rest in issued:
        return f"{scheme}{space}{issued[rest]}"
    return "/".join(issued.get(part, part) for part in value.split("/")) if "/" in value else value


class _Signer:
    """Puts the emulator's credentials into recorded requests, by the provider's own example."""

    def __init__(self, provider: Provider, reader: Reader) -> None:
        self._provider = provider
        self._secret = {name.lower() for name in reader.secret_names}
        # Not the tenant that answers: an example request may issue a token.
        tenancy = Tenancy({provider.id: provider}, lambda: 0)
        self._tenant = tenancy.create(Scenario("sign"), id=DEFAULT_TENANT, clock=ClockSpec("manual", start=0))
        self._known = {
            value for _, value in named_values(provider.default_credentials) if isinstance(value, str)
        }

    def credentials(
        self, request: Request, issued: Mapping[str, str], tenant: Tenant
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The fields and headers (in lower case) that hold credentials, with ours.

        A token that no reply of the recording issued becomes one of ``tenant``.
        """
        if request.operation is None:
            return {}, {}
        given = {name: value for name, value in request.fields.items() if isinstance(value, str)}
        filled, headers = self._provider.authorise(self._tenant, request.operation, given, request.wall)
        secrets = [
            value
            for name, value in given.items()
            if name.lower() in self._secret and filled[name] not in self._known
        ]
        secrets += [
            value.rpartition(" ")[2]
            for name, value in request.headers.items()
            if name in self._secret and name in {each.lower() for each in headers}
        ]
        tokens = [value for value in secrets if value and value not in issued]
        if tokens:
            filled, headers = self._provider.authorise(tenant, request.operation, given, request.wall)
        fields = {
            name: str(filled[name])
            for name, value in given.items()
            if filled[name] in self._known or (value in tokens and name.lower() in self._secret)
        }
        own = {
            name.lower(): value
            for name, value in headers.items()
            if request.headers.get(name.lower(), "").rpartition(" ")[2] not in issued
        }
        return fields, own
