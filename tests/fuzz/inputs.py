"""Strategies: requests that are nearly HTTP, bodies that are nearly forms or JSON, scenarios that are nearly right."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

CORPUS = Path(__file__).with_name("corpus")
CHECKOUT = Path(__file__).parents[2]
SHIPPED = sorted((CHECKOUT / "scenarios").glob("*.yaml"))
WRONG = sorted((CHECKOUT / "tests" / "scenarios" / "wrong").glob("*.yaml"))


def seeds(name: str) -> dict[str, bytes]:
    """The corpus of a target, by file name."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / name).glob("*"))}


# --- bytes ----------------------------------------------------------------------------------------


@st.composite
def mutated(draw: st.DrawFn, base: st.SearchStrategy[bytes], words: tuple[bytes, ...]) -> bytes:
    """``base`` with a few pieces taken out, doubled, moved, flipped, or replaced by one of ``words``."""
    data = draw(base)
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(data)))
        end = min(len(data), begin + draw(st.sampled_from([0, 1, 2, 8, 64])))
        piece = data[begin:end]
        put = draw(
            st.one_of(
                st.sampled_from(words),
                st.binary(max_size=3),
                st.just(piece * 2),
                st.just(b""),
                st.just(bytes(byte ^ 32 for byte in piece)),
            )
        )
        data = data[:begin] + put + data[end:]
    return data


# --- HTTP -----------------------------------------------------------------------------------------

METHODS = [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"get", b"X" * 50,
           b"PRI", b"G\tT", b""]  # fmt: skip
TRAFFIC = [
    b"/api/voiceSms/gpsend", b"/api/voiceSms/getVoiceCdr", b"/v1/voice/makecall", b"/api/yunhu", b"/yunhu", b"/",
    b"/apigovernance/api/oauth/tokenByAkSk", b"/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
    b"/apiaccess/CC-Management/v1/mobileAgent/recording/x", b"/nxcloud/files/x", b"/infin8linx/recordings/x",
    b"/nowhere",
]  # fmt: skip
CONTROL = [
    b"/health", b"/metrics", b"/v1/tenants", b"/v1/tenants/default", b"/v1/tenants/default/calls",
    b"/v1/tenants/default/calls/x", b"/v1/tenants/default/calls/x/push", b"/v1/tenants/default/callbacks",
    b"/v1/tenants/default/journal", b"/v1/tenants/default/journal/1/explain", b"/v1/tenants/default/report",
    b"/v1/tenants/default/verify", b"/v1/tenants/default/wait", b"/v1/tenants/default/scenario",
    b"/v1/tenants/default/reset", b"/v1/tenants/default/clock/advance", b"/v1/tenants/default/violations",
    b"/v1/tenants/default/events", b"/v1/tenants/default/har", b"/v1/tenants/default/place", b"/v1/scenarios/x",
    b"/openapi/nxcloud.json", b"/ui/app.js", b"/",
]  # fmt: skip
ODD_TARGETS = [b"*", b"", b"http://localhost/health", b"localhost:80", b"//x/health", b"http://[::1/", b"/%ff%00%", b"/..//.",
               b"/health?a=b#c", b"#", b"?", b"/\xff", b"http://", b"/health%0d%0aX:y", b"/;a=b", b"/a?" + b"&" * 60]  # fmt: skip
