"""Who may use the control port: its Host, Origin and token checks.

A web page of somebody else must not reach an emulator on the developer's machine. DNS rebinding needs
a dotted name of the attacker's, so such Host values are refused; a form or script of another site
carries an Origin, so changing requests with a foreign one are refused; there are no CORS headers. Nor may
a push: whoever writes a callback URL would have it change things here in the emulator's name. Our own ports
are not targets in the first place (:mod:`voice_emulator.wire.delivery.target_policy`); this check also covers port
mappings and other emulators.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import HttpVersion11, web

from voice_emulator.core.matchers import compile_glob
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options, option
from voice_emulator.wire.control.problems import ControlError
from voice_emulator.wire.http.agent import AGENT
from voice_emulator.wire.http.sockets import bare
from voice_emulator.wire.traffic.request_parsing import origin_form

_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_ALWAYS = ("localhost", "host.docker.internal", "host.containers.internal")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Guard:
    """Lets in or raises ControlError."""

    def __init__(self, options: Options) -> None:
        """Judge by the options ``--host``, ``--allow-host`` and ``--control-token``.

        Raises UsageError for a token that nobody could send.
        """
        self._token = _token(options.control_token)
        self._bound = frozenset(bare(host.lower()) for host in options.hosts)
        self._allowed = [compile_glob(name.lower().rstrip(".")) for name in options.allow_hosts]

    def check(self, raw: web.BaseRequest, *, public: bool, page: bool) -> None:
        """Let ``raw`` in. ``public`` routes need no token; a browser is asked for it on a ``page``."""
        if AGENT in raw.headers.getall("User-Agent", []):
            raise ControlError(
                403, "this is a push of an emulator: its callback URL leads to a control port", kind="push"
            )
        values = raw.headers.getall("Host", [])
        if public and not values and raw.version < HttpVersion11:
            return  # a probe: it has no Host to tell, and no browser sends such a request
        _, authority, _ = origin_form(raw.raw_path)
        host = self._host([authority] if authority else values)
        if raw.method not in SAFE_METHODS:
            self._origin(raw, host)
        if self._token is not None and not public:
            self._credentials(raw, page=page)

    def _host(self, values: Sequence[str]) -> str:
        if len(values) != 1:
            raise _misdirected("a request names exactly one Host")
        match = _HOST.fullmatch(values[0])
        if match is None:
            raise _misdirected(f"Host {values[0][:100]!r} is malformed")
        name = match[1].lower()
        if not self._accepts(name.rstrip(".")):
            raise _misdirected(
                f"Host {name[:100]!r} is not one of this emulator's; start it with "
                + option(f"--allow-host {name[:100]}", f"allow_hosts=({name[:100]!r},)")
            )
        return values[0].lower()

    def _accepts(self, name: str) -> bool:
        if name in _ALWAYS or name in self._bound or name.endswith(".localhost"):
            return True
        if any(allowed(name) for allowed in self._allowed):
            return True
        try:
            ipaddress.ip_address(name.strip("[]").split("%", 1)[0])
        except ValueError:
            return bool(name) and "." not in name and not name.startswith("[")
        return True

    def _origin(self, raw: web.BaseRequest, host: str) -> None:
        origin = raw.headers.get("Origin")
        if origin is None:
            if raw.headers.get("Sec-Fetch-Site", "none") == "cross-site":
                raise ControlError(
                    403, "a page of another site may not change anything here", kind="foreign-origin"
                )
            return
        try:
            parts = urlsplit(origin) if origin.isprintable() else urlsplit("")
        except ValueError:  # brackets that do not close, and the like
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or _with_port(parts.netloc.lower(), parts.scheme) not in (
            _with_port(host, "http"), _with_port(host, "https"),
        ):  # fmt: skip
            raise ControlError(
                403,
                f"Origin {origin[:100]!r} may not change anything here: only this emulator's own page may",
                kind="foreign-origin",
            )  # fmt: skip

    def _credentials(self, raw: web.BaseRequest, *, page: bool) -> None:
        scheme, _, given = raw.headers.get("Authorization", "").partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() == "basic":
            # What a browser sends once its user has typed the token as the password of the page.
            try:
                offered = base64.b64decode(offered, validate=True).partition(b":")[2]
            except (binascii.Error, ValueError):
                offered = b""
        elif scheme.lower() != "bearer":
            offered = b""
        if self._token is None or hmac.compare_digest(offered, self._token):
            return
        challenge = 'Bearer realm="voice-emulator"'
        if page:
            challenge = f'Basic realm="voice-emulator: the control token is the password", {challenge}'
        why = (
            "the control token is wrong: send the one that this emulator was started with"
            if offered
            else "this emulator was started with a control token: send Authorization: Bearer <token>"
        )
        raise ControlError(401, why, headers={"WWW-Authenticate": challenge})


def _token(text: str | None) -> bytes | None:
    """The token as it is sent; None when there shall be none. An empty one is a mistake, most often an unset variable."""
    if text is None:
        return None
    if not text.strip():
        raise UsageError("--control-token is empty; give a token, or leave the option and its variable out")
    if text != text.strip() or not text.isprintable():
        raise UsageError(
            "--control-token has blanks at its ends or control characters, which no header can carry"
        )
    return text.encode()


def _with_port(netloc: str, scheme: str) -> str:
    match = _HOST.fullmatch(netloc)
    if match is None:
        return netloc
    return f"{match[1]}:{match[2] or {'http': 80, 'https': 443}[scheme]}"


def _misdirected(detail: str) -> ControlError:
    return ControlError(421, detail, kind="unknown-host")
