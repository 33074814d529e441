"""The report on the client under test: contract findings, conservation and coverage, in several formats."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voice_emulator.core.tenants import DEFAULT_TENANT, Tenant
from voice_emulator.report.document import Reported, gather

__all__ = ["FORMATS", "format_of", "gather", "render", "render_document", "writable", "write"]

#: The formats by name, with the media type of each.
FORMATS: Mapping[str, str] = {
    "json": "application/json; charset=utf-8",
    "junit": "application/xml; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
}
#: File name endings that say which format a file is to have.
ENDINGS: Mapping[str, str] = {
    ".json": "json", ".xml": "junit", ".html": "html", ".htm": "html", ".md": "markdown",
}  # fmt: skip


def format_of(path: Path) -> str:
    """The format that a file's name asks for. Raises ValueError for another ending."""
    found = ENDINGS.get(path.suffix.lower())
    if found is None:
        raise ValueError(f"{path.name!r} must end in {', '.join(ENDINGS)}")
    return found


def writable(path: Path) -> Path:
    """``path``, to which a report can be written. Raises ValueError for its suffix, or where it cannot be."""
    format_of(path)
    existed = path.exists()
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise ValueError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def render(runtime: Reported, tenant: Tenant, format: str) -> tuple[str, bytes]:
    """The contract report of ``tenant`` now, as (media type, bytes).

    ``format`` is one of :data:`FORMATS`, or ``md``. Raises ValueError for another.
    """
    return render_document(gather(runtime, tenant), format)


def render_document(
    document: Mapping[str, Any], format: str, fail_on: str = "error", *, allow_empty: bool = False
) -> tuple[str, bytes]:
    """A report that was gathered before, as (media type, bytes). Raises ValueError for an unknown format.

    ``fail_on`` and ``allow_empty`` decide which cases of JUnit XML fail.
    """
    name = "markdown" if format == "md" else format
    if name not in FORMATS:
        raise ValueError(f"{format!r} is none of {', '.join(FORMATS)}")
    # Each format is imported on first use: a process that serves may never need it.
    if name == "json":
        body = json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
    elif name == "junit":
        from voice_emulator.report.junit import contract_junit

        body = contract_junit(document, fail_on, allow_empty=allow_empty)
    elif name == "html":
        from voice_emulator.report.html import contract_html

        body = contract_html(document).encode("utf-8", "replace")
    else:
        from voice_emulator.report.markdown import contract_markdown

        body = contract_markdown(document).encode("utf-8", "replace")
    return FORMATS[name], body


def write(runtime: Any, path: Path, tenant_id: str = DEFAULT_TENANT) -> None:
    """Write the report of a tenant to ``path``, in the format of its suffix.

    Raises OSError when the file cannot be written, KeyError for an unknown tenant, ValueError for an unknown suffix.
    """
    tenant = runtime.tenancy.get(tenant_id)
    if tenant is None:
        raise KeyError(tenant_id)
    _, body = render(runtime, tenant, format_of(path))
    path.write_bytes(body)