QUERIES = [b"", b"?", b"?limit=1", b"?limit=-1", b"?limit=1&limit=2", b"?after=zzz", b"?for=calls&count=1&timeout=1ms", b"?q=%22",
           b"?q=number:6*,%00", b"?number=*", b"?format=html", b"?format=junit", b"?kind=request", b"?%ff=%ff", b"?timeout=1e9s",
           b"?to=start", b"?" + b"a=b&" * 60, b"?for=callbacks&outcome=busy&timeout=0s", b"?after=999999999999999999"]  # fmt: skip
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.2", b"http/1.1", b"HTTP/1.1 ", b"", b"HTTP/11"]
HEADERS = [
    b"Host: localhost", b"Host: localhost", b"Host: evil.example", b"Host:", b"Host: [::1", b"Host: \xff", b"Connection: close",
    b"Connection: keep-alive, Upgrade", b"Upgrade: websocket", b"Content-Type: application/json",
    b"Content-Type: application/x-www-form-urlencoded", b"Content-Type: multipart/form-data; boundary=b",
    b"Content-Type: application/yaml", b"Content-Type: \xff/\x80; charset=", b"Content-Type: multipart/form-data; boundary=\"",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: gzip, chunked", b"Content-Length: 0",
    b"Content-Length: +1", b"Content-Length: 99999999999999999999", b"Content_Length: 5", b"Content-Encoding: gzip",
    b"Expect: 100-continue", b"Expect: 200-ok", b"Origin: http://localhost", b"Origin: http://[", b"Origin: null", b"Origin: \xe9",
    b"Sec-Fetch-Site: cross-site", b"Authorization: Bearer x", b"Authorization: Basic !!!", b"Authorization:", b"Authorization: \xff",
    b"Last-Event-ID: x", b"Last-Event-ID: 99999999999999999999", b"Accept: */*;q=x", b"Emulator-Explain: 1", b"X-Token-Expire: -1",
    b"X-Token-Expire: 99999999999999999999", b"X: " + b"y" * 300, b"X\0: y", b"X: y\0", b"X: \r y", b" folded", b": no name", b"no colon",
    b"ts: 1", b"accessKey: nx-access-key", b"sign: x", b"bizType: 1", b"Cookie: a=b; c", b"Range: bytes=0-1", b"If-None-Match: *",
    b"Emulator-Tenant: x", b"Content-Disposition: form-data; name=\"\xff",
]  # fmt: skip
BODIES = [
    b"", b"{}", b"[]", b"null", b'"', b"\xff\xfe", b'{"id": "a"}', b'{"scenario_yaml": "name: a"}', b'{"seed": 1e400}', b'{"a":' * 70,
    b'{"name": "all-busy"}', b"name: x\nrules: []\n", b'{"callback_urls": {"nxcloud": "http://[::1"}}', b'{"seconds": 1}',
    b'{"callback_urls": {"nxcloud": null}}', b'{"credentials": {"nxcloud": {"appkey": "\\ud800"}}}', b'{"settings": {"nxcloud": {}}}',
    b'{"to": "idle", "at_most": "9h"}', b'{"provider": "nxcloud", "operation": "gpsend", "number": "1"}', b'{"fields": {"a": ["*"]}}',
    b'{"at_least": 0, "within": "0s"}', b"appkey=nx-appkey&secretkey=nx-secretkey&phone=62812&country_code=62&show_phone=1&url=x",
    b"appkey=nx-appkey&secretkey=nx-secretkey&phone=%ff%00&ext=%0d%0a", b"&&&===", b"%", b"a=%zz", b"phone=1&phone=2",
    b'{"service":"PlayVoice","appid":"in8-appid","accesskey":"in8-accesskey","callnumber":"1","phonenumber":"1","playcontent":1}',
    b'{"service":["Login"]}', b'{"app_key":"cec-app-key","app_secret":"cec-app-secret"}', b'{"app_key":{"a":[]}}',
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="\xff"\r\n\r\nx\r\n--b--\r\n', b"--b\r\n\r\n--b--", b"--b--",
    b"5\r\nhello\r\n0\r\n\r\n", b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", b"fffffffffffffffff\r\n", b"-1\r\n", b"0\r\n\r\n", b"5\nhello\n0\n\n",
]  # fmt: skip
HTTP_WORDS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\r\n\r\n", b"\r\n ", b"%", b"\xff", b"HTTP/1.1", b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"\x0b", b"\x85", b",", b";", b"9" * 30,
)  # fmt: skip


