"""Loads scenarios: shipped ones by name, files, texts, and decoded JSON; ``extends`` resolved."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from voice_emulator.core.encodings import foreign
from voice_emulator.core.layers import merge
from voice_emulator.core.scenario import Rule, Scenario
from voice_emulator.core.words import nearest
from voice_emulator.errors import FileError, FileFinding, UsageError
from voice_emulator.resources import data_path
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.diagnostics import Diagnostics, TooManyFindings
from voice_emulator.scenarios.documents import Document, read_document
from voice_emulator.scenarios.environment import Variables, variables_sent
from voice_emulator.scenarios.nodes import Node, from_json
from voice_emulator.scenarios.yaml_events import SIZE_LIMIT, from_yaml

MAGIC_NUMBERS = "magic-numbers"
SUFFIX = ".yaml"
#: How many scenarios may extend each other in a chain.
EXTENDS_LIMIT = 16
NO_VARIABLES = Variables({})
#: The label, in findings, of a scenario that does not come from a file.
LABEL = "scenario"


@dataclass(frozen=True, slots=True)
class _Source:
    """A scenario before it is read. ``path`` is its file; relative paths in it start from there."""

    label: str
    key: str
    node: Node | None
    findings: tuple[FileFinding, ...]
    text: str
    path: Path | None = None
    shipped: bool = False
    references: bool = True


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A scenario with all it extends, everything wrong with any of them, and the files."""

    document: Document
    findings: list[FileFinding]
    files: tuple[Path, ...]


