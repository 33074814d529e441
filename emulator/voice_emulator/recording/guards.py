"""What a recording may send to a real provider: each call that it places costs money, and rings at somebody's."""

from __future__ import annotations

from collections.abc import Sequence

from yarl import URL

from voice_emulator.core.matchers import compile_glob
from voice_emulator.errors import UsageError
from voice_emulator.providers.request import Request
from voice_emulator.recording.exchanges import unclear_of
from voice_emulator.wire.http.sockets import is_loopback


class Guards:
    """Decides on each request before it leaves. A decision takes no time, so no two requests share a call."""

    def __init__(self, budget: int, only_numbers: Sequence[str], *, read_only: bool = False) -> None:
        """At most ``budget`` numbers are called in all, each matching one of the globs ``only_numbers``."""
        self.left = budget
        self._budget = budget
        self._allowed = [compile_glob(pattern) for pattern in only_numbers]
        self._read_only = read_only

    def refusal(self, request: Request) -> str | None:
        """Why a request is not forwarded; None when it is, and then its numbers are spent."""
        operation = request.operation
        unclear = unclear_of(request)
        if unclear or operation is None:
            return f"its numbers cannot be read for certain: {unclear}"
        if self._read_only and (operation.places_calls or operation.changes):
            return f"{operation.name} changes something at the provider, and --read-only is given"
        if not operation.places_calls:
            return None
        if not request.numbers:
            return f"{operation.name} places calls, and no number was found in the request"
        strange = [
            number for number in request.numbers if not any(allowed(number) for allowed in self._allowed)
        ]
        if strange:
            return f"{len(strange)} of {len(request.numbers)} numbers do not match --only-numbers"
        if len(request.numbers) > self.left:
            return f"--budget {self._budget} has {self.left} calls left, and this request places {len(request.numbers)}"
        self.left -= len(request.numbers)
        return None


def upstream_url(text: str) -> URL:
    """The address of a real provider. Raises UsageError for one that is not safe to send credentials to."""
    url = URL(text, encoded=True)
    if url.scheme not in ("http", "https") or not url.raw_host or url.raw_user or url.raw_query_string:
        raise UsageError(f"{text!r} is not the address of a provider; write one like https://api.example.com")
    if url.scheme == "http" and not (is_loopback(url.raw_host) or url.raw_host == "localhost"):
        raise UsageError(
            f"{text}: credentials would travel in the clear; an http:// upstream must be on loopback"
        )
    return url
