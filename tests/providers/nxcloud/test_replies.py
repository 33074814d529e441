from __future__ import annotations

import pytest

from voice_emulator.providers.nxcloud.replies import chosen, listed
from voice_emulator.providers.request import NOTHING, Request


@pytest.mark.parametrize(
    ("page", "size", "rows"), [(1, 2, ["a!", "b!"]), (2, 2, ["c!"]), (3, 2, []), (1, 10, ["a!", "b!", "c!"])]
)
def test_listed_shows_one_page_and_counts_all(page: int, size: int, rows: list[str]):
    fields = {"page": str(page), "page_size": str(size)}
    request = Request("nxcloud", "POST", "/", NOTHING, NOTHING, b"", "", fields=fields)
    reply = listed(request, "1", ["a", "b", "c"], lambda each: f"{each}!")
    assert reply.payload == {"code": "1", "info": {"total": 3, "page": page, "pageSize": size, "rows": rows}}
    assert reply.code == "1"


def test_chosen_text_is_chinese_only_where_the_account_wants_it_and_there_is_one():
    chinese = chosen("Request succeeded", {"reply_language": "zh"})
    assert not chinese.isascii()
    assert chosen("Request succeeded", {"reply_language": "en"}) == "Request succeeded"
    assert chosen("A text of ours", {"reply_language": "zh"}) == "A text of ours"
