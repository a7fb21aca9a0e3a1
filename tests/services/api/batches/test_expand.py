"""From an accepted batch to its sends, step by step."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.batches import expand
from services.api.batches.accept import admit
from services.api.core.parsing import parse
from services.api.core.uuid7 import uuid7
from services.api.sends.accept import accept as accept_send
from services.api.sends.request import SendBody, SendRequest
from shared.period import Period
from shared.trace import Trace
from tests.services.api.batches.expanding import (
    FIRST,
    LAST,
    TERMS,
    accept,
    begin,
    connected,
    mails,
    phase,
    skipped,
    step,
)


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as opened:
        yield opened


async def test_each_customer_gets_one_send_and_the_batch_goes_on_to_its_mails(
    conn: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 2)
    await begin(conn, 1, 2, 3)
    batch = await accept(conn, [1, 2, 3], charged=9)
    counts = []
    for _ in range(2):
        await step(conn)
        counts.append(len(await mails(conn, batch)))
    assert counts == [2, 3]
    assert await mails(conn, batch) == [
        (number, f"c{number}@customers.example.com") for number in (1, 2, 3)
    ]
    assert await phase(conn, batch) == "sending"
    assert await skipped(conn, batch) == {}
    assert await expand.next_due(conn) is None


async def test_a_batch_is_expanded_when_it_is_due(conn: asyncpg.Connection) -> None:
    await begin(conn, 1)
    batch = await accept(conn, [1], after=timedelta(hours=1))
    assert await expand.take(conn, -1) is None
    wait = await expand.next_due(conn)
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)
    await conn.execute("UPDATE batches SET send_at = now()")
    await step(conn)
    assert len(await mails(conn, batch)) == 1


async def test_a_step_that_does_not_commit_has_done_nothing(conn: asyncpg.Connection) -> None:
    await begin(conn, 1)
    batch = await accept(conn, [1])
    transaction = conn.transaction()
    await transaction.start()
    taken = await expand.take(conn, -1)
    assert taken is not None
    await expand.expand(conn, taken, TERMS)
    assert len(await mails(conn, batch)) == 1
    await transaction.rollback()
    assert await mails(conn, batch) == []
    await step(conn)
    assert len(await mails(conn, batch)) == 1
    # Whatever repeats it, the database allows one send for a customer.
    await conn.execute(
        "UPDATE batches SET phase = 'expanding', expanded_to = -1;"
        " UPDATE batch_customers SET send_id = NULL"
    )
    with pytest.raises(asyncpg.UniqueViolationError, match="sends_of_batch"):
        await step(conn)


async def test_relays_work_on_different_batches_and_businesses_take_turns(
    conn: asyncpg.Connection, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expand, "STEP", 1)
    await begin(conn, 1)
    await begin(conn, 1, business=2)
    first, second = await accept(conn, [1]), await accept(conn, [1])
    other = await accept(conn, [1], business=2)
    async with connected(database) as relay, relay.transaction(), conn.transaction():
        held = await expand.take(relay, -1)
        found = await expand.take(conn, -1)
        assert held is not None
        assert found is not None
        assert (held.id, found.id) == (first, second)
    order = []
    business = -1
    for _ in range(6):
        batch = await step(conn, business)
        business = await conn.fetchval("SELECT business_id FROM batches WHERE id = $1", batch)
        order.append(batch)
    assert order == [first, other, first, other, second, second]


async def test_a_send_of_a_batch_is_that_of_a_single_request(conn: asyncpg.Connection) -> None:
    await begin(conn, 1)
    await conn.execute("UPDATE customers SET business_email = 'a@x.com; call me; gone@x.com'")
    await conn.execute(
        "INSERT INTO suppressions (business_id, email_key, reason, reason_code)"
        " VALUES (1, 'gone@x.com', 'by hand', 'suppressed_by_business')"
    )
    trace = Trace.begin()
    body = {
        "message": "Thank you!",
        "other_emails": ["accounts@x.com"],
        "copy_to_me": True,
        "statement_kind": "open-items",
        "locale": "fr",
    }
    asked = SendRequest.of(1, Period(FIRST, LAST), parse(SendBody, body))
    single = (await accept_send(conn, 1, asked, TERMS, trace=trace)).send_id
    batch = await accept(
        conn,
        [1],
        personal_message="Thank you!",
        other_emails=["accounts@x.com"],
        copy_to_me=True,
        statement_kind="open-items",
        locale="fr",
        traceparent=str(trace),
    )
    await step(conn)
    [of_batch] = await conn.fetch("SELECT * FROM sends WHERE batch_id = $1", batch)
    expected = await conn.fetchrow("SELECT * FROM sends WHERE id = $1", single)
    own = {"id", "batch_id", "created_at", "send_at", "expires_at"}
    assert without(of_batch, own) == without(expected, own)
    due = await conn.fetchrow("SELECT send_at, expires_at FROM batches")
    assert (of_batch["send_at"], of_batch["expires_at"]) == tuple(due)
    assert await deliveries(conn, of_batch["id"]) == await deliveries(conn, single)


def without(row: asyncpg.Record, names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


async def deliveries(conn: asyncpg.Connection, send: UUID) -> list[dict[str, Any]]:
    own = {"id", "batch_id", "send_id", "due_at", "expires_at", "created_at", "updated_at"}
    rows = await conn.fetch(
        "SELECT * FROM deliveries WHERE send_id = $1 ORDER BY position",
        send,
    )
    assert all((row["due_at"], row["created_at"]) <= (row["expires_at"],) * 2 for row in rows)
    return [without(row, own) for row in rows]


async def test_whoever_is_skipped_has_a_reason_and_the_addresses_of_the_list_are_not_kept(
    conn: asyncpg.Connection,
) -> None:
    await begin(conn, 1, 2, 3)
    await conn.execute("UPDATE customers SET business_email = NULL WHERE id = 2")
    own = {each: [f"c{each}@customers.example.com"] for each in (1, 2, 3)}
    batch = await accept(conn, [1, 2, 3, 4], frozen=own | {3: ["before@x.com"]})
    await step(conn)
    assert await mails(conn, batch) == [(1, "c1@customers.example.com")]
    assert await skipped(conn, batch) == dict.fromkeys((2, 3, 4), "audience_changed")
    kept = "SELECT count(*) FROM batch_customers WHERE recipients IS NOT NULL"
    assert await conn.fetchval(kept) == 0


async def test_what_was_charged_too_much_is_given_back_once(conn: asyncpg.Connection) -> None:
    await begin(conn, 1, 2)
    await conn.execute("UPDATE customers SET business_email = NULL WHERE id = 2")
    await conn.execute(
        "SELECT count_due_recipients(1, (now() AT TIME ZONE 'UTC')::date, 10, 100),"
        " count_recipients(1, 10, 400)"
    )
    batch = await accept(conn, [1, 2], charged=7)
    assert await used(conn) == (10, 10)
    await step(conn)
    # One of seven recipients is mailed.
    assert await used(conn) == (4, 4)
    await expand.give_back(conn, batch)
    assert await used(conn) == (4, 4)
    assert await conn.fetchval("SELECT charged FROM batches") == 1


async def test_a_day_that_is_over_takes_nothing_back(conn: asyncpg.Connection) -> None:
    await begin(conn, 1)
    await conn.execute(
        "INSERT INTO due_recipients VALUES (1, (now() AT TIME ZONE 'UTC')::date, 0, 9),"
        " (1, (now() AT TIME ZONE 'UTC')::date - 1, 0, 9);"
        " INSERT INTO daily_recipients VALUES (1, 0, (now() AT TIME ZONE 'UTC')::date, 9)"
    )
    batch = await accept(conn, [1], charged=5)
    await conn.execute(
        "UPDATE batches SET send_at = now() - interval '1 day', created_at = now() - interval '1 d'"
    )
    await expand.give_back(conn, batch)
    assert await used(conn) == (18, 9)


async def test_an_occurrence_that_waited_gives_back_to_the_day_on_which_it_was_admitted(
    conn: asyncpg.Connection,
) -> None:
    await begin(conn, 1)
    batch = await accept(
        conn, [1], phase="waiting", schedule_id=uuid7(), occurrence=LAST, skip_empty=False
    )
    await conn.execute(
        "UPDATE customers SET business_email = 'a@x.com, a@x.com';"
        " UPDATE batches SET created_at = now() - interval '2 days'"
    )
    assert await admit(conn, batch, TERMS)
    assert await used(conn) == (2, 2)
    await step(conn)
    assert await used(conn) == (1, 1)


async def test_addresses_that_were_added_since_are_charged(conn: asyncpg.Connection) -> None:
    await begin(conn, 1, 2)
    batch = await accept(conn, [1, 2], charged=2)
    await conn.execute("UPDATE customers SET business_email = 'a@x.com, b@x.com' WHERE id = 1")
    await step(conn)
    assert len(await mails(conn, batch)) == 3
    assert await used(conn) == (1, 1)
    assert await conn.fetchval("SELECT charged FROM batches") == 3


async def test_added_addresses_are_not_mailed_beyond_the_quota(conn: asyncpg.Connection) -> None:
    await begin(conn, 1, 2, 3)
    batch = await accept(conn, [1, 2, 3], charged=3)
    await conn.execute("UPDATE customers SET business_email = 'a@x.com, b@x.com' WHERE id < 3")
    await conn.execute("SELECT count_due_recipients(1, (now() AT TIME ZONE 'UTC')::date, 3, 4)")
    await step(conn, terms=replace(TERMS, daily_quota=4))
    assert [customer for customer, _ in await mails(conn, batch)] == [1, 1, 3]
    assert await skipped(conn, batch) == {2: "over_quota"}
    assert await used(conn) == (3, None)
    assert await conn.fetchval("SELECT charged FROM batches") == 3


async def used(conn: asyncpg.Connection) -> tuple[int, int]:
    return (
        await conn.fetchval("SELECT sum(used) FROM due_recipients"),
        await conn.fetchval("SELECT sum(used) FROM daily_recipients"),
    )


async def test_a_batch_is_done_when_no_mail_is_open(conn: asyncpg.Connection) -> None:
    await begin(conn, 1, 2)
    batch = await accept(conn, [1, 2])
    await step(conn)
    for states in (("sent", "scheduled"), ("sent", "deferred")):
        await put(conn, *states)
        assert await expand.finish(conn) == 0
        assert await phase(conn, batch) == "sending"
    await put(conn, "sent", "in_doubt")
    assert await expand.finish(conn) == 1
    assert await phase(conn, batch) == "done"
    assert await expand.finish(conn) == 0


async def put(conn: asyncpg.Connection, *states: str) -> None:
    await conn.executemany(
        "UPDATE deliveries d SET state = $2, sent_at = CASE $2 WHEN 'sent' THEN now() END"
        " FROM sends s WHERE s.id = send_id AND customer_id = $1",
        list(enumerate(states, start=1)),
    )


async def test_a_batch_that_mails_nobody_is_done_soon(conn: asyncpg.Connection) -> None:
    await begin(conn, 1)
    await conn.execute("UPDATE customers SET opening_balance = 0")
    batch = await accept(conn, [1], charged=1)
    await step(conn)
    assert await expand.finish(conn) == 1
    assert await phase(conn, batch) == "done"
    told = await conn.fetch(
        "SELECT type FROM business_events WHERE batch_id = $1 ORDER BY id", batch
    )
    assert [row["type"] for row in told] == ["batch.expanding", "batch.sending", "batch.done"]
