"""While RETURN_SECRET is changed, what comes back of mails of the old one still counts."""

import asyncio
from pathlib import Path

import asyncpg

from shared.mail.return_path import ReturnPaths
from tests.services.mailer.returns.mail_server import GONE, PATHS, SECRET, connected, handed_over
from tests.services.mailer.returns.test_returns_process import free_port, process

NEW = "a newer secret of the tests, as long"
OTHERS = (ReturnPaths(NEW, PATHS.domain), PATHS)


async def test_by_smtp_and_from_a_maildir(
    database: str, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    sent = [await handed_over(pool, f"ana{number}@client.example") for number in range(5)]
    for number, paths in enumerate(OTHERS):
        raw = f"Delivered-To: {paths.address(sent[number])}\n".encode() + GONE
        (tmp_path / "new" / str(number)).write_bytes(raw)
    port = free_port()
    settings = {
        "RETURNS_LISTEN": f"smtp://127.0.0.1:{port}",
        "RETURNS_MAILDIR": str(tmp_path),
        "RETURN_SECRET": NEW,
        "RETURN_SECRET_OLD": SECRET,
    }
    async with process(database, tmp_path, **settings), connected(port) as peer:
        for paths, delivery in zip(OTHERS, sent[2:4], strict=True):
            assert await peer.deliver(paths.address(delivery)) == "250 2.0.0 stored"
        third = ReturnPaths("a third secret of the tests, as long", PATHS.domain)
        [refused] = await peer.begin(third.address(sent[4]))
        assert refused[:3] == "550"
        async with asyncio.timeout(180):
            while any((tmp_path / "new").iterdir()):
                await asyncio.sleep(0.02)
    rows = await pool.fetch("SELECT id FROM deliveries WHERE state = 'bounced'")
    assert {row["id"] for row in rows} == set(sent[:4])
