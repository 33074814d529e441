"""A Dockerfile read, and its steps carried out in a folder instead of an engine.

Every absolute path in it is taken below that folder, and the base image is the Python of the tests. This
proves that the steps work, in their order and on the files they copy, not that the base image exists.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    """One instruction: its word in capitals, and what follows on the line."""

    word: str
    rest: str

    @property
    def argv(self) -> list[str]:
        """The exec form: a JSON list. A shell form raises ValueError."""
        found = json.loads(self.rest)
        assert isinstance(found, list)
        return found


def steps(text: str) -> list[Step]:
    """The instructions, with continued lines joined and comments gone."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    found = [line.split(None, 1) for line in joined.splitlines() if line.strip()]
    return [Step(word.upper(), rest.strip()) for word, rest in found]


def stages(all_steps: list[Step]) -> list[list[Step]]:
    """The steps by stage; each stage begins with its FROM."""
    found: list[list[Step]] = []
    for step in all_steps:
        if step.word == "FROM":
            found.append([])
        found[-1].append(step)
    return found


def context(folder: Path = CHECKOUT) -> list[str]:
    """The files that go to the engine: those that .dockerignore leaves, as paths with slashes."""
    rules = [
        (line.startswith("!"), _pattern(line.removeprefix("!").strip("/")))
        for line in (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]

    def kept(path: str) -> bool:
        parts = path.split("/")
        selves = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        verdict = True
        for keeps, pattern in rules:
            if any(pattern.fullmatch(each) for each in selves):
                verdict = keeps
        return verdict

    return sorted(path for path in _files(folder) if kept(path))


def _files(folder: Path) -> Iterator[str]:
    for here, _, names in os.walk(folder):
        for name in names:
            yield Path(here, name).relative_to(folder).as_posix()


def _pattern(text: str) -> re.Pattern[str]:
    """Docker's patterns: `*` within a name, `**/` for any folders, `[...]` as in a shell."""
    found = re.escape(text).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
    return re.compile(found.replace(r"\[", "[").replace(r"\]", "]"))


@dataclass
class Image:
    """The file system that came of it, below ``root``, and how its process is to be started."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)

    def path(self, absolute: str) -> Path:
        """Where ``/opt/x`` of the image is."""
        return self.root / absolute.lstrip("/")


def checkout_with_few(folder: Path) -> Path:
    """What an installation needs, with three packages locked: they need no others, and it takes a third of the time."""
    for name in ("emulator", "schemas", "scenarios", "requirements"):
        shutil.copytree(CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".dockerignore"):
        shutil.copy(CHECKOUT / name, folder)
    lock = folder / "requirements" / "runtime.lock"
    chosen = [
        entry
        for entry in re.split(r"\n(?=\S)", lock.read_text())
        if re.match(r"(click|multidict|pyyaml)==", entry)
    ]
    assert len(chosen) == 3
    lock.write_text("\n".join(chosen) + "\n")
    return folder


def build(text: str, folder: Path, source: Path = CHECKOUT) -> Image:
    """Carry out all stages below ``folder``; the last one is the image."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(Path(sys._base_executable).resolve())  # type: ignore[attr-defined]
    sent = context(source)
    image = Image(folder / "fs")
    for number, stage in enumerate(stages(steps(text))):
        if image.root.exists():
            image.root.rename(folder / f"stage{number - 1}")
        image = Image(folder / "fs", environment={"PATH": str(tools)})
        image.root.mkdir()
        named = {"build": folder / "stage0"}
        for step in stage:
            _carry_out(step, image, source, sent, named)
    return image


def _carry_out(step: Step, image: Image, source: Path, sent: list[str], named: Mapping[str, Path]) -> None:
    match step.word:
        case "FROM" | "STOPSIGNAL":
            pass
        case "WORKDIR":
            image.workdir = step.rest
            image.path(step.rest).mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(shlex.split(step.rest), image, source, sent, named)
        case "RUN":
            _run(step.rest, image)
        case "ENV":
            for pair in shlex.split(step.rest):
                name, _, value = pair.partition("=")
                image.environment[name] = _below(value, image).replace("$PATH", image.environment["PATH"])
        case "LABEL":
            image.labels |= dict(pair.split("=", 1) for pair in shlex.split(step.rest))
        case "USER":
            image.user = step.rest
        case "EXPOSE":
            image.ports = step.rest.split()
        case "ENTRYPOINT":
            image.entrypoint = step.argv
        case "CMD":
            image.command = step.argv
        case "HEALTHCHECK":
            image.healthcheck = Step("CMD", step.rest.partition("CMD ")[2]).argv
        case _:
            raise AssertionError(f"this check does not know {step.word}")


def _copy(words: list[str], image: Image, source: Path, sent: list[str], named: Mapping[str, Path]) -> None:
    *what, where = [word for word in words if not word.startswith("--")]
    target = image.path(where if where.startswith("/") else f"{image.workdir}/{where}")
    stage = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
    if stage is not None:
        (one,) = what
        shutil.copytree(named[stage] / one.lstrip("/"), target, symlinks=True)
        return
    for each in what:
        found = [path for path in sent if path == each or path.startswith(f"{each}/")]
        assert found, f"COPY {each}: .dockerignore leaves nothing of it"
        for path in found:
            into = target / path.removeprefix(f"{each}/") if path != each else target / Path(path).name
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / path, into)


def _run(command: str, image: Image) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"} and not name.startswith("VOICE_EMULATOR_")
    }
    # An image needs everything compiled. Here that would take longer than to compile what the few tests import.
    environment |= image.environment | {
        "PATH": f"{image.environment['PATH']}:/usr/bin:/bin",
        "PIP_NO_COMPILE": "1",
    }
    done = subprocess.run(
        ["sh", "-euc", _below(command, image)],
        cwd=image.path(image.workdir), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"RUN {command}\n{done.stdout}\n{done.stderr}"


def _below(text: str, image: Image) -> str:
    """``text`` with every absolute path in it taken below the image's root."""
    return re.sub(r"(?<![\w./$-])/(?=[a-z])", f"{image.root}/", text)
