"""Bundles: what is kept can be read again, and no secret is in it, however it was written."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, quote_plus
from zipfile import ZipFile

import pytest

from voice_emulator.core.clock import parse_rfc3339
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.recording.bundle import LeakFound, read, write
from voice_emulator.recording.exchanges import Exchange, Reader
from voice_emulator.recording.masking import Masking

READER = Reader(discover())
AT = parse_rfc3339("2026-01-05T09:00:00+08:00")
#: With signs that every encoding writes differently.
SECRET = 'k3y+"Zürich"/42'
FORMS = {
    "plain": SECRET,
    "url": quote(SECRET, safe=""),
    "form": quote_plus(SECRET),
    "base64": b64encode(SECRET.encode()).decode(),
    "json": json.dumps(SECRET)[1:-1],
    "hex": SECRET.encode().hex(),
}


def places() -> list[tuple[str, str, str]]:
    """Provider, where, and the name of each secret: fields of operations, and headers."""
    found = []
    for provider in READER.providers.values():
        for operation in provider.operations.values():
            for part in (operation.request, operation.reply):
                found += [(provider.id, part, name) for name in sorted(READER.schemas.get(part).secrets)]
            found += [
                (provider.id, operation.name, header.name) for header in operation.headers if header.secret
            ]
        found += [(provider.id, "a push", name) for name in sorted(provider.secrets)]
    return found


def unpacked(path: Path) -> str:
    with ZipFile(path) as found:
        entries = [name.encode() + b"\n" + found.read(name) for name in found.namelist()]
    return b"\n".join(entries).decode("utf-8", "replace")


def exchanges(provider: str, name: str) -> list[Exchange]:
    """The secret under its name once, and everywhere else under no name, in all forms; also before it was named."""
    noise = " ".join(FORMS.values())
    everywhere = Exchange(
        "request", provider, AT, "POST", f"https://api.example.com/{FORMS['url']}/x?note={FORMS['form']}",
        (("X-Note", noise.encode().decode("latin-1")),), json.dumps({"note": noise}).encode(), 200,
        (("X-Echo", FORMS["base64"]),), noise.encode(),
    )  # fmt: skip
    named = Exchange(
        "request", provider, AT + 1, "POST", "https://api.example.com/x", (("Content-Type", "application/json"),),
        json.dumps({"inner": [{name: SECRET}]}).encode(), 200, (), b"{}",
    )  # fmt: skip
    header = Exchange(
        "push",
        provider,
        AT + 2,
        "GET",
        f"http://127.0.0.1/?{name}={FORMS['form']}",
        ((name, f"Bearer {SECRET}"),),
    )
    return [everywhere, named, header]


@pytest.mark.parametrize(("provider", "where", "name"), places())
def test_no_secret_of_any_operation_is_in_a_bundle_in_any_encoding(
    provider: str, where: str, name: str, tmp_path: Path
):
    path = tmp_path / "x.vrec"
    write(path, exchanges(provider, name), Masking(READER))
    text = unpacked(path)
    assert [
        form for form, written in FORMS.items() if written in text or written.upper() in text.upper()
    ] == []
    assert len(read(path).exchanges) == 3


def test_placeholder_is_the_same_everywhere_and_keeps_length_and_alphabet(tmp_path: Path):
    path = tmp_path / "x.vrec"
    token = "0123456789abcdef" * 2
    login = Exchange(
        "request", "infin8linx", AT, "POST", "https://x/api/yunhu", (("Content-Type", "application/x-www-form-urlencoded"),),
        b"service=App.Sip_Auth.Login&appid=me&accesskey=abcdefgh1", 200, (),
        json.dumps({"ret": 200, "data": {"result": {"token": token}}}).encode(),
    )  # fmt: skip
    ask = Exchange(
        "request", "infin8linx", AT + 1, "POST", "https://x/api/yunhu",
        (("Content-Type", "application/x-www-form-urlencoded"),),
        b"service=App.Sip_Cdr.GetBill&token=" + token.encode(), 200, (), b"{}",
    )  # fmt: skip
    write(path, [ask, login], Masking(READER))
    first, second = read(path).exchanges
    shown = json.loads(first.reply)["data"]["result"]["token"]
    assert second.body.endswith(b"token=" + shown.encode())
    assert shown != token
    assert len(shown) == 32
    assert set(shown) <= set("0123456789abcdef")
    assert b"appid=me" in first.body


def test_numbers_of_others_are_masked_and_stay_different_and_own_ones_stay(tmp_path: Path):
    path = tmp_path / "x.vrec"
    numbers = [f"62812{index:04}5678" for index in range(300)]
    sent = Exchange(
        "request", "nxcloud", AT, "POST", "https://x/api/voiceSms/gpsend",
        (("Content-Type", "application/x-www-form-urlencoded"),), f"phone={','.join(numbers)}".encode(), 200, (), b"{}",
    )  # fmt: skip
    push = Exchange("push", "nxcloud", AT + 1, "POST", f"http://x/?phone={numbers[7]}&note=of-{numbers[8]}")
    write(path, [sent, push], Masking(READER, ["62812000*"]), ["62812000*"])
    masked, pushed = read(path).exchanges
    shown = masked.body.decode().removeprefix("phone=").split(",")
    assert shown[:10] == numbers[:10]
    assert all(a != b for a, b in zip(shown[10:], numbers[10:], strict=True))
    assert len(set(shown)) == 300
    assert {(text[:5], len(text), text[-4:]) for text in shown} == {("62812", 13, "5678")}
    assert pushed.url == push.url
    assert read(path).manifest["masked"]["numbers"] == 290


def test_number_is_masked_alike_with_and_without_its_country_code(tmp_path: Path):
    path = tmp_path / "x.vrec"
    body = json.dumps(
        {"rows": [{"phone": "6212345678"}, {"phone": "12345678"}, {"phone": "+6212345678"}]}
    ).encode()
    write(path, [Exchange("push", "nxcloud", AT, "POST", "http://x/", (), body)], Masking(READER))
    first, second, third = (row["phone"] for row in json.loads(read(path).exchanges[0].body)["rows"])
    assert second != "12345678"
    assert (first, third) == (f"62{second}", f"+62{second}")


@pytest.mark.parametrize("form", FORMS)
def test_planted_leak_deletes_the_file(form: str, tmp_path: Path, monkeypatch):
    path = tmp_path / "x.vrec"
    # A mask that does nothing: what the scanner is for.
    monkeypatch.setattr(Masking, "mask", lambda self, one: one)
    sent = Exchange(
        "request", "nxcloud", AT, "POST", "https://x/api/voiceSms/gpsend", (),
        json.dumps({"secretkey": "harmless"}).encode(), 200, (), f"note {FORMS[form]} end".encode(),
    )  # fmt: skip
    masking = Masking(READER)
    masking.learn(Exchange("push", "nxcloud", AT, "GET", f"http://x/?secretkey={quote(SECRET)}"))
    with pytest.raises(LeakFound, match="contains a secret"):
        write(path, [sent], masking)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_recording_is_said_to_be_none(tmp_path: Path):
    path = tmp_path / "x.vrec"
    path.write_text("no")
    with pytest.raises(UsageError, match="not a recording"):
        read(path)
    with pytest.raises(UsageError, match="cannot read"):
        read(tmp_path / "absent.vrec")
