from __future__ import annotations

import pytest

from tests.scenarios.made_up import complaints, load


def test_receivers_credentials_and_settings():
    text = """
name: x
providers:
  acme:
    callback_url: ${URL:-http://127.0.0.1:9000/dr}
    late_callback_url:
    limit: 0050
    files: {no: [yes, 1.50], empty: }
    credentials: {key: mine, family: {login: 007}, codes: ["1", 2]}
  bell:
"""
    assert load(text).providers == {
        "acme": {
            "callback_url": "http://127.0.0.1:9000/dr",
            "late_callback_url": None,
            "limit": "0050",
            "files": {"no": ["yes", "1.50"], "empty": None},
            "credentials": {"key": "mine", "family": {"login": "007"}, "codes": ["1", "2"]},
        },
        "bell": {},
    }


@pytest.mark.parametrize(
    ("account", "message"),
    [
        ("{limt: 3}", "unknown key 'limt' in providers.acme; did you mean 'limit'?"),
        ("{limit: many}", "limit: must be a whole number, not 'many'"),
        ("{limit: [1]}", "limit: must be a whole number"),
        ("{callback_url: ftp://x/}", "callback_url: "),
        ("{callback_url: /path}", "callback_url: "),
        ("{callback_url: 'http://'}", "callback_url: "),
        ("{callback_url: 'http://x:99999/'}", "callback_url: "),
        ("{callback_url: 'http://[x/'}", "callback_url: "),
        ("{callback_url: [http://x/]}", "callback_url must be a text"),
        ("{credentials: {kee: a}}", "unknown key 'kee' in credentials of acme; did you mean 'key'?"),
        ("{credentials: {key: ''}}", "key is empty"),
        ("{credentials: {key: [a]}}", "key must be a text, not a list"),
        ("{credentials: {family: me}}", "family in the credentials of acme must be a mapping"),
        ("{credentials: me}", "credentials of acme must be a mapping"),
        ("[limit]", "providers.acme must be a mapping, not a list"),
        ("{limit: '${NOT_SET}'}", "NOT_SET is not set"),
        ("{files: {a: ['${NOT_SET}']}}", "NOT_SET is not set"),
    ],
)
def test_wrong_accounts(account: str, message: str):
    found = complaints(f"name: x\nproviders:\n  acme: {account}\n")
    assert len(found) == 1
    assert message in found[0]


def test_an_unset_credential_stays_unset():
    assert load("name: x\nproviders: {acme: {credentials: {codes: null}}}\n").providers == {
        "acme": {"credentials": {"codes": None}}
    }


def test_unknown_providers_are_named():
    assert complaints("name: x\nproviders: {acne: {}}\n") == [
        "2:13 unknown key 'acne' in providers; did you mean 'acme'?"
    ]
