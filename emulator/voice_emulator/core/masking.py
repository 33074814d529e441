"""Masks secrets in everything shown: journal, events, page, HAR, reports, logs.

A secret is recognised by its name (a field or header that a schema marks ``x-secret``) and by its value: the values that
the tenant knows (:class:`TenantSecrets`) and those that a request has under secret names. Names and ids stay visible.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as replace_fields
from functools import cached_property, partial
from typing import Any
from urllib.parse import unquote

from voice_emulator.core.accounts import named_values
from voice_emulator.core.matchers import Difference
from voice_emulator.core.secrets import Span, Values, find, replace
from voice_emulator.core.tokens import Tokens

MASK = "***"
#: The last characters of a token that are shown, to tell tokens apart.
TOKEN_SHOWN = 4
#: Past and present values kept per tenant; past this, former ones are forgotten.
REMEMBERED = 25_000
#: Values of one request that are also searched for in Base64 and hexadecimal.
_ENCODED = 100
#: Query parameters of a receiver's URL that hold a secret, in addition to those of the providers.
_QUERY_SECRET = re.compile(
    r"(?i)token|secret|passw|pwd|auth|credential|signature|session|api_?key|access_?key|^(?:key|sig|jwt|sid|code|pass)$"
)
#: A text with fewer characters cannot contain a secret.
_SHORTEST_LEAF = 5
#: Separates texts that are searched together: no value or escape contains it.
_BETWEEN = "\x1f"
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_OPEN = rb'(?:"(?P<a>[^"\\]*+(?:\\.[^"\\]*+)*+)|\'(?P<b>[^\'\\]*+(?:\\.[^\'\\]*+)*+)|\[(?P<c>[^\]]*+)|\{(?P<d>[^}]*+)'
#: What may follow the name of a secret: each alternative is anchored there and does not backtrack.
_AFTER = re.compile(
    rb'(?s)(?:\\*["\']\s*+:\s*+\\*' + _OPEN + rb'|(?P<e>[^\s&,;}\]"\'<>]++))'
    rb'|=(?P<f>"[^"]*+"?+[^&\s]*+|\'[^\']*+\'?+[^&\s]*+|[^&\s"\']++)'
    rb'|(?:\s[^<>]{0,200}+)?>(?P<g>[^<]++))'
)  # fmt: skip
#: Only in a body may a name without quotes precede a colon: in a sentence that is a remark about the name.
_AFTER_BARE = re.compile(rb"(?s)\s*+:\s*+" + _OPEN + rb'|(?P<e>[^\s&,;}\]"\'<>]++))')
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(rb"\r?\n--|\Z")


class TenantSecrets:
    """All secrets of a tenant: in its credentials, its tokens, and its receivers' URLs.

    Former values stay known: the journal may still contain them.
    """

    __slots__ = ("_learnt", "_names", "_present", "_tokens", "_values", "masker")

    def __init__(self, tokens: Tokens) -> None:
        """``tokens`` are the tenant's; new ones are added by the next search."""
        self._tokens = tokens
        self._names: frozenset[str] = frozenset()
        self._values = Values()
        # Values not searched for yet: most tenants are never shown.
        self._learnt: dict[str, None] = {}
        self._present: dict[str, None] = {}
        #: Masks them; made by the first :meth:`Masker.within`.
        self.masker: Masker | None = None

    def learn(
        self, accounts: Iterable[tuple[Mapping[str, Any], Collection[str]]], urls: Iterable[str]
    ) -> None:
        """Mask the secrets of these accounts, (credentials, secret names) pairs, and of these receivers' URLs.

        A value that is also the name of a credential or a public credential stays visible.
        """
        accounts = list(accounts)
        self._names = frozenset(name.lower() for _, names in accounts for name in names)
        found = [value for url in urls for value in secrets_of_url(url, self._names)]
        public: set[str] = set()
        for credentials, names in accounts:
            public.update(credentials)
            for name, value in named_values(credentials):
                public.add(name)
                if isinstance(value, str):
                    (found.append if name in names else public.add)(value)
        self._present = {value: None for value in found if value not in public}
        if len(self._learnt) > REMEMBERED:
            self._learnt.clear()
        self._learnt |= self._present

    def hide(self, text: str) -> str:
        """``text`` with the values masked."""
        raw = text.encode("utf-8", "surrogatepass")
        return replace(raw, find(raw, self.values)).decode("utf-8", "surrogatepass")

    def url(self, url: str) -> str:
        """A receiver's URL with secrets masked."""
        return self.hide(mask_url(url, self._names))

    def difference(self, one: Difference) -> str:
        """The difference as text, with the value of a secret field masked."""
        if one.place.removeprefix("fields.").lower() in self._names:
            return str(replace_fields(one, expected=MASK, actual=MASK))
        return self.hide(str(one))

    @property
    def values(self) -> Values:
        """The values to find, new tokens included."""
        learnt, self._learnt = self._learnt, {}
        if len(self._values) > REMEMBERED:
            # Nothing that is still kept contains values that were replaced so long ago.
            self._values = Values()
            learnt = {**self._present, **learnt}
            for token in self._tokens:
                self._values.add(token, MASK + token[-TOKEN_SHOWN:])
        for value in learnt:
            self._values.add(value, MASK)
        for token in self._tokens.fresh():
            self._values.add(token, MASK + token[-TOKEN_SHOWN:])
        return self._values


