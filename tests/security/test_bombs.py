"""Small inputs that would cost much: refused quickly, in little memory, and the next one is served.

The tables hold functions, since some inputs take long to make, and each worker of the tests reads this file.
"""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.cli.process import Running as Serving
from tests.cli.process import post, serving
from tests.cost import cpu_below, cpu_of
from tests.rig import Running, started
from tests.wire.raw import GPSEND, talk
from tests.wire.traffic.test_form_data import HOSTILE
from voice_emulator.errors import FileError
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet

GP, TOKEN, YUNHU = "/api/voiceSms/gpsend", "/apigovernance/api/oauth/tokenByAkSk", "/api/yunhu"
FORM = "application/x-www-form-urlencoded"
#: Seconds of processor time and bytes that the worst of these may take.
QUICK = 5.0
LITTLE = 128 * 1024 * 1024


@contextmanager
def cheaply() -> Iterator[None]:
    """Fail when the block takes long, or much memory."""
    tracemalloc.start()
    try:
        # Tracing allocations makes everything several times as slow.
        with cpu_below(3 * QUICK):
            yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LITTLE


@pytest.fixture
async def emu() -> AsyncIterator[Running]:
    async with started(receive=False) as emu:
        yield emu


async def still_serves(emu: Running) -> None:
    async with emu.client.post(emu.url + GP, data=GPSEND) as reply:
        assert (await reply.json(content_type=None))["code"] == "0"
    async with emu.client.get(emu.control + "/health") as reply:
        assert reply.status == 200


# --- YAML -----------------------------------------------------------------------------------------

LAUGHS = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))
YAML = {
    "aliases that multiply": lambda: "name: s\nl0: &l0 [a, a, a, a, a, a, a, a, a, a]\n" + LAUGHS,
    "an alias to itself": lambda: "name: s\nproviders: &p {nxcloud: *p}\nrules: []\n",
    "merge keys that multiply": lambda: (
        "name: s\na0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 20)}]}}\n" for n in range(1, 12))
    ),
    "lists in lists": lambda: "name: s\nrules: " + "[" * 50_000,
    "closed lists in lists": lambda: "name: s\nrules: " + "[" * 900 + "]" * 900,
    "mappings in mappings": lambda: "name: s\nrules: " + "{a: " * 50_000,
    "indents in indents": lambda: "name: s\n" + "".join(" " * n + "a:\n" for n in range(1, 2000)),
    "sequences in sequences": lambda: "- " * 50_000,
    "a number of a million digits": lambda: "name: s\nseed: " + "9" * 1_000_000 + "\nrules: []\n",
    "a number in base 60": lambda: "name: s\nseed: " + "1:" * 300_000 + "1\nrules: []\n",
    "an exponent": lambda: "name: s\nseed: 1e999999999\nrules: []\n",
    "a pattern of stars": lambda: (
        "name: s\nrules: [{name: r, match: {number: '" + "*a" * 20_000 + "'}, call: {outcome: busy}}]\n"
    ),
    "many rules": lambda: (
        "name: s\nrules:\n" + "".join(f"- {{name: r{n}, call: {{outcome: busy}}}}\n" for n in range(20_000))
    ),
    "python objects": lambda: "name: !!python/object/apply:os.system ['true']\nrules: []\n",
    "a python name": lambda: "name: !!python/name:os.system\nrules: []\n",
    "two documents": lambda: "name: s\nrules: []\n---\nname: t\n",
    "a long key": lambda: "name: s\n? " + "k" * 900_000 + "\n: 1\n",
    "quotes": lambda: "name: s\nseed: '" + "''" * 400_000 + "'\n",
    "an anchor of anchors": lambda: "name: s\n" + "".join(f"a{n}: &a{n} x\n" for n in range(50_000)),
    "comments": lambda: "#" * 900_000 + "\nname: s\nrules: []\n",
}


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


@pytest.mark.parametrize("what", YAML)
def test_a_scenario_bomb_is_refused_or_read_cheaply(loader: ScenarioLoader, what: str):
    text = YAML[what]()
    with cpu_below(QUICK):
        if what in ("comments", "a pattern of stars"):
            loader.text(text)
            return
        with pytest.raises(FileError) as refused:
            loader.text(text)
    findings = refused.value.findings
    assert 1 <= len(findings) <= 1000
    assert max(len(finding.message) for finding in findings) < 2000