@st.composite
def one_request(draw: st.DrawFn, targets: list[bytes]) -> bytes:
    """One request, whose head need not fit its body."""
    method = draw(st.sampled_from(METHODS))
    target = draw(st.sampled_from(targets)) + draw(st.sampled_from(QUERIES))
    if draw(st.integers(0, 5)) == 0:
        target = draw(st.sampled_from(ODD_TARGETS))
    version = draw(st.sampled_from(VERSIONS)) if draw(st.integers(0, 7)) == 0 else b"HTTP/1.1"
    lines = draw(st.lists(st.sampled_from(HEADERS), max_size=4))
    if draw(st.integers(0, 9)):
        lines.insert(0, b"Host: localhost")
    body = draw(st.one_of(st.sampled_from(BODIES), st.binary(max_size=40)))
    if draw(st.integers(0, 4)):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([b" ".join([method, target, version]), *lines, b"", body])


def requests(targets: list[bytes]) -> st.SearchStrategy[bytes]:
    """One to three requests down one connection, possibly spoiled."""
    several = st.lists(one_request(targets), min_size=1, max_size=3).map(b"".join)
    return st.one_of(several, mutated(several, HTTP_WORDS))


# --- values and forms -----------------------------------------------------------------------------

ODD_TEXTS = ["", "*", "0", "-1", "1e999", "~", "null", "true", "${X}", "${SET}", "$${", "\0", "\ud800", "é", "٣", "9" * 400, "3s", "20%", "🙂" * 9,
             "\u2028", "a\nb", "../x", "!!x", "&a", "*a", "<<", "62899*", "happy-path", "nxcloud", "answered", "{", "%(x)s"]  # fmt: skip
odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**30), 10**30), st.floats(), st.sampled_from(ODD_TEXTS), st.text(max_size=8)
)  # fmt: skip
values = st.recursive(
    odd,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=5)), inner, max_size=4),
    ),
    max_leaves=12,
)
FORM_WORDS = (
    b"&",
    b"=",
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b";",
    b"[]",
    b"\xff",
    b"\xed\xa0\x80",
    b"phone",
    b"&&",
    b"%E6%97",
)
JSON_WORDS = (b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\u", b"\\ud800", b"\\", b"1e999", b"NaN", b"-0", b"\xff", b"\xef\xbb\xbf", b"0x1",
              b"null", b"\0", b"[" * 70, b"9" * 5000)  # fmt: skip
PART_WORDS = (b"--b", b"\r\n", b"\n", b"--", b"Content-Disposition: form-data; name=", b"Content-Transfer-Encoding: base64\r\n",
              b"Content-Transfer-Encoding: quoted-printable\r\n", b"Content-Encoding: deflate\r\n", b"Content-Encoding: gzip\r\n",
              b"Content-Type: multipart/mixed; boundary=c\r\n", b"Content-Length: 3\r\n", b"Content-Length: x\r\n", b"filename=", b"\xff", b"=", b'"')  # fmt: skip
PARTS = [
    b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\n',
    (b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n\x00\xff\r\n'
     b"--b\r\nContent-Disposition: form-data; name*=utf-8''%e2%82\r\nContent-Transfer-Encoding: base64\r\n\r\nAAA=\r\n--b--\r\n"),
    b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
]  # fmt: skip
json_texts = st.one_of(
    values.map(lambda value: json.dumps(value, ensure_ascii=True).encode()),
    mutated(values.map(lambda value: json.dumps(value).encode()), JSON_WORDS),
)
forms = mutated(
    st.lists(
        st.tuples(st.sampled_from([b"phone", b"appkey", b"a", b""]), st.binary(max_size=6)), max_size=5
    ).map(lambda pairs: b"&".join(b"=".join(pair) for pair in pairs)),
    FORM_WORDS,
)
multiparts = mutated(st.sampled_from(PARTS), PART_WORDS)


# --- scenarios ------------------------------------------------------------------------------------


