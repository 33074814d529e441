"""As much of curl as the documentation uses, for machines that have none: `python curl.py ARGUMENTS`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from urllib.parse import quote_plus

import aiohttp
from yarl import URL


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("curl", allow_abbrev=False)
    for flag in ("-s", "-S", "-f"):
        parser.add_argument(
            flag, {"-s": "--silent", "-S": "--show-error", "-f": "--fail"}[flag], action="store_true"
        )
    parser.add_argument("-N", "--no-buffer", action="store_true")
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-F", "--form", action="append", default=[])
    parser.add_argument("--max-time", type=float)
    for name in (("-d", "--data"), ("--data-urlencode",), ("--data-binary",)):
        parser.add_argument(*name, dest="data", action="append", default=[], type=_kind(name[-1]))
    parser.add_argument("url")
    return parser.parse_args(argv)


def _kind(option: str):
    def read(value: str) -> bytes:
        if option == "--data-urlencode":
            name, _, text = value.partition("=")
            return f"{name}={quote_plus(text)}".encode()
        if value.startswith("@"):
            body = Path(value[1:]).read_bytes()
            return body if option == "--data-binary" else body.replace(b"\n", b"").replace(b"\r", b"")
        return value.encode()

    return read


async def main(given: argparse.Namespace) -> int:
    body: bytes | aiohttp.FormData | None = b"&".join(given.data) if given.data else None
    headers = dict(header.split(": ", 1) for header in given.header)
    if given.form:
        body = aiohttp.FormData(default_to_multipart=True)
        for pair in given.form:
            name, _, value = pair.partition("=")
            body.add_field(name, value)
    elif body is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    url = given.url if "://" in given.url else f"http://{given.url}"
    method = given.request or ("POST" if body is not None else "GET")
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(given.max_time)) as session,
        session.request(
            method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
        ) as reply,
    ):
        sys.stdout.buffer.write(await reply.read())
        # What ~/.curlrc says in the tests: fail-with-body.
        return 22 if reply.status >= 400 else 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(arguments(sys.argv[1:]))))
    except TimeoutError:
        sys.exit(28)
