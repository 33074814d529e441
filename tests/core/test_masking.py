from __future__ import annotations

import base64
import html
import json
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core import masking
from voice_emulator.core.masking import MASK, Masker, TenantSecrets, mask_url, secrets_of_url
from voice_emulator.core.matchers import Difference
from voice_emulator.core.tokens import Token, Tokens

NAMES = ("secretkey", "app_secret", "Authorization")
MASKER = Masker(NAMES)
SECRET = "s3cr3t/Key+of=me"
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=6, max_size=40
).filter(lambda text: text.strip() == text and text not in "secretkey=a&phone=1&appkey=visible***")


def knowing(*values: str, tokens: tuple[str, ...] = (), urls: tuple[str, ...] = (), **public: str) -> Masker:
    kept = Tokens()
    for token in tokens:
        kept.add(Token(token, "f", "h", 0, 1))
    known = TenantSecrets(kept)
    credentials = {f"s{index}": value for index, value in enumerate(values)}
    known.learn([({**credentials, **public}, frozenset(credentials))], urls)
    return MASKER.within(known)


# --- by name --------------------------------------------------------------------------------------


@given(secrets)
def test_no_form_shows_a_secret(secret: str):
    body = urlencode({"appkey": "visible", "secretkey": secret, "phone": "1"})
    shown = MASKER.text(body)
    assert urlencode({"secretkey": secret}).partition("=")[2] not in shown.replace("visible", "")
    assert shown.startswith("appkey=visible&secretkey=" + MASK)


@given(secrets)
def test_no_json_shows_a_secret(secret: str):
    shown = MASKER.text(json.dumps({"app_key": "k", "app_secret": secret}, ensure_ascii=False))
    assert json.loads(shown) == {"app_key": "k", "app_secret": MASK}


def test_a_cut_off_json_hides_its_secret_too():
    assert MASKER.text('{"app_secret": "half of it') == '{"app_secret": "***'


@pytest.mark.parametrize("value", ["hush", "hush\r\nand more", "", "a\r\n\r\nb"])
def test_a_multipart_part_is_hidden_with_all_its_lines(value: str):
    head = '--b\r\nContent-Disposition: form-data; name="secretkey"\r\nContent-Type: text/plain\r\n\r\n'
    shown = MASKER.body((head + value + "\r\n--b--\r\n").encode())
    assert shown == head + (MASK if value else "") + "\r\n--b--\r\n"


@pytest.mark.parametrize(
    "body",
    [
        "{'secretkey': 'hush-it'}", '{"secretkey": ["hush-it", "x"]}', '{"secretkey": {"a": "hush-it"}}',
        "<secretkey>hush-it</secretkey>", '<a secretkey="hush-it"/>', "<secretkey a='b'>hush-it</secretkey>",
        "secretkey: hush-it", '"{\\"secretkey\\": \\"hush-it\\"}"', "a=1;secretkey=hush-it", '{"secretkey":hush-it}',
        'secretkey="hush-it"', "x=1\nsecretkey=hush-it",
    ],
)  # fmt: skip
def test_a_secret_is_known_by_its_name_in_every_notation(body: str):
    shown = MASKER.body(body.encode())
    assert "hush-it" not in shown
    assert "secretkey" in shown
    assert MASK in shown


def test_fields_and_headers_are_hidden_by_name_in_any_case():
    assert MASKER.mapping({"SecretKey": "x", "phone": "1"}) == {"SecretKey": MASK, "phone": "1"}
    headers = MASKER.headers([("authorization", "Bearer abc"), ("AUTHORIZATION", "abc"), ("Host", "h")])
    assert headers == [["authorization", "Bearer ***"], ["AUTHORIZATION", "***"], ["Host", "h"]]


def test_the_name_of_an_id_that_differs_by_case_alone_is_no_secret():
    masker = Masker(["accesskey"], ["accessKey"])
    assert masker.mapping({"accessKey": "mine", "accesskey": "x", "AccessKey": "x"}) == {
        "accessKey": "mine", "accesskey": MASK, "AccessKey": MASK,
    }  # fmt: skip
    assert masker.text("?accessKey=mine&accesskey=x") == "?accessKey=mine&accesskey=***"


