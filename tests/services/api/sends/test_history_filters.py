"""The filters of the history, alone and together, against a list that is filtered in Python."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import asyncpg
import pytest

from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput
from services.api.sends import history_sql, store
from services.api.sends.history import HistoryQuery
from services.api.sends.send import Send
from shared.db import sql

_SENDS = """
INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me, personal_message,
                   send_at, expires_at, created_at)
SELECT gen_random_uuid(), 1 + n / 10 % 2, n % 5, '2024-11-01', '2024-11-30', false,
       CASE n % 3 WHEN 1 THEN 'Thank you, ÉLAN ' || n WHEN 2 THEN 'Reminder 100% ' || n END,
       now() + (n % 4 - 2) * interval '1 day', now() + interval '9 days',
       '2026-03-29 00:00Z'::timestamptz + n / 2 * interval '20 minutes'
FROM generate_series(1, {sends}) n;
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at, expires_at,
                        created_at, updated_at, state, sent_at)
SELECT gen_random_uuid(), s.id, s.business_id, p, k, k, s.send_at, s.expires_at, s.created_at,
       s.created_at, s.state, CASE s.state WHEN 'sent' THEN now() END
FROM (SELECT *, (ARRAY['scheduled', 'sent', 'failed'])[1 + abs(hashtext(id::text)) % 3] AS state
      FROM sends) s,
     unnest(ARRAY['to' || customer_id || '@x.example',
                  CASE WHEN customer_id % 2 = 0 THEN 'all' ELSE 'odd' END || '@x.example'])
         WITH ORDINALITY AS r (k, p);
