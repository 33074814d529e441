"""Replies that several providers need: a failure of the emulator itself, and a file."""

from __future__ import annotations

from collections.abc import Iterable

from voice_emulator.providers.request import Reply


def own_failure(status: int, message: str, *, code: str = "", allow: Iterable[str] = ()) -> Reply:
    """A failure that is the emulator's, in plain text and in the header ``Emulator-Error``.

    For what no page of the provider describes: an unknown link, a wrong method (``allow`` lists the right
    ones). ``code`` is for journal and metrics (default: the status).
    """
    line = one_line(message)
    headers = (("Emulator-Error", line), *((("Allow", ", ".join(allow)),) if allow else ()))
    body, kind = f"{line}\n".encode(), "text/plain; charset=utf-8"
    return Reply(status, body, kind, code or str(status), refused=True, headers=headers)


def one_line(text: str) -> str:
    """``text`` as one line of ASCII, at most 500 characters, fit for a header."""
    return " ".join(text.split()).encode("ascii", "backslashreplace").decode()[:500]


def file_reply(content: bytes, content_type: str, *, code: str = "200", name: str = "") -> Reply:
    """A downloaded file; with ``name`` the client is told to save it under that name."""
    headers = (("Content-Disposition", f'attachment; filename="{name}"'),) if name else ()
    return Reply(200, content, content_type, code, headers=headers)
