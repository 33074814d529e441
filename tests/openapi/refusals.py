"""A check of ours for schemathesis: what answers everything with HTTP 200 must refuse in the body.

Loaded by ``schemathesis run`` through SCHEMATHESIS_HOOKS, in a process of its own. What the emulator made of a
request it knows from the journal, whose entry the reply names to a client that asks (``Emulator-Explain``).
"""

from __future__ import annotations

import json
import os
from copy import copy
from typing import Any
from urllib.request import urlopen

import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import MissingHeaderNotRejected

#: Built-in checks that expect a status, which HTTP 200 passes by configuration.
JUDGES: list[Any] = [CHECKS.get_one("negative_data_rejection"), CHECKS.get_one("missing_required_header")]


@schemathesis.check
def refused_in_the_body(context, response, case) -> None:
    """What would have to be a 4xx elsewhere must at HTTP 200 be a refusal by the reply's own code."""
    entry = (response.headers.get("emulator-entry") or [None])[0]
    if response.status_code != 200 or entry is None:
        return
    accepted = copy(response)
    accepted.status_code = 299
    for judge in JUDGES:
        try:
            judge(context, accepted, case)
        except Failure:
            if not refused(entry):
                raise


def refused(entry: str) -> bool:
    """Whether the journal's entry says that the request was turned down."""
    base = os.environ["EMULATOR_CONTROL"]
    with urlopen(f"{base}/v1/tenants/default/journal?after={int(entry) - 1}&limit=1") as reply:
        (found,) = json.load(reply)["entries"]
    assert str(found["id"]) == entry
    return bool(found["refused"])


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """Without Authorization the built-in check wants 401 and nothing else; Huawei's gateway answers 403."""
    expected = isinstance(failure, MissingHeaderNotRejected) and failure.header_name == "Authorization"
    return not (expected and response.status_code == 403)
