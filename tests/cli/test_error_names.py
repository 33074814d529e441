from __future__ import annotations

import pytest

from tests.cli.process import command
from voice_emulator.cli.error_names import COLUMNS, aligned, rows_of
from voice_emulator.providers.registry import discover

PROVIDERS = discover()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_errors_of_one_provider_are_all_there_with_code_and_text(provider):
    done = command("errors", provider)
    assert done.returncode == 0
    head, *lines = done.stdout.splitlines()
    assert head.split() == list(COLUMNS)
    errors = PROVIDERS[provider].errors
    assert len(lines) == len(errors)
    for line, error in zip(lines, errors, strict=True):
        assert line.split()[:3] == [provider, error.name, error.code]
        assert error.text in line
        assert line.endswith(error.provenance)


def test_without_a_provider_all_are_listed():
    done = command("errors")
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == set(PROVIDERS)


def test_an_unknown_provider_is_wrong_usage_and_names_the_nearest():
    done = command("errors", "huawei")
    assert done.returncode == 2
    assert done.stderr == "Error: there is no provider 'huawei'; did you mean 'huawei_cec'?\n"


def test_an_error_names_the_operations_that_answer_with_it():
    rows = {(row[1], row[4]) for row in rows_of(PROVIDERS["nxcloud"])}
    assert ("frequency_limited", "versend") in rows


def test_columns_begin_below_each_other():
    assert list(aligned([("a", "b"), ("long", ""), ("x", "yy")])) == ["a     b", "long", "x     yy"]
