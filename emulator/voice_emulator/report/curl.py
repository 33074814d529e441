"""A request as a curl line to paste into a shell. Secrets become shell variables, so that it can be shown to anyone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from voice_emulator.core.masking import MASK

#: Shorter values are not searched for: hiding every "1" would hide the request with the secret.
SHORTEST = 6


def url_secrets(url: str) -> dict[str, str]:
    """What a receiver's URL keeps secret, by value: the shell variable that stands for it in a curl line."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {}
    named = {"USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or "")}
    named |= {re.sub(r"\W+", "_", name).upper(): value for name, value in parse_qsl(parts.query)}
    return {value: f"RECEIVER_{name}" for name, value in named.items() if len(value) >= SHORTEST}


def without_secrets(url: str, secrets: Mapping[str, str]) -> str:
    """``url`` to be shown: without its user and password, and with ``secrets`` masked."""
    plain, user = _without_user(url)
    shown = plain.replace("://", f"://{MASK}@", 1) if user else plain
    pattern = _pattern(secrets)
    return pattern.sub(MASK, shown) if pattern else shown


def curl_line(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    secrets: Mapping[str, str] | None = None,
    *,
    bytes_per_second: int = 0,
) -> str:
    """The request as one line for a POSIX shell. ``secrets`` are shell variables by the value they stand for."""
    secrets = secrets or {}
    target, user = _without_user(url)
    parts = ["curl", "-i", "-X", method]
    if user:
        parts += ["-u", '"$RECEIVER_USER:$RECEIVER_PASSWORD"']
    if bytes_per_second:
        parts += ["--limit-rate", str(bytes_per_second)]
    pairs = list(headers)
    for name, value in pairs:
        parts += ["-H", quoted(f"{name}: {value}" if value else f"{name};", secrets)]
    if not any(name.lower() == "content-type" for name, _ in pairs):
        parts += ["-H", "Content-Type:"]  # curl would call any body a form
    if body or method not in ("GET", "HEAD"):
        parts += ["--data-raw", _body(body, secrets)]
    return " ".join([*parts, quoted(target, secrets)])


def _without_user(url: str) -> tuple[str, str]:
    """The URL without user and password, and these."""
    found = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*://)([^/?#]*)@", url)
    return (found[1] + url[found.end() :], found[2]) if found else (url, "")


def _pattern(secrets: Mapping[str, str]) -> re.Pattern[str] | None:
    forms = {form for value in secrets for form in (value, quote(value, safe=""), quote_plus(value))}
    return re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None


def quoted(text: str, secrets: Mapping[str, str]) -> str:
    """``text`` as a word of a POSIX shell; ``secrets`` are shell variables by the value they stand for."""
    pattern = _pattern(secrets)
    if pattern is None:
        return shlex.quote(text)
    names = {
        form: name
        for value, name in secrets.items()
        for form in (quote(value, safe=""), quote_plus(value), value)
    }
    quoted, end = "", 0
    for found in pattern.finditer(text):
        before = text[end : found.start()]
        quoted += (shlex.quote(before) if before else "") + f'"${names[found[0]]}"'
        end = found.end()
    rest = text[end:]
    return quoted + (shlex.quote(rest) if rest or not quoted else "")


def _body(body: bytes, secrets: Mapping[str, str]) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return quoted(text, secrets)
    # Bytes that are not text: the quoting of bash and zsh.
    plain = frozenset(range(0x20, 0x7F)) - set(b"'\\")
    return "$'" + "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in body) + "'"
