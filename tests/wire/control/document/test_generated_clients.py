"""Clients that public generators make of the control API's document work: they create, change and delete a tenant.

The generators are installed from their registries into the test's own folder, so the tests are `long`, and are
skipped where a registry, or Node.js, is missing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice_emulator.embedded import Embedded, embedded

pytestmark = pytest.mark.long
PYTHON_GENERATOR = "openapi-python-client==0.29.1"
#: The generator needs the compiler's API, which TypeScript 7 no longer has.
NODE_GENERATOR = ("@hey-api/openapi-ts@0.99.0", "typescript@5.9.3")

PYTHON_CLIENT = """
import sys
from control import Client
from control.api.tenants import change_tenant, create_tenant, delete_tenant, get_tenant
from control.models import (
    CallbackUrls, ChangeTenantRequest, CreateTenantRequest, CreateTenantRequestClock, NxcloudCredentials,
    NxcloudSettings, Credentials, Settings,
)

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
made = create_tenant.sync(client=client, body=CreateTenantRequest(
    id="generated", scenario="all-busy", seed=7, clock=CreateTenantRequestClock(mode="manual"),
    credentials=Credentials(nxcloud=NxcloudCredentials(appkey="my-key")),
    settings=Settings(nxcloud=NxcloudSettings(receipt_ext=True, batch_limit=5)),
))
assert (made.id, made.scenario, made.seed, made.clock) == ("generated", "all-busy", 7, "manual"), made
assert made.credentials["nxcloud"]["appkey"] == "my-key"
changed = change_tenant.sync("generated", client=client, body=ChangeTenantRequest(
    seed=8, callback_urls=CallbackUrls(nxcloud="http://127.0.0.1:9/dr"),
))
assert (changed.seed, changed.callback_urls["nxcloud"]) == (8, "http://127.0.0.1:9/dr"), changed
assert changed.settings["nxcloud"]["batch_limit"] == 5
delete_tenant.sync_detailed("generated", client=client)
assert get_tenant.sync_detailed("generated", client=client).status_code == 404
"""

NODE_CLIENT = """
import { changeTenant, createTenant, deleteTenant, getTenant } from './out/index.js';
import { client } from './out/client.gen.js';
import assert from 'node:assert/strict';

client.setConfig({ baseUrl: process.argv[2] });
const made = await createTenant({ body: {
  id: 'generated', scenario: 'all-busy', seed: 7, clock: { mode: 'manual' },
  credentials: { nxcloud: { appkey: 'my-key' } }, settings: { nxcloud: { receipt_ext: true, batch_limit: 5 } },
} });
assert.equal(made.error, undefined);
assert.deepEqual([made.data.id, made.data.scenario, made.data.seed, made.data.clock], ['generated', 'all-busy', 7, 'manual']);
const changed = await changeTenant({ path: { id: 'generated' }, body: {
  seed: 8, callback_urls: { nxcloud: 'http://127.0.0.1:9/dr' },
} });
assert.deepEqual([changed.data.seed, changed.data.callback_urls.nxcloud], [8, 'http://127.0.0.1:9/dr']);
await deleteTenant({ path: { id: 'generated' } });
assert.equal((await getTenant({ path: { id: 'generated' } })).response.status, 404);
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Embedded]:
    running = embedded()
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def documents(emulator: Embedded, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every document that is published, the control API's first."""
    folder = tmp_path_factory.mktemp("documents")
    found = []
    for name in ("control", "nxcloud", "huawei_cec", "infin8linx"):
        run(sys.executable, "-m", "voice_emulator", "openapi", name, to=folder / f"{name}.json")
        found.append(folder / f"{name}.json")
    return found


def run(*command: object, cwd: Path | None = None, to: Path | None = None) -> str:
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if to:
        to.write_text(done.stdout)
    return done.stdout + done.stderr


def install(*command: object, cwd: Path) -> None:
    """Fetch a tool, or skip the test and say why."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, capture_output=True, text=True, timeout=400, check=False
    )
    if done.returncode:
        pytest.skip(f"{command[-1]} cannot be installed: {done.stderr.strip()[-300:]}")


def test_openapi_python_clients_client_keeps_a_tenant(
    emulator: Embedded, documents: list[Path], tmp_path: Path
):
    venv.create(tmp_path / "venv", with_pip=True)
    tools = tmp_path / "venv" / "bin"
    install(
        tools / "python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
        PYTHON_GENERATOR,
        cwd=tmp_path,
    )
    for document in documents:
        printed = run(
            tools / "openapi-python-client", "generate", "--path", document,
            "--output-path", tmp_path / document.stem, "--meta", "none",
        )  # fmt: skip
        for trouble in ("Unable to parse", "Unable to process", "Invalid property", "duplicate"):
            assert trouble not in printed, f"{document.stem}: {printed[-3000:]}"
    (tmp_path / "try.py").write_text(PYTHON_CLIENT)
    run(tools / "python", "try.py", emulator.control_url, cwd=tmp_path)


def test_openapi_ts_client_keeps_a_tenant(emulator: Embedded, documents: list[Path], tmp_path: Path):
    if shutil.which("npm") is None:
        pytest.skip("there is no Node.js with npm here")
    (tmp_path / "package.json").write_text(json.dumps({"private": True}))
    install("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *NODE_GENERATOR, cwd=tmp_path)
    tools = tmp_path / "node_modules" / ".bin"
    for document in documents:
        run(
            tools / "openapi-ts",
            "-i",
            document,
            "-o",
            tmp_path / document.stem,
            "-c",
            "@hey-api/client-fetch",
            cwd=tmp_path,
        )
    compiled = ["--strict", "--target", "es2022", "--module", "nodenext", "--moduleResolution", "nodenext"]
    every = [tmp_path / document.stem / "index.ts" for document in documents]
    run(tools / "tsc", "--noEmit", "--skipLibCheck", *compiled, *every, cwd=tmp_path)
    run(tools / "tsc", "--skipLibCheck", *compiled, "--outDir", tmp_path / "out", every[0], cwd=tmp_path)
    (tmp_path / "try.mjs").write_text(NODE_CLIENT)
    run("node", "try.mjs", emulator.control_url, cwd=tmp_path)