ANALYZE sends; ANALYZE deliveries;
"""
OPTIONS: dict[str, tuple[str | None, ...]] = {
    "customer_id": (None, "3"),
    "status": (None, "scheduled", "sending", "failed"),
    "recipient": (None, "ODD@x.example"),
    "q": (None, "élan", "100%"),
    "created_from": (None, "2026-03-29"),
    "created_to": (None, "2026-03-29T21:20:00Z"),
}


async def history(conn: asyncpg.Connection, limit: int = 200, **given: str) -> list[Send]:
    """Read all pages."""
    found: list[Send] = []
    asked = {**given, "limit": str(limit)}
    while True:
        page = await store.page(conn, 1, parse(HistoryQuery, asked))
        assert len(page.data) <= limit
        found += page.data
        if page.next_cursor is None:
            return found
        asked["cursor"] = page.next_cursor


def ids(sends: list[Send]) -> list[UUID]:
    return [send.id for send in sends]


def is_meant(send: Send, given: dict[str, str]) -> bool:
    day = send.created_at.astimezone(UTC)  # Accra has the time of UTC
    return all(
        (
            given.get("customer_id", str(send.customer_id)) == str(send.customer_id),
            given.get("status", send.status) == send.status,
            "recipient" not in given
            or given["recipient"].lower() in {each.email for each in send.recipients},
            given.get("q", "").lower() in (send.personal_message or "").lower(),
            day >= datetime(2026, 3, 29, tzinfo=UTC) or "created_from" not in given,
            day <= datetime(2026, 3, 29, 21, 20, tzinfo=UTC) or "created_to" not in given,
        )
    )


async def test_every_combination_of_filters_finds_what_it_means(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.execute(_SENDS.format(sends=300))
    everything = await history(ledger)
    assert len(everything) == 150
    found_some = 0
    for looked, limit in ((5_000, 200), (7, 4)):
        monkeypatch.setattr(store, "SENDS_LOOKED_AT_MAX", looked)
        for values in product(*OPTIONS.values()):
            given = {
                name: value
                for name, value in zip(OPTIONS, values, strict=True)
                if value is not None
            }
            expected = [send for send in everything if is_meant(send, given)]
            assert ids(await history(ledger, limit, **given)) == ids(expected), given
            found_some += len(expected) > 0
    assert found_some > 150  # of 192 combinations, twice


async def test_a_page_looks_at_no_more_sends_than_the_bound(
    ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.execute(_SENDS.format(sends=100))
    monkeypatch.setattr(store, "SENDS_LOOKED_AT_MAX", 10)
    asked = {"q": "in no message", "limit": "5"}
    pages = 0
    while True:
        page = await store.page(ledger, 1, parse(HistoryQuery, asked))
        assert page.data == ()
        pages += 1
        if page.next_cursor is None:
            break
        asked["cursor"] = page.next_cursor
    with_message = await ledger.fetchval(
        "SELECT count(*) FROM sends WHERE business_id = 1 AND personal_message IS NOT NULL"
    )
    assert pages == with_message // 10 + 1


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Africa/Accra", "2026-03-29T00:00:00", "2026-03-29T23:59:59.999999"),
        ("Europe/Berlin", "2026-03-28T23:00:00", "2026-03-29T21:59:59.999999"),  # of 23 hours
        ("Pacific/Kiritimati", "2026-03-28T10:00:00", "2026-03-29T09:59:59.999999"),
    ],
)
async def test_a_day_is_one_of_the_business_and_both_ends_are_listed(
    ledger: asyncpg.Connection, zone: str, first: str, last: str
) -> None:
    await ledger.execute("UPDATE businesses SET timezone = $1", zone)
    begin, end = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (first, last))
    tick = timedelta(microseconds=1)
    for time in (begin - tick, begin, end, end + tick):
        await ledger.execute(
            """INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me,
                                  send_at, expires_at, created_at)
               VALUES (gen_random_uuid(), 1, 4, $2, $2, false, $1::timestamptz,
                       $1::timestamptz + interval '1 day', $1::timestamptz)""",
            time,
            date(2024, 11, 1),
        )
        await ledger.execute(
            """INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at,
                                       expires_at, created_at, updated_at, state, sent_at)
               SELECT gen_random_uuid(), id, 1, 1, 'a@x.example', 'a@x.example', send_at,
                      expires_at, created_at, created_at, 'sent', now()
               FROM sends WHERE created_at = $1""",
            time,
        )
    day = {"created_from": "2026-03-29", "created_to": "2026-03-29"}
    assert [each.created_at for each in await history(ledger, **day)] == [end, begin]
    times = {"created_from": f"{first}Z", "created_to": f"{last}Z"}
    assert [each.created_at for each in await history(ledger, **times)] == [end, begin]
    named = {**day, "recipient": "a@x.example"}
    assert [each.created_at for each in await history(ledger, 1, **named)] == [end, begin]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"recipient": "no address"}, ["recipient"]),
        (
            dict.fromkeys(("recipient", "created_from", "created_to"), ""),
            ["recipient", "created_from", "created_to"],
        ),
        ({"recipient": "a@x.example" * 50}, ["recipient"]),
        ({"q": "a" * 201}, ["q"]),
        ({"q": "a\0"}, ["q"]),
        ({"created_from": "today", "created_to": "2026-02-30"}, ["created_from", "created_to"]),
        ({"created_from": "2026-03-29T00:00"}, ["created_from"]),
        ({"created_from": "9999-01-01"}, ["created_from"]),
        ({"created_from": "2026-03-30", "created_to": "2026-03-29"}, ["created_from"]),
        (
            {"created_from": "2026-03-29T00:00:00.000001Z", "created_to": "2026-03-29T00:00:00Z"},
            ["created_from"],
        ),
    ],
)
async def test_what_is_wrong_is_named(
    ledger: asyncpg.Connection, given: dict[str, str], fields: list[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await store.page(ledger, 1, parse(HistoryQuery, given))
    assert [each.field for each in refused.value.errors] == fields


async def test_an_empty_text_filters_nothing(ledger: asyncpg.Connection) -> None:
    await ledger.execute(_SENDS.format(sends=20))
    assert ids(await history(ledger, q="")) == ids(await history(ledger))


BY_INDEX: tuple[tuple[dict[str, str], str], ...] = (
    ({}, "sends_history"),
    ({"created_from": "2026-01-01"}, "sends_history"),
    ({"customer_id": "11"}, "sends_of_customer"),
    ({"customer_id": "11", "status": "failed"}, "sends_of_customer"),
    ({"status": "scheduled"}, "sends_open"),
    ({"status": "sending"}, "sends_open"),
    ({"status": "cancelled"}, "sends_ended"),
    ({"q": "text"}, "sends_with_message"),
    ({"q": "text", "status": "failed"}, "sends_ended"),
    ({"recipient": "a1@x.example"}, "deliveries_of_recipient"),
    ({"recipient": "a1@x.example", "customer_id": "11"}, "deliveries_of_recipient"),
    ({"recipient": "a1@x.example", "status": "sent", "q": "x"}, "deliveries_of_recipient"),
)
VALUES = {
    "business": "1",
    "since": "'1970-01-01'",
    "before": "now()",
    "before_id": "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
    "count": "51",
    "looked": "5000",
    "customer": "11",
    "recipient": "'a1@x.example'",
    "q": "'text'",
}


async def test_a_page_is_read_from_its_index_alone(ledger: asyncpg.Connection) -> None:
    await ledger.execute(
        """INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me,
                              personal_message, send_at, expires_at, created_at)
           SELECT gen_random_uuid(), n % 5, n % 50, '2024-11-01', '2024-11-30', false,
                  CASE WHEN n % 10 = 0 THEN 'Thank you' END,
                  now() + (1 - n % 2) * interval '1 hour', now() + interval '1 day',
                  now() - n * interval '1 minute'
           FROM generate_series(1, 20000) n;
           INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at,
                                   expires_at, created_at, updated_at, state, sent_at)
           SELECT gen_random_uuid(), id, business_id, 1, key, key, send_at,
                  expires_at, created_at, created_at, state, CASE state WHEN 'sent' THEN now() END
           FROM (SELECT *, (ARRAY['scheduled', 'sent', 'failed'])[1 + customer_id % 3] AS state,
                        format('a%s@x.example', customer_id % 7) AS key
                 FROM sends) s"""
    )
    await ledger.execute("VACUUM ANALYZE sends, deliveries")
    for given, index in BY_INDEX:
        text, names = sql.numbered(history_sql.page(parse(HistoryQuery, given)))
        await ledger.execute(f"PREPARE page AS {text}")
        arguments = ", ".join(VALUES[name] for name in names)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await ledger.execute(f"SET plan_cache_mode = {mode}")
            rows = await ledger.fetch(f"EXPLAIN EXECUTE page ({arguments})")
            plan = "\n".join(row[0] for row in rows)
            assert re.search(rf"Index Only Scan using {index} on", plan), (given, plan)
            assert len(re.findall("Sort Key", plan)) <= 1, (given, plan)  # of the page itself
            assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"pauses"}, plan
            assert "deliveries_send_id_email_key_key" in plan, plan
        await ledger.execute("DEALLOCATE page")