@pytest.mark.parametrize("what", YAML)
def test_a_scenario_bomb_takes_little_memory(loader: ScenarioLoader, what: str):
    text = YAML[what]()
    tracemalloc.start()
    try:
        with suppress(FileError):
            loader.text(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < LITTLE // 2


@pytest.mark.parametrize("what", YAML)
async def test_the_control_api_survives_a_scenario_bomb(emu: Running, what: str):
    url = emu.control + "/v1/tenants/default/scenario"
    body = io.BytesIO(YAML[what]().encode())
    with cpu_below(QUICK):
        async with emu.client.put(url, data=body, headers={"Content-Type": "application/yaml"}) as reply:
            assert reply.status in (200, 413, 422)
            assert len(await reply.read()) < 1_000_000
    async with emu.client.get(emu.control + "/health") as reply:
        assert reply.status == 200


# --- JSON -----------------------------------------------------------------------------------------


def colliding(count: int) -> list[int]:
    """Numbers that have one hash: Python's modulus, 2**61 - 1. As keys of a dictionary they would collide."""
    return [n * (2**61 - 1) for n in range(1, count)]


JSON = {
    "arrays in arrays": lambda: b"[" * 500_000,
    "objects in objects": lambda: b'{"a":' * 200_000,
    "closed arrays": lambda: b"[" * 300_000 + b"]" * 300_000,
    "brackets in a text": lambda: json.dumps({"app_key": "[" * 500_000}).encode(),
    "a number of a million digits": lambda: b'{"app_key": ' + b"9" * 1_000_000 + b"}",
    "a negative one": lambda: b'{"app_key": -' + b"9" * 1_000_000 + b"}",
    "a long fraction": lambda: b'{"app_key": 0.' + b"9" * 1_000_000 + b"}",
    "an exponent": lambda: b'{"app_key": 1e999999999}',
    "a small exponent": lambda: b'{"app_key": 1e-999999999}',
    "exponents": lambda: b"[" + b"1e308," * 100_000 + b"1]",
    "many keys": lambda: json.dumps({f"k{n}": n for n in range(100_000)}).encode(),
    "keys that collide as numbers": lambda: json.dumps({str(n): n for n in colliding(50_000)}).encode(),
    "one key again and again": lambda: b"{" + b'"app_key":"x",' * 100_000 + b'"app_key":"y"}',
    "many nulls": lambda: b'{"app_key": [' + b"null," * 300_000 + b"null]}",
    "escapes": lambda: b'{"app_key": "' + b"\\u0000" * 150_000 + b'"}',
    "half a surrogate": lambda: b'{"app_key": "\\ud800"}',
    "white space": lambda: b" " * 900_000 + b"[",
    "a byte order mark": lambda: b"\xef\xbb\xbf{}",
    "utf-16": lambda: '{"app_key":"x"}'.encode("utf-16"),
    "nothing but quotes": lambda: b'"' * 500_000,
}  # fmt: skip


@pytest.mark.parametrize("what", JSON)
async def test_a_json_bomb_is_refused_cheaply_on_both_ports(emu: Running, what: str):
    body = JSON[what]()
    headers = {"Content-Type": "application/json"}
    with cheaply():
        async with emu.client.post(emu.url + TOKEN, data=io.BytesIO(body), headers=headers) as reply:
            assert 400 <= reply.status < 500
            assert reply.headers.get("Emulator-Error") is None, "a provider refuses it, in its own words"
        async with emu.client.post(
            emu.control + "/v1/tenants", data=io.BytesIO(body), headers=headers
        ) as reply:
            assert reply.status in (400, 413, 422)
            assert len(await reply.read()) < 1_000_000
    await still_serves(emu)


def with_members(shape: Callable[[object], object], count: int) -> object:
    return shape({f"k{n}": n for n in range(count)})


T = "/v1/tenants/default"
DOCUMENTS: dict[str, tuple[str, str, Callable[[], object]]] = {
    f"{what} of {count} members": (method, path, partial(with_members, shape, count))
    for count in (990, 80_000)
    for what, method, path, shape in (
        ("a tenant", "POST", "/v1/tenants", lambda m: m),
        ("a clock", "POST", "/v1/tenants", lambda m: {"clock": m}),
        ("settings", "PATCH", T, lambda m: {"settings": m}),
        ("settings of a provider", "PATCH", T, lambda m: {"settings": {"nxcloud": m}}),
        ("credentials", "PATCH", T, lambda m: {"credentials": {"nxcloud": m}}),
        ("urls", "PATCH", T, lambda m: {"callback_urls": m}),
        ("fields to verify", "POST", f"{T}/verify", lambda m: {"fields": m, "within": "0s"}),
        ("fields to place", "POST", f"{T}/place", lambda m: {"provider": "nxcloud", "operation": "gpsend", "number": "1", "fields": m}),
        ("a scenario", "PUT", f"{T}/scenario", lambda m: m),
        ("a scenario's match", "PUT", f"{T}/scenario", lambda m: {"name": "a", "rules": [{"name": "r", "match": {"fields": m}}]}),
    )
} | {
    "wrong codes": ("PATCH", T, lambda: {"credentials": {"huawei_cec": {"access_codes": [1] * 300_000}}}),
    "empty rules": ("PUT", f"{T}/scenario", lambda: {"name": "a", "rules": [{}] * 90_000}),
    "a long id": ("POST", "/v1/tenants", lambda: {"id": "x" * 900_000}),
    "a long URL": ("POST", "/v1/tenants", lambda: {"callback_urls": {"nxcloud": "http://" + "x" * 900_000}}),
    "a long number": ("POST", f"{T}/clock/advance", lambda: {"seconds": 10**300}),
    "a long span": ("POST", f"{T}/clock/advance", lambda: {"to": "9" * 900_000}),
    "a pattern of stars": ("POST", f"{T}/verify", lambda: {"number": "*1" * 100_000, "within": "0s"}),
}  # fmt: skip


@pytest.mark.parametrize("what", DOCUMENTS)
async def test_a_document_with_too_much_in_it_is_refused_cheaply(emu: Running, what: str):
    method, path, document = DOCUMENTS[what]
    body = io.BytesIO(json.dumps(document()).encode())
    with cheaply():
        async with emu.client.request(
            method, emu.control + path, data=body, headers={"Content-Type": "application/json"}
        ) as reply:
            answer = await reply.read()
    assert reply.status in (200, 400, 409, 413, 422), answer[:200]
    assert len(answer) < 500_000
    await still_serves(emu)


# --- forms ----------------------------------------------------------------------------------------

PART = b'--b\r\nContent-Disposition: form-data; name="n%d"\r\n\r\nx\r\n'
FORMS = {
    "many fields": lambda: (FORM, b"&".join(b"k%d=v" % n for n in range(200_000))),
    "many empty fields": lambda: (FORM, b"&" * 1_000_000),
    "percent signs": lambda: (FORM, b"%" * 15_000_000),
    "escapes": lambda: (FORM, b"phone=" + b"%00" * 5_000_000),
    "escapes that fit": lambda: (FORM, b"phone=" + b"%00" * 300_000),
    "fields that are not UTF-8": lambda: (FORM, b"\xff&" * 5_000_000),
    "many numbers": lambda: (FORM, b"appkey=nx-appkey&secretkey=nx-secretkey&phone=" + b"6281," * 200_000),
    "one long number": lambda: (FORM, b"appkey=nx-appkey&secretkey=nx-secretkey&phone=" + b"6" * 1_000_000),
    "many parts": lambda: ("multipart/form-data; boundary=b", b"".join(PART % n for n in range(20_000)) + b"--b--\r\n"),
    "no end": lambda: ("multipart/form-data; boundary=b", PART % 1 + b"x" * 1_000_000),
    "no boundary": lambda: ("multipart/form-data", PART % 1),
    "an endless boundary": lambda: ("multipart/form-data; boundary=" + "b" * 10_000, PART % 1),
    "multipart in multipart": lambda: (
        "multipart/form-data; boundary=b",
        b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" + b"--c\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" * 2000,
    ),
    "long part headers": lambda: ("multipart/form-data; boundary=b", b"--b\r\nX: " + b"y" * 500_000 + b"\r\n\r\nx\r\n--b--\r\n"),
    "many part headers": lambda: ("multipart/form-data; boundary=b", b"--b\r\n" + b"X: y\r\n" * 50_000 + b"\r\nx\r\n--b--\r\n"),
    "a compressed part": lambda: (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\nContent-Encoding: deflate\r\n\r\n'
        + zlib.compress(b"a" * 100_000_000, 9) + b"\r\n--b--\r\n",
    ),
    "a part in base64": lambda: (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + b"=" * 1_000_000 + b"\r\n--b--\r\n",
    ),
    "a part in quoted-printable": lambda: (
        "multipart/form-data; boundary=b",
        b'--b\r\nContent-Disposition: form-data; name="x"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n' + b"=3D" * 300_000 + b"\r\n--b--\r\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FORMS)
@pytest.mark.parametrize("path", [GP, YUNHU])
async def test_a_form_bomb_is_refused_cheaply(emu: Running, what: str, path: str):
    kind, body = FORMS[what]()
    with cheaply():
        async with emu.client.post(
            emu.url + path, data=io.BytesIO(body), headers={"Content-Type": kind}
        ) as reply:
            assert reply.status == 200
            answer = await reply.json(content_type=None)
            assert str(answer.get("code", answer.get("ret"))) not in ("0", "200")
    await still_serves(emu)


@pytest.fixture(scope="module")
def serve() -> Iterator[Serving]:
    """A process of its own, whose CPU time is the emulator's alone."""
    with serving() as server:
        yield server


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="the CPU time of another process is read from /proc"
)
@pytest.mark.parametrize("path", [GP, YUNHU])
@pytest.mark.parametrize(
    "what",
    [
        "nameless parts",
        "a preamble of line breaks",
        "many parts and then a long one",
        "no end, and many parts",
    ],
)
def test_a_multipart_bomb_takes_no_more_than_200_ms_of_cpu(serve: Serving, what: str, path: str):
    body = HOSTILE[what]()
    before = cpu_of(serve.process.pid)
    status, answer = post(
        serve.ready["traffic"] + path, body, **{"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert cpu_of(serve.process.pid) - before < 0.2
    assert status == 200
    assert str(json.loads(answer).get("code", json.loads(answer).get("ret"))) not in ("0", "200")


@pytest.fixture(scope="module")
def squeezed() -> bytes:
    """200 MB in less than 1."""
    return gzip.compress(b"a" * 200_000_000, 6)


@pytest.mark.parametrize("path", [GP, TOKEN, YUNHU])
async def test_a_compressed_body_is_not_unpacked(emu: Running, path: str, squeezed: bytes):
    assert len(squeezed) < 1_000_000
    with cheaply():
        for encoding in ("gzip", "deflate", "br", "gzip, gzip"):
            headers = {"Content-Encoding": encoding, "Content-Type": FORM}
            async with emu.client.post(emu.url + path, data=io.BytesIO(squeezed), headers=headers) as reply:
                assert reply.status in (200, 400, 403)
    await still_serves(emu)


async def test_the_control_port_unpacks_nothing_either(emu: Running):
    body = gzip.compress(json.dumps({"id": "x" * 50_000_000}).encode(), 1)
    with cheaply():
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        async with emu.client.post(
            emu.control + "/v1/tenants", data=io.BytesIO(body), headers=headers
        ) as reply:
            assert reply.status == 415
    await still_serves(emu)


# --- queries, heads and paths -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["a=b&" * 3_000, "%" * 12_000, "&" * 12_000, "%00" * 4_000, "q=" + "number:*" * 1_500]
)
async def test_a_query_bomb_is_refused_cheaply(emu: Running, query: str):
    with cheaply():
        for base, path in (
            (emu.url, GP),
            (emu.control, "/v1/tenants/default/calls"),
            (emu.control, "/v1/tenants/default/journal"),
        ):
            answer = await talk(
                base, f"GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            assert answer.head.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))
    await still_serves(emu)


SECRET_FILES = ("pyproject.toml", "etc/passwd", "emulator/voice_emulator/app.py")
TRICKS = [
    "/ui/../app.py", "/ui/..%2fapp.py", "/ui/%2e%2e/app.py", "/ui/%2e%2e%2fapp.py", "/ui/..%5capp.py", "/ui/..\\app.py",
    "/ui/%252e%252e%252fapp.py", "/ui/....//app.py", "/ui//app.py", "/ui///etc/passwd", "/ui//etc/passwd", "/ui/%2fetc%2fpasswd",
    "/ui/%00app.js", "/ui/app.js%00.css", "/ui/app.js/", "/ui/.", "/ui/..", "/ui/%c0%ae%c0%ae/app.py", "/ui/＜app.py",
    "/ui/" + "../" * 40 + "etc/passwd", "/ui/" + "%2e%2e%2f" * 40 + "etc/passwd", "/ui/CON", "/ui/app.js::$DATA", "/ui/~root",
    "/v1/scenarios/../../pyproject", "/v1/scenarios/..%2f..%2fpyproject.toml", "/v1/scenarios/%2fetc%2fpasswd",
    "/v1/scenarios/happy-path.yaml", "/openapi/../app.py", "/openapi/%2e%2e%2fapp.py",
]  # fmt: skip


async def test_path_tricks_reach_no_file(emu: Running):
    async with emu.client.get(emu.control + "/ui/app.js") as reply:
        assert reply.status == 200
    for path in TRICKS:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        answer = await talk(emu.control, head)
        assert answer.head.split(b" ")[1] in (b"400", b"404"), path
        assert b"root:" not in answer.body
        assert b"import" not in answer.body


DOWNLOADS = [
    "/infin8linx/recordings/{}",
    "/apiaccess/CC-Management/v1/mobileAgent/recording/{}",
    "/nxcloud/files/{}",
    "/nxcloud/sounds/{}",
]


async def test_downloads_of_the_traffic_port_reach_no_file_either(emu: Running):
    for base in DOWNLOADS:
        for trick in TRICKS[:24]:
            path = base.format(trick.removeprefix("/ui/"))
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            answer = await talk(emu.url, head)
            assert answer.head.split(b" ")[1] in (b"400", b"403", b"404", b"405"), path
            assert b"root:" not in answer.body
