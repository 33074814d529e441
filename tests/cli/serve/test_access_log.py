"""The lines of serve: what they show and when, who sees them, and that no reader is waited for."""

from __future__ import annotations

import json
import logging
import os
import pty
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import urlencode

import pytest

from tests.cli.process import Lines, post, running, serving
from tests.cli.serve.test_command import FORM
from tests.cli.test_output import full_pipe
from tests.cli.test_report import FORM as FIELDS
from tests.rig import started
from voice_emulator.cli.serve.access_log import AccessLog
from voice_emulator.wire.traffic.exchange import RequestRecord

EVIL = "\x1b[2J\u202e\r\nforged"
PATH = "/api/voiceSms/gpsend"
LOGGER = "voice_emulator.cli.serve.access_log"


def gpsend(ready, **changes: str) -> None:
    post(ready["traffic"] + PATH, urlencode({**FIELDS, **changes}).encode(), **FORM)


def test_serve_and_tail_print_the_same_lines_before_the_next_request_is_answered():
    """Also for a client that writes to the terminal of whoever reads them."""
    with (
        serving("--access-log", "--callback-url", "http://127.0.0.1:9/dr", "--clock", "600x") as server,
        running("tail", "--control", server.ready["control"]) as tail,
    ):
        tail.log.wait_for("following tenant default at ")
        for key in ("wrong", EVIL, "nx-appkey"):
            gpsend(server.ready, appkey=key)
            wanted = "gpsend: code 0, " if key == "nx-appkey" else f"appkey: no tenant has the appkey {key!r}"
            for lines in (server.log, tail.out):
                line = lines.wait_for(wanted)
                assert f"Z POST {PATH} nxcloud gpsend: code " in line
                assert line.isprintable()
        for lines in (server.log, tail.out):
            lines.wait_for("PUSH http://127.0.0.1:9/dr nxcloud ")
        assert set(tail.out.lines) <= set(server.log.lines)


def until_closed(screen: Iterable[str]) -> Iterator[str]:
    """The lines of a terminal, whose end is an error on Linux."""
    with suppress(OSError):
        yield from screen


@pytest.mark.parametrize(("options", "shown"), [((), True), (("--quiet", "--access-log"), False)])
def test_a_terminal_shows_them_unless_it_is_to_be_quiet(options, shown: bool):
    reading, terminal = pty.openpty()
    with running("serve", "--port", 0, "--control-port", 0, *options, stderr=terminal) as server:
        os.close(terminal)
        with os.fdopen(reading, errors="replace") as screen:
            lines = Lines(until_closed(screen))
            gpsend(json.loads(server.out.wait_for('"ready"')), appkey="wrong")
            # The warning comes in either case, before the line.
            lines.wait_for("WARNING no tenant has nxcloud appkey 'wrong'")
            if shown:
                lines.wait_for("refused: appkey: ")
            server.process.terminate()
            lines.wait_for("stopping")
            assert any("refused: " in line for line in lines.lines) is shown


def test_what_is_not_a_terminal_gets_none_unasked():
    with serving() as server:
        gpsend(server.ready, appkey="wrong")
        server.log.wait_for("no tenant has nxcloud appkey")
        server.process.terminate()
        assert not any("refused: " in line for line in server.log.end())


def test_a_reader_that_reads_nothing_stops_nothing():
    with (
        full_pipe() as (_, writing, _),
        running("serve", "--port", 0, "--control-port", 0, "--access-log", stderr=writing) as server,
    ):
        ready = json.loads(server.out.wait_for('"ready"'))
        for index in range(30):
            gpsend(ready, appkey=f"wrong-{index}")


async def test_json_logs_carry_the_values_of_a_line(caplog):
    async with started() as emu:
        emu.emulator.runtime.tenancy.register(AccessLog(emu.emulator.runtime.providers))
        with caplog.at_level(logging.INFO, LOGGER):
            async with emu.client.post(emu.url + PATH, data={**FIELDS, "country_code": ""}) as reply:
                await reply.read()
            async with emu.client.post(emu.url + PATH, data=FIELDS) as reply:
                await reply.read()
            await emu.settle()
    refused, accepted, *pushes = [record for record in caplog.records if record.name == LOGGER]
    assert refused.row["tenant"] == "default"
    assert refused.row["why"][0].startswith("country_code")
    assert "code 2" in refused.getMessage()
    assert accepted.row["why"] == []
    assert {push.row["outcome"] for push in pushes} == {"delivered"}


async def test_a_large_request_is_rendered_apart_and_no_secret_is_printed(caplog):
    async with started() as emu:
        emu.emulator.runtime.tenancy.register(AccessLog(emu.emulator.runtime.providers))
        with caplog.at_level(logging.INFO, LOGGER):
            long = {**FIELDS, "secretkey": "hush-hush", "url": "x" * 300_000}
            async with emu.client.post(emu.url + PATH, data=long) as reply:
                await reply.read()
            async with emu.client.get(emu.url + "/nx-secretkey") as reply:
                await reply.read()
            while len([record for record in caplog.records if record.name == LOGGER]) < 2:
                async with emu.client.get(emu.control + "/health") as reply:
                    await reply.read()
    assert "hush-hush" not in caplog.text
    assert "nx-secretkey" not in caplog.text
    assert "gpsend: code " in caplog.text


async def test_requests_are_not_rendered_where_nobody_asked(monkeypatch):
    """Off is off: the record of a request is never shown, nor are its reasons looked for."""
    monkeypatch.setattr(RequestRecord, "shown", lambda self: pytest.fail("rendered"))
    monkeypatch.setattr("voice_emulator.wire.control.search.traffic_row", lambda *_: pytest.fail("rendered"))
    async with started() as emu, emu.client.post(emu.url + PATH, data=FIELDS) as reply:
        assert (await reply.json(content_type=None))["code"] == "0"
