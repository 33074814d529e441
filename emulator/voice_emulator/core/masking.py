"""Hiding secrets in what is shown: journal, events, page, HAR, reports, logs.

A secret is known by its name (a field or header that a schema marks ``x-secret``) and by its value: those that the
tenant knows (:class:`TenantSecrets`), and those that a request has under secret names. Names and ids stay.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace as replace_fields
from typing import Any
from urllib.parse import unquote

from voice_emulator.core.matchers import Difference
from voice_emulator.core.secrets import Span, Values, find, replace
from voice_emulator.core.tokens import Tokens

MASK = "***"
#: Of a token so many characters are shown at its end, to tell one from another.
TOKEN_SHOWN = 4
#: Values that one tenant has or had, at most; past it those that it has no more are forgotten.
REMEMBERED = 25_000
#: Values of one request that are searched for in Base64 too; of more, only as they are and escaped.
_ENCODED = 100
#: Names of query parameters of a receiver's URL that hold a secret, beside those of the providers.
_QUERY_SECRET = re.compile(
    r"(?i)token|secret|passw|pwd|auth|credential|signature|session|api_?key|access_?key|^(?:key|sig|jwt|sid|code|pass)$"
)
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_OPEN = rb'(?:"(?P<a>[^"\\]*+(?:\\.[^"\\]*+)*+)|\'(?P<b>[^\'\\]*+(?:\\.[^\'\\]*+)*+)|\[(?P<c>[^\]]*+)|\{(?P<d>[^}]*+)'
#: What may follow the name of a secret: each alternative is anchored there and never looks back.
_AFTER = re.compile(
    rb'(?s)(?:\\*["\']\s*+:\s*+\\*' + _OPEN + rb'|(?P<e>[^\s&,;}\]"\'<>]++))'
    rb'|=(?P<f>"[^"]*+"?+[^&\s]*+|\'[^\']*+\'?+[^&\s]*+|[^&\s"\']++)'
    rb'|(?:\s[^<>]{0,200}+)?>(?P<g>[^<]++))'
)  # fmt: skip
#: In a body that is no JSON a name may stand bare before a colon; in a sentence that is a remark about the name.
_AFTER_BARE = re.compile(rb"(?s)\s*+:\s*+" + _OPEN + rb'|(?P<e>[^\s&,;}\]"\'<>]++))')
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(rb"\r?\n--|\Z")


class TenantSecrets:
    """Everything secret that a tenant knows: of its credentials, its tokens, and its receivers' URLs.

    Values that were replaced stay known: the journal may still show them.
    """

    __slots__ = ("_learnt", "_names", "_present", "_tokens", "_values", "masker")

    def __init__(self, tokens: Tokens) -> None:
        """``tokens`` are the tenant's; new ones are learnt when somebody looks."""
        self._tokens = tokens
        self._names: frozenset[str] = frozenset()
        self._values = Values()
        # Those that nobody has looked for yet: most tenants are never shown.
        self._learnt: dict[str, None] = {}
        self._present: dict[str, None] = {}
        #: What hides them, made by the first :meth:`Masker.within`.
        self.masker: Masker | None = None

    def learn(
        self, accounts: Iterable[tuple[Mapping[str, Any], Collection[str]]], urls: Iterable[str]
    ) -> None:
        """Hide what these accounts, (credentials, names of secret ones) pairs, and these receivers' URLs have.

        What a name or an id is called too stays: it is shown as that anyhow.
        """
        accounts = list(accounts)
        self._names = frozenset(name.lower() for _, names in accounts for name in names)
        found = [value for credentials, names in accounts for value in secrets_of(credentials, names)]
        found += [value for url in urls for value in secrets_of_url(url, self._names)]
        public = {text for credentials, names in accounts for text in _public(credentials, names)}
        self._present = {value: None for value in found if value not in public}
        if len(self._learnt) > REMEMBERED:
            self._learnt.clear()
        self._learnt |= self._present

    def hide(self, text: str) -> str:
        """``text`` without the values."""
        raw = text.encode("utf-8", "surrogatepass")
        return replace(raw, find(raw, self.values)).decode("utf-8", "surrogatepass")

    def url(self, url: str) -> str:
        """A receiver's URL without secrets."""
        return self.hide(mask_url(url, self._names))

    def difference(self, one: Difference) -> str:
        """What kept a request from matching, in words; nothing of a secret field but its name."""
        if one.place.removeprefix("fields.").lower() in self._names:
            return str(replace_fields(one, expected=MASK, actual=MASK))
        return self.hide(str(one))

    @property
    def values(self) -> Values:
        """What is to be found, the tokens issued meanwhile included."""
        learnt, self._learnt = self._learnt, {}
        if len(self._values) > REMEMBERED:
            # Of what was replaced long ago nothing is left that could show it.
            self._values = Values()
            learnt = {**self._present, **learnt}
            for token in self._tokens:
                self._values.add(token, MASK + token[-TOKEN_SHOWN:])
        for value in learnt:
            self._values.add(value, MASK)
        for token in self._tokens.fresh():
            self._values.add(token, MASK + token[-TOKEN_SHOWN:])
        return self._values


