"""A file of a Maildir that cannot be taken in holds up no other one, and fills no disk."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.mailer.returns import maildir
from services.mailer.returns.maildir import Maildir
from shared.process.trouble import Trouble
from shared.returns import intake
from shared.returns.metrics import ReturnMetrics
from shared.returns.receiving import Receiver
from shared.returns.verdict import Verdict
from tests.logged import Logged
from tests.services.mailer.returns.test_maildir import (
    GONE,
    PATHS,
    handed_over,
    names,
    noted,
    reader,
    soon,
)
from tests.shared.returns.mails import letter


@pytest.fixture
async def away() -> AsyncIterator[asyncpg.Pool]:
    """A database that refuses connections."""
    async with asyncpg.create_pool("postgresql://u:p@127.0.0.1:1/none", min_size=0) as opened:
        yield opened


def wait_in(folder: Path, mails: list[bytes]) -> None:
    for number, raw in enumerate(mails):
        (folder / "new" / f"{number:03}").write_bytes(raw)


async def test_mails_of_a_database_that_is_away_hold_up_no_other(
    folder: Path, pool: asyncpg.Pool, away: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maildir, "_AWAY_S", 0.3)
    wait_in(folder, [noted(uuid4()) for _ in range(20)])
    (folder / "new" / "newer").write_bytes(noted(await handed_over(pool)))
    databases, trouble = [pool, away], Trouble("a test's trouble")
    receiver = Receiver(databases, PATHS, ReturnMetrics(CollectorRegistry()))
    box = Maildir(folder, receiver, PATHS, trouble)
    await box.step()
    assert "newer" not in names(folder, "new")
    assert len(names(folder, "new")) == 20
    await box.step()
    with pytest.raises(Exception, match="ConnectionRefusedError"):
        await trouble.check()
    receiver._finding.pop()
    await soon(box, folder)
    await trouble.check()


async def test_mails_without_a_return_path_wait_alone_for_the_first_database(
    folder: Path, pool: asyncpg.Pool, away: asyncpg.Pool
) -> None:
    wait_in(folder, [letter("Hello", text=str(number)) for number in range(20)])
    (folder / "new" / "newer").write_bytes(noted(await handed_over(pool)))
    receiver = Receiver([away, pool], PATHS, ReturnMetrics(CollectorRegistry()))
    await Maildir(folder, receiver, PATHS, Trouble("a test's trouble")).step()
    assert "newer" not in names(folder, "new")
    assert len(names(folder, "new")) == 20


async def test_what_meets_an_error_of_ours_is_set_aside(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    understand = intake.understand

    def failing(raw: bytes, recipient: str | None) -> Verdict:
        if b"poison" in raw:
            raise KeyError("what the sender wrote")
        return understand(raw, recipient)

    monkeypatch.setattr(intake, "understand", failing)
    wait_in(folder, [letter("poison", text=str(number)) for number in range(20)])
    (folder / "new" / "newer").write_bytes(noted(await handed_over(pool)))
    await reader(folder, pool).step()
    assert names(folder, "new") == set()
    assert len(names(folder, "aside")) == 20
    assert await pool.fetchval("SELECT count(*) FROM returns") == 1
    assert {each["event"] for each in logged()} == {"maildir_file_set_aside"}
    assert "what the sender wrote" not in str(logged())


async def test_a_file_that_cannot_be_set_aside_waits(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise PermissionError("a test's refusal")

    for number in range(20):
        (folder / "new" / f"{number}").touch()
    (folder / "new" / "newer").write_bytes(noted(await handed_over(pool)))
    monkeypatch.setattr(Path, "rename", refused)
    await reader(folder, pool).step()
    assert len(names(folder, "new")) == 20
    assert await pool.fetchval("SELECT count(*) FROM returns") == 1


async def test_of_one_delivery_only_so_many_returns_are_stored(
    folder: Path, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    monkeypatch.setattr(intake, "RETURNS_OF_ONE_MAX", 3)
    monkeypatch.setattr(maildir, "_AT_ONCE", 1)
    known, other = await handed_over(pool), await handed_over(pool)
    wait_in(folder, [noted(known, GONE + str(number).encode()) for number in range(5)])
    (folder / "new" / "newer").write_bytes(noted(other))
    await reader(folder, pool).step()
    assert names(folder, "new") == set()
    stored = "SELECT count(*) FROM returns WHERE delivery_id = $1"
    assert [await pool.fetchval(stored, each) for each in (known, other)] == [3, 1]
    deleted = [each for each in logged() if each["event"] == "maildir_file_deleted"]
    assert [each["delivery_id"] for each in deleted] == [str(known)] * 2
