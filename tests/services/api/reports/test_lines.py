from services.api.reports.lines import Lines


async def written(*batches: list[bytes], head: bytes = b"") -> bytes:
    pieces: list[bytes] = []

    async def write(piece: bytes) -> None:
        pieces.append(piece)

    lines = Lines(write, b"\r\n", head)
    for batch in batches:
        await lines.add(batch)
    await lines.end()
    return b"".join(pieces)


async def test_every_line_ends_in_the_same_way() -> None:
    assert await written([b"1", b"2"], [b"3"]) == b"1\r\n2\r\n3\r\n"
    assert await written([b"1"], [b"2"], head=b"id\r\n") == b"id\r\n1\r\n2\r\n"


async def test_without_rows_there_is_the_head_only() -> None:
    assert await written() == b""
    assert await written(head=b"id\r\n") == b"id\r\n"
