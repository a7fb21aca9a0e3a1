"""Accepting a batch: which customers are selected, what is stored and what is counted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.api.access import daily_counts
from services.api.batches import accept as accepting
from services.api.batches.accept import MadeBy, TooManyOpen, TooManyWaiting, accept, admit
from services.api.core.refusals import Busy, Invalid, NotFound, OverQuota
from shared.mail.stored import stored_addresses
from tests.services.api.batches.requests import PERIOD, TERMS, accepted, wanted

SCHEDULE = UUID(int=7)
DAY = PERIOD.end


async def customers(conn: asyncpg.Connection, batch: UUID) -> list[int]:
    rows = await conn.fetch(
        "SELECT customer_id FROM batch_customers WHERE batch_id = $1 ORDER BY 1", batch
    )
    return [row["customer_id"] for row in rows]


async def charged(conn: asyncpg.Connection) -> tuple[int, int]:
    """Return what is charged to the days on which mails are due, and to today's acceptances."""
    due = await conn.fetchval("SELECT coalesce(sum(used), 0) FROM due_recipients")
    return due, await conn.fetchval("SELECT coalesce(sum(used), 0) FROM daily_recipients")


async def stored(conn: asyncpg.Connection) -> int:
    """Return how many rows are stored about batches."""
    return sum(
        [
            await conn.fetchval(f"SELECT count(*) FROM {table}")
            for table in ("batches", "batch_customers", "business_events")
        ]
    )


async def test_a_batch_has_all_customers_of_its_business(ledger: asyncpg.Connection) -> None:
    batch = await accepted(ledger)

    assert await customers(ledger, batch.id) == [4, 5, 6, 7, 8]
    assert batch.status == "expanding"
    assert batch.progress.model_dump() == {
        "customers": 5,
        "expanded": 0,
        "sends": 0,
        "finished": 0,
    }


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"id": [6, 4, 4, 999]}, [4, 6]),
        ({"id": 6}, [6]),
        ({"archived": False}, [4, 5, 7, 8]),
        ({"archived": 1}, [6]),
        ({"q": "gone"}, [6]),
        ({"q": "$business {ids} ' \\"}, None),
        ({"category_id": [1]}, [4, 5, 6, 7, 8]),
        ({"min_balance": 100.5}, [4]),
        ({"max_balance": "100.4999"}, [5, 6, 7, 8]),
        ({"min_owing": 1}, [4]),
        ({"active": True}, [4]),
        ({"active": True, "id": 5}, None),
    ],
)
async def test_the_filters_are_those_of_the_list(
    ledger: asyncpg.Connection, filters: dict[str, Any], expected: list[int] | None
) -> None:
    await ledger.execute(
        """INSERT INTO invoices
               (business_id, id, customer_id, number, kind, status, issue_date, total)
           VALUES (1, 1, 4, '1', 'invoice', 'issued', '2024-11-05', 100.5)"""
    )
    if expected is None:
        with pytest.raises(Invalid, match="filter: selects no customer"):
            await accepted(ledger, filter=filters)
        assert await stored(ledger) == 0
    else:
        batch = await accepted(ledger, filter=filters)
        assert await customers(ledger, batch.id) == expected


async def test_the_recipients_that_there_may_be_are_counted_for_the_day(
    ledger: asyncpg.Connection,
) -> None:
    await ledger.execute(
        """UPDATE customers SET business_email = 'a@x.com; b@x.com,c@x.com'
           WHERE business_id = 1 AND id = 6"""
    )
    await accepted(ledger, other_emails=["o@x.com"], copy_to_me=True)

    # 4 and 7 have one address, and 6 has three; each of them shares two further recipients.
    assert await charged(ledger) == (1 + 1 + 3 + 3 * 2, 1 + 1 + 3 + 3 * 2)
    assert await ledger.fetchval("SELECT charged FROM batches") == 11


