"""A first call at a provider as shell lines: what a person pastes to see whether everything is wired up.

Secrets stay out of them: a line reads the shell variable of a credential, ``$SECRETKEY`` for ``secretkey``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation
from voice_emulator.report.curl import quoted
from voice_emulator.schemas.validate import SchemaSet

#: The variable of a token, which a line before the call fetches.
_TOKEN = "TOKEN"


def _mark(variable: str) -> str:
    """Stands for a shell variable until everything is quoted; JSON and forms leave it as it is."""
    return f"__{variable}__"


class FirstCall:
    """The shell lines for one operation, and the variables they need: name to credential, dotted."""

    def __init__(self, base: str, provider: Provider, tenant: Tenant, schemas: SchemaSet) -> None:
        """``base`` is the URL of the traffic port."""
        self._base = base
        self._provider = provider
        self._schemas = schemas
        self._tenant = tenant
        self._credentials = dict(_leaves(tenant.credentials.get(provider.id, {})))
        self._variables: dict[str, str] = {}

    def shown(self, operation: Operation, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Shell lines that send ``fields`` with credentials, after one that fetches a token where one is needed."""
        headers = {
            header.name: value
            for header in operation.headers
            if (value := self._header(header.name, header.required)) is not None
        }
        filled = self._filled(fields)
        if not headers and filled == dict(fields):
            # Nothing of it is a credential: the provider signs its requests, which a shell line cannot do.
            return {"lines": [], "variables": {}}
        lines = [self._curl(path, operation, filled, headers)]
        if "$TOKEN" in lines[0]:
            lines = [*self._token(), *lines]
        return {"lines": lines, "variables": dict(self._variables)}

    def _filled(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in fields.items():
            credential = next((path for path in self._credentials if _last(path) == name), None)
            secret = name in self._provider.secrets
            if credential is not None:
                found[name] = self._value(credential)
            elif value or not secret:
                found[name] = _mark(_TOKEN) if secret else value
        return found

    def _value(self, path: str) -> str:
        """A credential: itself, or the mark of a variable where it is a secret."""
        if _last(path) not in self._provider.secrets:
            return self._credentials[path]
        name = re.sub(r"[^A-Z0-9]", "_", path.upper())
        self._variables[name] = path
        return _mark(name)

    def _hidden(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``fields`` with the mark of a variable for every secret credential among the values."""
        paths = {value: path for path, value in self._credentials.items()}
        return {
            name: self._value(paths[value]) if value in paths else value for name, value in fields.items()
        }

    def _header(self, name: str, required: bool) -> str | None:
        """A credential, or the token where a header is required; None for what may as well be left out."""
        plain = _plain(name).removeprefix("x")
        credential = next((path for path in self._credentials if _plain(_last(path)) == plain), None)
        if credential is not None:
            return self._value(credential)
        return f"Bearer {_mark(_TOKEN)}" if required else None

    def _token(self) -> Iterator[str]:
        provider = self._provider
        for operation in provider.operations.values():
            examples = self._schemas.get(operation.request).examples
            secrets = [name for name in self._schemas.get(operation.reply).secrets if "oken" in name]
            if operation.issues_token and examples and secrets:
                path = provider.paths_of(operation.name)[0]
                # Only a call that carries a token would have one issued by this.
                fields, headers = provider.authorise(self._tenant, operation, examples[0], 0)
                line = self._curl(path, operation, self._hidden(fields), self._hidden(headers))
                yield f'TOKEN=$({line} | sed -E \'s/.*"{secrets[0]}" *: *"([^"]+)".*/\\1/\')'
                return

    def _curl(
        self, path: str, operation: Operation, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> str:
        marks = {_mark(name): name for name in (*self._variables, _TOKEN)}
        parts = [f"curl -sS {quoted(self._base + path, {})}"]
        parts += [f"-H {quoted(f'{name}: {value}', marks)}" for name, value in headers.items()]
        if "json" in operation.accepts:
            parts.append("-H 'Content-Type: application/json'")
            parts.append(f"-d {quoted(json.dumps(dict(fields), ensure_ascii=False), marks)}")
        else:
            for name, value in fields.items():
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                parts.append(f"--data-urlencode {quoted(f'{name}={text}', marks)}")
        return " \\\n  ".join(parts)


def _leaves(credentials: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in credentials.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{name}.")
        elif isinstance(value, str) and value:
            yield before + name, value


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
