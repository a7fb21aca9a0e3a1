"""A person who stands in every column that docs/erasure.md names is in none of them afterwards."""

from uuid import UUID

import asyncpg
import pytest

from tests.house.test_erasure_page import WORDS, removed
from tests.services.api.command import run
from tests.services.api.sends.stored import send

PERSON = "esi@customers.example.com"
# Whose addresses contain the person's.
NEIGHBOUR, OTHER = f"m.{PERSON}", f"o'{PERSON}"
# No text of the caller or of a mail server: codes, a language, digests.
WORDLESS = {"reason_code", "locale", "figures_sha256", "logo_sha256"}
LEDGER = {"customers.business_email", "customers.report_head"}
SAID = f"550 5.1.1 <{PERSON.title()}>: not {NEIGHBOUR} nor o''{PERSON}, ''{PERSON}''."

# Of sends 1 (the person's), 2 (another customer's), and a batch of many and one of the person's.
FILLED = f"""
INSERT INTO statements VALUES (1, sha256('s'), '{{"email": "{PERSON}"}}', now(), sha256('l'));
UPDATE sends SET skipped = '[{{"email": "{PERSON}", "reason": "{SAID}"}}]';
UPDATE sends SET personal_message = 'Dear {PERSON}', locale = 'ar', figures_sha256 = sha256('f'),
    statement_sha256 = sha256('s') WHERE customer_id = 4;
UPDATE deliveries SET state = 'failed', reply = '{SAID}', reason = '{SAID}', reason_code = 'x'
    WHERE email = '{PERSON}';
UPDATE deliveries SET state = 'failed' WHERE email <> '{PERSON}';
UPDATE delivery_events SET published_at = now();
INSERT INTO idempotency_keys (business_id, key, fingerprint, send_id, answer)
SELECT 1, customer_id, '', id, '{{"message": "{SAID}", "to": ["{PERSON}"]}}' FROM sends;
INSERT INTO idempotency_keys (business_id, key, fingerprint, answer) VALUES
    (1, 'batch', '', '{{"to": "{PERSON}", "links": {{"self": "/api/v3/batches/1"}}}}'),
    (1, 'schedule', '', '{{"to": "{PERSON}", "links": {{"self": "/api/v3/schedules/1"}}}}');
INSERT INTO request_answers (event_id, business_id, send_id, fingerprint, event, published_at)
SELECT id::text, 1, id, '', '{{"skipped": "{SAID}", "to": ["{PERSON}"]}}', now() FROM sends;
INSERT INTO suppressions VALUES (1, '{PERSON}', '{SAID}', now(), 'x');
INSERT INTO lifted_suppressions (business_id, email_key, reason, reason_code, suppressed_at,
                                 lifted_by, why)
VALUES (1, '{PERSON}', '{SAID}', 'x', now(), '{PERSON}', '{PERSON} called'),
       (1, 'other@x.example', 'no', 'x', now(), 'ann', 'instead of {PERSON}');
INSERT INTO batches (id, business_id, phase, date_from, date_to, filter, personal_message,
                     other_emails, customers, send_at, expires_at, created_at, updated_at)
SELECT gen_random_uuid(), 1, 'done', '2024-11-01', '2024-11-30', '{{"q": "{PERSON}"}}',
       CASE number WHEN 1 THEN 'Dear {PERSON}' ELSE 'Dear all' END, '{{{PERSON}}}', number, now(),
       now() + interval '1 h', now(), now()
FROM generate_series(1, 2) number;
INSERT INTO batch_customers (batch_id, customer_id, recipients, reason, reason_code)
SELECT id, unnest((ARRAY[4, 6])[:customers]), '{{{PERSON},{NEIGHBOUR}}}', '{SAID}', 'x'
FROM batches;
INSERT INTO frozen_lists VALUES (gen_random_uuid(), 1, '{{}}', now(), now() + interval '1 h');
INSERT INTO frozen_list_customers SELECT id, 4, '{{{PERSON}}}' FROM frozen_lists;
INSERT INTO schedules (id, business_id, name, rule, at_time, timezone, period, starts_on,
                       created_at, updated_at, other_emails, filter)
VALUES (gen_random_uuid(), 1, 'monthly', '{{}}', '08:00', 'UTC', 'last-month', '2024-01-01',
        now(), now(), '{{{PERSON}}}', '{{"q": "{PERSON}"}}');
INSERT INTO returns (id, business_id, delivery_id, received_at, source, recipient, sha256, size,
                     kind, diagnostic)
SELECT gen_random_uuid(), 1, id, now(), 'smtp', '{PERSON}', sha256(email::bytea), 1, 'bounce',
       '{SAID}'
FROM deliveries;
INSERT INTO returned_mails SELECT id, 'To: {PERSON}', now() FROM returns;
INSERT INTO reprocessed_returns (return_id, reprocessed_by, why, former_kind, effect)
SELECT id, 'ann', '{PERSON} asked', 'bounce', '{{}}' FROM returns;
"""


