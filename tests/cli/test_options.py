from __future__ import annotations

import click
import pytest

from voice_emulator.cli.options import address, assignment, clock, rewrite, span
from voice_emulator.core.clock import ClockSpec


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("10s", 10), ("250ms", 0.25), ("1.5m", 90), ("2h", 7200)]
)
def test_a_span_is_read_as_seconds(text, seconds):
    assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-1", "ten", "1d", "1 0", "nan", "inf"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(click.BadParameter, match="invalid duration"):
        span(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("real", ClockSpec()),
        ("manual", ClockSpec("manual")),
        ("60x", ClockSpec("scaled", 60)),
        ("0.5x", ClockSpec("scaled", 0.5)),
    ],
)
def test_a_clock_is_a_mode_and_a_speed(text, wanted):
    assert clock(text) == wanted


@pytest.mark.parametrize("text", ["", "x", "0x", "60", "-1x", "1000000x", "Real"])
def test_what_is_no_clock_is_refused(text):
    with pytest.raises(click.BadParameter, match="invalid clock"):
        clock(text)


@pytest.mark.parametrize("text", ["http://127.0.0.1:9000/x", "https://h", "http://[::1]:1/?a=b"])
def test_an_address_stays_as_it_is(text):
    assert address(text) == text


@pytest.mark.parametrize(
    "text", ["", "x", "localhost:9000", "ftp://h", "http://", "http://h:0", "http://h:99999", "http://[::1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(click.BadParameter):
        address(text)


def test_pairs():
    assert rewrite("http://a=http://b/x=y") == ("http://a", "http://b/x=y")
    assert assignment("name=a=b") == ("name", "a=b")
    assert assignment("name=") == ("name", "")


@pytest.mark.parametrize("text", ["", "http://a", "a=b", "http://a=", "=http://b"])
def test_what_is_no_pair_of_addresses_is_refused(text):
    with pytest.raises(click.BadParameter):
        rewrite(text)


@pytest.mark.parametrize("text", ["", "name", "=value"])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(click.BadParameter):
        assignment(text)
