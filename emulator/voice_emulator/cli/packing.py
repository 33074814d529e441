"""The running installation as a wheel again: so that a CI job or an image installs it though no index has it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from voice_emulator.resources import FOLDERS, data_path

NAME = "voice-emulator"
_PACKAGE = Path(__file__).resolve().parents[1]
#: Of the metadata, what a wheel has: an installer adds notes of its own.
_METADATA = ("METADATA", "WHEEL", "entry_points.txt", "licenses/LICENSE")
#: Year to second, for every file: the same installation gives the same wheel.
_TIME = (2020, 1, 1, 0, 0, 0)


def write_wheel(folder: Path) -> Path:
    """Write the wheel into ``folder``, which exists, and return its path.

    Raises FileExistsError if it is there, OSError if it cannot be written.
    """
    found = distribution(NAME)
    stem = f"{NAME.replace('-', '_')}-{found.version}"
    path = folder / f"{stem}-py3-none-any.whl"
    record = []
    with path.open("xb") as file, ZipFile(file, "w") as wheel:
        for name, content in (*_files(), *_metadata(found, f"{stem}.dist-info")):
            digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(content)}\n")
            _add(wheel, name, content)
        name = f"{stem}.dist-info/RECORD"
        _add(wheel, name, "".join((*record, f"{name},,\n")).encode())
    return path


def _add(wheel: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, _TIME)
    entry.external_attr = 0o644 << 16
    wheel.writestr(entry, content, ZIP_DEFLATED)


def _files() -> Iterator[tuple[str, bytes]]:
    """The package and its data, wherever that lies (:mod:`voice_emulator.resources`), under their names in a wheel."""
    for root, prefix in (
        (_PACKAGE, "voice_emulator"),
        *((data_path(name), f"voice_emulator/_data/{name}") for name in FOLDERS),
    ):
        for path in sorted(root.rglob("*")):
            inner = path.relative_to(root)
            if path.is_file() and not {"__pycache__", "_data"} & set(inner.parts) and path.suffix != ".pyc":
                yield f"{prefix}/{inner.as_posix()}", path.read_bytes()


def _metadata(found: Distribution, folder: str) -> Iterator[tuple[str, bytes]]:
    for name in _METADATA:
        text = found.read_text(name)
        if text is not None:
            yield f"{folder}/{name}", text.encode()
