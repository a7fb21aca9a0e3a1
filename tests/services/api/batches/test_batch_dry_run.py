"""What a dry run of a batch says, and that nothing of it stays but a frozen list."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from services.api.batches import accept, dry_run, frozen_lists
from services.api.batches.accept import accept as accept_batch
from services.api.core.refusals import Busy, InvalidInput, OverQuota
from services.api.sends.terms import Terms
from tests.services.api.batches.requests import TERMS, accepted, wanted
from tests.services.api.batches.trying import planned_mails, planned_skips, tried

# Who owes, and so has a statement that is not empty.
OWE = "UPDATE customers SET opening_balance = 10 WHERE business_id = 1"
STORED = ("batches", "batch_customers", "sends", "deliveries", "due_recipients", "daily_recipients",
          "daily_counts", "business_events")  # fmt: skip


@pytest.fixture(autouse=True)
async def owing(ledger: asyncpg.Connection) -> None:
    await ledger.execute(OWE)


async def rows(conn: asyncpg.Connection) -> dict[str, int]:
    return {name: await conn.fetchval(f"SELECT count(*) FROM {name}") for name in STORED}


async def test_it_says_who_gets_the_mail_and_who_does_not_and_why(
    ledger: asyncpg.Connection,
) -> None:
    await ledger.execute("UPDATE customers SET opening_balance = 3 WHERE id = 6")
    await ledger.execute("UPDATE customers SET business_email = 'a@x.com; b@y.com' WHERE id = 5")
    await ledger.execute(
        "INSERT INTO suppressions (business_id, email_key, reason) VALUES (1, 'b@y.com', 'gone')"
    )
    shown = await tried(ledger, min_balance="5", other_emails=["o@x.com"])
    assert planned_mails(shown) == {
        4: ["esi@customers.example.com", "o@x.com"],
        5: ["a@x.com", "o@x.com"],
    }
    assert planned_skips(shown) == {6: "balance_too_small", 7: "no_address", 8: "no_address"}
    assert [each.customer_id for each in shown.data] == [4, 5, 6, 7, 8]
    assert [each.reason for each in shown.data[1].skipped] == ["suppressed: gone"]
    assert (shown.customers, shown.recipients) == (5, 4)
    assert shown.skipped == {"balance_too_small": 1, "no_address": 2}
    assert shown.data[0].business_name == "Ɛsi"
    assert all(each.reason for each in shown.data[2:])


async def test_it_says_which_addresses_of_who_gets_no_mail_are_skipped(
    ledger: asyncpg.Connection,
) -> None:
    await ledger.execute("UPDATE customers SET business_email = 'b@y.com' WHERE id = 5")
    await ledger.execute(
        "INSERT INTO suppressions (business_id, email_key, reason, reason_code)"
        " VALUES (1, 'b@y.com', 'gone', 'suppressed_bounced')"
    )
    shown = await tried(ledger, filter={"id": [5, 7]})
    assert planned_skips(shown) == {5: "suppressed_bounced", 7: "no_address"}
    assert shown.skipped == {"suppressed_bounced": 1, "no_address": 1}
    [suppressed, _] = shown.data
    assert [(each.email, each.reason_code) for each in suppressed.skipped] == [
        ("b@y.com", "suppressed_bounced")
    ]


async def test_nothing_stays_but_the_list(ledger: asyncpg.Connection) -> None:
    before = await rows(ledger)
    shown = await tried(ledger, send_at="2031-05-01")
    assert await rows(ledger) == before
    assert shown.frozen_list is not None
    listed = await ledger.fetchrow("SELECT *, expires_at - created_at AS lasts FROM frozen_lists")
    assert (listed["id"], listed["business_id"]) == (shown.frozen_list.id, 1)
    assert listed["lasts"] == timedelta(hours=24)
    assert listed["expires_at"] == shown.frozen_list.expires_at
    customers = await ledger.fetch("SELECT * FROM frozen_list_customers ORDER BY customer_id")
    assert [tuple(each) for each in customers] == [
        (listed["id"], 4, ["esi@customers.example.com"]),
        (listed["id"], 6, ["gone@customers.example.com"]),
    ]


async def test_a_list_of_nobody_is_not_kept(ledger: asyncpg.Connection) -> None:
    shown = await tried(ledger, filter={"id": [5, 7]})
    assert (shown.recipients, shown.skipped, shown.frozen_list) == (0, {"no_address": 2}, None)
    assert await ledger.fetchval("SELECT count(*) FROM frozen_lists") == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"filter": {"id": 404}}, "filter"),
        ({"filter": {"q": "nobody"}}, "filter"),
        ({"other_emails": [f"a{n}@x.com" for n in range(25)]}, "other_emails"),
        ({"send_at": "2031-05-01", "send_tome": "2031-05-02"}, "send_at"),
    ],
)
async def test_it_is_refused_as_the_batch_would_be(
    ledger: asyncpg.Connection, body: dict[str, Any], field: str
) -> None:
    said = set()
    for attempt in (tried, accepted):
        with pytest.raises(InvalidInput) as refused:
            await attempt(ledger, **body)
        said.add(str(refused.value))
    assert len(said) == 1
    assert refused.value.errors[0].field == field
    assert await ledger.fetchval("SELECT count(*) FROM frozen_lists") == 0


async def test_more_customers_than_a_batch_may_have_are_refused(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (accept, dry_run):
        monkeypatch.setattr(module, "CUSTOMERS_MAX", 4)
    monkeypatch.setattr(dry_run, "_AT_ONCE", 2)
    with pytest.raises(InvalidInput, match="filter: selects more than 4 customers"):
        await tried(ledger)
    assert await ledger.fetchval("SELECT count(*) FROM frozen_lists") == 0
    assert (await tried(ledger, filter={"archived": 0})).customers == 4


async def test_customers_are_decided_a_few_at_a_time(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the memory of a process does not grow with the audience."""
    await ledger.execute(
        "INSERT INTO customers (business_id, id, owner_id, business_email, opening_balance)"
        " SELECT 1, n, 1, 'c' || n || '@x.com', 1 FROM generate_series(1001, 1444) n"
    )
    sizes: list[int] = []
    decide = dry_run.decide

    async def watched(*given: Any) -> Any:
        sizes.append(len(given[3]))
        return await decide(*given)

    monkeypatch.setattr(dry_run, "decide", watched)
    shown = await tried(ledger)
    assert sizes == [200, 200, 49]
    assert (shown.customers, shown.recipients) == (449, 446)
    ids = [each.customer_id for each in shown.data]
    assert ids == [4, 6, *range(1001, 1049), 5, 7, 8]
    listed = str(shown.frozen_list.id) if shown.frozen_list else None
    again = await tried(ledger, frozen_list=listed)
    assert sizes[3:] == [200, 200, 46]
    assert (again.customers, again.skipped) == (446, {})


