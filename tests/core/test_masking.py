from __future__ import annotations

import json
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.masking import MASK, Masker

MASKER = Masker(("secretkey", "app_secret", "Authorization"))
secrets = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=4, max_size=40
).filter(lambda text: text.strip() == text and text not in "secretkey=a&phone=1")


@given(secrets)
def test_no_form_shows_a_secret(secret: str):
    body = urlencode({"appkey": "visible", "secretkey": secret, "phone": "1"})
    shown = MASKER.text(body, [secret])
    assert urlencode({"secretkey": secret}).partition("=")[2] not in shown.replace("visible", "")
    assert shown.startswith("appkey=visible&secretkey=" + MASK)


@given(secrets)
def test_no_json_shows_a_secret(secret: str):
    shown = MASKER.text(json.dumps({"app_key": "k", "app_secret": secret}, ensure_ascii=False))
    assert json.loads(shown) == {"app_key": "k", "app_secret": MASK}


def test_a_cut_off_json_hides_its_secret_too():
    assert MASKER.text('{"app_secret": "half of it') == '{"app_secret": "***'


def test_a_multipart_part_is_hidden():
    body = '--b\r\nContent-Disposition: form-data; name="secretkey"\r\n\r\nhush\r\n--b--\r\n'
    assert "hush" not in MASKER.text(body)
    assert MASKER.text(body).endswith("***\r\n--b--\r\n")


def test_fields_and_headers_are_hidden_by_name_in_any_case():
    assert MASKER.mapping({"SecretKey": "x", "phone": "1"}) == {"SecretKey": MASK, "phone": "1"}
    headers = MASKER.headers([("authorization", "Bearer abc"), ("AUTHORIZATION", "abc"), ("Host", "h")])
    assert headers == [["authorization", "Bearer ***"], ["AUTHORIZATION", "***"], ["Host", "h"]]


def test_secret_values_are_hidden_wherever_they_stand():
    assert MASKER.secret_values({"secretkey": "hush-hush", "phone": "hush"}) == ["hush-hush"]
    assert MASKER.text("the key hush-hush was refused", ["hush-hush", "he"]) == "the key *** was refused"


def test_without_names_nothing_is_hidden():
    assert Masker(()).text("secretkey=x") == "secretkey=x"


def test_secrets_are_hidden_however_deep_they_lie():
    masker = Masker(["secretkey"])
    fields = {"a": {"b": [{"secretKey": "s3cret"}, "x"]}, "secretkey": "other", "c": [["d"]]}
    assert masker.mapping(fields) == {
        "a": {"b": [{"secretKey": "***"}, "x"]},
        "secretkey": "***",
        "c": [["d"]],
    }
    assert masker.secret_values({"a": {"secretkey": "s3cret"}, "secretkey": "other"}) == ["s3cret", "other"]
