"""The documentation is true: its commands run, its files load, its options exist, its links lead somewhere."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.process import Running, environment, running, serving, url_of
from tests.container.published import documents, findings, kind_of
from tests.docs.commands import emulator_commands, parse, shell_commands
from tests.docs.pages import CHECKOUT, Block, all_blocks, anchors, blocks, links, pages, text
from tests.patience import PATIENCE
from tests.valkey_server import StoreServer, binary
from voice_emulator.core import attempts
from voice_emulator.core import events as core_events
from voice_emulator.core.journal import BYTE_LIMIT, ENTRY_LIMIT
from voice_emulator.core.ledger import ENDED_LIMIT
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios import nodes
from voice_emulator.scenarios import yaml_events as yaml_text
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control import event_stream as events
from voice_emulator.wire.control import server as control_server
from voice_emulator.wire.delivery import answers
from voice_emulator.wire.delivery import push_client as channel
from voice_emulator.wire.delivery import scheduler as driver
from voice_emulator.wire.http import connection_limits, strict_json
from voice_emulator.wire.traffic import decoding, gateway

#: What a shell block may begin a command with besides `voice-emulator` and `curl`. Nothing of it is run here.
NOT_RUN = frozenset(
    {"cp", "docker", "git", "kubectl", "locust", "make", "pip", "pytest", "python", "valkey-server"}
)
#: What is run along with curl.
RUN = frozenset({"curl", "sed", "voice-emulator"})
LANGUAGES = {"sh", "yaml", "json", "python", "toml", "text", "html", "http", "java", "php", "go", "js", ""}


def by_id(block: Block) -> str:
    return block.id


# --- shell ----------------------------------------------------------------------------------------


def test_the_languages_of_the_blocks_are_known_here():
    assert {block.language for page in pages() for block in blocks(page)} <= LANGUAGES


@pytest.mark.parametrize("block", all_blocks("sh"), ids=by_id)
def test_a_shell_block_is_well_formed_and_its_options_exist(block: Block):
    done = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {argv[0] for argv in shell_commands(block.text)} <= NOT_RUN | RUN
    for argv in emulator_commands(block.text):
        parse(argv)


def options_of(page: str) -> list[str]:
    """With which options of `serve` a page is tested: it says so in a comment that no reader sees."""
    found = re.search(r"<!-- tested with: serve (.*?) -->", text(page))
    return found[1].split() if found else ["--clock", "manual"]


#: Our own commands that a reader runs as they stand, besides curl; `serve` and `listen` stay until the end.
FOLLOWED = frozenset({"report", "check", "wait-ready"})


#: Pages whose whole path is walked: every receiver and emulator that they start, and it ends with a green report.
WALKED = ("README.md", "docs/getting-started.md")
#: The page whose emulators share a store: all that it starts run side by side.
SHARED = "docs/replicas.md"
STORE = "127.0.0.1:6379"
#: Where somebody ends the first of them.
ENDED = "<!-- here the first replica is ended -->"


@contextmanager
def store_in(folder: Path) -> Iterator[str]:
    """The address of a Valkey server."""
    server = StoreServer(binary("valkey"), folder)
    server.start()
    try:
        yield f"127.0.0.1:{server.port}"
    finally:
        server.kill()


class Reader:
    """Somebody who follows a page from top to bottom, at terminals in an empty folder."""

    def __init__(self, stack: ExitStack, page: str, folder: Path, curl: str | None) -> None:
        self.stack = stack
        self.folder = folder
        self.options = options_of(page)
        self.receivers: dict[str, str] = {}
        #: By the port that a page names, the real address of the emulator that has it.
        self.ports: dict[str, str] = {}
        self.store = stack.enter_context(store_in(folder)) if STORE in " ".join(self.options) else ""
        self.server = self.serve([])
        tools = folder / ".tools"
        tools.mkdir()
        programs = {"voice-emulator": f'exec "{sys.executable}" -m voice_emulator "$@"'}
        if curl is None:
            shim = Path(__file__).parent / "docs" / "curl.py"
            programs["curl"] = f'exec "{sys.executable}" "{shim}" "$@"'
        for name, line in programs.items():
            (tools / name).write_text(f"#!/bin/sh\n{line}\n")
            (tools / name).chmod(0o755)
        (folder / ".curlrc").write_text("fail-with-body\nshow-error\n")
        starter = (CHECKOUT / "emulator" / "voice_emulator" / "cli" / "starters" / "scenario.yaml").read_text(
            encoding="utf-8"
        )
        for name in ("scenario.yaml", "my-scenario.yaml"):
            (folder / name).write_text(starter, encoding="utf-8")
        self.environment = environment(HOME=str(folder), PATH=f"{tools}:{os.environ['PATH']}")

    def serve(self, options: list[str]) -> Running:
        """Start the emulator as the page says; its clock is that of the page's comment, if it says none."""
        added = [] if "--scenario" in options or options[:2] == self.options[:2] else self.options
        words = self.here([*options, *added])
        told = {"--port": "4880", "--control-port": "4881"}
        for name in told:
            if name in words:
                at = words.index(name)
                _, told[name] = words[at], words[at + 1]
                del words[at : at + 2]
        server = self.stack.enter_context(serving(*words, cwd=self.folder))
        for name, url in (("--port", "traffic"), ("--control-port", "control")):
            self.ports[told[name]] = server.ready[url].removeprefix("http://")
        return server

    def listen(self, port: str) -> None:
        """Start a receiver on a free port in the place of ``port``."""
        self.receivers[port] = url_of(self.stack.enter_context(running("listen"))).rpartition(":")[2]

    def here(self, words: list[str]) -> list[str]:
        """With the ports that the receivers and the store really have."""
        return [
            re.sub(
                r"(?<=127\.0\.0\.1:)\d+", lambda found: self.receivers.get(found[0], found[0]), word
            ).replace(STORE, self.store or STORE)
            for word in words
        ]

    def type(self, block: Block) -> str:
        """Run a block, at this emulator's ports; what it printed. Any reply from 400 on is a failure."""
        script = re.sub(
            r"\b(?:127\.0\.0\.1|localhost):(48[89][01])\b", self._port, self.here([block.text])[0]
        )
        # What streams for ever is cut off: that is curl's status 28.
        endless = any("-N" in argv for argv in shell_commands(block.text))
        script = script.replace("curl -N", "curl -N --max-time 1") if endless else script
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder, env={**self.environment, "VOICE_EMULATOR_CONTROL": self.server.ready["control"]}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == (28 if endless else 0), (
            f"{block.id}\n{script}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def _port(self, found: re.Match[str]) -> str:
        return self.ports[found[1]]

    def load(self, scenario: str) -> None:
        """Put a scenario in force, as somebody would who starts the emulator with it."""
        (self.folder / "shown.yaml").write_text(scenario, encoding="utf-8")
        where = f"{self.server.ready['control']}/v1/tenants/default"
        restart = ["-X", "POST", f"{where}/reset?to=start"]
        for words in (restart, ["-X", "PUT", f"{where}/scenario", "--data-binary", "@shown.yaml"]):
            done = subprocess.run(
                ["curl", "-s", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                timeout=PATIENCE, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout


def uses_curl(block: Block) -> bool:
    return block.language == "sh" and any(argv[0] == "curl" for argv in shell_commands(block.text))


def scenario_in(block: Block) -> bool:
    if block.language != "yaml":
        return False
    found = documents(block.text)
    return len(found) == 1 and kind_of(found[0]) is None and isinstance(found[0], dict) and "name" in found[0]


def follow(page: str, folder: Path, curl: str | None) -> int:
    """Follow a page; the number of blocks that were run."""
    count = 0
    with ExitStack() as stack:
        reader = Reader(stack, page, folder, curl)
        servers = [reader.server]
        shown: Block | None = None
        printed = ""
        before, ended, _ = text(page).partition(ENDED)
        for block in blocks(page):
            if ended and block.line > before.count("\n"):
                ended = ""
                assert servers[0].stop(signal.SIGTERM) == 0
            ours = emulator_commands(block.text) if block.language == "sh" else []
            if scenario_in(block):
                shown = block
                (folder / f"{yaml.safe_load(block.text)['name']}.yaml").write_text(
                    block.text, encoding="utf-8"
                )
            elif page in (*WALKED, SHARED) and ours and ours[0][0] == "serve":
                if ours[0][1:] not in ([], reader.options):  # the first one runs already
                    servers.append(reader.serve(ours[0][1:]))
                    reader.server = servers[-1]
                    shown = None
            elif page in WALKED and ours and ours[0][0] == "listen":
                reader.listen(ours[0][ours[0].index("--port") + 1])
            elif uses_curl(block) or (page in WALKED and ours and ours[0][0] in FOLLOWED):
                if shown is not None and shown.section == block.section and uses_curl(block):
                    reader.load(shown.text)
                    shown = None
                printed = reader.type(block)
                count += 1
                continue
            elif block.language == "json" and block.follows and printed:
                alike(json.loads(block.text), json.loads(printed.strip().splitlines()[-1]), block.id)
            elif block.language == "text" and block.follows and printed:
                assert printed.endswith(block.text) or block.text in printed, f"{block.id}\n{printed}"
            printed = ""
        logs = ["\n".join(server.log.lines) for server in servers]
    assert "Traceback" not in "".join(logs), logs
    return count


def alike(told: Any, real: Any, where: str) -> None:
    """The real reply has the shape of the one that a page shows: the same members, of the same types."""
    assert type(told) is type(real), f"{where}: {told!r} is not like {real!r}"
    if isinstance(told, dict):
        assert list(told) == list(real), f"{where}: {list(told)} is not {list(real)}"
        for name, value in told.items():
            alike(value, real[name], f"{where}/{name}")
    elif isinstance(told, list) and told:
        assert real, f"{where} is empty"
        alike(told[0], real[0], f"{where}/0")


@pytest.mark.parametrize("page", [page for page in pages() if any(map(uses_curl, blocks(page)))])
def test_a_page_can_be_followed_word_for_word(page: str, tmp_path: Path):
    assert follow(page, tmp_path, shutil.which("curl")) >= 1


@pytest.mark.parametrize("page", WALKED)
def test_a_walk_reads_a_report_and_says_how_long_to_wait(page: str):
    reports = [
        block for block in all_blocks("sh") if block.page == page and "voice-emulator report" in block.text
    ]
    assert reports
    waits = [block for block in blocks(page) if "/wait?" in block.text]
    for block in waits:
        before = text(page).partition(block.text)[0].rsplit("\n\n", 2)[-2]
        assert re.search(r"\bwaits?\b", before), f"{block.id}: {before}"


def test_without_curl_a_stand_in_does(tmp_path: Path):
    assert follow("README.md", tmp_path, None) >= 5


def test_the_files_that_init_writes_are_checked_as_the_page_says(tmp_path: Path):
    for argv in (["init"], ["check", "scenario.yaml"]):
        done = subprocess.run(
            [sys.executable, "-m", "voice_emulator", *argv], cwd=tmp_path, env=environment(), capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert "`voice-emulator init` writes a scenario" in text("docs/getting-started.md")


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=by_id)
def test_a_yaml_block_is_what_it_says(block: Block, loader: ScenarioLoader):
    found = documents(block.text)
    assert found
    kinds = {kind_of(document) for document in found}
    for kind in kinds - {None}:
        assert findings(str(kind), block.text) == []
    if scenario_in(block):
        assert loader.text(block.text).name == yaml.safe_load(block.text)["name"]


@pytest.mark.parametrize("block", all_blocks("json", "toml"), ids=by_id)
def test_a_block_of_json_or_toml_is_that(block: Block):
    {"json": json.loads, "toml": tomllib.loads}[block.language](block.text)


@pytest.mark.parametrize("block", all_blocks("python"), ids=by_id)
def test_a_python_block_compiles_and_imports_what_exists(block: Block):
    code = textwrap.dedent(block.text)
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("voice_emulator"):
                    importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("voice_emulator"):
            module = importlib.import_module(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"
    # What is on docs/pytest.md is run, all of it, by tests/plugin.
    if "voice_emulator.running(" in code and "def " not in code and block.page != "docs/pytest.md":
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code], env=environment(), capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


# --- links ----------------------------------------------------------------------------------------


def target_of(page: str, link: str) -> tuple[str, str]:
    """The file a relative link leads to, as a path of the checkout, and the anchor in it."""
    path, _, anchor = link.partition("#")
    where = (CHECKOUT / page).parent / path if path else CHECKOUT / page
    return os.path.relpath(where.resolve(), CHECKOUT).replace(os.sep, "/"), anchor


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_somewhere(page: str):
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        path, anchor = target_of(page, link)
        assert (CHECKOUT / path).exists(), f"{page} links to {link}"
        if anchor:
            assert anchor in anchors(path), f"{page} links to {link}; {path} has {sorted(anchors(path))}"


def test_every_page_is_reached_from_the_index_and_the_index_from_the_readme():
    reached, waiting = set(), ["docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page not in pages():
            continue
        reached.add(page)
        waiting += [target_of(page, link)[0] for link in links(page) if "://" not in link]
    assert {page for page in pages() if page.startswith("docs/")} <= reached
    assert "docs/index.md" in {target_of("README.md", link)[0] for link in links("README.md")}


# --- numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bound",
    [
        f"a body on the traffic port | {gateway.BODY_LIMIT // 2**20} MiB",
        f"a body on the control port | {control_server.BODY_LIMIT // 2**20} MiB, within {control_server.BODY_SECONDS:.0f} s",
        f"JSON | {strict_json.DEPTH_LIMIT} levels",
        (
            f"bodies held at once | {gateway.BODIES_LIMIT // 2**20} MiB on the traffic port, "
            f"{control_server.BODIES_LIMIT // 2**20} MiB on the control port"
        ),
        f"10,000 entries per tenant (`--journal-limit`), and {BYTE_LIMIT // 2**20} MiB",
        f"push attempts | {attempts.ATTEMPT_LIMIT:,} per tenant, and {attempts.BYTE_LIMIT // 2**20} MiB",
        (
            f"events | {core_events.REMEMBERED:,} per tenant, and {core_events.BYTE_LIMIT // 2**20} MiB of those that are "
            f"larger than {core_events.HEAVY // 1024} KiB"
        ),
        f"a receiver's answer | {answers.INTERIM_LIMIT} interim answers (1xx), {answers.HEAD_LIMIT // 1024} KiB of head",
        f"connections | {connection_limits.CONNECTION_LIMIT:,}",
        f"form fields | {decoding.FIELD_LIMIT:,}",
        f"a scenario file | {yaml_text.SIZE_LIMIT // 10**6} MB, {nodes.NODE_LIMIT:,} values, {nodes.DEPTH_LIMIT} levels",
        f"the journal | {ENTRY_LIMIT:,} entries",
        f"ended calls | {ENDED_LIMIT:,} per tenant",
        f"pushes at a time | {driver.IN_FLIGHT_LIMIT:,}",
        f"event streams | {events.SUBSCRIBER_LIMIT}, each cut off when it does not read for {events.WRITE_LIMIT:.0f} s",
        f"At most {channel.REPLY_LIMIT // 1024} KiB of it are read",
    ],
)
def test_the_bounds_on_the_security_page_are_those_of_the_code(bound: str):
    assert bound in text("docs/security.md")


def test_every_test_that_the_security_page_names_exists():
    named = re.findall(r"`(tests/[\w/.]+)`", text("docs/security.md"))
    assert len(named) > 10
    assert [path for path in named if not (CHECKOUT / path).exists()] == []