class ScenarioLoader:
    """Reads scenarios, for the whole process.

    ``environ`` is what ``${NAME}`` refers to in what is written on this machine; what came over HTTP may
    refer to the ``sent_names`` of it alone. All methods that load raise FileError, with every finding, for a
    scenario that is wrong.
    """

    def __init__(
        self, catalogue: Catalogue, environ: Mapping[str, str], sent_names: Collection[str] = ()
    ) -> None:
        """Load with the names of ``catalogue`` and the variables of ``environ``."""
        self._catalogue = catalogue
        self._local = Variables(environ)
        self._sent = variables_sent(environ, sent_names)
        self._magic: tuple[Rule, ...] | None = None
        self._named: dict[str, Scenario] = {}

    def named(self, name: str) -> Scenario:
        """A shipped scenario. Raises UsageError with the nearest name when there is none."""
        if name not in self._named:
            self._named[name] = self._finish(self._shipped_source(name), NO_VARIABLES)
        return self._named[name]

    def file(self, path: str | Path) -> Scenario:
        """A scenario file. Raises UsageError when it cannot be read at all."""
        return self._finish(_file_source(Path(path), str(path)), self._local)

    def files(self, path: Path) -> tuple[Path, ...]:
        """A scenario file and those that it extends, as far as they can be read."""
        return self._resolve(_file_source(path, str(path)), self._local, ()).files

    def text(self, text: str) -> Scenario:
        """A scenario as YAML (or JSON) text of this process; it can extend shipped scenarios only."""
        return self._finish(_text_source(text), self._local)

    def mapping(self, document: Any) -> Scenario:
        """A scenario as a decoded JSON document; its findings carry JSON Pointers instead of lines."""
        return self._finish(_mapping_source(document), self._local)

    def sent(self, source: Any) -> Scenario:
        """A scenario that came over HTTP, as text or as a decoded JSON document.

        It reads nothing of this machine: no file, and of the environment only what was allowed.
        """
        found = _text_source(source) if isinstance(source, str) else _mapping_source(source)
        return self._finish(found, self._sent)

    def open(self, name_or_path: str) -> Scenario:
        """The file at a path, or else the shipped scenario of that name, as the command line has it."""
        path = Path(name_or_path)
        if path.is_file():
            return self.file(path)
        if "/" in name_or_path or "\\" in name_or_path or path.suffix in (".yaml", ".yml", ".json"):
            raise UsageError(f"there is no file {name_or_path}")
        return self.named(name_or_path)

    def check(self, path: str | Path) -> list[FileFinding]:
        """Everything wrong with a file, and with the files it extends; warnings if it is valid."""
        return self._checked(_file_source(Path(path), str(path)))

    def check_bytes(self, raw: bytes, label: str) -> list[FileFinding]:
        """As :meth:`check`, of a file's contents; paths in it start from the working directory."""
        return self._checked(_bytes_source(raw, label, Path(label)))

    def _checked(self, source: _Source) -> list[FileFinding]:
        findings = self._resolve(source, self._local, (), warns=True).findings
        return [finding for finding in findings if not finding.warning] or findings

    def shipped(self) -> list[tuple[str, str]]:
        """Name and description of each shipped scenario, by name."""
        return [(name, self.named(name).description) for name in shipped_names()]

    def _shipped_source(self, name: str) -> _Source:
        names = shipped_names()
        if name not in names:
            raise UsageError(f"there is no scenario {name!r}{nearest(name, names)}")
        return _shipped_file(name)

    def _finish(self, source: _Source, variables: Variables) -> Scenario:
        loaded = self._resolve(source, variables, ())
        if loaded.findings:
            first = str(loaded.findings[0])
            more = f" (and {len(loaded.findings) - 1} more)" if len(loaded.findings) > 1 else ""
            raise FileError(f"not a valid scenario: {first}{more}", loaded.findings)
        document = loaded.document
        return Scenario(
            name=document.name,
            description=document.description,
            seed=document.seed,
            clock=document.clock,
            providers=document.providers,
            rules=tuple(document.rules),
            magic=() if document.magic_numbers is False else self._magic_rules(document.rules),
            text=source.text,
        )

    def _magic_rules(self, own: list[Rule]) -> tuple[Rule, ...]:
        """The rules of the magic numbers, less those that the scenario has under the same name itself."""
        if self._magic is None:
            loaded = self._resolve(self._shipped_source(MAGIC_NUMBERS), NO_VARIABLES, ())
            if loaded.findings:
                raise FileError(
                    f"the shipped magic numbers are broken: {loaded.findings[0]}", loaded.findings
                )
            self._magic = tuple(loaded.document.rules)
        taken = {rule.name for rule in own}
        return tuple(rule for rule in self._magic if rule.name not in taken)

    def _resolve(
        self, source: _Source, variables: Variables, chain: tuple[str, ...], *, warns: bool = False
    ) -> _Loaded:
        """``source`` with what it extends; ``chain`` holds the keys of those that extend it.

        ``warns``: its findings may be warnings.
        """
        reading = Diagnostics(source.label, warns=warns)
        reading.findings.extend(source.findings)
        document = Document()
        try:
            if source.node is not None:
                if source.references:
                    reading.fill_in(source.node, variables)
                document = read_document(reading, source.node, self._catalogue)
            elif not source.findings:
                reading.error_at_start("the file is empty; a scenario has at least a name")
            base = self._base(reading, source, variables, document, chain)
        except TooManyFindings:
            base = None
        findings = reading.in_order()
        if base is not None:
            findings.extend(base.findings)
            document = _extended(document, base.document)
        own = (source.path,) if source.path is not None else ()
        return _Loaded(document, findings, (*own, *(base.files if base is not None else ())))

    def _base(
        self,
        reading: Diagnostics,
        source: _Source,
        variables: Variables,
        document: Document,
        chain: tuple[str, ...],
    ) -> _Loaded | None:
        node = document.extends
        if node is None:
            return None
        try:
            base = self._base_source(node.text, source)
        except UsageError as error:
            reading.error(node, f"extends: {error}")
            return None
        keys = (*chain, source.key)
        if base.key in keys:
            names = [Path(key).name for key in (*keys[keys.index(base.key) :], base.key)]
            reading.error(node, f"extends runs in a circle: {' -> '.join(names)}")
            return None
        if len(keys) >= EXTENDS_LIMIT:
            reading.error(node, f"extends is more than {EXTENDS_LIMIT} scenarios deep")
            return None
        return self._resolve(base, variables, keys)

    def _base_source(self, wanted: str, source: _Source) -> _Source:
        """What ``extends`` names: a path (it has a slash or a suffix) or a shipped scenario."""
        if not names_a_file(wanted):
            return self._shipped_source(wanted)
        if source.path is None or source.shipped:
            raise UsageError(
                f"{wanted[:80]!r} is a path, and only a file can extend another; name a shipped scenario"
            )
        path = source.path.parent / wanted
        if "\0" in wanted or not path.is_file():
            raise UsageError(f"there is no file {wanted[:80]!r} here{nearest(path.name, _siblings(path))}")
        return _file_source(path, str(path))


