"""A returned mail is received for one recipient, whatever happens beside it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from shared.mail.return_path import ReturnPaths
from shared.returns import intake
from shared.returns.intake import Incoming, Match, NotSettledYet, Taken, Understood
from shared.returns.metrics import ReturnMetrics
from shared.returns.receiving import Receiver
from tests.shared.deliveries.conftest import submit
from tests.shared.returns.mails import failure, feedback, report

PATHS = ReturnPaths("a secret of the tests, long enough", "bounces.example")
COUNTED = ReturnMetrics(CollectorRegistry())
GONE = report(failure("5.1.1", "550 5.1.1 user unknown"))
STORED = "SELECT delivery_id, size, effect FROM returns"
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
SUPPRESS = (
    "INSERT INTO suppressions (business_id, email_key, reason, reason_code)"
    " VALUES (1, 'ana@client.example', 'asked', 'suppressed_by_business')"
)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    patience = {"deadlock_timeout": "1s"}
    async with asyncpg.create_pool(
        database, min_size=1, max_size=4, server_settings=patience
    ) as opened:
        yield opened


async def receive(pool: asyncpg.Pool, incoming: Incoming) -> Taken:
    return await Receiver([pool], PATHS, COUNTED).receive(incoming)


async def handed_over(
    pool: asyncpg.Pool, state: str = "sent", email: str = "ana@client.example"
) -> Incoming:
    """Return the bounce of a mail that was handed over."""
    async with pool.acquire() as conn:
        [delivery] = await submit(conn, [email])
    await pool.execute(
        "UPDATE deliveries SET state = $2::text, lease_until = now(),"
        " sent_at = CASE $2::text WHEN 'sent' THEN now() END WHERE id = $1",
        *(delivery, state),
    )
    return Incoming(GONE, "smtp", PATHS.address(delivery))


async def test_a_bounce_is_received_once(pool: asyncpg.Pool) -> None:
    bounce = await handed_over(pool)
    first = await receive(pool, bounce)
    assert await receive(pool, bounce) == (first.id, True)
    [stored] = await pool.fetch(STORED)
    assert stored["effect"] == ["bounced", "suppressed"]
    assert stored["size"] == len(GONE)


async def test_what_was_left_of_a_mail_is_told_with_its_whole_size(pool: asyncpg.Pool) -> None:
    await receive(pool, Incoming(GONE, "smtp", size=9_000_000))
    assert (await pool.fetchval("SELECT size FROM returns")) == 9_000_000


async def test_what_matches_no_delivery_is_stored(pool: asyncpg.Pool) -> None:
    await receive(pool, Incoming(GONE, "smtp", PATHS.address(uuid4())))
    await receive(pool, Incoming(GONE, "maildir"))
    assert [row["delivery_id"] for row in await pool.fetch(STORED)] == [None, None]


async def test_a_mail_at_the_gate_is_received_later(pool: asyncpg.Pool) -> None:
    bounce = await handed_over(pool, "committing")
    with pytest.raises(NotSettledYet):
        await receive(pool, bounce)
    await pool.execute("UPDATE deliveries SET state = 'sent', sent_at = now()")
    assert not (await receive(pool, bounce)).is_copy


async def test_a_transaction_that_conflicts_is_repeated(pool: asyncpg.Pool) -> None:
    bounce = await handed_over(pool)
    async with pool.acquire() as other, other.transaction():
        await other.execute(SUPPRESS)
        await other.execute("SET LOCAL deadlock_timeout = '60s'")
        receiving = asyncio.create_task(receive(pool, bounce))
        while not await pool.fetchval(BLOCKED):
            assert not receiving.done()
        # Postgres ends the transaction of the returned mail, which looks for deadlocks sooner.
        await other.execute("UPDATE deliveries SET email = 'ana@client.example'")
    await receiving
    [stored] = await pool.fetch(STORED)
    assert stored["effect"] == ["bounced"]


async def test_a_delivery_that_is_pruned_meanwhile_is_no_longer_found(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounce, read = await handed_over(pool), intake.read

    async def slowly(incoming: Incoming, found: Match | None) -> Understood:
        await pool.execute("TRUNCATE sends CASCADE")
        return await read(incoming, found)

    monkeypatch.setattr(intake, "read", slowly)
    await receive(pool, bounce)
    assert [row["delivery_id"] for row in await pool.fetch(STORED)] == [None]


async def at_once(pool: asyncpg.Pool, mails: list[Incoming]) -> list[Taken | BaseException]:
    receiver = Receiver([pool], PATHS, COUNTED)
    return await asyncio.gather(*map(receiver.receive, mails), return_exceptions=True)


async def test_mails_that_come_at_once_share_a_transaction(pool: asyncpg.Pool) -> None:
    mails = [await handed_over(pool, email=f"r{number}@client.example") for number in range(5)]
    taken = await at_once(pool, [*mails, Incoming(GONE, "maildir")])
    assert [isinstance(each, Taken) and each.is_copy for each in taken] == [False] * 6
    rows = await pool.fetch("SELECT xmin::text, delivery_id, effect FROM returns ORDER BY effect")
    assert len({row["xmin"] for row in rows}) == 2  # the effect is a second version of the row
    assert [row["effect"] for row in rows] == [[], *[["bounced", "suppressed"]] * 5]
    assert rows[0]["delivery_id"] is None
    assert await pool.fetchval("SELECT count(*) FROM delivery_events WHERE state = 'bounced'") == 5
    assert await pool.fetchval("SELECT count(*) FROM suppressions") == 5


async def test_a_mail_that_cannot_be_stored_takes_no_other_along(pool: asyncpg.Pool) -> None:
    good, bad = [await handed_over(pool, email=f"{one}@client.example") for one in ("a", "b")]
    await pool.execute("ALTER TABLE returns ADD CHECK (size <> 7)")
    taken, failed = await at_once(pool, [good, replace(bad, size=7)])
    assert isinstance(taken, Taken)
    assert isinstance(failed, asyncpg.CheckViolationError)
    assert [row["effect"] for row in await pool.fetch(STORED)] == [["bounced", "suppressed"]]


async def test_copies_that_come_at_once_count_once(pool: asyncpg.Pool) -> None:
    bounce, unmatched = await handed_over(pool), Incoming(GONE, "maildir")
    for copies in ([bounce] * 4, [unmatched] * 3):
        first, *others = await at_once(pool, copies)
        assert isinstance(first, Taken)
        assert not first.is_copy
        assert others == [Taken(first.id, is_copy=True)] * len(others)
        assert await at_once(pool, copies) == [Taken(first.id, is_copy=True)] * len(copies)
    assert await pool.fetchval("SELECT count(*) FROM returns") == 2


async def test_two_mails_about_one_delivery_at_once_count_both(pool: asyncpg.Pool) -> None:
    bounce = await handed_over(pool)
    full = replace(bounce, raw=report(failure("5.2.2", "552 5.2.2 mailbox full")))
    complaint = replace(bounce, raw=feedback("Feedback-Type: abuse"))
    await at_once(pool, [full, complaint])
    effects = sorted([row["effect"] for row in await pool.fetch(STORED)])
    assert effects == [["bounced"], ["suppressed"]]


async def test_an_address_that_two_mails_suppress_at_once_is_suppressed_by_one(
    pool: asyncpg.Pool,
) -> None:
    await at_once(pool, [await handed_over(pool), await handed_over(pool)])
    effects = sorted([row["effect"] for row in await pool.fetch(STORED)])
    assert effects == [["bounced"], ["bounced", "suppressed"]]


async def test_a_delivery_that_another_transaction_changes_holds_up_no_other(
    pool: asyncpg.Pool,
) -> None:
    held, free = [await handed_over(pool, email=f"{one}@client.example") for one in ("a", "b")]
    async with pool.acquire() as other, other.transaction():
        await other.execute("UPDATE deliveries SET email = email WHERE email LIKE 'a@%'")
        receiver = Receiver([pool], PATHS, COUNTED)
        waiting = asyncio.create_task(receiver.receive(held))
        await receiver.receive(free)
        while not await pool.fetchval(BLOCKED):
            assert not waiting.done()
    assert not (await waiting).is_copy
    assert await pool.fetchval("SELECT count(*) FROM returns") == 2


async def test_what_was_found_before_is_looked_at_again(pool: asyncpg.Pool) -> None:
    """A recipient may be erased, or its mail be at the gate again, while the mail comes."""
    receiver = Receiver([pool], PATHS, COUNTED)
    bounce, erased = [await handed_over(pool, email=f"{one}@client.example") for one in ("a", "b")]
    places = [await receiver.find(receiver.named(each.recipient)) for each in (bounce, erased)]
    await pool.execute(
        "UPDATE deliveries SET email = 'erased', email_key = 'erased-1@erased.invalid'"
        " WHERE email LIKE 'b@%'"
    )
    await pool.execute(
        "UPDATE deliveries SET state = 'committing', sent_at = NULL WHERE email LIKE 'a@%'"
    )
    with pytest.raises(NotSettledYet):
        await receiver.receive(bounce, places[0])
    await receiver.receive(erased, places[1])
    assert [row["delivery_id"] for row in await pool.fetch(STORED)] == [None]