def test_longer_names_and_sentences_about_a_secret_stay():
    for text in (
        "my_secretkey=visible", "secretkey_old=visible", "the secretkey: it is missing", "secretkey is wrong", "secretkey",
    ):  # fmt: skip
        assert MASKER.text(text) == text


def test_what_a_request_has_under_secret_names_is_hidden_wherever_else_it_stands():
    fields = {
        "a": {"b": [{"secretKey": "first-s3cret"}, "x"]},
        "secretkey": ["second-s3cret", {"c": 31415926}],
    }
    values = MASKER.secret_values(fields)
    shown = MASKER.text("first-s3cret, second-s3cret and 31415926", values)
    assert shown == "***, *** and ***"
    assert MASKER.mapping(fields, values) == {"a": {"b": [{"secretKey": MASK}, "x"]}, "secretkey": MASK}
    assert MASKER.mapping({"other": [31415926, 1, "first-s3cret"]}, values) == {"other": [MASK, 1, MASK]}


def test_without_names_nothing_is_hidden():
    assert Masker(()).text("secretkey=x") == "secretkey=x"


# --- by value -------------------------------------------------------------------------------------

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "every byte percent": lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
    "percent, upper": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "some percent": lambda text: "".join(
        f"%{ord(one):02x}" if n % 3 == 1 and one.isascii() else quote(one, safe="") for n, one in enumerate(text)
    ),
    "form": quote_plus,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent three times": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "json": json.dumps,
    "json, all escaped": lambda text: "".join(f"\\u{ord(one):04X}" for one in text),
    "json in json": lambda text: json.dumps(json.dumps({"a": text})),
    "json, slashes": lambda text: text.replace("/", "\\/"),
    "hex escapes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "percent in json": lambda text: json.dumps({"url": "http://h/?k=" + quote(text, safe="")}),
    "json in a form": lambda text: urlencode({"body": json.dumps({"k": text})}),
    "xml": lambda text: f"<k>{html.escape(text)}</k>",
    "xml, decimal": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "xml, hexadecimal": lambda text: "".join(f"&#x{ord(one):x};" for one in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 after one": lambda text: base64.b64encode(b"u" + text.encode() + b"z").decode(),
    "base64 after two": lambda text: base64.b64encode(b"u:" + text.encode()).decode(),
    "base64 of much": lambda text: base64.b64encode(b"user-1:" + text.encode() + b" and more").decode(),
    "base64, url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64, no padding": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64, lines": lambda text: base64.encodebytes(b"x" * 50 + text.encode() * 3).decode(),
    "base64, percent": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "basic": lambda text: "Basic " + base64.b64encode(b"me:" + text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper": lambda text: text.encode().hex().upper(),
    "utf-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
    "quoted-printable": lambda text: "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    + "".join(f"={byte:02X}" + ("=\r\n" if n % 5 == 4 else "") for n, byte in enumerate(text.encode())),
    "broken by a line": lambda text: text[:5] + "\r\n" + text[5:],
    "cookie": lambda text: f"a=b; session={quote(text, safe='')}; c=d",
    "path": lambda text: f"/v1/{quote(text, safe='')}/x",
    "glued": lambda text: f"Bearer{text}.",
}  # fmt: skip


def looks(text: str) -> set[str]:
    """Every way to read ``text`` that these tests know."""
    found = {text}
    for _ in range(4):
        for one in tuple(found):
            found |= {
                unquote(one),
                unquote_plus(one),
                html.unescape(one),
                one.replace("\r\n", "").replace("\n", ""),
            }
            found.add(one.replace("\0", ""))
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "secret", [SECRET, TOKEN, "mot de passe", "密码-is-long", "123456", 'q"uo\\te<d>&', "line\nbreak"]
)
def test_a_known_value_is_hidden_in_every_encoding(encoding: str, secret: str):
    if ("\n" in secret and encoding in ("hexadecimal", "hexadecimal, upper")) or (
        encoding == "utf-16" and not secret.isascii()
    ):
        pytest.skip("not what anybody would send")
    encoded = ENCODINGS[encoding](secret)
    masker = knowing(secret)
    for text in (encoded, f"before {encoded} after", f"phone=1&appkey={encoded}&x={encoded}"):
        shown = masker.body(text.encode())
        assert MASK in shown
        assert encoded not in shown
        for reading in looks(shown):
            assert secret not in reading
        if text is not encoded:
            assert shown.startswith(text[:6])
            assert shown.endswith(" after") or not text.endswith("after")


