"""docs/add-a-provider.md, followed word for word: its plug-in passes the suite, and one with a fault in it does not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import environment
from tests.docs.pages import CHECKOUT, text
from tests.patience import PATIENCE
from tests.plugins import lay_out

PAGE = "docs/add-a-provider.md"
#: A fenced block after the name of the file that it belongs to.
_FILE = re.compile(r"^`([\w./-]+)`(?:, continued)?:\n\n```[a-z]+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SUITE = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs", "voice_emulator.conformance")
MODULE = "tinytel/__init__.py"


def files() -> dict[str, str]:
    """Each file that the page has, put together of its blocks."""
    found: dict[str, str] = {}
    for name, block in _FILE.findall(text(PAGE)):
        found[name] = found[name] + "\n\n" + block if name in found else block
    return found


def write(folder: Path) -> Path:
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def run(path: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = environment()
    env["PYTHONPATH"] = f"{env['PYTHONPATH']}:{path}"
    return subprocess.run(
        [sys.executable, *SUITE, *arguments], cwd=folder, env=env, capture_output=True, text=True,
        timeout=PATIENCE, check=False,
    )  # fmt: skip


def test_the_module_on_the_page_is_that_of_the_tests_and_short_enough():
    folder = CHECKOUT / "tests" / "fourth"
    found = {name: content for name, content in files().items() if name != "pyproject.toml"}
    kept = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".py", ".json") and path.parent.name != "golden"
    }
    blank = re.compile(r"\n{2,}")
    assert {name: blank.sub("\n\n", content) for name, content in found.items()} == {
        name: blank.sub("\n\n", content) for name, content in kept.items()
    }
    assert len(kept[MODULE].splitlines()) <= 120, "beside its schemas"


#: What is wrong, as a replacement in the module, and the test of the suite that says so.
FAULTS = {
    "reply": ('"seconds": str(call.talk_seconds)', '"second": "1"', "reply_and_receipts_of_an_example"),
    "receipt": ('"outcome": call.plan.outcome.value', '"outcome": call.ended_by and len(call.number)', "every_outcome"),
    "judge": ("judge=by_status(200)", "judge=lambda reply: None", "every_outcome"),
    "deaf": ("judge=by_status(200)", "judge=lambda reply: 'no'", "gives_no_finding"),
    "corrupt": ('{"unknown_enum": "outcome"}', '{"unknown_enum": "outcom"}', "every_outcome"),
    "strangers": ('known_tenant("E1", "key")', "lambda request: ()", "credentials_of_a_stranger"),
    "authorise": ('authorise=credentials_in("tinytel", "key")', "authorise=lambda t, o, f, w: (dict(f), {})",
                  "credentials_of_a_stranger"),
    "refusal": ("refused=True, status=400", "refused=False, status=400", "every_error"),
    "error": ('"E1", "E2") else "E2"', '"E1", "E2") else "E3"', "every_error"),
    "silent": ('receipts=(ReceiptPlan("ended"),)', "receipts=()", "reply_and_receipts_of_an_example"),
    "restless": ('"id": calls[0].batch_id', '"id": str(id(calls))', "reply_and_receipts_of_an_example"),
    "source": ('"Tinytel manual, page 1"', '""', "openapi"),
}  # fmt: skip


def broken(project: Path, name: str) -> None:
    """A plug-in like Tinytel, called tiny_<name>, with one fault."""
    old, new, _ = FAULTS[name]
    folder = project / f"tiny_{name}"
    shutil.copytree(project / "tinytel", folder)
    module = folder / "__init__.py"
    source = module.read_text(encoding="utf-8")
    assert source.count(old) == 1, old
    module.write_text(source.replace(old, new).replace("tinytel", f"tiny_{name}"), encoding="utf-8")
    for golden in (folder / "schemas" / "golden").iterdir():
        golden.write_text(
            golden.read_text(encoding="utf-8").replace("tinytel", f"tiny_{name}"), encoding="utf-8"
        )


@pytest.mark.parametrize(
    "faults",
    [("judge", "strangers"), pytest.param(tuple(FAULTS), marks=pytest.mark.long)],
    ids=["some", "all"],
)
def test_the_plugin_of_the_page_passes_and_each_fault_in_it_fails(faults: tuple[str, ...], tmp_path: Path):
    project = write(tmp_path / "project")
    path = lay_out(project, tmp_path / "site")
    written = run(path, project, "--voice-emulator-provider", "tinytel", "--voice-emulator-write-golden")
    assert written.returncode == 0, written.stdout
    kept = {path.name: path.read_text() for path in (project / "tinytel/schemas/golden").iterdir()}
    for golden in (CHECKOUT / "tests/fourth/tinytel/schemas/golden").iterdir():
        assert kept.pop(golden.name) == golden.read_text()
    assert not kept
    described = project / "pyproject.toml"
    entries = "".join(f'tiny_{name} = "tiny_{name}:PROVIDER"\n' for name in faults)
    described.write_text(described.read_text().replace('PROVIDER"\n', f'PROVIDER"\n{entries}', 1))
    for name in faults:
        broken(project, name)
    chosen = [
        f"--voice-emulator-provider={each}" for each in ("tinytel", *(f"tiny_{name}" for name in faults))
    ]
    done = run(lay_out(project, tmp_path / "other"), project, "-rf", *chosen)
    failed = re.findall(r"^FAILED .*::test_(\w+)\[(\w+)", done.stdout, re.MULTILINE)
    assert {provider for _, provider in failed} == {f"tiny_{name}" for name in faults}, done.stdout[-3000:]
    for name in faults:
        test = FAULTS[name][2]
        assert any(test in each for each, provider in failed if provider == f"tiny_{name}"), (name, failed)


def test_an_unknown_provider_is_named_with_those_that_are_installed(tmp_path: Path):
    done = run("", tmp_path, "--voice-emulator-provider", "nobody")
    assert done.returncode != 0
    assert "there is no provider 'nobody'; installed are huawei_cec, infin8linx, nxcloud" in done.stdout


@pytest.mark.parametrize("provider", ["nxcloud", "huawei_cec", "infin8linx"])
def test_golden_files_of_the_built_in_providers_name_no_port_of_a_run(provider: str):
    texts = [path.read_text() for path in (CHECKOUT / "schemas" / provider / "golden").iterdir()]
    assert texts
    assert not any("127.0.0.1" in each for each in texts)
    for each in texts:
        assert json.loads(each)["reply"]["status"]
