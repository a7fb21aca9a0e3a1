import pytest

from services.api.http.streams.buffer import Buffer


@pytest.mark.parametrize("size", [1, 8192, 100_000])
async def test_small_pieces_are_written_together_and_in_order(size: int) -> None:
    came: list[bytes] = []

    async def write(piece: bytes) -> None:
        came.append(piece)

    buffer, given = Buffer(write), [bytes([number % 256]) * size for number in range(100)]
    for piece in given:
        await buffer.write(piece)
    await buffer.end()
    assert b"".join(came) == b"".join(given)
    assert all(len(piece) >= 64 * 1024 for piece in came[:-1])
    assert all(len(piece) < 64 * 1024 + size for piece in came)