@given(secrets, st.sampled_from(sorted(ENCODINGS)), st.text(max_size=20), st.text(max_size=20))
def test_no_value_is_shown_whatever_stands_around_it(secret: str, encoding: str, before: str, after: str):
    if encoding in ("utf-16", "quoted-printable", "hex escapes", "percent in json"):
        return
    encoded = ENCODINGS[encoding](secret)
    text = f"{before}\n{encoded}\n{after}"
    if secret in before or secret in after:
        return
    shown = knowing(secret).body(text.encode("utf-8", "replace"))
    assert encoded not in shown.replace(MASK, "\n")


def test_of_a_token_the_last_four_characters_are_shown():
    masker = knowing(tokens=(TOKEN, TOKEN[::-1]))
    assert masker.text(f"Bearer{TOKEN}, {TOKEN[::-1]}") == f"Bearer***{TOKEN[-4:]}, ***{TOKEN[::-1][-4:]}"
    assert masker.mapping({"x": TOKEN, TOKEN: [TOKEN]}) == {
        "x": "***" + TOKEN[-4:],
        "***" + TOKEN[-4:]: ["***" + TOKEN[-4:]],
    }
    assert masker.headers([("Cookie", f"t={TOKEN}")]) == [["Cookie", f"t=***{TOKEN[-4:]}"]]


def test_short_values_names_and_ids_stay():
    masker = knowing("short", "secretkey", "client-1", appkey="client-1", secretkey="x")
    assert masker.text("short client-1 secretkey") == "short client-1 secretkey"


def test_digits_that_happen_to_be_in_a_secret_stay_in_a_number():
    masker = knowing("123456")
    assert masker.number("62812345678") == "62812345678"
    assert masker.number("123456") == MASK
    assert masker.number("+123456") == "+***"


def test_a_value_that_was_replaced_stays_hidden():
    known = TenantSecrets(Tokens())
    for secret in ("first-secret", "second-secret"):
        known.learn([({"k": secret}, {"k"})], [])
    assert known.hide("first-secret second-secret") == "*** ***"


def test_what_was_replaced_long_ago_is_forgotten_and_what_is_known_now_is_not(monkeypatch):
    monkeypatch.setattr(masking, "REMEMBERED", 20)
    kept = Tokens()
    kept.add(Token(TOKEN, "f", "h", 0, 1))
    known = TenantSecrets(kept)
    for number in range(200):
        known.learn([({"k": f"secret-number-{number}", "still": "still-the-same"}, {"k", "still"})], [])
        assert known.hide(f"secret-number-{number}, still-the-same, {TOKEN}") == f"***, ***, ***{TOKEN[-4:]}"
        assert len(known.values) < 30


_PARTS = st.lists(
    st.sampled_from(
        ["phone", "8613800000000", SECRET, TOKEN, quote(SECRET), json.dumps(SECRET), "secretkey", "=", ": ", "&", "\\",
         "secretkey=", "form-data; name=\"secretkey\"", "\r\n\r\n", "\r\n--", "%", "", "acknowledged"]
    ),
    max_size=4,
).map("".join)  # fmt: skip


@given(
    st.dictionaries(_PARTS, _PARTS | st.integers(), max_size=3), st.lists(_PARTS, max_size=3), _PARTS, _PARTS
)
def test_what_is_shown_together_is_masked_as_each_part_is(fields, texts, body, reply):
    masker = knowing(SECRET, tokens=(TOKEN,))
    shown, beside = masker.together([fields], texts, [body.encode(), reply.encode()])
    assert shown == [masker.mapping(fields)]
    assert [beside.text(text) for text in texts] == [masker.text(text) for text in texts]
    assert [beside.body(each.encode()) for each in (body, reply)] == [
        masker.body(each.encode()) for each in (body, reply)
    ]
    pairs = [("Authorization", "Bearer abc"), *(("X-Text", text) for text in texts)]
    assert beside.headers(pairs) == masker.headers(pairs)


