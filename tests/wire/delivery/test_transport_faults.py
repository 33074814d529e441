from __future__ import annotations

import pytest

from voice_emulator.wire.delivery.transport_faults import slowly


@pytest.mark.parametrize(
    ("body", "size", "pieces"),
    [
        (b"abcdefg", 3, [b"abc", b"def", b"g"]),
        (b"abc", 3, [b"abc"]),
        (b"ab", 100, [b"ab"]),
        (b"", 3, []),
    ],
)
async def test_slowly_sends_a_body_in_pieces(body: bytes, size: int, pieces: list[bytes]):
    assert [piece async for piece in slowly(body, 0, size)] == pieces