def secrets_of_url(url: str, names: Collection[str] = ()) -> Iterator[str]:
    """The secrets in the userinfo and the query parameters of a receiver's URL."""
    for begin, end in _secret_parts(url, names):
        part = url[begin:end]
        userinfo = end < len(url) and url[end] == "@"
        for text in part.partition(":")[::2] if userinfo and ":" in part else (part,):
            # The user before a password is a name.
            if not (userinfo and ":" in part and text == part.partition(":")[0]):
                yield text
                yield unquote(text)


def mask_url(url: str, names: Collection[str] = ()) -> str:
    """A receiver's URL with userinfo and secret query parameters masked."""
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


class SecretNames:
    """The names, in any case, of fields and headers whose values are secret; asked for at the first search."""

    def __init__(self, find: Callable[[], Iterable[str]]) -> None:
        self._find = find

    @cached_property
    def names(self) -> frozenset[str]:
        """The names in lower case."""
        return frozenset(name.lower() for name in self._find())

    @cached_property
    def sorted(self) -> list[bytes]:
        """The same as bytes, in order."""
        return sorted(name.encode() for name in self.names)


class Masker:
    """Masks what is secret by name, and the secrets of one tenant, in text, mappings and header lists."""

    __slots__ = ("_known", "_open", "_secret")

    def __init__(
        self,
        names: Iterable[str] | SecretNames,
        open_names: Iterable[str] = (),
        known: TenantSecrets | None = None,
    ) -> None:
        """``names``, in any case, are the fields and headers whose values are secret.

        ``open_names`` differ from a secret name in case alone and are not secret; ``known`` are the tenant's secrets.
        """
        if not isinstance(names, SecretNames):
            names = SecretNames(partial(frozenset, tuple(names)))
        self._secret = names
        self._open = frozenset(open_names)
        self._known = known

    def within(self, secrets: TenantSecrets) -> Masker:
        """This masker with the secrets of one tenant."""
        if secrets.masker is None:
            secrets.masker = Masker(self._secret, self._open, secrets)
        return secrets.masker

    def is_secret(self, name: str) -> bool:
        """Whether values with this name are masked."""
        return name.lower() in self._secret.names and name not in self._open

    def _is_secret_header(self, name: str) -> bool:
        """The same for a header; its name is case-insensitive."""
        lower = name.lower()
        return lower in self._secret.names and all(lower != other.lower() for other in self._open)

    def text(self, text: str, values: Values | None = None) -> str:
        """``text`` with secrets masked, by name and by value; ``values`` are additional ones."""
        return self._hidden_in(text.encode("utf-8", "surrogatepass"), values, bare=False).decode(
            "utf-8", "surrogatepass"
        )

    def body(self, body: bytes, values: Values | None = None) -> str:
        """A body as text, with secrets masked."""
        return self._hidden_in(body, values, bare=True).decode("utf-8", "replace")

    def named_values(self, body: bytes) -> Iterator[str]:
        """What follows the names of secrets in a body, as it stands there."""
        for begin, end, _ in self._named_in(body, bare=True):
            yield body[begin:end].decode("utf-8", "surrogateescape")

    def with_placeholders(self, raw: bytes, values: Values) -> bytes:
        """``raw`` with ``values`` replaced by what each is shown as, and what follows other secrets' names masked."""
        return replace(raw, [*find(raw, values), *self._named_in(raw, bare=True)])

    def url(self, url: str) -> str:
        """A receiver's URL with secrets masked."""
        return self.text(mask_url(url, self._secret.names))

    def number(self, number: str) -> str:
        """A called number: digits stay visible even if a secret contains them."""
        return number if number.isdigit() and not self.knows(number) else self.text(number)

    def knows(self, value: str) -> bool:
        """Whether ``value`` is, as a whole, a secret of the tenant."""
        return self._known is not None and value in self._known.values

    def _hidden_in(self, text: bytes, values: Values | None, *, bare: bool) -> bytes:
        spans = [*self._named_in(text, bare)] if self._secret.sorted else []
        sources = [source for source in (self._known and self._known.values, values) if source]
        if sources:
            spans += find(text, *sources)
        return replace(text, spans)

    def _named_in(self, text: bytes, bare: bool) -> Iterator[Span]:
        lower = text.lower()
        starts = [
            (start, len(name))
            for name in self._secret.sorted
            if name in lower  # most are not: no generator for each
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
        """A copy of ``fields`` with secret values masked at any depth."""
        texts: list[str] = []
        shown: dict[str, Any] = self._masked_by_name(fields, texts)
        return self._masked_by_value(shown, values) if self._any_in(texts, values) else shown

    def together(
        self, mappings: Sequence[Mapping[str, Any]], texts: Iterable[str], bodies: Iterable[bytes]
    ) -> tuple[list[dict[str, Any]], Masker]:
        """Copies of ``mappings`` as :meth:`mapping` makes them, and what masks the texts and bodies shown beside them.

        One search in all of them finds, as a rule, that there is nothing to mask but by name.
        """
        found = [*texts]
        shown = [self._masked_by_name(mapping, found) for mapping in mappings]
        raw = _BETWEEN.encode().join([_BETWEEN.join(found).encode("utf-8", "surrogatepass"), *bodies])
        # In a multipart form, what follows a name depends on all that stands before it.
        if b"form-data" not in raw.lower() and self._hidden_in(raw, None, bare=True) is raw:
            return shown, _ByName(self._secret, self._open)
        return [self._masked_by_value(mapping, None) for mapping in shown], self

    def _masked_by_name(self, value: Any, texts: list[str]) -> Any:
        """A copy of ``value``, a value of JSON; all names and remaining leaves that may hold a secret go to ``texts``."""
        if isinstance(value, str):
            if len(value) >= _SHORTEST_LEAF:
                texts.append(value)
            return value
        if isinstance(value, int | float):  # before Mapping, which takes long to ask for
            if not isinstance(value, bool):
                texts.append(str(value))
            return value
        if isinstance(value, Mapping):
            texts += [name for name in value if len(name) >= _SHORTEST_LEAF]
            return {
                name: MASK if self.is_secret(name) else self._masked_by_name(item, texts)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._masked_by_name(item, texts) for item in value]
        return value

    def _any_in(self, texts: list[str], values: Values | None) -> bool:
        """Whether one of ``texts`` may hold a secret: one search is much cheaper than one for each text."""
        raw = _BETWEEN.join(texts).encode("utf-8", "surrogatepass")
        return self._hidden_in(raw, values, bare=False) != raw

    def _masked_by_value(self, value: Any, values: Values | None) -> Any:
        if isinstance(value, str):
            return self._leaf(value, values)
        if isinstance(value, dict):
            return {
                self._leaf(name, values): self._masked_by_value(item, values) for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._masked_by_value(item, values) for item in value]
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = str(value)
            return MASK if self.knows(text) or (values is not None and text in values) else value
        return value

    def _leaf(self, text: str, values: Values | None) -> str:
        """One text of many: a short one, as most are, cannot contain a secret."""
        return text if len(text) < _SHORTEST_LEAF else self.text(text, values)

    def headers(self, headers: Iterable[tuple[str, str]], values: Values | None = None) -> list[list[str]]:
        """Header pairs with secret values masked; an Authorization header keeps its scheme."""
        shown = []
        for name, value in headers:
            if self._is_secret_header(name):
                scheme, space, _ = value.partition(" ")
                value = f"{scheme} {MASK}" if space and scheme.isalpha() else MASK
            shown.append([name, value])
        if self._any_in([text for pair in shown for text in pair], values):
            return [[self._leaf(text, values) for text in pair] for pair in shown]
        return shown

    def secret_values(self, fields: Mapping[str, Any]) -> Values:
        """The secret values in decoded fields, for the other methods."""
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


class _ByName(Masker):
    """Masks by name alone: a search has found nothing in the texts that it gets."""

    __slots__ = ()

    def _hidden_in(self, text: bytes, values: Values | None, *, bare: bool) -> bytes:
        return text

    def _any_in(self, texts: list[str], values: Values | None) -> bool:
        return False

    def text(self, text: str, values: Values | None = None) -> str:
        return text


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
