"""JSON bodies, read strictly: what both ports take, and how they say what is wrong."""

from __future__ import annotations

import json
from typing import Any

#: Deeper JSON than any operation has. Python's own limit is far above, that of validators is not.
DEPTH_LIMIT = 64
#: More values than any operation has in its JSON; each costs many times its text. Short texts are not counted.
VALUE_LIMIT = 100_000
#: With ``unique``: members of an object and digits of a number; nothing that the control port takes has more.
MEMBER_LIMIT = 1_000
DIGITS_LIMIT = 1_000


class JsonRefused(ValueError):
    """A body that is not acceptable JSON: a predicate of "the body". ``place`` has reason, line and column of bad syntax."""

    def __init__(self, message: str, place: tuple[str, int, int] | None = None) -> None:
        super().__init__(message)
        self.place = place


class _NotAcceptable(ValueError):
    """A JSON value that no request may contain."""


def read_json(body: bytes, *, unique: bool = False) -> Any:
    """The JSON value of ``body``, without NaN, infinite numbers, halves of surrogate pairs and deep nesting.

    Of a repeated key the last value counts, as in all common parsers; with ``unique`` there must be none. Raises
    JsonRefused.
    """
    try:
        text = body.decode("utf-8")
        if len(text) > VALUE_LIMIT and sum(map(text.count, ",[{")) > VALUE_LIMIT:
            raise _NotAcceptable(f"it has more than {VALUE_LIMIT} values")
        document = _UNIQUE.decode(text) if unique else _parse(text)
        if text.count("[") + text.count("{") > DEPTH_LIMIT:
            _check_depth(document)
        if "\\u" in text:
            # Validators fail on half of a surrogate pair.
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonRefused(f"is not UTF-8: {error.reason} at byte {error.start}") from None
    except UnicodeEncodeError:
        raise JsonRefused("contains half of a surrogate pair, which is not a character") from None
    except RecursionError:
        raise JsonRefused(f"is nested deeper than {DEPTH_LIMIT} levels") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise JsonRefused(
            f"is not JSON: {error.msg} at {where}", (error.msg, error.lineno, error.colno)
        ) from None
    except ValueError as error:
        # Python refuses integers of thousands of digits, with advice for programmers. Only the text is kept: the
        # exception would keep this frame, and the whole body with it.
        why = "a number is too large" if "int_max_str_digits" in str(error) else str(error)
        raise JsonRefused(f"is not acceptable JSON: {why}") from None
    return document


def _constant(name: str) -> Any:
    raise _NotAcceptable(f"{name} is not a JSON number")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _NotAcceptable(f"the number {text[:40]} is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > DIGITS_LIMIT:
        raise _NotAcceptable("a number is too large")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MEMBER_LIMIT:
        raise _NotAcceptable(f"an object with more than {MEMBER_LIMIT} members")
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _NotAcceptable(f"the key {name[:60]!r} appears twice")
        found[name] = value
    return found


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_float)
_UNIQUE = json.JSONDecoder(
    parse_constant=_constant, parse_float=_float, parse_int=_integer, object_pairs_hook=_object
)
_scan = _DECODER.scan_once  # type: ignore[attr-defined]  # missing from typeshed


def _parse(text: str) -> Any:
    if text.startswith("{"):
        # Without the decoder's search for blanks around the value, which costs as much as a small body.
        try:
            document, end = _scan(text, 0)
        except StopIteration:
            end = -1
        if end == len(text):
            return document
    return _DECODER.decode(text)


def _check_depth(document: Any) -> None:
    level, depth = [document] if isinstance(document, dict | list) else [], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT:
            raise RecursionError
        members = (each.values() if isinstance(each, dict) else each for each in level)
        level = [value for each in members for value in each if isinstance(value, dict | list)]
