"""The bundle (``.vrec``): a zip of ``manifest.json``, ``exchanges.jsonl`` and ``bodies/<sha256>``.

Nothing is written before all is masked, so exchanges are kept in memory until the recording ends. The file is called
``.part`` until every entry has been searched for every secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from voice_emulator.core.clock import parse_rfc3339, rfc3339
from voice_emulator.errors import EmulatorError, UsageError
from voice_emulator.recording.exchanges import Exchange, Pairs
from voice_emulator.recording.masking import Masking
from voice_emulator.version import version

MANIFEST, EXCHANGES, BODIES = "manifest.json", "exchanges.jsonl", "bodies/"
#: Version of the format.
FORMAT = 1
#: Bytes of an unpacked entry, and exchanges of a bundle, that are read: a bundle may come from somebody else.
ENTRY_LIMIT = 512 * 1024 * 1024
EXCHANGE_LIMIT = 200_000


class LeakFound(EmulatorError):
    """A secret was about to be kept; the file is deleted."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A bundle as it was read. ``exchanges`` are in the order in which they began."""

    manifest: dict[str, Any]
    exchanges: tuple[Exchange, ...]


def write(
    path: Path, exchanges: Iterable[Exchange], masking: Masking, own_numbers: Sequence[str] = ()
) -> dict[str, Any]:
    """Mask the exchanges and write them; gives the manifest.

    Raises LeakFound when a secret is found in what was written, and UsageError where it cannot be written.
    """
    exchanges = sorted(exchanges, key=lambda one: one.at)
    for one in exchanges:
        masking.learn(one)
    part = path.with_name(path.name + ".part")
    try:
        manifest = _write(part, [masking.mask(one) for one in exchanges], masking, own_numbers)
        with ZipFile(part) as made:
            leaks = [masking.leaks(name, made.read(name)) for name in made.namelist()]
            leaks += [masking.leaks("the name of an entry", name.encode()) for name in made.namelist()]
        leak = next((each for each in leaks if each), None)
        if leak is not None:
            raise LeakFound(f"{leak}: {path} is not kept")
        part.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def _write(
    part: Path, exchanges: list[Exchange], masking: Masking, own_numbers: Sequence[str]
) -> dict[str, Any]:
    manifest = {
        "format": FORMAT,
        "generator": f"voice-emulator {version()}",
        "providers": sorted({one.provider for one in exchanges if one.provider}),
        "from": rfc3339(exchanges[0].at) if exchanges else None,
        "to": rfc3339(exchanges[-1].at) if exchanges else None,
        "requests": sum(not one.is_push for one in exchanges),
        "pushes": sum(one.is_push for one in exchanges),
        "own_numbers": list(own_numbers),
        "masked": {"secrets": len(masking.secrets), "numbers": masking.numbers},
    }
    bodies: dict[str, bytes] = {}
    lines = [json.dumps(_line(one, bodies), ensure_ascii=False) for one in exchanges]
    with ZipFile(part, "w", ZIP_DEFLATED) as out:
        out.writestr(MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        out.writestr(EXCHANGES, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        for name, body in bodies.items():
            out.writestr(BODIES + name, body)
    return manifest


def _line(one: Exchange, bodies: dict[str, bytes]) -> dict[str, Any]:
    def kept(body: bytes) -> str | None:
        if not body:
            return None
        name = sha256(body).hexdigest()
        bodies[name] = body
        return name

    return {
        "kind": one.kind, "provider": one.provider, "at": rfc3339(one.at), "took_us": one.took,
        "request": {"method": one.method, "url": one.url, "headers": list(one.headers), "body": kept(one.body)},
        "reply": {"status": one.status, "headers": list(one.reply_headers), "body": kept(one.reply)}
        if one.status else None,
    }  # fmt: skip


def read(path: Path) -> Recording:
    """Read a bundle. Raises UsageError when it is none."""
    try:
        with ZipFile(path) as found:
            names = {info.filename: info.file_size for info in found.infolist()}
            if any(size > ENTRY_LIMIT for size in names.values()) or sum(names.values()) > 4 * ENTRY_LIMIT:
                raise UsageError(f"{path} is larger than a recording can be")
            manifest = json.loads(found.read(MANIFEST))
            if manifest.get("format") != FORMAT:
                raise UsageError(
                    f"{path} has the format {manifest.get('format')!r}; this version reads {FORMAT}"
                )
            lines = found.read(EXCHANGES).decode("utf-8").splitlines()
            if len(lines) > EXCHANGE_LIMIT:
                raise UsageError(f"{path} has more than {EXCHANGE_LIMIT:,} exchanges")
            bodies = {name: found.read(name) for name in names if name.startswith(BODIES)}
        return Recording(manifest, tuple(_exchange(json.loads(line), bodies) for line in lines))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    except (BadZipFile, KeyError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is not a recording: {error}") from error


def _exchange(line: dict[str, Any], bodies: dict[str, bytes]) -> Exchange:
    request, reply = line["request"], line["reply"] or {}

    def body(name: str | None) -> bytes:
        return bodies[BODIES + name] if name else b""

    return Exchange(
        "push" if line["kind"] == "push" else "request", line["provider"], parse_rfc3339(line["at"]), request["method"],
        request["url"], _pairs(request["headers"]), body(request["body"]), int(reply.get("status", 0)),
        _pairs(reply.get("headers", ())), body(reply.get("body")), int(line.get("took_us", 0)),
    )  # fmt: skip


def _pairs(headers: Iterable[Sequence[str]]) -> Pairs:
    return tuple((str(name), str(value)) for name, value in headers)