def names_a_file(wanted: str) -> bool:
    """Whether ``extends`` means a file by that: it has a slash or a suffix. Else it means a shipped scenario."""
    return "/" in wanted or wanted.endswith((".yaml", ".yml", ".json"))


def shipped_names() -> list[str]:
    """Names of the shipped scenarios, in alphabetical order."""
    return list(_shipped_names())


def remember_shipped() -> None:
    """Read all shipped scenarios now, for when the file system will not be the real one (pyfakefs)."""
    for name in shipped_names():
        _shipped_file(name)


@cache
def _shipped_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in data_path("scenarios").iterdir() if path.suffix == SUFFIX))


@cache
def _shipped_file(name: str) -> _Source:
    return _file_source(data_path("scenarios", name + SUFFIX), f"scenarios/{name}{SUFFIX}", shipped=True)


def _siblings(path: Path) -> list[str]:
    try:
        return sorted(
            entry.name for entry in path.parent.iterdir() if entry.suffix in (".yaml", ".yml", ".json")
        )
    except (OSError, ValueError):
        return []


def _text_source(text: str) -> _Source:
    node, findings = from_yaml(text, LABEL)
    return _Source(LABEL, LABEL, node, tuple(findings), text, references="${" in text)


def _mapping_source(document: Any) -> _Source:
    node, findings = from_json(document, LABEL)
    text = "" if findings else json.dumps(document, ensure_ascii=False, indent=2, default=str)
    return _Source(LABEL, LABEL, node, tuple(findings), text)


def _file_source(path: Path, label: str, *, shipped: bool = False) -> _Source:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {label}: {error.strerror or error}") from error
    return _bytes_source(raw, label, path, shipped=shipped)


def _bytes_source(raw: bytes, label: str, path: Path, *, shipped: bool = False) -> _Source:
    key = str(path.resolve())
    if len(raw) > SIZE_LIMIT:
        finding = FileFinding(label, 1, 1, f"larger than {SIZE_LIMIT // 1_000_000} MB")
        return _Source(label, key, None, (finding,), "", path)
    what = foreign(raw)
    if what:
        finding = FileFinding(label, 1, 1, f"the file is {what}; save it as UTF-8")
        return _Source(label, key, None, (finding,), "", path)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        finding = FileFinding(
            label, line, column, f"not UTF-8: byte 0x{raw[error.start]:02x} does not begin a character"
        )
        return _Source(label, key, None, (finding,), "", path)
    node, findings = from_yaml(text, label)
    return _Source(label, key, node, tuple(findings), text, path, shipped, "${" in text)


def _extended(child: Document, base: Document) -> Document:
    """``child`` with what it inherits. Its rules come first; one of the same name replaces the base's."""
    own = {rule.name for rule in child.rules}
    inherited = []
    for rule in base.rules:
        # "rule 3" means another one in each file, and must not replace the other.
        name = f"{base.name}: {rule.name}" if rule.name in base.generated else rule.name
        if name not in own:
            inherited.append(rule if rule.name == name else replace(rule, name=name))
    return Document(
        name=child.name,
        description=child.description,
        seed=child.seed if child.seed is not None else base.seed,
        clock=child.clock if child.clock is not None else base.clock,
        magic_numbers=child.magic_numbers if child.magic_numbers is not None else base.magic_numbers,
        providers=merge(base.providers, child.providers),
        rules=[*child.rules, *inherited],
        generated=child.generated,
    )