def secrets_of(values: Mapping[str, Any], names: Collection[str]) -> Iterator[str]:
    """The values under one of ``names`` among credentials, however deep."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from secrets_of(value, names)
        elif isinstance(value, str) and name in names:
            yield value


def _public(values: Mapping[str, Any], names: Collection[str]) -> Iterator[str]:
    """The names of credentials, and the values of those that are no secret."""
    for name, value in values.items():
        yield name
        if isinstance(value, Mapping):
            yield from _public(value, names)
        elif isinstance(value, str) and name not in names:
            yield value


def secrets_of_url(url: str, names: Collection[str] = ()) -> Iterator[str]:
    """What a receiver's URL has in its userinfo and in the secret ones of its query parameters."""
    for begin, end in _secret_parts(url, names):
        part = url[begin:end]
        userinfo = end < len(url) and url[end] == "@"
        for text in part.partition(":")[::2] if userinfo and ":" in part else (part,):
            # The user of a user and password is a name.
            if not (userinfo and ":" in part and text == part.partition(":")[0]):
                yield text
                yield unquote(text)


def mask_url(url: str, names: Collection[str] = ()) -> str:
    """A receiver's URL without its userinfo and the secret ones of its query parameters."""
    for begin, end in reversed(list(_secret_parts(url, names))):
        url = url[:begin] + MASK + url[end:]
    return url