async def test_the_quota_is_that_of_the_day_on_which_it_is_due(ledger: asyncpg.Connection) -> None:
    terms = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=9)
    for at in ("2031-05-01T23:59:59Z", None):
        today = datetime.now(UTC).date()
        day = datetime.fromisoformat(at).date() if at else today
        first = await tried(ledger, terms=terms, send_at=at, other_emails=["o@x.com"])
        assert first.quota.model_dump() == {
            "day": day, "limit": 9, "left": 9, "needed": 4, "suffices": True,
        }  # fmt: skip
        await accept_batch(ledger, 1, wanted(filter={"id": [4, 6]}, send_at=at), terms)
        await accept_batch(ledger, 1, wanted(filter={"id": [4, 6]}, send_at=at), terms)
        then = await tried(ledger, terms=terms, send_at=at, other_emails=["o@x.com", "p@x.com"])
        assert (then.quota.left, then.quota.needed, then.quota.suffices) == (5, 6, False)
        assert then.frozen_list is not None
        named = wanted(
            send_at=at, other_emails=["o@x.com", "p@x.com"], frozen_list=str(then.frozen_list.id)
        )
        with pytest.raises(OverQuota):
            await accept_batch(ledger, 1, named, terms)


async def test_a_list_that_no_day_can_have_room_for_is_not_kept(
    ledger: asyncpg.Connection,
) -> None:
    terms = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=3)
    shown = await tried(ledger, terms=terms, other_emails=["o@x.com"])
    assert (shown.recipients, shown.frozen_list) == (4, None)
    assert await ledger.fetchval("SELECT count(*) FROM frozen_lists") == 0
    assert (await tried(ledger, terms=terms, filter={"id": [4, 6]})).frozen_list is not None


async def test_what_was_accepted_today_limits_what_is_due_on_another_day(
    ledger: asyncpg.Connection,
) -> None:
    terms = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=2)
    for month in (1, 2, 3):
        await accept_batch(
            ledger, 1, wanted(filter={"id": [4, 6]}, send_at=f"2031-{month:02}-01"), terms
        )
    await accept_batch(ledger, 1, wanted(filter={"id": [4]}, send_at="2031-04-01"), terms)
    assert (await tried(ledger, terms=terms, send_at="2031-05-01")).quota.left == 1


async def test_what_waits_counts_for_the_time(ledger: asyncpg.Connection) -> None:
    await ledger.execute(
        "INSERT INTO customers (business_id, id, owner_id, business_email, opening_balance)"
        " SELECT 1, n, 1, 'c' || n || '@x.com', 1 FROM generate_series(1001, 1098) n"
    )
    assert (await tried(ledger)).estimated_seconds == 2  # 100 mails by 10 connections
    await accepted(ledger)
    assert (await tried(ledger)).estimated_seconds == 5  # after 103 customers who wait


async def test_a_word_means_days_and_a_date_an_instant(ledger: asyncpg.Connection) -> None:
    shown = await tried(ledger, send_at="2031-05-01")
    assert shown.send_at == datetime(2031, 5, 1, tzinfo=UTC)
    assert shown.expires_at == shown.send_at + TERMS.max_lateness
    assert '"from":"2024-11-01","to":"2024-11-30"' in shown.to_json()


async def test_a_business_has_one_at_a_time_in_all_processes(
    database: str, ledger: asyncpg.Connection
) -> None:
    other = await asyncpg.connect(database)
    async with other.transaction():
        await other.fetchval(dry_run._queries.hold_turn, 1)
        with pytest.raises(Busy, match="Another dry run of the business is under way"):
            await tried(ledger)
        await tried(ledger, business=2)
    await other.close()
    await tried(ledger)


async def test_the_figures_are_of_one_snapshot(
    database: str, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A customer is deleted between two chunks."""
    monkeypatch.setattr(dry_run, "_AT_ONCE", 1)
    other = await asyncpg.connect(database)
    add = frozen_lists.add

    async def interrupted(*given: Any) -> None:
        await other.execute("DELETE FROM customers WHERE business_id = 1 AND id = 6")
        await add(*given)

    monkeypatch.setattr(frozen_lists, "add", interrupted)
    shown = await tried(ledger)
    await other.close()
    assert list(planned_mails(shown)) == [4, 6]