async def holding(conn: asyncpg.Connection) -> set[str]:
    """The columns that can hold words and hold the person's address, not only a neighbour's."""
    held = set()
    for (name,) in await conn.fetch(WORDS):
        table, _, column = name.partition(".")
        for (value,) in await conn.fetch(f"SELECT {column} FROM {table}"):
            text = value.decode("utf-8", "ignore") if isinstance(value, bytes) else str(value)
            if PERSON in text.lower().replace(NEIGHBOUR, "").replace(OTHER, ""):
                held.add(name)
    return held


async def fill(conn: asyncpg.Connection) -> UUID:
    """Write the person into every column, and return the send of the other customer."""
    await send(conn, 4, others=1)
    other = await send(conn, 6)
    await conn.execute(FILLED)
    return other


@pytest.mark.parametrize(
    ("whom", "more"),
    [
        (("--customer", "4"), set()),
        # They are the customer's, not the address's; --customer removes them.
        (
            ("--address", PERSON),
            {"sends.personal_message", "statements.content", "batches.personal_message"},
        ),
    ],
    ids=["customer", "address"],
)
async def test_nothing_of_the_page_holds_the_person_afterwards(
    ledger: asyncpg.Connection, database: str, whom: tuple[str, str], more: set[str]
) -> None:
    other = await fill(ledger)
    expected = {each for each in removed() if each.partition(".")[2] not in WORDLESS}
    assert await holding(ledger) == expected | LEDGER
    done = await run("erase", "--business", "1", *whom, "--yes", DATABASE_URL=database)
    assert done.status == 0, done.err
    assert await holding(ledger) == more | LEDGER
    # What is about somebody else stays, in the same words.
    reason = await ledger.fetchval("SELECT reason FROM batch_customers WHERE customer_id = 6")
    messages = await ledger.fetch("SELECT personal_message FROM batches WHERE customers = 2")
    assert [row[0] for row in messages] == ["Dear all"]
    assert reason == (
        f"550 5.1.1 <erased@erased.invalid>: not {NEIGHBOUR} nor {OTHER}, 'erased@erased.invalid'."
    )
    kept = await ledger.fetch("SELECT key FROM idempotency_keys ORDER BY key")
    assert {"6", "batch", "schedule"} <= {row["key"] for row in kept}
    returned = (
        "SELECT count(*) FROM returns JOIN deliveries d ON d.id = delivery_id WHERE send_id = $1"
    )
    assert await ledger.fetchval(returned, other) == 1


@pytest.mark.parametrize("whom", [("--customer", "4")])
async def test_codes_languages_and_digests_of_the_customer_go_too(
    ledger: asyncpg.Connection, database: str, whom: tuple[str, str]
) -> None:
    await fill(ledger)
    done = await run("erase", "--business", "1", *whom, "--yes", DATABASE_URL=database)
    assert done.status == 0, done.err
    left = await ledger.fetchrow(
        "SELECT s.locale, s.figures_sha256, d.reason_code, e.reason_code, t.logo_sha256"
        " FROM sends s"
        " JOIN deliveries d ON d.send_id = s.id JOIN delivery_events e ON e.delivery_id = d.id"
        " JOIN statements t ON t.sha256 = s.statement_sha256 WHERE s.customer_id = 4"
    )
    assert set(left) == {None}
