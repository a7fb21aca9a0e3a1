"""The content of a mail is read as RFC 5321 says, in pieces of any size."""

import asyncio

import pytest

from services.mailer.returns import content
from services.mailer.returns.content import Content
from services.mailer.returns.limits import Limits, Memory


async def read(*pieces: bytes, kept: int = 1000, memory: int = 1000) -> tuple[Content, bytes]:
    """Return what was read of pieces that come one after another, and what was left over."""
    reader = asyncio.StreamReader(limit=64)

    async def feed() -> None:
        for each in pieces:
            reader.feed_data(each)
            await asyncio.sleep(0)
        reader.feed_eof()

    with Memory(memory).share() as share:
        feeding = asyncio.create_task(feed())
        limits = Limits(kept_bytes=kept, mail_bytes=400)
        found = await content.read(reader, limits, share, lambda: None)
        left = await reader.read()
        await feeding
    return found, left


WHOLE = b"a: b\r\n\r\n..one\r\n...\r\n..\r\nend\r\n.\r\nQUIT\r\n"
UNSTUFFED = b"a: b\r\n\r\n.one\r\n..\r\n.\r\nend\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 100])
async def test_pieces_of_any_size(size: int) -> None:
    pieces = [WHOLE[at : at + size] for at in range(0, len(WHOLE), size)]
    found, left = await read(*pieces)
    # Each dot that was added counts for the size.
    assert found == Content(UNSTUFFED, len(UNSTUFFED) + 3)
    assert left == b"QUIT\r\n"


@pytest.mark.parametrize("size", [1, 2, 100])
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b".\r\n", b""),
        (b"\r\n.\r\n", b"\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".x\r\n.\r\n", b"x\r\n"),
        # Other line ends are no end of a mail.
        (b"a\n.\nb\r.\rc\n.\r\nd\r\n.\ne\r\n.\r\n", b"a\n.\nb\r.\rc\n.\r\nd\r\n\ne\r\n"),
    ],
)
async def test_ends_of_a_mail(sent: bytes, kept: bytes, size: int) -> None:
    found, left = await read(*(sent[at : at + size] for at in range(0, len(sent), size)))
    assert (found.kept, left) == (kept, b"")


@pytest.mark.parametrize("more", range(8))
async def test_only_the_beginning_is_kept(more: int) -> None:
    body = b"x" * (8 + more) + b"\r\n"
    found, _ = await read(body + b".\r\n", kept=10)
    assert found == Content(body[:10], len(body))


async def test_without_memory_nothing_is_kept_and_all_is_read() -> None:
    found, left = await read(b"x" * 20, b"x" * 20, b"\r\n.\r\nQUIT", memory=30)
    assert found == Content(None, 42)
    assert left == b"QUIT"


async def test_what_goes_on_and_on_is_not_read_to_its_end() -> None:
    with pytest.raises(content.Endless):
        await read(*[b"x" * 100] * 9)
