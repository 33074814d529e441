from __future__ import annotations

import pytest

from voice_emulator.scenarios.environment import EnvironmentProblem, Variables, expand, variables_sent

ENVIRON = {"HOST": "127.0.0.1", "EMPTY": "", "CALLBACK_URL": "http://x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$HOST costs $5", "$HOST costs $5"),
        ("http://${HOST}:9/", "http://127.0.0.1:9/"),
        ("${HOST}${HOST}", "127.0.0.1127.0.0.1"),
        ("${NOT_SET:-http://127.0.0.1:9000/nx}", "http://127.0.0.1:9000/nx"),
        ("${HOST:-other}", "127.0.0.1"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${NOT_SET:-}", ""),
        ("$${HOST}", "${HOST}"),
    ],
)
def test_references(text: str, expected: str):
    assert expand(text, Variables(ENVIRON)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${CALBACK_URL}", r"CALBACK_URL is not set; \$\{CALBACK_URL:-default\}"),
        ("${ZZZZZZ}", r"ZZZZZZ is not set; \$\{ZZZZZZ:-default\}"),
        ("${1x}", "begins no variable"),
        ("${HOST", "begins no variable"),
        ("${}", "begins no variable"),
    ],
)
def test_what_cannot_be_filled_in(text: str, message: str):
    with pytest.raises(EnvironmentProblem, match=message):
        expand(text, Variables(ENVIRON))


# --- what came over HTTP ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${HOST:-other}", "other"),
        ("${HOST:-}", ""),
        ("${NOT_SET:-d}", "d"),
        ("${CALLBACK_URL}", "http://x"),
        ("${CALLBACK_URL:-d}", "http://x"),
        ("$${HOST}", "${HOST}"),
    ],
)
def test_a_text_that_was_sent_has_the_allowed_variables_and_no_others(text: str, expected: str):
    assert expand(text, variables_sent(ENVIRON, ["CALLBACK_URL"])) == expected


@pytest.mark.parametrize("names", [[], ["CALLBACK_URL"]])
def test_what_was_sent_is_refused_alike_for_a_variable_that_is_set_and_for_one_that_is_not(names: list[str]):
    sent = variables_sent(ENVIRON, names)
    said = set()
    for name in ("HOST", "NONE"):
        with pytest.raises(EnvironmentProblem) as caught:
            expand(f"x ${{{name}}}", sent)
        said.add(str(caught.value).replace(name, "?"))
    assert len(said) == 1
    assert "--scenario-env ?" in said.pop()


@pytest.mark.parametrize("name", ["HOSTS", "CALLBACK_UR", "host", "EMPTYY"])
@pytest.mark.parametrize(
    "variables", [Variables(ENVIRON), variables_sent(ENVIRON, []), variables_sent(ENVIRON, ENVIRON)]
)
def test_no_message_names_another_variable(name: str, variables: Variables):
    with pytest.raises(EnvironmentProblem) as caught:
        expand(f"${{{name}}}", variables)
    words = str(caught.value).replace(name, "")
    assert not any(known in words for known in ENVIRON)
