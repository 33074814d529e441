"""A scenario file made fit to be sent: as one text that says the same on any machine.

Who receives a scenario over HTTP reads no file of its own and no environment for it, so this end does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voice_emulator.core.layers import merge
from voice_emulator.errors import FileError, FileFinding
from voice_emulator.scenarios.diagnostics import Diagnostics
from voice_emulator.scenarios.environment import Variables
from voice_emulator.scenarios.loader import EXTENDS_LIMIT, names_a_file
from voice_emulator.scenarios.nodes import MappingNode, as_value
from voice_emulator.scenarios.yaml_events import from_yaml

#: What a scenario takes over from the one it extends, where it is silent itself.
_INHERITED = ("seed", "clock", "magic_numbers", "extends")


def portable(path: Path, environ: Mapping[str, str]) -> bytes:
    """The file at ``path`` with its variables filled in, and merged with the files that it extends.

    One that needs neither, or cannot be read as YAML, stays as it is: then the findings of the emulator have its
    lines. Raises FileError for a variable that is not set or a file that is not there, OSError when ``path`` is not.
    """
    raw = path.read_bytes()
    try:
        node, findings = from_yaml(raw.decode("utf-8"), str(path))
    except UnicodeDecodeError:
        return raw
    if findings or not isinstance(node, MappingNode):
        return raw
    extends = as_value(node).get("extends")
    if b"${" not in raw and not (isinstance(extends, str) and names_a_file(extends)):
        return raw
    return json.dumps(
        _escaped(_document(path, Variables(environ), ())), ensure_ascii=False, indent=2
    ).encode()


def _document(path: Path, variables: Variables, chain: tuple[Path, ...]) -> dict[str, Any]:
    reading = Diagnostics(str(path))
    chain = (*chain, path.resolve())
    try:
        node, findings = from_yaml(path.read_bytes().decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise _refused(FileFinding(str(path), 1, 1, f"not UTF-8: {error}")) from error
    if findings:
        raise _refused(*findings)
    if not isinstance(node, MappingNode):
        raise _refused(FileFinding(str(path), 1, 1, "a scenario is a mapping"))
    reading.fill_in(node, variables)
    if reading.findings:
        raise _refused(*reading.findings)
    document: dict[str, Any] = as_value(node)
    extends = document.get("extends")
    if not isinstance(extends, str) or not names_a_file(extends):
        return document
    base = path.parent / extends
    if not base.is_file():
        reading.error(node.entries["extends"], f"extends: there is no file {base}")
    elif base.resolve() in chain:
        reading.error(node.entries["extends"], f"extends runs in a circle: {base} again")
    elif len(chain) >= EXTENDS_LIMIT:
        reading.error(node.entries["extends"], f"extends is more than {EXTENDS_LIMIT} scenarios deep")
    if reading.findings:
        raise _refused(*reading.findings)
    return _extended(document, _document(base, variables, chain))


def _extended(child: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    """``child`` with what it inherits, as :mod:`voice_emulator.scenarios.loader` has it."""
    del child["extends"]
    merged = {name: base[name] for name in _INHERITED if name in base} | child
    if isinstance(base.get("providers"), dict) and isinstance(child.get("providers", {}), dict):
        merged["providers"] = merge(base["providers"], child.get("providers", {}))
    inherited, own = base.get("rules") or [], child.get("rules") or []
    if not isinstance(inherited, list) or not isinstance(own, list):
        return merged
    taken = {rule.get("name") for rule in own if isinstance(rule, dict)}
    named = [
        {"name": f"{base.get('name')}: rule {position}"} | rule if isinstance(rule, dict) else rule
        for position, rule in enumerate(inherited, 1)
    ]
    merged["rules"] = own + [
        rule for rule in named if not (isinstance(rule, dict) and rule.get("name") in taken)
    ]
    return merged


def _escaped(value: Any) -> Any:
    """``value`` so that filling in variables once more leaves it as it is."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, dict):
        return {name: _escaped(member) for name, member in value.items()}
    return value


def _refused(*findings: FileFinding) -> FileError:
    return FileError(f"not a valid scenario: {findings[0]}", list(findings))