def test_a_difference_tells_of_a_secret_field_nothing_but_its_name():
    known = TenantSecrets(Tokens())
    known.learn([({"secretkey": "the-right-one"}, {"secretkey"})], [])
    assert (
        known.difference(Difference("fields.secretKey", "'a*'", "'wrong'"))
        == "fields.secretKey: wanted ***, got ***"
    )
    assert (
        known.difference(Difference("fields.ext", "'a'", "'the-right-one'"))
        == "fields.ext: wanted 'a', got '***'"
    )


# --- receivers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown", "hidden"),
    [
        ("http://me:hush-hush@h:1/p?x=1", "http://***@h:1/p?x=1", ["hush-hush"]),
        ("https://hush-token@h/", "https://***@h/", ["hush-token"]),
        ("http://h/p?token=hush%2Fhush&x=1#f", "http://h/p?token=***&x=1#f", ["hush/hush"]),
        (
            "http://h/?a=b&api_key=hushhush&SIG=hush-sig",
            "http://h/?a=b&api_key=***&SIG=***",
            ["hushhush", "hush-sig"],
        ),
        ("http://h/?secretkey=hushhush", "http://h/?secretkey=***", ["hushhush"]),
        ("http://h/p?x=1&phone=2", "http://h/p?x=1&phone=2", []),
        ("http://me:p%40ss-word@h/", "http://***@h/", ["p@ss-word"]),
    ],
)
def test_a_receivers_url_shows_neither_userinfo_nor_secrets_of_its_query(
    url: str, shown: str, hidden: list[str]
):
    assert mask_url(url) == shown
    masker = knowing(urls=(url,))
    assert masker.url(url) == shown
    for value in hidden:
        assert value in set(secrets_of_url(url))
        assert value not in masker.text(f"the receiver said {value}")
        assert quote(value, safe="") not in masker.text(f"the receiver said {quote(value, safe='')}")


# --- time -----------------------------------------------------------------------------------------


def cpu(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


HEAVY: dict[str, Callable[[int], bytes]] = {
    "names and line breaks": lambda n: b"name=secretkey\n" * n,
    "names in multipart": lambda n: b"form-data name=secretkey\r\n" * n,
    "names alone": lambda n: b"secretkey" * n,
    "names and blanks": lambda n: b"secretkey          " * n,
    "names in tags": lambda n: b"<secretkey a" * n,
    "open quotes": lambda n: b'"secretkey": "' * n,
    "open lists": lambda n: b'"secretkey": [' * n,
    "secrets in JSON": lambda n: b"[" + b",".join(b'{"secretkey":"hush-%d"}' % i for i in range(n)) + b"]",
    "the value itself": lambda n: SECRET.encode() * n,
    "nearly the value": lambda n: SECRET[:-1].encode() * n,
    "percent": lambda n: b"%41%25" * n,
    "percent signs": lambda n: b"%25%2525" * n,
    "backslashes": lambda n: b"\\\\" * n,
    "Base64": lambda n: base64.b64encode(SECRET.encode() * n),
    "line breaks": lambda n: b"\n\r" * n,
    "tokens": lambda n: TOKEN.encode() * n,
    "entities": lambda n: b"&amp;#115;" * n,
}  # fmt: skip


@pytest.mark.parametrize("what", HEAVY)
def test_masking_takes_time_in_proportion_to_the_text(what: str):
    masker = knowing(SECRET, *(SECRET + str(n) for n in range(50)), tokens=(TOKEN,))

    def masked(count: int) -> float:
        body = HEAVY[what](count)
        fields = {"a": [{"secretkey": f"hush-{n}"} for n in range(count)]} if "JSON" in what else {}
        return min(cpu(lambda: masker.body(body, masker.secret_values(fields))) for _ in range(2))

    small, large = masked(1_500), masked(12_000)
    # Eight times the text: eight times the time, with room for a machine that is busy. The square would be 64.
    assert large < 24 * small + 0.02, f"{small:.3f} s, then {large:.3f} s"