def _vocabulary() -> tuple[list[str], list[Any]]:
    """Every key, and every value, that the shipped scenarios and those of the wrong ones that parse have."""
    keys: set[str] = set()
    found: dict[str, Any] = {}
    for path in SHIPPED:
        waiting = [yaml.safe_load(path.read_text())]
        while waiting:
            value = waiting.pop()
            found[repr(value)[:200]] = value
            if isinstance(value, dict):
                keys |= {str(key) for key in value}
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value
    return sorted(keys), [found[name] for name in sorted(found)]


KEYS, VALUES = _vocabulary()
MORE = [
    "rejected", "time_limit", "fast-ladder", "minute-60", "unknown_enum", "wrong_type", "oversize", "bad_date", "negative", "wrong_id",
    {"uniform": ["0s", "0s"]}, {"uniform": ["1s"]}, {"normal": {"mean": "0s", "sd": "1h"}}, {"lognormal": {"median": "1ms", "p95": "8000h"}},
    {"exponential": {"mean": "8760h"}}, {"every": "1ms", "bytes": 1}, {"attempts": 1000000, "every": "1ms"}, {"every": 1}, "8760h", "0ms",
    "100%", "0%", "0.000001%", "1000000", "100000x", {"mode": "manual", "start": "2199-12-31T23:59:59+00:00"}, {"mode": "60x"},
    {"cycle": 0, "price": "-1"}, {"cycle": 1, "price": "1e5"}, {"phone": "*"}, ["a", ["b"]], {"a": {"b": {"c": 1}}}, -1, 0, 1.5, True, None,
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for key, member in value.items():
            found += _places(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            found += _places(member, (*path, index))
    return found


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A shipped scenario as a document, with a few of its values or keys replaced, added or left out."""
    document = yaml.safe_load(draw(st.sampled_from(SHIPPED)).read_text())
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_places(document)))
        new = deepcopy(draw(st.one_of(st.sampled_from(VALUES), st.sampled_from(MORE), values)))
        if not path:
            if isinstance(document, dict) and draw(st.booleans()):
                document[draw(st.sampled_from(KEYS))] = new
            else:
                document = draw(st.sampled_from([document, new]))
            continue
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        act = draw(st.sampled_from(["replace", "add", "drop", "rename"]))
        member = parent[path[-1]]
        if act == "replace":
            parent[path[-1]] = new
        elif act == "add" and isinstance(member, dict):
            member[draw(st.one_of(st.sampled_from(KEYS), st.sampled_from(ODD_TEXTS)))] = new
        elif act == "add" and isinstance(member, list):
            member.append(new)
        elif act == "rename" and isinstance(parent, dict):
            parent[draw(st.sampled_from(KEYS))] = parent.pop(path[-1])
        else:
            del parent[path[-1]]
        if not isinstance(document, (dict, list)):
            break
    return document


_WORDS = [*KEYS, *ODD_TEXTS, *(str(value) for value in VALUES if not isinstance(value, (dict, list)))]
YAML_WORDS = (
    *(word.encode("utf-8", "replace") for word in _WORDS),
    b"\n", b"\n  ", b"- ", b": ", b" #", b"'", b'"', b"|\n", b">\n", b"{", b"}", b"[", b"]", b", ", b"? ", b"&a ", b"*a", b"!!int ", b"! ",
     b"%YAML 1.2\n---\n", b"---\n", b"...\n", b"\t", b"\r", b"\xef\xbb\xbf", b"\xff", b"\xc2\x85", b"\xe2\x80\xa8", b"<<: *a\n",
)  # fmt: skip
texts = mutated(
    st.one_of(
        st.sampled_from(SHIPPED).map(Path.read_bytes),
        st.sampled_from(WRONG).map(Path.read_bytes),
        st.sampled_from(sorted(seeds("scenario").values()) or [b""]),
    ),
    YAML_WORDS,
)
