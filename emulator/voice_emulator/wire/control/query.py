"""The small query language of lists: ``provider:nxcloud outcome:busy number:628* -rule:VIP*``.

Terms are ``key:value``, separated by blanks; all must hold. A value is a glob, several joined by commas
are alternatives, double quotes keep blanks together, a leading ``-`` negates a term. A bare word is looked
for in everything, whatever its case. Pure: ``ui/query.js`` has the same, and tests hold the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from voice_emulator.core.matchers import Globs
from voice_emulator.core.values import plain_value
from voice_emulator.core.words import nearest

LENGTH_LIMIT = 1_000
TERM_LIMIT = 50
#: The key of bare words: everything there is to search in.
TEXT = "text"
#: One term: an optional minus, an optional key, then quoted and plain pieces.
_TERM = re.compile(r'\s*(-?)(?:([A-Za-z_]+):)?((?:"[^"]*"|[^\s"])*)')


#: What a thing has under a key: one value, or several of which any may match.
Values = str | Sequence[str]


def values_by(read: Callable[[str], Any], keys: Collection[str]) -> Callable[[str], Values]:
    """The values under each key of a thing whose members ``read`` tells; :data:`TEXT` is all of them."""

    def values(key: str) -> Values:
        return [text for name in (keys if key == TEXT else (key,)) for text in _texts(read(name))]

    return values


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    return [str(value)] if value is not None else []


class QueryError(ValueError):
    """An invalid query; the message names the part."""


@plain_value
class Term:
    """One condition on one key."""

    key: str
    globs: Globs
    negated: bool = False

    def holds(self, values: Values) -> bool:
        """Whether any of ``values`` matches, or none for a negated term. No values count as an empty one."""
        texts = (values,) if isinstance(values, str) else values or ("",)
        if self.key == TEXT:
            texts = [text.lower() for text in texts]
        return any(map(self.globs, texts)) is not self.negated


@plain_value
class Query:
    """All terms of a query; without any it matches everything."""

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def matches(self, values_of: Callable[[str], Values]) -> bool:
        """Whether all terms hold for something whose values ``values_of(key)`` tells."""
        return all(term.holds(values_of(term.key)) for term in self.terms)


def parse_query(text: str, keys: Collection[str]) -> Query:
    """The query ``text`` over ``keys``. Raises QueryError, with the nearest key for an unknown one."""
    if len(text) > LENGTH_LIMIT:
        raise QueryError(f"a query has at most {LENGTH_LIMIT} characters")
    terms: list[Term] = []
    position = 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TERM.match(stripped, position)
        if match is None or match.end() == position or (not match[3] and not match[2]):
            raise QueryError(f"cannot read {stripped[position : position + 40].strip()!r}; write key:value")
        position = match.end()
        terms.append(_term(match[2], match[3], keys, negated=match[1] == "-"))
        if len(terms) > TERM_LIMIT:
            raise QueryError(f"a query has at most {TERM_LIMIT} terms")
    return Query(tuple(terms))


def query_pattern(keys: Collection[str]) -> str:
    """A regular expression, as JSON Schema takes them, for the queries that :func:`parse_query` reads."""
    rest = r'(?:"[^"]*"|[^\s"])'
    term = rf'(?:(?:{"|".join(keys)}):|(?![A-Za-z_]+:))(?:,|"")*(?:"[^"]+"|[^\s",]){rest}*'
    term = f"(?:-|(?!-))(?:{term})"
    return rf"^\s*(?:{term}(?:\s+{term}){{0,{TERM_LIMIT - 1}}})?\s*$"


def _term(key: str | None, raw: str, keys: Collection[str], *, negated: bool) -> Term:
    values = [part.replace('"', "") for part in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', raw)]
    if key is None:
        if not any(values):
            raise QueryError(f"{raw[:40]!r} has no text to search for")
        return Term(TEXT, Globs(*(f"*{value.lower()}*" for value in values)), negated)
    if key not in keys:
        raise QueryError(f"unknown key {key[:40]!r}{nearest(key[:40], keys)}")
    if not any(values):
        raise QueryError(f"{key} has no value")
    return Term(key, Globs(*values), negated)
