"""Returned mails are matched, stored once, and change what they may change."""

import asyncio
import threading
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from shared.mail.return_path import ReturnPaths, unsigned_delivery
from shared.returns import intake
from shared.returns.intake import Incoming, NotSettledYet, Taken
from shared.returns.understand import understand
from shared.returns.verdict import Verdict
from tests.shared.deliveries.conftest import submit
from tests.shared.returns.mails import failure, feedback, letter, report

PATHS = ReturnPaths("a secret of the tests, long enough", "bounces.example")
GONE = report(failure("5.1.1", "550 5.1.1 user unknown"))
FULL = report(failure("5.2.2", "552 5.2.2 mailbox full"))
POLICY = report(failure("5.7.1", "550 5.7.1 blocked by policy"))
SERVERS = report(failure("5.4.4", "host not found"))
DELAY = report(failure("4.4.1", "timed out", action="delayed"))
COMPLAINT = feedback("Feedback-Type: abuse")


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


async def handed_over(conn: asyncpg.Connection, state: str = "sent") -> UUID:
    [delivery] = await submit(conn, ["ana@client.example"])
    await conn.execute(
        "UPDATE deliveries SET state = $2::text, lease_until = now(),"
        " sent_at = CASE $2::text WHEN 'sent' THEN now() END WHERE id = $1",
        *(delivery, state),
    )
    return delivery


async def came(conn: asyncpg.Connection, raw: bytes, address: str) -> Taken:
    found = await intake.match(conn, address, PATHS)
    return await intake.take(conn, Incoming(raw, "smtp", address), found)


async def state_of(conn: asyncpg.Connection, delivery: UUID) -> tuple[str, str | None]:
    row = await conn.fetchrow("SELECT state, reason_code FROM deliveries WHERE id = $1", delivery)
    return row["state"], row["reason_code"]


async def suppressed(conn: asyncpg.Connection) -> list[tuple[int, str, str]]:
    rows = await conn.fetch("SELECT business_id, email_key, reason_code FROM suppressions")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("raw", "state", "code", "suppression"),
    [
        (GONE, "bounced", "bounced_recipient", "suppressed_bounced"),
        (FULL, "bounced", "bounced_recipient", None),
        (POLICY, "bounced", "bounced_policy", None),
        (SERVERS, "bounced", "bounced_infrastructure", None),
        (COMPLAINT, "complained", "complained", "suppressed_complained"),
        (DELAY, "sent", None, None),
        (letter("Automatic reply: on holiday"), "sent", None, None),
        (letter("user unknown"), "sent", None, None),
    ],
)
@pytest.mark.parametrize("before", ["sent", "in_doubt"])
async def test_what_a_returned_mail_changes(
    conn: asyncpg.Connection,
    raw: bytes,
    state: str,
    code: str | None,
    suppression: str | None,
    before: str,
) -> None:
    delivery = await handed_over(conn, before)
    taken = await came(conn, raw, PATHS.address(delivery))
    assert await state_of(conn, delivery) == (state if code else before, code)
    found = [(1, "ana@client.example", suppression)] if suppression else []
    assert await suppressed(conn) == found
    effect = await conn.fetchval("SELECT effect FROM returns WHERE id = $1", taken.id)
    assert effect == [state] * bool(code) + ["suppressed"] * bool(suppression)
    events = await conn.fetch("SELECT state FROM delivery_events ORDER BY id")
    assert [each["state"] for each in events][-1:] == ([state] if code else [before])
    assert await conn.fetchval("SELECT raw FROM returned_mails") == raw


async def test_a_copy_counts_once_whatever_its_header(conn: asyncpg.Connection) -> None:
    address = PATHS.address(await handed_over(conn))
    first = await came(conn, GONE, address)
    copies = [GONE, b"Received: by a\n" + GONE, GONE.replace(b"\n", b"\r\n")]
    assert [await came(conn, each, address) for each in copies] == [Taken(first.id, True)] * 3  # noqa: FBT003
    assert not (await came(conn, FULL, address)).is_copy
    assert await conn.fetchval("SELECT count(*) FROM returned_mails") == 2