@given(text=st.text(" \t,;a@x.", max_size=60) | st.text(max_size=60) | st.just("a@x,;" * 999))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_no_customer_has_more_recipients_than_were_counted(
    ledger: asyncpg.Connection, text: str
) -> None:
    text = text.replace("\0", "")
    fragment = accepting._queries.most_recipients.replace("$shared", "3")
    counted = await ledger.fetchval(
        f"SELECT {fragment} FROM (SELECT $1::text AS business_email) c", text
    )
    shared = 3 if stored_addresses(text) else 0
    assert counted >= len(stored_addresses(text)) + shared


async def test_no_send_counts_more_recipients_than_it_may_have(
    ledger: asyncpg.Connection,
) -> None:
    await accepted(ledger, replace(TERMS, max_recipients=2), filter={"id": 4}, copy_to_me=True)
    await ledger.execute("UPDATE customers SET business_email = repeat('a@x.com,', 2000)")
    await accepted(ledger, replace(TERMS, max_recipients=2), filter={"id": 4}, copy_to_me=True)

    assert await charged(ledger) == (4, 4)


async def test_a_later_batch_is_counted_for_its_own_day(ledger: asyncpg.Connection) -> None:
    at = (datetime.now(UTC) + timedelta(days=40)).replace(microsecond=0)
    batch = await accepted(ledger, filter={"id": 4}, send_at=at.isoformat())

    assert (batch.status, batch.send_at) == ("scheduled", at)
    assert await ledger.fetch("SELECT day, sum(used) FROM due_recipients GROUP BY day") == [
        (at.date(), 1)
    ]
    assert batch.expires_at == at + TERMS.max_lateness


async def test_a_batch_over_the_quota_leaves_nothing(ledger: asyncpg.Connection) -> None:
    with pytest.raises(OverQuota, match="nothing was stored"):
        await accepted(ledger, replace(TERMS, daily_quota=2))

    assert await stored(ledger) == 0
    assert await charged(ledger) == (0, 0)
    # Nor does it leave rows that were rolled back, which would fill the table.
    assert await ledger.fetchval("SELECT pg_relation_size('batch_customers')") == 0


async def test_four_times_the_quota_is_accepted_on_one_day(ledger: asyncpg.Connection) -> None:
    terms = replace(TERMS, daily_quota=3)
    for days in range(1, 5):
        at = datetime.now(UTC) + timedelta(days=days)
        await accepted(ledger, terms, send_at=at.isoformat())
    with pytest.raises(OverQuota, match="12 recipients accepted"):
        await accepted(ledger, terms, send_at=(datetime.now(UTC) + timedelta(days=9)).isoformat())


async def test_a_batch_has_a_bound(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "CUSTOMERS_MAX", 4)
    with pytest.raises(Invalid, match="filter: selects more than 4 customers"):
        await accepted(ledger)
    assert await stored(ledger) == 0
    assert await ledger.fetchval("SELECT pg_relation_size('batch_customers')") == 0
    assert await charged(ledger) == (0, 0)

    monkeypatch.setattr(accepting, "CUSTOMERS_MAX", 5)
    await accepted(ledger)


async def test_so_many_customers_of_batches_are_stored_on_a_day(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "customers of batches", 9)
    await ledger.execute("UPDATE customers SET business_email = NULL")
    await accepted(ledger)
    at, size = "SELECT count(*) FROM batch_customers", "SELECT pg_relation_size('batch_customers')"
    before = await ledger.fetchval(at), await ledger.fetchval(size)
    with pytest.raises(OverQuota, match="Limit of 9 new customers of batches"):
        await accepted(ledger)
    with pytest.raises(OverQuota, match="Limit of 9 new customers of batches"):
        await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, DAY))
    assert (await ledger.fetchval(at), await ledger.fetchval(size)) == before
    assert await ledger.fetchval("SELECT count(*) FROM batches") == 1

    await accepted(ledger, filter={"id": 4})
    await ledger.execute("UPDATE daily_counts SET day = day - 1")
    await accepted(ledger)


async def test_so_many_batches_are_stored_on_a_day(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(daily_counts.MOST, "batches", 2)
    for _ in range(2):
        await accepted(ledger, filter={"id": 4})
    with pytest.raises(OverQuota, match="Limit of 2 new batches"):
        await accepted(ledger, filter={"id": 4})
    await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, DAY))


