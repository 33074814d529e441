"""A client of the control API that holds every reply against the API's own OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import jsonschema

from tests.rig import Running
from voice_emulator.providers.provider import Provider
from voice_emulator.wire.control.document.openapi import control_document
from voice_emulator.wire.control.routes import control_routes
from voice_emulator.wire.control.routing import ControlRoutes

GPSEND = {
    "appkey": "nx-appkey",
    "secretkey": "nx-secretkey",
    "country_code": "62",
    "show_phone": "123456",
    "url": "https://nxcloud.com/1963370420.m4a",
}
BUSY, ANSWERED = "6281200000486", "6281200000000"


@dataclass
class Reply:
    """One reply, read to its end."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def errors(self) -> dict[str, str]:
        """Messages of a problem by pointer."""
        return {error["pointer"]: error["message"] for error in self.json["errors"]}


@lru_cache(maxsize=4)
def _document(providers: tuple[Provider, ...]) -> dict[str, Any]:
    """Made once for all tests: it costs more than most of them."""
    known = {provider.id: provider for provider in providers}
    return control_document(control_routes(known), known, "http://127.0.0.1:4881", "1")


class Api:
    """Talks to the control port of a running emulator."""

    def __init__(self, emu: Running) -> None:
        self.emu = emu
        runtime = emu.emulator.runtime
        routes = emu.emulator._control.routes
        self.document = _document(tuple(runtime.providers.values()))
        self._table = ControlRoutes(routes)
        self.seen: set[tuple[str, int]] = set()

    async def __call__(self, method: str, path: str, body: Any = None, **arguments: Any) -> Reply:
        if body is not None:
            arguments["json"] = body
        async with self.emu.client.request(method, self.emu.control + path, **arguments) as response:
            reply = Reply(response.status, response.headers, await response.text())
        self._check(method, path, reply)
        return reply

    async def get(self, path: str, **query: Any) -> Reply:
        return await self("GET", path + (f"?{urlencode(query)}" if query else ""))

    async def post(self, path: str, body: Any = None, **arguments: Any) -> Reply:
        return await self("POST", path, body, **arguments)

    def _check(self, method: str, path: str, reply: Reply) -> None:
        methods, _ = self._table.find(path.partition("?")[0])
        if method not in methods or reply.status == 405:
            return
        operation = self.document["paths"][methods[method].path][method.lower()]
        self.seen.add((methods[method].name, reply.status))
        assert str(reply.status) in operation["responses"], (
            f"{method} {path} answers {reply.status}: not documented"
        )
        response = operation["responses"][str(reply.status)]
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].rsplit("/", 1)[-1]]
        content = response.get("content", {})
        media = reply.headers.get("Content-Type", "").partition(";")[0]
        if not content:
            assert reply.text == ""
            return
        assert media in content or "*/*" in content, f"{method} {path} answers {media}: not documented"
        if media.endswith("json") and media in content:
            schema = {**content[media]["schema"], "components": self.document["components"]}
            jsonschema.Draft202012Validator(
                schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
            ).validate(reply.json)

    async def dial(self, *numbers: str, credentials: Mapping[str, Any] | None = None, **fields: str) -> Any:
        """Place calls at NXCloud."""
        own = {k: v for k, v in (credentials or {}).items() if k in ("appkey", "secretkey")}
        form = {**GPSEND, **own, "phone": ",".join(numbers), **fields}
        async with self.emu.client.post(f"{self.emu.url}/api/voiceSms/gpsend", data=form) as response:
            return json.loads(await response.text())