async def test_copies_at_the_same_moment_count_once(database: str) -> None:
    async with asyncpg.create_pool(database, min_size=8, max_size=8) as pool:
        async with pool.acquire() as conn:
            address = PATHS.address(await handed_over(conn))

        async def take() -> Taken:
            async with pool.acquire() as own:
                return await came(own, GONE, address)

        taken = await asyncio.gather(*(take() for _ in range(8)))
        assert len({each.id for each in taken}) == 1
        assert sorted(each.is_copy for each in taken) == [False] + [True] * 7
        async with pool.acquire() as conn:
            states = await conn.fetch("SELECT state FROM delivery_events WHERE state = 'bounced'")
            assert len(states) == 1


async def test_what_matches_nothing_is_kept(conn: asyncpg.Connection) -> None:
    address = PATHS.address(uuid4())
    assert await intake.match(conn, address, PATHS) is None
    first = await came(conn, GONE, address)
    assert await came(conn, GONE, address) == Taken(first.id, is_copy=True)
    mine = Incoming(GONE, "api", address, business_id=1)
    assert not (await intake.take(conn, mine, None)).is_copy
    rows = await conn.fetch("SELECT business_id, delivery_id FROM returns ORDER BY business_id")
    assert [tuple(row) for row in rows] == [(1, None), (None, None)]
    assert await suppressed(conn) == []


async def test_other_work_goes_on_while_a_mail_is_understood(
    conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, went_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow(raw: bytes, recipient: str | None) -> Verdict:
        loop.call_soon_threadsafe(begun.set)
        assert went_on.wait(timeout=10)
        return understand(raw, recipient)

    monkeypatch.setattr(intake, "understand", slow)
    large = GONE + b"x" * 20_000
    taking = asyncio.create_task(came(conn, large, PATHS.address(await handed_over(conn))))
    await begun.wait()
    went_on.set()
    assert not (await taking).is_copy


async def test_a_mail_at_the_gate_is_returned_later(conn: asyncpg.Connection) -> None:
    delivery = await handed_over(conn, "committing")
    with pytest.raises(NotSettledYet):
        await came(conn, GONE, PATHS.address(delivery))
    assert not await conn.fetchval("SELECT count(*) FROM returns")


@pytest.mark.parametrize("state", ["deferred", "failed", "cancelled"])
async def test_a_mail_that_was_not_handed_over_stays(conn: asyncpg.Connection, state: str) -> None:
    """An earlier attempt of it may have been: its address is suppressed for the next one."""
    delivery = await handed_over(conn, state)
    await came(conn, GONE, PATHS.address(delivery))
    assert (await state_of(conn, delivery))[0] == state
    assert await suppressed(conn) == [(1, "ana@client.example", "suppressed_bounced")]


async def test_an_unsigned_path_is_for_mails_from_before_and_suppresses_nobody(
    conn: asyncpg.Connection,
) -> None:
    delivery = await handed_over(conn)
    address = f"post+bounce-{delivery.hex}@ledgerpost.example"
    assert unsigned_delivery(address) == delivery
    assert await intake.match(conn, address, PATHS) is None
    await conn.execute("UPDATE return_paths SET signed_since = now() + interval '1 hour'")
    await came(conn, GONE, address)
    assert await state_of(conn, delivery) == ("bounced", "bounced_recipient")
    assert await suppressed(conn) == []


async def test_nothing_more_comes_back_of_an_erased_recipient(conn: asyncpg.Connection) -> None:
    delivery = await handed_over(conn)
    await conn.execute(
        "UPDATE deliveries SET email = 'erased', email_key = 'erased-1@erased.invalid'"
    )
    assert await intake.match(conn, PATHS.address(delivery), PATHS) is None
    await came(conn, GONE, PATHS.address(delivery))
    assert await state_of(conn, delivery) == ("sent", None)
    assert await suppressed(conn) == []