async def test_so_many_batches_may_be_open(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "OPEN_MAX", 2)
    first = await accepted(ledger, filter={"id": 4})
    await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, DAY))
    await accepted(ledger, filter={"id": 4})
    with pytest.raises(TooManyOpen):
        await accepted(ledger, filter={"id": 4})
    await accepted(ledger, business=2, filter={"id": 4})
    # Whoever runs a schedule asks for a batch as everybody else does.
    with pytest.raises(TooManyOpen):
        await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, None))

    await ledger.execute("UPDATE batches SET phase = 'done' WHERE id = $1", first.id)
    await accepted(ledger, filter={"id": 4})


async def test_so_many_batches_may_wait_for_the_quota(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accepting, "WAITING_MAX", 1)
    small = replace(TERMS, daily_quota=2)
    await accept(ledger, 1, wanted(), small, schedule=MadeBy(SCHEDULE, DAY))
    later = MadeBy(SCHEDULE, DAY + timedelta(days=7))
    with pytest.raises(TooManyWaiting):
        await accept(ledger, 1, wanted(), small, schedule=later)
    assert await ledger.fetchval("SELECT count(DISTINCT batch_id) FROM batch_customers") == 1
    # What has room does not wait.
    await accept(ledger, 1, wanted(filter={"id": 4}), small, schedule=later)


async def test_one_batch_of_a_business_is_accepted_at_a_time(
    ledger: asyncpg.Connection, database: str
) -> None:
    other = await asyncpg.connect(database)
    async with ledger.transaction():
        await accepted(ledger)
        with pytest.raises(Busy):
            await accepted(other)
        await accepted(other, business=2)
    await accepted(other)
    await other.close()


async def test_more_addresses_than_a_send_may_have_are_refused(ledger: asyncpg.Connection) -> None:
    others = [f"a{number}@x.com" for number in range(25)]
    with pytest.raises(Invalid, match="other_emails: names 25 addresses"):
        await accepted(ledger, other_emails=others)
    await accepted(ledger, other_emails=others[:24])


async def test_a_business_that_is_gone_has_no_batches(ledger: asyncpg.Connection) -> None:
    with pytest.raises(NotFound):
        await accepted(ledger, business=77)


async def test_an_occurrence_of_nobody_is_done(ledger: asyncpg.Connection) -> None:
    nobody = wanted(filter={"q": "nobody"})
    batch = await accept(ledger, 1, nobody, TERMS, schedule=MadeBy(SCHEDULE, DAY))

    assert (batch.status, batch.schedule_id, batch.occurrence) == ("done", SCHEDULE, DAY)
    assert batch.progress.customers == 0


async def test_an_occurrence_makes_one_batch(ledger: asyncpg.Connection) -> None:
    await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, DAY))
    with pytest.raises(asyncpg.UniqueViolationError):
        await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, DAY))
    # Somebody ran the schedule twice.
    await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, None))
    await accept(ledger, 1, wanted(), TERMS, schedule=MadeBy(SCHEDULE, None))
    assert await ledger.fetchval("SELECT count(*) FROM batches") == 3


async def test_an_occurrence_over_the_quota_waits_for_a_day_with_room(
    ledger: asyncpg.Connection,
) -> None:
    small = replace(TERMS, daily_quota=2)
    batch = await accept(ledger, 1, wanted(), small, schedule=MadeBy(SCHEDULE, DAY))
    assert (batch.status, batch.reason_code) == ("waiting", "over_quota")
    assert await customers(ledger, batch.id) == [4, 5, 6, 7, 8]
    assert await charged(ledger) == (0, 0)

    assert not await admit(ledger, batch.id, small)
    assert await ledger.fetchval("SELECT phase FROM batches") == "waiting"
    assert await admit(ledger, batch.id, TERMS)

    row = await ledger.fetchrow("SELECT phase, reason, reason_code, charged FROM batches")
    assert tuple(row or ()) == ("expanding", None, None, 3)
    assert await charged(ledger) == (3, 3)
    assert await admit(ledger, batch.id, TERMS)
    assert await charged(ledger) == (3, 3)
