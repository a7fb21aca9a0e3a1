from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput, NotFound
from services.api.idempotency.store import IdempotencyKey
from services.api.sends.accept import Accepted, accept
from services.api.sends.request import SendBody, SendRequest
from services.api.sends.terms import Terms
from shared.period import Period

PERIOD = Period(date(2024, 11, 1), date(2024, 11, 30))
TERMS = Terms(max_recipients=25, max_lateness=timedelta(hours=72), daily_quota=5_000)
TABLES = ("sends", "deliveries", "delivery_events", "idempotency_keys")


async def send(
    conn: asyncpg.Connection, customer: int = 4, business: int = 1, **given: Any
) -> Accepted:
    asked = SendRequest.of(customer, PERIOD, parse(SendBody, given))
    return await accept(conn, business, asked, TERMS)


async def rows_in(conn: asyncpg.Connection) -> dict[str, int]:
    return {table: await conn.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_a_send_is_stored_with_a_delivery_for_each_recipient(
    ledger: asyncpg.Connection,
) -> None:
    before: datetime = await ledger.fetchval("SELECT clock_timestamp()")
    accepted = await send(
        ledger, message="Hello\r\nyou", other_emails="B@x.com,a@x.com", copy_to_me=1
    )
    stored = await ledger.fetchrow("SELECT * FROM sends")
    assert stored is not None
    assert (stored["id"], stored["business_id"], stored["customer_id"]) == (accepted.send_id, 1, 4)
    assert (stored["date_from"], stored["date_to"]) == (PERIOD.start, PERIOD.end)
    assert (stored["personal_message"], stored["copy_to_me"]) == ("Hello\nyou", True)
    assert before <= stored["created_at"] <= await ledger.fetchval("SELECT clock_timestamp()")
    assert stored["send_at"] == stored["created_at"]
    assert stored["expires_at"] == stored["send_at"] + timedelta(hours=72)
    deliveries = await ledger.fetch("SELECT * FROM deliveries ORDER BY position")
    assert [(row["email"], row["email_key"]) for row in deliveries] == [
        ("esi@customers.example.com", "esi@customers.example.com"),
        ("B@x.com", "b@x.com"),
        ("a@x.com", "a@x.com"),
        ("owner@kente.example.com", "owner@kente.example.com"),
    ]
    for row in deliveries:
        assert (row["send_id"], row["business_id"]) == (accepted.send_id, 1)
        assert (row["state"], row["token"], row["attempts"]) == ("scheduled", 0, 0)
        assert (row["due_at"], row["expires_at"]) == (stored["send_at"], stored["expires_at"])
        assert row["id"].version == row["send_id"].version == 7
    assert await ledger.fetchval("SELECT array_agg(state) FROM delivery_events") == [
        "scheduled"
    ] * len(deliveries)


async def test_the_answer_says_what_was_stored(ledger: asyncpg.Connection) -> None:
    await ledger.execute("INSERT INTO suppressions VALUES (1, 'b@x.com', '550 5.1.1 unknown')")
    accepted = await send(ledger, customer=7, other_emails="B@x.com,a@x.com")
    answer = orjson.loads(accepted.answer)
    created = answer["created_at"]
    malformed = answer["skipped"][0].pop("reason")
    assert malformed.startswith("malformed: ")
    assert answer == {
        "id": str(accepted.send_id),
        "message": "Transactions sent",
        "personal_message": None,
        "status": "sending",
        "paused": False,
        "customer_id": 7,
        "from": "2024-11-01",
        "to": "2024-11-30",
        "statement_kind": None,
        "locale": None,
        "send_at": created,
        "expires_at": answer["expires_at"],
        "created_at": created,
        "statement_sha256": None,
        "figures_sha256": None,
        "resend_of": None,
        "batch_id": None,
        "recipients": [
            {
                "id": str(await ledger.fetchval("SELECT id FROM deliveries")),
                "email": "a@x.com",
                "state": "scheduled",
                "attempts": 0,
                "reply": None,
                "reason": None,
                "reason_code": None,
                "next_attempt_at": created,
                "sent_at": None,
                "updated_at": created,
            }
        ],
        "skipped": [
            {"email": "call me", "reason_code": "recipient_malformed"},
            {
                "email": "B@x.com",
                "reason": "suppressed: 550 5.1.1 unknown",
                "reason_code": "suppressed_recipient_unknown",
            },
        ],
    }


async def test_an_archived_customer_may_be_sent_to(ledger: asyncpg.Connection) -> None:
    answer = orjson.loads((await send(ledger, customer=6)).answer)
    assert [each["email"] for each in answer["recipients"]] == ["Gone@Customers.example.com"]


async def test_suppressions_of_another_business_do_not_count(ledger: asyncpg.Connection) -> None:
    await ledger.execute("INSERT INTO suppressions VALUES (2, 'esi@customers.example.com', 'gone')")
    assert orjson.loads((await send(ledger)).answer)["skipped"] == []


@pytest.mark.parametrize(("customer", "business"), [(99, 1), (9, 1), (2**63 - 1, 1), (4, 99)])
async def test_an_unknown_or_foreign_customer_is_not_found(
    ledger: asyncpg.Connection, customer: int, business: int
) -> None:
    with pytest.raises(NotFound):
        await send(ledger, customer, business)
    assert set((await rows_in(ledger)).values()) == {0}


@pytest.mark.parametrize(("business", "customer"), [(1, 5), (1, 7), (1, 8), (3, 1)])
async def test_nobody_to_send_to_stores_nothing(
    ledger: asyncpg.Connection, business: int, customer: int
) -> None:
    await ledger.execute("UPDATE customers SET business_email = 'x' WHERE business_id = 3")
    with pytest.raises(InvalidInput, match="other_emails: leaves no recipient"):
        await send(ledger, customer, business, copy_to_me=business == 3)
    assert set((await rows_in(ledger)).values()) == {0}


@pytest.mark.parametrize(
    ("timezone", "day", "begins"),
    [
        ("Africa/Accra", "2030-06-01", "2030-06-01T00:00:00.000000Z"),
        ("America/New_York", "2030-03-10", "2030-03-10T05:00:00.000000Z"),
        # The clock is set from midnight to one: the day begins at one.
        ("America/Santiago", "2030-09-08", "2030-09-08T04:00:00.000000Z"),
        ("Africa/Cairo", "2030-04-26", "2030-04-25T22:00:00.000000Z"),
        # The clock is set from one to midnight: the day begins with the first of two midnights.
        ("America/Havana", "2030-11-03", "2030-11-03T04:00:00.000000Z"),
        ("Asia/Kathmandu", "2030-01-01", "2029-12-31T18:15:00.000000Z"),
        ("Pacific/Kiritimati", "9998-12-31", "9998-12-30T10:00:00.000000Z"),
    ],
)
async def test_a_day_begins_with_its_first_instant_in_the_timezone_of_the_business(
    ledger: asyncpg.Connection, timezone: str, day: str, begins: str
) -> None:
    await ledger.execute("UPDATE businesses SET timezone = $1", timezone)
    answer = orjson.loads((await send(ledger, send_tome=day)).answer)
    assert answer["send_at"] == begins
    assert (answer["message"], answer["status"]) == ("Transactions scheduled", "scheduled")
    assert answer["recipients"][0]["next_attempt_at"] == begins


@pytest.mark.parametrize(
    "past", ["0001-01-01", "2011-12-30", "2024-11-30", "2024-11-30T09:00Z", "0001-01-01T00:00Z"]
)
async def test_the_past_is_now(ledger: asyncpg.Connection, past: str) -> None:
    await ledger.execute("UPDATE businesses SET timezone = 'Pacific/Apia'")
    answer = orjson.loads((await send(ledger, send_at=past)).answer)
    assert answer["send_at"] == answer["created_at"]
    assert (answer["message"], answer["status"]) == ("Transactions sent", "sending")


async def test_a_day_and_a_time_contradict_each_other_by_the_timezone_of_the_business(
    ledger: asyncpg.Connection,
) -> None:
    both: dict[str, Any] = {"send_tome": "2030-06-01", "send_at": "2030-06-01T00:00:00Z"}
    assert orjson.loads((await send(ledger, **both)).answer)["send_at"].startswith("2030-06-01T00")
    with pytest.raises(InvalidInput, match="send_at: contradicts send_tome"):
        await send(ledger, business=2, **both)
    with pytest.raises(InvalidInput, match="send_at: contradicts send_tome"):
        await send(ledger, send_tome="2030-06-01", send_at="2020-06-01")


async def test_it_expires_before_the_calendar_ends(ledger: asyncpg.Connection) -> None:
    asked = SendRequest.of(4, PERIOD, parse(SendBody, {"send_at": "9998-12-31"}))
    terms = Terms(25, timedelta(days=10_000), daily_quota=5_000)
    answer = orjson.loads((await accept(ledger, 1, asked, terms)).answer)
    assert answer["expires_at"] == "9999-12-31T00:00:00.000000Z"


@pytest.mark.parametrize("table", TABLES)
async def test_an_error_anywhere_in_the_middle_leaves_nothing(
    ledger: asyncpg.Connection, table: str
) -> None:
    await ledger.execute(
        f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'provoked'; END $$;
            CREATE TRIGGER refused AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"""
    )
    asked = SendRequest.of(4, PERIOD, parse(SendBody, {"other_emails": "a@x.com"}))
    with pytest.raises(asyncpg.RaiseError, match="provoked"):
        await accept(ledger, 1, asked, TERMS, IdempotencyKey("k"))
    assert set((await rows_in(ledger)).values()) == {0}


async def test_the_relay_is_woken_by_the_commit(database: str, ledger: asyncpg.Connection) -> None:
    heard: list[str] = []
    await ledger.add_listener("ledgerpost_due", lambda *call: heard.append(str(call[2])))
    writer = await asyncpg.connect(database)
    try:
        async with writer.transaction():
            await send(writer)
            await ledger.execute("SELECT 1")
            assert heard == []
        await ledger.execute("SELECT 1")
        assert heard == ["ledgerpost_due"]
    finally:
        await writer.close()


async def test_the_ends_of_the_calendar_are_dates_like_any_other(
    ledger: asyncpg.Connection,
) -> None:
    asked = SendRequest.of(4, Period(date.min, date.max), parse(SendBody, {}))
    answer = orjson.loads((await accept(ledger, 1, asked, TERMS)).answer)
    assert (answer["from"], answer["to"]) == ("0001-01-01", "9999-12-31")
    assert await ledger.fetchval("SELECT date_from::text || ' ' || date_to FROM sends") == (
        "0001-01-01 9999-12-31"
    )


async def test_times_are_those_of_the_database(ledger: asyncpg.Connection) -> None:
    answer = orjson.loads((await send(ledger)).answer)
    async with ledger.transaction():
        asked_at: datetime = await ledger.fetchval("SELECT now()")
        inside = orjson.loads((await send(ledger)).answer)
    assert datetime.fromisoformat(inside["created_at"]) == asked_at
    assert datetime.fromisoformat(answer["created_at"]).tzinfo == UTC
