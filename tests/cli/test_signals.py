"""Signals that end `serve`: each writes the report and ends in an orderly way."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from tests.cli.process import get, post, serving
from tests.cli.serve.test_command import FORM, GPSEND

SIGNALS = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("name", SIGNALS)
def test_the_report_is_written_and_the_exit_status_is_0(name: str, tmp_path):
    report = tmp_path / "report.json"
    with serving("--report-on-exit", report, "--clock", "1000x") as server:
        post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
        waited = get(server.ready["control"] + "/v1/tenants/default/wait?for=callbacks&count=1&timeout=30s")
        assert waited["satisfied"]
        assert server.stop(getattr(signal, name)) == 0
        assert "stopping" in "\n".join(server.log.end())
    assert json.loads(report.read_text())["conservation"]["accepted"] == 1
