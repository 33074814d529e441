"""Shell blocks of the documentation taken apart into commands, and ours among them parsed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click

from voice_emulator.cli import commands

_BREAKS = frozenset("();|&") | {"&&", "||", ";;", "|&", "()", ");", "$("}
_WORDS_BEFORE = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "time", "exec", "{"})


def shell_commands(script: str) -> list[list[str]]:
    """The simple commands of a script, without assignments, redirections and reserved words."""
    found: list[list[str]] = []
    for line in _lines(script):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        current: list[str] = []
        redirected = False
        for token in lexer:
            if set(token) <= set("<>&") and ("<" in token or ">" in token):
                redirected = True
                if current and current[-1].isdigit():
                    current.pop()  # 2>file
            elif redirected:
                redirected = False
            elif token in _BREAKS or set(token) <= set("();|&"):
                found.append(current)
                current = []
            elif current or not (token in _WORDS_BEFORE or re.match(r"[A-Za-z_]\w*=", token) or token == "$"):
                current.append(token)
        found.append(current)
    return [each for each in found if each]


def _lines(script: str) -> Iterator[str]:
    """Logical lines: continued ones joined, here-documents left out."""
    end: str | None = None
    pending = ""
    for line in re.sub(r"\\\n", " ", script).splitlines():
        if end is not None:
            end = None if line.strip() == end else end
            continue
        here = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line)
        if here is not None and "<<<" not in line:
            end = here[1]
        pending = f"{pending}\n{line}" if pending else line
        try:
            shlex.split(pending, comments=True)
        except ValueError:
            continue  # a quotation that goes on in the next line
        yield pending
        pending = ""
    assert not pending, f"a quotation is never closed: {pending}"


def emulator_commands(script: str) -> list[list[str]]:
    """Those commands of a script that are ours, without the program's name."""
    return [argv[1:] for argv in shell_commands(script) if argv[0] == "voice-emulator"]


def parse(argv: list[str]) -> None:
    """Read a command line as the program would, and do nothing. Raises click's exception for a wrong one."""
    group = click.Context(commands, info_name="voice-emulator")
    if not argv or argv[0].startswith("-"):
        commands.make_context("voice-emulator", list(argv), resilient_parsing=True)
        return
    found = commands.get_command(group, argv[0])
    assert found is not None, f"there is no command {argv[0]!r}"
    try:
        found.make_context(argv[0], list(argv[1:]), parent=group)
    except click.exceptions.Exit:  # --help
        pass


def strings(document: Any) -> Iterator[str]:
    """All texts in a document of JSON or YAML."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for value in document.values():
            yield from strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from strings(value)
