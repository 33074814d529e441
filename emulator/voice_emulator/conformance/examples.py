"""The examples of request schemas, sent as a client sends them, and the pushes that follow, read as a receiver does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode

from aiohttp import ClientSession, FormData

from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.machine_time import wall_now

#: What links in replies begin with, whatever port the suite gets.
HOST = "voice.test"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Example:
    """One example of one operation; ``number`` counts from 1."""

    operation: Operation
    number: int
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of its golden file."""
        return f"{self.operation.name}-{self.number}"


@dataclass(frozen=True)
class Answer:
    """A reply, as read to its end."""

    status: int
    content_type: str
    body: bytes

    @property
    def payload(self) -> Any:
        """The JSON value of the body; None for a file."""
        return json.loads(self.body) if "json" in self.content_type else None


def examples_of(provider: Provider, schemas: SchemaSet) -> list[Example]:
    """Every example of every operation."""
    return [
        Example(operation, number, fields)
        for operation in provider.operations.values()
        for number, fields in enumerate(schemas.get(operation.request).examples, 1)
    ]


def authorised(
    provider: Provider, tenant: Tenant, example: Example, receiver: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Fields and headers of the example with the tenant's credentials; a callback URL in it is ``receiver``."""
    given = {
        name: receiver if name.lower() == "callbackurl" else value for name, value in example.fields.items()
    }
    return provider.authorise(tenant, example.operation, given, wall_now())


def encodings(operation: Operation, fields: Mapping[str, Any]) -> Iterator[str]:
    """The encodings in which fields can be sent: a file part only as multipart, deep values only as JSON."""
    if any(isinstance(value, bytes) for value in fields.values()):
        yield "multipart"
        return
    flat = all(isinstance(value, str) for value in fields.values())
    for encoding in sorted(operation.accepts):
        if flat or encoding == "json":
            yield encoding


async def send(
    client: ClientSession,
    base_url: str,
    provider: Provider,
    operation: Operation,
    encoding: str,
    fields: Mapping[str, Any],
    headers: Mapping[str, str],
) -> Answer:
    """Send the fields in that encoding, by POST where the operation takes it."""
    url = base_url + provider.paths_of(operation.name)[0]
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
    method = "POST" if "POST" in operation.methods else min(operation.methods)
    async with client.request(method, url, data=data, headers=sent) as reply:
        return Answer(reply.status, reply.headers.get("Content-Type", ""), await reply.read())


class Arrived(Protocol):
    """A push as a receiver sees it."""

    @property
    def query(self) -> Mapping[str, str]:
        """The fields in its URL."""
        ...

    @property
    def body(self) -> bytes:
        """Its body."""
        ...


def receipts_of(push: Arrived) -> list[dict[str, Any]]:
    """The fields of each receipt: from query, form, JSON (an array has several), or JSON inside a single form field."""
    text = push.body.decode()
    if text.startswith("["):
        return [dict(one) for one in json.loads(text)]
    fields: dict[str, Any] = dict(push.query)
    if text.startswith("{"):
        fields |= json.loads(text)
    else:
        fields |= dict(parse_qsl(text, keep_blank_values=True))
    if len(fields) == 1:
        (value,) = fields.values()
        if isinstance(value, str) and value.startswith("{"):
            return [dict(json.loads(value))]
    return [fields]
