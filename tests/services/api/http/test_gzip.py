import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from services.api.http.streams.gzip import Gzip
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import load_large, new_key

LIST = f"{REPORTS}/{NOVEMBER}"
PLAIN, ZIP = {"Accept-Encoding": "identity"}, {"Accept-Encoding": "gzip"}


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 16 * 1024 + 1, 300_000])
async def test_pieces_come_out_as_one_gzip_member(size: int) -> None:
    came: list[bytes] = []

    async def write(piece: bytes) -> None:
        came.append(piece)

    coder, piece = Gzip(write), bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    for _ in range(5):
        await coder.write(piece)
    await coder.end()
    whole = zlib.decompressobj(wbits=31)
    assert whole.decompress(b"".join(came)) == piece * 5
    assert whole.eof
    assert whole.unused_data == b""


async def test_a_large_piece_does_not_hold_up_the_loop() -> None:
    async def write(_: bytes) -> None:
        pass

    coder, turns = Gzip(write), 0
    work = asyncio.create_task(coder.write(b"0123456789abcdef" * 1_000_000))
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    # Coded on the loop, it would be done at its first turn.
    assert turns > 10


async def test_the_list_comes_compressed_to_whoever_prefers_it(
    database: str, serve: Callable[[str], Awaitable[Api]]
) -> None:
    await load_large(database, customers=5_000, each=1)
    api = await serve(database)
    api.key = await new_key(database)
    plain, zipped = await api.get(LIST, headers=PLAIN), await api.get(LIST, headers=ZIP)
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.text == plain.text
    assert len(zipped.json) == 5_000
    for answer in (plain, zipped):
        assert "Accept-Encoding" in answer.headers["Vary"].split(", ")

    coded = await on_the_wire(api)
    assert gzip.decompress(coded).decode() == plain.text
    assert len(coded) < len(plain.text) / 8


async def on_the_wire(api: Api) -> bytes:
    incoming, outgoing = await api.connect()
    outgoing.write(
        f"GET {LIST} HTTP/1.0\r\nHost: test\r\nAuthorization: Bearer {api.key}\r\n"
        "Accept-Encoding: gzip\r\n\r\n".encode()
    )
    _, _, body = (await incoming.read()).partition(b"\r\n\r\n")
    outgoing.close()
    return body


async def test_an_empty_list_is_compressed_too(
    database: str, serve: Callable[[str], Awaitable[Api]]
) -> None:
    await load_large(database, customers=0, each=0)
    api = await serve(database)
    api.key = await new_key(database)
    assert (await api.get(LIST, headers=ZIP)).text == "[]"
    assert gzip.decompress(await on_the_wire(api)) == b"[]"


async def test_each_coding_has_a_tag_and_either_is_known_again(api: Api, golden: str) -> None:
    plain, zipped = await api.get(LIST, headers=PLAIN), await api.get(LIST, headers=ZIP)
    tags = [plain.headers["ETag"], zipped.headers["ETag"]]
    assert tags[0] != tags[1]
    anything: dict[str, Any] = {"skip_auto_headers": ["Accept-Encoding"]}
    for asked, options in ((PLAIN, {}), (ZIP, {}), ({}, anything)):
        for tag in tags[:1] if asked == PLAIN else tags:
            for given in (tag, f"W/{tag}", f'"other", {tag}'):
                again = await api.get(LIST, headers=asked | {"If-None-Match": given}, **options)
                assert (again.status, again.text) == (304, "")
                assert again.headers["ETag"] == tag
                assert "Accept-Encoding" in again.headers["Vary"]
    # A cache that has the coded answer alone may not be told to show it to who cannot read it.
    whole = await api.get(LIST, headers=PLAIN | {"If-None-Match": tags[1]})
    assert (whole.status, whole.text) == (200, plain.text)
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE customers SET first_name = 'New' WHERE id = 1")
    await conn.close()
    for tag in tags:
        assert (await api.get(LIST, headers=ZIP | {"If-None-Match": tag})).status == 200


@pytest.mark.parametrize("asked", [PLAIN, ZIP])
async def test_head_has_the_headers_of_get_and_no_body(reader: Api, asked: dict[str, str]) -> None:
    get, head = await reader.get(LIST, headers=asked), await reader.ask("HEAD", LIST, headers=asked)
    assert (head.status, head.text) == (200, "")
    for name in ("ETag", "Content-Type", "Content-Encoding", "Vary", "Cache-Control"):
        assert head.headers.get(name) == get.headers.get(name), name
    known = asked | {"If-None-Match": get.headers["ETag"]}
    assert (await reader.ask("HEAD", LIST, headers=known)).status == 304
