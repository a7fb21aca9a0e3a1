"""Erasing a customer removes all personal data, and nothing of others."""

import asyncpg

from services.api.sends.resends import resend
from services.api.suppressions.store import recipient
from shared.deliveries.states import State
from tests.services.api.command import run
from tests.services.api.sends.stored import TERMS, put, send

HISTORY = ("sends", "deliveries", "delivery_events", "statements", "idempotency_keys",
           "request_answers", "suppressions")  # fmt: skip


async def history(conn: asyncpg.Connection) -> str:
    texts = [
        await conn.fetchval(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
        for table in HISTORY
    ]
    return " ".join(texts)


async def test_nothing_personal_is_left(ledger: asyncpg.Connection, database: str) -> None:
    mine, other = await send(ledger, 4, others=1), await send(ledger, 6)
    words = ("--business", "1", "--customer", "4", "--yes")
    refused = await run("erase", *words, DATABASE_URL=database)
    assert (refused.status, refused.out) == (1, "")
    assert "unfinished" in refused.err

    await ledger.execute("UPDATE sends SET personal_message = 'Dear Esi' WHERE id = $1", mine)
    await ledger.execute(
        "UPDATE deliveries SET state = 'failed', reply = '550 no esi', reason = 'esi is gone'"
        " WHERE send_id = $1",
        mine,
    )
    await ledger.execute("UPDATE delivery_events SET published_at = now()")
    await ledger.execute("""
        INSERT INTO suppressions (business_id, email_key, reason)
        VALUES (1, 'esi@customers.example.com', 'no esi'), (2, 'esi@customers.example.com', 'kept')
    """)
    await ledger.execute("""
        INSERT INTO statements VALUES (1, sha256('x'), '{"name": "Esi"}', now());
        UPDATE sends SET statement_sha256 = sha256('x'), figures_sha256 = sha256('figures'),
            locale = 'ar' WHERE customer_id = 4
    """)
    erased = await run("erase", *words, DATABASE_URL=database)
    assert erased.status == 0, erased.err
    assert "sends: 1\nmails: 2\n" in erased.out
    assert "Dead letters of RabbitMQ remain" in erased.out

    kept = await ledger.fetchrow("SELECT locale, figures_sha256 FROM sends WHERE id = $1", mine)
    assert tuple(kept) == (None, None)
    left = await history(ledger)
    assert left.lower().count("esi") == 1  # the suppression of business 2
    assert "a0@x.com" not in left
    assert "gone@customers.example.com" in left
    states = await ledger.fetch("SELECT state FROM deliveries WHERE send_id = $1", mine)
    assert [row["state"] for row in states] == ["failed", "failed"]
    assert await ledger.fetchval("SELECT count(*) FROM sends WHERE id = $1", other) == 1


async def test_who_was_erased_gets_no_second_mail_and_has_no_link(
    ledger: asyncpg.Connection, database: str
) -> None:
    first = await send(ledger, 4, others=1)
    await put(ledger, first, State.FAILED, State.FAILED)
    await ledger.execute("""
        UPDATE delivery_events SET published_at = now();
        INSERT INTO statements VALUES (1, sha256('x'), '{"name": "Esi"}', now());
        UPDATE sends SET statement_sha256 = sha256('x');
    """)
    delivery = await ledger.fetchval("SELECT id FROM deliveries WHERE email = 'a0@x.com'")
    to = await recipient(ledger, delivery)
    assert to is not None
    assert to.email == "a0@x.com"
    words = ("--business", "1", "--address", "a0@x.com", "--yes")
    erased = await run("erase", *words, DATABASE_URL=database)
    assert erased.status == 0, erased.err
    assert await recipient(ledger, delivery) is None
    again = await resend(ledger, 1, first, None, TERMS)
    mailed = await ledger.fetch("SELECT email FROM deliveries WHERE send_id = $1", again.send_id)
    assert [row["email"] for row in mailed] == ["esi@customers.example.com"]