def _secret_parts(url: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    begin = url.find("//") + 2
    if begin >= 2:
        authority = re.match(r"[^/?#\\]*", url[begin:])
        at = authority.group().rfind("@") if authority is not None else -1
        if at > 0:
            yield begin, begin + at
    mark = url.find("?")
    if mark < 0:
        return
    for match in re.finditer(r"[?&;]([^=&;#]*)=([^&;#]+)", url[mark:].partition("#")[0]):
        name = unquote(match[1])
        if _QUERY_SECRET.search(name) or name.lower() in names:
            yield mark + match.start(2), mark + match.end(2)


class Masker:
    """Hides what is secret by name, and what one tenant knows to be secret, in text, mappings and header lists."""

    __slots__ = ("_known", "_names", "_open", "_sorted")

    def __init__(
        self, names: Iterable[str], open_names: Iterable[str] = (), known: TenantSecrets | None = None
    ) -> None:
        """Take the names, in any case, of fields and headers whose values are secret.

        ``open_names`` are such as differ from a secret one by nothing but case, and are none; ``known`` is what
        the tenant knows.
        """
        self._names = frozenset(name.lower() for name in names)
        self._open = frozenset(open_names)
        self._sorted = sorted(name.encode() for name in self._names)
        self._known = known

    def within(self, secrets: TenantSecrets) -> Masker:
        """This masker for one tenant's things."""
        if secrets.masker is None:
            secrets.masker = Masker(self._names, self._open, secrets)
        return secrets.masker

    def is_secret(self, name: str) -> bool:
        """Whether values under this name are hidden."""
        return name.lower() in self._names and name not in self._open

    def _is_secret_header(self, name: str) -> bool:
        """The same of a header, whose name has no case."""
        lower = name.lower()
        return lower in self._names and all(lower != other.lower() for other in self._open)

    def text(self, text: str, values: Values | None = None) -> str:
        """``text`` without secrets: by name, then by value, those of ``values`` included."""
        return self._hidden_in(text.encode("utf-8", "surrogatepass"), values, bare=False).decode(
            "utf-8", "surrogatepass"
        )

    def body(self, body: bytes, values: Values | None = None) -> str:
        """A body without secrets, as text."""
        return self._hidden_in(body, values, bare=True).decode("utf-8", "replace")

    def url(self, url: str) -> str:
        """A receiver's URL without secrets."""
        return self.text(mask_url(url, self._names))

    def number(self, number: str) -> str:
        """What stands where a number should: digits that happen to be in a secret stay."""
        return number if number.isdigit() and not self.knows(number) else self.text(number)

    def knows(self, value: str) -> bool:
        """Whether ``value`` is, as a whole, a secret of the tenant."""
        return self._known is not None and value in self._known.values

    def _hidden_in(self, text: bytes, values: Values | None, *, bare: bool) -> bytes:
        spans = [*self._named_in(text, bare)] if self._sorted else []
        sources = [source for source in (self._known and self._known.values, values) if source]
        if sources:
            spans += find(text, *sources)
        return replace(text, spans)

    def _named_in(self, text: bytes, bare: bool) -> Iterator[Span]:
        lower = text.lower()
        starts = [
            (start, len(name))
            for name in self._sorted
            for start in _occurrences(lower, name)
            if start == 0 or lower[start - 1] not in _WORD
        ]
        starts.sort()
        parts = bare and b"form-data" in lower
        done = blank = 0
        mask = MASK.encode()
        for start, length in starts:
            after = start + length
            if start < done or text[start:after].decode() in self._open:
                continue
            found = _AFTER.match(text, after) or (_AFTER_BARE.match(text, after) if bare else None)
            if found is not None and found.lastgroup is not None:
                done = found.end(found.lastgroup)
                if done > found.start(found.lastgroup):
                    yield Span(found.start(found.lastgroup), done, mask)
            elif parts and lower[max(0, start - 6) : start].rstrip(b'"').endswith(b"name="):
                if blank < after:
                    line = _BLANK_LINE.search(text, after)
                    blank = line.end() if line is not None else len(text)
                end = _BOUNDARY.search(text, blank)
                done = end.start() if end is not None else len(text)
                if done > blank:
                    yield Span(blank, done, mask)

    def mapping(self, fields: Mapping[str, Any], values: Values | None = None) -> dict[str, Any]:
        """A copy of ``fields`` with secret values hidden, however deep they lie."""
        return {
            self._leaf(name, values): MASK if self.is_secret(name) else self._hidden(value, values)
            for name, value in fields.items()
        }

    def _hidden(self, value: Any, values: Values | None) -> Any:
        if isinstance(value, str):
            return self._leaf(value, values)
        if isinstance(value, Mapping):
            return self.mapping(value, values)
        if isinstance(value, list):
            return [self._hidden(item, values) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            return MASK if self.knows(text) or (values is not None and text in values) else value
        return value

    def _leaf(self, text: str, values: Values | None) -> str:
        """A text among others: short and plain ones, as nearly all are, cannot hold a secret."""
        return text if len(text) < 5 else self.text(text, values)

    def headers(self, headers: Iterable[tuple[str, str]], values: Values | None = None) -> list[list[str]]:
        """Header pairs with secret values hidden; an Authorization header keeps its scheme."""
        shown = []
        for name, value in headers:
            if self._is_secret_header(name):
                scheme, space, _ = value.partition(" ")
                value = f"{scheme} {MASK}" if space and scheme.isalpha() else MASK
            else:
                value = self._leaf(value, values)
            shown.append([self._leaf(name, values), value])
        return shown

    def secret_values(self, fields: Mapping[str, Any]) -> Values:
        """The secret values among decoded fields, for the other methods."""
        found = Values()
        for count, value in enumerate(self._secrets_among(fields)):
            found.add(value, MASK, encoded=count < _ENCODED)
        return found

    def _secrets_among(self, fields: Mapping[str, Any]) -> Iterator[str]:
        for name, value in fields.items():
            if self.is_secret(name):
                yield from _leaves(value)
            elif isinstance(value, Mapping):
                yield from self._secrets_among(value)
            elif isinstance(value, list):
                for item in value:
                    if isinstance(item, Mapping):
                        yield from self._secrets_among(item)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _occurrences(text: bytes, word: bytes) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        yield at
        at = text.find(word, at + len(word))
