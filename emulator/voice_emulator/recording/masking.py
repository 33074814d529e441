"""Placeholders for secrets and for other people's numbers, before anything of a recording reaches the disk.

A secret is known by the name of its field or header, which the schemas mark. Wherever its value is seen once, it is
replaced everywhere, however encoded: also where it came earlier, and under other names. The placeholder has the length
and the kinds of characters of the secret, so that ids can still be compared. It follows from the value and a random key
that is forgotten with the process.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as random_bytes
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from voice_emulator.core.masking import MASK, Masker, secrets_of_url
from voice_emulator.core.matchers import compile_glob
from voice_emulator.core.secrets import SHORTEST, Values, find
from voice_emulator.recording.exchanges import Exchange, Pairs, Reader, json_of, push_fields

#: The last digits of a masked number that stay, and the fewest that are replaced.
SHOWN, HIDDEN = 4, 3
_KINDS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
_NUMBER = re.compile(r"[+]?[0-9*#]{5,32}")


class Masking:
    """Learns all secrets and numbers of a recording, then replaces them."""

    def __init__(self, reader: Reader, own_numbers: Sequence[str] = (), key: bytes | None = None) -> None:
        """``own_numbers`` are globs of the tester's own numbers, which stay."""
        self._reader = reader
        self._own = [compile_glob(pattern) for pattern in own_numbers]
        self._key = key or random_bytes.token_bytes(32)
        self._masker = Masker(reader.secret_names, reader.open_names)
        self._secrets: dict[str, str] = {}
        self._numbers: dict[str, str] = {}
        self._seen: set[str] = set()
        self._known = Values()
        self._values: Values | None = None

    @property
    def secrets(self) -> Mapping[str, str]:
        """The placeholder of each secret."""
        return self._secrets

    @property
    def numbers(self) -> int:
        """How many numbers are replaced."""
        return len(self._numbers)

    # --- learning ---------------------------------------------------------------------------

    def learn(self, exchange: Exchange) -> None:
        """Learn the secrets and numbers of an exchange. All must be learnt before one is masked."""
        self._values = None
        for name, value in (*exchange.headers, *exchange.reply_headers):
            if self._masker.is_secret(name):
                self._header(name, value)
        for value in secrets_of_url(exchange.url, self._reader.secret_names):
            self._secret(value)
        for name, value in self._named(exchange):
            if self._masker.is_secret(name):
                self._secret(value)
            elif name in self._reader.number_names:
                self._number(value)
        # What no decoder reads may still have a secret beside its name.
        for raw in (exchange.url.encode(), exchange.body, exchange.reply):
            for value in self._masker.named_values(raw):
                if not find(value.encode("utf-8", "surrogateescape"), self._known):
                    self._secret(unquote_plus(value))

    def _header(self, name: str, value: str) -> None:
        scheme, space, rest = value.partition(" ")
        self._secret(rest if space and scheme.isalpha() else value)
        if "cookie" in name.lower():
            for part in value.split(";"):
                self._secret(part.partition("=")[2].strip())

    def _named(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        """Every value of an exchange with the name of its field."""
        if not exchange.is_push:
            request = self._reader.request(exchange.method, exchange.target, exchange.headers, exchange.body)
            if request is not None:
                yield from _named_values(request.fields)
                yield from _named_values(request.query)
                for number in request.numbers:
                    self._number(number)
        yield from _named_values(push_fields(exchange))
        document = json_of(exchange.body)
        yield from _named_values(document)
        answer = json_of(exchange.reply)
        yield from _named_values(
            answer
            if answer is not None
            else push_fields(
                replace(exchange, body=exchange.reply, headers=exchange.reply_headers, url="http://-/")
            )
        )

    def _secret(self, value: str) -> None:
        if len(value) >= SHORTEST and MASK not in value and value not in self._secrets:
            self._known.add(value, "")
            self._secrets[value] = self._placeholder(value, lambda made: made not in self._secrets)

    def _number(self, text: str) -> None:
        for number in re.split(r"[,;\s]+", text):
            if not _NUMBER.fullmatch(number) or number in self._seen:
                continue
            self._seen.add(number)
            if any(own(number) for own in self._own):
                continue
            self._numbers[number] = number

    # --- replacing --------------------------------------------------------------------------

    def _ready(self) -> Values:
        if self._values is None:
            taken = set(self._seen)
            # Shorter ones first: a number with its country code ends like the one without.
            for number in sorted(self._numbers, key=len):
                self._numbers[number] = self._masked_number(number, taken)
                taken.add(self._numbers[number])
            self._values = Values()
            for value, shown in (*self._secrets.items(), *self._numbers.items()):
                self._values.add(value, shown)
        return self._values

    def mask(self, exchange: Exchange) -> Exchange:
        """The exchange with placeholders."""
        return replace(
            exchange,
            url=self.text(exchange.url),
            headers=self._headers(exchange.headers),
            body=self.raw(exchange.body),
            reply_headers=self._headers(exchange.reply_headers),
            reply=self.raw(exchange.reply),
        )

    def text(self, text: str) -> str:
        """Text with placeholders."""
        return self.raw(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def raw(self, raw: bytes) -> bytes:
        """Bytes with placeholders."""
        return self._masker.with_placeholders(raw, self._ready())

    def _headers(self, headers: Pairs) -> Pairs:
        shown = []
        for name, value in headers:
            masked = self.text(value)
            if self._masker.is_secret(name) and masked == value and MASK not in value:
                masked = MASK  # too short to be searched for
            shown.append((name, masked))
        return tuple(shown)

    def leaks(self, name: str, raw: bytes) -> str | None:
        """Why ``raw``, an entry of a bundle, must not be kept: a secret is in it, in some encoding."""
        return f"{name} contains a secret" if find(raw, self._known) else None

    # --- placeholders -----------------------------------------------------------------------

    def _placeholder(self, value: str, free: Callable[[str], bool]) -> str:
        for attempt in range(1_000):
            stream = self._stream(value, attempt)
            made = "".join(_of_kind(char, next(stream)) for char in value)
            if made != value and free(made):
                return made
        return "x" * len(value)  # all of one punctuation mark, say

    def _masked_number(self, number: str, taken: Iterable[str]) -> str:
        """Prefix and last digits as they are; of a short number, less of the prefix."""
        for cut in range(1, len(number) - SHOWN - HIDDEN + 1):
            national = self._numbers.get(number[cut:])
            if national is not None and number[:cut] + national not in taken:
                return number[:cut] + national
        end = len(number) - SHOWN
        begin = max(number.startswith("+"), min(5, end - HIDDEN))
        for attempt in range(10_000):
            stream = self._stream(number, attempt)
            middle = "".join(_of_kind(char, next(stream)) for char in number[begin:end])
            made = number[:begin] + middle + number[end:]
            if made not in taken:
                return made
        return number[:begin] + "x" * (end - begin) + number[end:]

    def _stream(self, value: str, attempt: int) -> Iterator[int]:
        block = 0
        while True:
            text = f"{attempt}/{block}/{value}".encode("utf-8", "surrogatepass")
            yield from hmac.new(self._key, text, hashlib.sha256).digest()
            block += 1


def _of_kind(char: str, number: int) -> str:
    if char in "abcdef":  # hexadecimal stays hexadecimal
        return "abcdef"[number % 6]
    return next((kind[number % len(kind)] for kind in _KINDS if char in kind), char)


def _named_values(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _named_values(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _named_values(item, name)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield name, str(value)
        inner = json_of(value.encode("utf-8", "replace")) if isinstance(value, str) else None
        if inner is not None:
            yield from _named_values(inner, name)
