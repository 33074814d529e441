"""Sends the examples of request schemas, whoever's they are: no provider is named here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import FormData

from tests.rig import Received, Running
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import discover
from voice_emulator.providers.request import Operation
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.machine_time import wall_now

#: What links in replies begin with, whatever port a test gets.
HOST = "voice.test"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Example:
    """One example of one operation, from 1."""

    package: str
    provider: str
    operation: str
    number: int
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.operation}-{self.number}"


@dataclass(frozen=True)
class Answer:
    """A reply, as read to its end."""

    status: int
    content_type: str
    body: bytes

    @property
    def payload(self) -> Any:
        return json.loads(self.body)


def examples(package: str) -> list[Example]:
    """Every example of every operation of the providers that ``package`` holds."""
    providers = discover(package)
    schemas = SchemaSet.load(providers)
    return [
        Example(package, provider.id, operation.name, number, fields)
        for provider in providers.values()
        for operation in provider.operations.values()
        for number, fields in enumerate(schemas.get(operation.request).examples, 1)
    ]


def provider_of(emu: Running, example: Example) -> Provider:
    return emu.emulator.runtime.providers[example.provider]


def path_of(provider: Provider, operation: str) -> str:
    """The first path at which the operation is served."""
    return next(route.path for route in provider.routes if operation in route.operations)


def ready(emu: Running, example: Example) -> tuple[dict[str, Any], dict[str, str]]:
    """The example with the credentials of ``default``, calling back our receiver."""
    provider = provider_of(emu, example)
    operation = provider.operations[example.operation]
    fields, headers = provider.authorise(emu.tenant, operation, example.fields, wall_now())
    for name in fields:
        if name.lower() == "callbackurl":
            fields[name] = f"{emu.receiver.url}/{provider.id}"
    return fields, headers


def encodings(operation: Operation, fields: Mapping[str, Any]) -> Iterator[str]:
    """The encodings in which the example can be said: a file part only as multipart, deep values only as JSON."""
    if any(isinstance(value, bytes) for value in fields.values()):
        yield "multipart"
        return
    flat = all(isinstance(value, str) for value in fields.values())
    for encoding in sorted(operation.accepts):
        if flat or encoding == "json":
            yield encoding


async def send(
    emu: Running, example: Example, encoding: str, fields: Mapping[str, Any], headers: Mapping[str, str]
) -> Answer:
    """POST the fields in that encoding."""
    url = emu.url + path_of(provider_of(emu, example), example.operation)
    sent = {"Host": HOST, **headers}
    data: Any = None
    if encoding == "json":
        data, sent["Content-Type"] = io.BytesIO(json.dumps(fields).encode()), "application/json"
    elif encoding == "query":
        url += "?" + urlencode(fields)
    elif encoding == "multipart":
        data = FormData(default_to_multipart=True)
        for name, value in fields.items():
            if isinstance(value, bytes):
                data.add_field(name, value, filename="example.mp3", content_type="audio/mpeg")
            else:
                data.add_field(name, value)
    else:
        data = io.BytesIO(urlencode(fields).encode())
        sent["Content-Type"] = FORM if encoding == "urlencoded" else "text/plain"
    async with emu.client.post(url, data=data, headers=sent) as reply:
        return Answer(reply.status, reply.headers.get("Content-Type", ""), await reply.read())


async def call_first(emu: Running, example: Example) -> None:
    """Place a call by each operation that can, and let it end: queries then have something to show."""
    provider = provider_of(emu, example)
    for other in examples(example.package):
        if (
            other.provider == provider.id
            and other.number == 1
            and provider.operations[other.operation].places_calls
        ):
            fields, headers = ready(emu, other)
            await send(
                emu, other, next(encodings(provider.operations[other.operation], fields)), fields, headers
            )
    await emu.settle()


def fields_of(push: Received) -> dict[str, Any]:
    """What a receiver reads from a push: query, form, or JSON, here also inside a single form field."""
    text = push.body.decode()
    fields: dict[str, Any] = dict(push.query)
    if text.startswith("{"):
        fields |= json.loads(text)
    else:
        fields |= dict(parse_qsl(text, keep_blank_values=True))
    if len(fields) == 1:
        (value,) = fields.values()
        if isinstance(value, str) and value.startswith("{"):
            return dict(json.loads(value))
    return fields
