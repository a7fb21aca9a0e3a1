"""The mails of a Maildir are stored once, and deleted only then."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.mailer.returns import maildir
from services.mailer.returns.maildir import FILE_BYTES_MAX, Maildir
from shared.mail.return_path import ReturnPaths
from shared.process.trouble import Trouble
from shared.returns import unmatched
from shared.returns.intake import Incoming, Taken
from shared.returns.metrics import ReturnMetrics
from shared.returns.parts import BYTES_MAX
from shared.returns.receiving import Receiver
from tests.commands import ended
from tests.logged import Logged
from tests.services.mailer.returns.mail_server import path_of_one
from tests.services.mailer.returns.test_returns_process import LEAST, free_port, process
from tests.shared.deliveries.conftest import submit
from tests.shared.returns.mails import failure, letter, report

PATHS = ReturnPaths("a secret of the tests, long enough", "bounces.example")
GONE = report(failure("5.1.1", "550 5.1.1 user unknown"))
STORED = "SELECT delivery_id, source, kind, size FROM returns ORDER BY received_at"
Receive = Callable[[asyncpg.Pool, Incoming, ReturnPaths], Awaitable[Taken]]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database, min_size=1, max_size=8) as opened:
        yield opened


def reader(folder: Path, pool: asyncpg.Pool) -> Maildir:
    return Maildir(folder, receiver(pool), PATHS, Trouble("a test's trouble"))


def receiver(pool: asyncpg.Pool) -> Receiver:
    return Receiver([pool], PATHS, ReturnMetrics(CollectorRegistry()))


async def handed_over(pool: asyncpg.Pool, state: str = "sent") -> UUID:
    async with pool.acquire() as conn:
        [delivery] = await submit(conn, ["ana@client.example"])
    await pool.execute(
        "UPDATE deliveries SET state = $2::text, lease_until = now(),"
        " sent_at = CASE $2::text WHEN 'sent' THEN now() END WHERE id = $1",
        *(delivery, state),
    )
    return delivery


def noted(delivery: UUID, raw: bytes = GONE, field: str = "Delivered-To") -> bytes:
    return f"{field}: {PATHS.address(delivery)}\n".encode() + raw


def names(folder: Path, *parts: str) -> set[str]:
    return {each.name for each in folder.joinpath(*parts).iterdir()}


@pytest.mark.parametrize("field", ["Delivered-To", "X-Original-To", "Envelope-To", "To"])
async def test_a_mail_is_taken_in_and_its_file_deleted(
    folder: Path, pool: asyncpg.Pool, field: str
) -> None:
    delivery = await handed_over(pool)
    raw = noted(delivery, field=field)
    (folder / "new" / "1.a").write_bytes(raw)
    assert not await reader(folder, pool).step()
    assert [tuple(row) for row in await pool.fetch(STORED)] == [
        (delivery, "maildir", "bounce", len(raw))
    ]
    assert await pool.fetchval("SELECT email_key FROM suppressions") == "ana@client.example"
    assert names(folder, "new") == set()


async def test_a_mail_from_before_return_paths_were_signed_finds_its_delivery(
    folder: Path, pool: asyncpg.Pool
) -> None:
    delivery, other = await handed_over(pool), await handed_over(pool)
    old = f"Delivered-To: <post+bounce-{delivery.hex}@ledgerpost.example>\n".encode()
    (folder / "new" / "1.a").write_bytes(old + GONE)
    await reader(folder, pool).step()
    assert [tuple(row)[:3] for row in await pool.fetch(STORED)] == [(None, "maildir", "bounce")]
    await pool.execute("UPDATE return_paths SET signed_since = now() + interval '1 hour'")
    (folder / "new" / "2.a").write_bytes(old + GONE)
    (folder / "new" / "3.a").write_bytes(old + noted(other, field="To"))
    await reader(folder, pool).step()
    matched = "SELECT delivery_id FROM returns WHERE delivery_id IS NOT NULL"
    assert {row["delivery_id"] for row in await pool.fetch(matched)} == {delivery, other}
    assert await pool.fetchval("SELECT state FROM deliveries WHERE id = $1", delivery) == "bounced"


async def test_what_matches_nothing_is_kept_and_can_be_looked_at(
    folder: Path, pool: asyncpg.Pool
) -> None:
    (folder / "new" / "1.a").write_bytes(letter("Hello"))
    await reader(folder, pool).step()
    assert [tuple(row)[:2] for row in await pool.fetch(STORED)] == [(None, "maildir")]
    assert await pool.fetchval("SELECT raw FROM returned_mails") == letter("Hello")
    assert names(folder, "new") == set()


async def test_the_oldest_is_first_and_only_new_mails_are_read(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maildir, "_AT_ONCE", 1)
    for age, name in enumerate("cab"):
        file = folder / "new" / name
        file.write_bytes(letter("Hello", text=name))
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    (folder / "tmp" / "half").write_bytes(GONE[:50])
    (folder / "cur" / "seen").write_bytes(GONE)
    (folder / "new" / ".nfs1").write_bytes(GONE)
    await reader(folder, pool).step()
    rows = await pool.fetch("SELECT raw FROM returned_mails ORDER BY received_at")
    assert [row["raw"][-2:-1].decode() for row in rows] == ["b", "a", "c"]
    assert (names(folder, "tmp"), names(folder, "cur")) == ({"half"}, {"seen"})
    assert names(folder, "new") == {".nfs1"}


async def test_a_file_stays_until_the_commit(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new" / "1.a").write_bytes(noted(await handed_over(pool)))

    async def broken(*_: Any) -> Taken:
        raise asyncpg.CannotConnectNowError("the database is starting")

    with monkeypatch.context() as patched:
        patched.setattr(Receiver, "receive", broken)
        assert not await reader(folder, pool).step()
    assert names(folder, "new") == {"1.a"}
    await reader(folder, pool).step()
    assert len(await pool.fetch(STORED)) == 1


async def test_a_file_that_was_stored_but_not_deleted_is_a_copy(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new" / "1.a").write_bytes(noted(await handed_over(pool)))

    def killed(*_: Any, **__: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", killed)
        with pytest.raises(asyncio.CancelledError):
            await reader(folder, pool).step()
    await reader(folder, pool).step()
    assert len(await pool.fetch(STORED)) == 1
    assert await pool.fetchval("SELECT count(*) FROM delivery_events WHERE state = 'bounced'") == 1
    assert names(folder, "new") == set()


async def test_several_readers_do_nothing_twice(folder: Path, pool: asyncpg.Pool) -> None:
    for number in range(30):
        (folder / "new" / str(number)).write_bytes(noted(await handed_over(pool)))
    await asyncio.gather(*(reader(folder, pool).step() for _ in range(3)))
    assert await pool.fetchval("SELECT count(DISTINCT delivery_id) FROM returns") == 30
    assert await pool.fetchval("SELECT count(*) FROM returns") == 30
    assert names(folder, "new") == set()


async def test_a_mail_at_the_gate_is_taken_in_later(folder: Path, pool: asyncpg.Pool) -> None:
    delivery = await handed_over(pool, "committing")
    (folder / "new" / "1.a").write_bytes(noted(delivery))
    (folder / "new" / "2.a").write_bytes(noted(await handed_over(pool)))
    await reader(folder, pool).step()
    assert names(folder, "new") == {"1.a"}
    await pool.execute(
        "UPDATE deliveries SET state = 'sent', sent_at = now() WHERE id = $1", delivery
    )
    await reader(folder, pool).step()  # as another process does
    assert names(folder, "new") == set()
    assert await pool.fetchval("SELECT state FROM deliveries WHERE id = $1", delivery) == "bounced"


async def test_what_is_no_mail_is_set_aside(folder: Path, pool: asyncpg.Pool) -> None:
    secret = folder / "secret"
    secret.write_text("what a symbolic link leads to")
    new = folder / "new"
    (new / "link").symlink_to(secret)
    (new / "folder").mkdir()
    os.mkfifo(new / "pipe")
    (new / "empty").touch()
    with (new / "large").open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    (folder / "aside").mkdir()
    (folder / "aside" / "empty").write_text("an earlier one")
    (new / "mail").write_bytes(noted(await handed_over(pool)))
    await asyncio.wait_for(reader(folder, pool).step(), timeout=30)
    assert names(folder, "new") == set()
    assert len(await pool.fetch(STORED)) == 1
    aside = names(folder, "aside")
    assert {"link", "folder", "pipe", "large", "empty"} < aside
    assert len(aside) == 6
    assert (folder / "aside" / "empty").read_text() == "an earlier one"
    assert secret.read_text() == "what a symbolic link leads to"


async def test_of_a_large_mail_the_beginning_is_kept(folder: Path, pool: asyncpg.Pool) -> None:
    raw = noted(await handed_over(pool)) + b"x" * (BYTES_MAX + 100)
    (folder / "new" / "1.a").write_bytes(raw)
    await reader(folder, pool).step()
    assert await pool.fetchval("SELECT size FROM returns") == len(raw)
    assert await pool.fetchval("SELECT length(raw) FROM returned_mails") == BYTES_MAX


async def test_a_folder_that_is_away_is_trouble_until_it_is_back(
    folder: Path, pool: asyncpg.Pool
) -> None:
    trouble = Trouble("a test's trouble")
    box = Maildir(folder, receiver(pool), PATHS, trouble)
    (folder / "new").rename(folder / "away")
    assert not await box.step()
    with pytest.raises(Exception, match="FileNotFoundError"):
        await trouble.check()
    (folder / "away").rename(folder / "new")
    await box.step()
    await trouble.check()


async def test_the_process_takes_in_a_maildir_with_the_rights_of_the_mailer(
    folder: Path, pool: asyncpg.Pool, database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = await path_of_one(pool)
    (folder / "new" / "1.a").write_bytes(f"Delivered-To: {path}\n".encode() + GONE)
    settings = {
        "RETURNS_LISTEN": f"smtp://127.0.0.1:{free_port()}",
        "RETURNS_MAILDIR": str(folder),
    }
    async with process(database, tmp_path_factory.mktemp("logs"), **settings):
        async with asyncio.timeout(180):
            while names(folder, "new"):
                await asyncio.sleep(0.02)
    assert await pool.fetchval("SELECT state FROM deliveries") == "bounced"


async def test_a_path_that_is_no_maildir_is_refused_in_one_line(
    tmp_path: Path, database: str
) -> None:
    given = LEAST | {
        "DATABASE_URL": database,
        "RETURNS_LISTEN": f"smtp://127.0.0.1:{free_port()}",
        "RETURNS_OPS_PORT": "0",
        "RETURNS_MAILDIR": str(tmp_path / "none"),
    }
    done = await ended("services.mailer", "returns", settings=given)
    assert done.status != 0
    assert "RETURNS_MAILDIR: should be the path of a Maildir" in done.err


async def test_files_that_have_to_wait_hold_up_no_other(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maildir, "_ROUND", 3)
    monkeypatch.setattr(maildir, "_SETTLED_S", 0.3)
    at_the_gate = await handed_over(pool, "committing")
    for number in range(3):
        (folder / "new" / f"{number}").write_bytes(noted(at_the_gate))
    (folder / "new" / "newer").write_bytes(noted(await handed_over(pool)))
    box = reader(folder, pool)
    assert [await box.step(), await box.step()] == [True, False]
    assert names(folder, "new") == {"0", "1", "2"}
    await pool.execute(
        "UPDATE deliveries SET state = 'sent', sent_at = now() WHERE sent_at IS NULL"
    )
    await soon(box, folder)
    assert await pool.fetchval("SELECT count(*) FROM returns") == 2


@pytest.mark.parametrize(
    ("limit", "most"), [("MAILS_A_DAY", 2), ("BYTES_A_DAY", 2 * len(letter("Hello", text="0")))]
)
async def test_only_so_many_mails_a_day_that_match_no_delivery(
    folder: Path,
    pool: asyncpg.Pool,
    monkeypatch: pytest.MonkeyPatch,
    logged: Logged,
    limit: str,
    most: int,
) -> None:
    monkeypatch.setattr(maildir, "_AT_ONCE", 1)
    monkeypatch.setattr(maildir, "_ROOM_S", 0.3)
    monkeypatch.setattr(unmatched, limit, most)
    for number in range(3):
        (folder / "new" / f"{number}").write_bytes(letter("Hello", text=str(number)))
    (folder / "new" / "matched").write_bytes(noted(await handed_over(pool)))
    box = reader(folder, pool)
    await box.step()
    assert len(names(folder, "new")) == 1
    assert await pool.fetchval("SELECT count(*) FROM returns WHERE delivery_id IS NULL") == 2
    assert [each["event"] for each in logged()] == ["unmatched_mails_wait"]
    await pool.execute("UPDATE daily_counts SET day = day - 1")
    await soon(box, folder)
    assert await pool.fetchval("SELECT count(*) FROM returns WHERE delivery_id IS NULL") == 3
    assert [each["event"] for each in logged()][1:] == ["unmatched_mails_wait_over"]


async def soon(box: Maildir, folder: Path) -> None:
    """Let it read until no file is left."""
    async with asyncio.timeout(180):
        while names(folder, "new"):
            await box.step()
            await asyncio.sleep(0.02)
