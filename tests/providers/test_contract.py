from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voice_emulator.providers.contract import Hit, When, finding


@finding("too-fast", "warning", When.ARRIVED, operations=("send",))
def too_fast(look: Any) -> Iterable[Hit | str]:
    """A request came too early.

    Wait a little.
    """
    return ()


def test_finding_rule_takes_its_page_from_its_docstring():
    assert too_fast.title == "A request came too early."
    assert too_fast.text.endswith("Wait a little.")
    assert too_fast.operations == {"send"}
