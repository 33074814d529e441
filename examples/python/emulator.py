"""Copy this file: one tenant of a running voice-emulator for one test. It needs Python and nothing else."""

from __future__ import annotations

import json
import os
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

CONTROL = os.environ.get("VOICE_EMULATOR_CONTROL", "http://127.0.0.1:4881")


class Emulator:
    """A tenant on a manual clock, with credentials of its own. Use it as a context manager."""

    def __init__(self, receiver: str, provider: str = "nxcloud") -> None:
        made = self._call("POST", "/v1/tenants", {"clock": "manual", "callback_urls": {provider: receiver}})
        self.path = f"/v1/tenants/{quote(made['id'])}"
        self.credentials = made["credentials"][provider]
        self.url = self._call("GET", "/health")[
            "traffic"
        ]  # what the client uses in place of the provider's URL

    def load(self, scenario: str) -> None:
        """Put a scenario in force: the name of a shipped one, or YAML."""
        if "\n" in scenario:
            self._call("PUT", f"{self.path}/scenario", scenario)
        else:
            self._call("PUT", f"{self.path}/scenario", {"name": scenario})

    def advance(self, seconds: int | None = None) -> None:
        """Let time pass, or everything happen that is pending. Returns after the pushes were attempted."""
        self._call(
            "POST", f"{self.path}/clock/advance", {"to": "idle"} if seconds is None else {"seconds": seconds}
        )

    def wait_for_callback(self, number: str, timeout: str = "5s") -> dict:
        """The first push for a number: its fields, and how the receiver answered."""
        query = f"for=callbacks&number={quote(number)}&timeout={timeout}"
        waited = self._call("GET", f"{self.path}/wait?{query}")
        assert waited["satisfied"], f"no push for {number} within {timeout}"
        return waited["items"][0]

    def assert_no_violations(self) -> None:
        """Fail where the client broke the provider's contract."""
        found = self._call("GET", f"{self.path}/violations?severity=error")["violations"]
        assert not found, "\n".join(f"{each['rule']}: {each['message']}" for each in found)

    def __enter__(self) -> Emulator:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            if kind is None:  # before the tenant is deleted: its findings go with it
                self.assert_no_violations()
        finally:
            self._call("DELETE", self.path)

    def _call(self, method: str, path: str, body: dict | str | None = None) -> dict:
        kind = "application/yaml" if isinstance(body, str) else "application/json"
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {"Content-Type": kind} if data else {}
        if token := os.environ.get("VOICE_EMULATOR_CONTROL_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        try:
            with urlopen(Request(CONTROL + path, data, headers, method=method)) as reply:
                return json.loads(reply.read() or b"{}")
        except HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from None
