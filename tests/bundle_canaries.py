"""A ledger and mails full of canaries, and the search for them in each file of a bundle.

They are looked for in the encodings in which one may hide.
"""

import base64
import gzip
import json
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import asyncpg

CANARIES = (
    "canary-first-name", "canary-last-name", "canary-shop", "canary@customer.example",
    "canary-business", "canary@business.example", "canary-number", "918273.64", "918273",
    "918,273", "canary-message", "canary-reply", "canary-reason", "canary-skipped",
    "canary-filter", "canary-copy@customer.example", "canary-schedule", "canary-why",
)  # fmt: skip
_FILLED = """
INSERT INTO businesses (id, owner_id, name, email, currency, timezone)
    VALUES (1, 1, 'canary-business', 'canary@business.example', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id, first_name, last_name, business_name,
    business_email)
VALUES (1, 1, 1, 'canary-first-name', 'canary-last-name', 'canary-shop', 'canary@customer.example');
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    VALUES (1, 1, 1, 'canary-number', 'invoice', 'issued', '2024-11-01', 918273.64);
INSERT INTO sends (id, business_id, customer_id, date_from, date_to, personal_message, copy_to_me,
    skipped, send_at, expires_at, created_at)
SELECT gen_random_uuid(), 1, 1, '2024-11-01', '2024-11-30', 'canary-message', false,
    '["canary-skipped"]', now(), now() + interval '1 day', now();
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, state, due_at,
    expires_at, reply, reason, reason_code, created_at, updated_at)
SELECT gen_random_uuid(), id, 1, 1, 'canary@customer.example', 'canary@customer.example', 'failed',
    now(), now(), 'canary-reply', 'canary-reason', 'smarthost_refused', now(), now() FROM sends;
INSERT INTO batches (id, business_id, phase, date_from, date_to, filter, personal_message,
    other_emails, min_balance, customers, send_at, expires_at, created_at, updated_at, reason,
    reason_code)
SELECT gen_random_uuid(), 1, 'failed', '2024-11-01', '2024-11-30', '{"q": "canary-filter"}',
    'canary-message', '{canary-copy@customer.example}', 918273.64, 1, now(),
    now() + interval '1 day', now(), now(), 'canary-why', 'not_expanded';
INSERT INTO batch_customers (batch_id, customer_id, reason, reason_code)
SELECT id, 1, 'canary-why', 'no_address' FROM batches;
INSERT INTO schedules (id, business_id, name, rule, at_time, timezone, period, filter,
    personal_message, other_emails, min_balance, starts_on, created_at, updated_at, failures,
    reason, reason_code)
SELECT gen_random_uuid(), 1, 'canary-schedule', '{"every": "week", "weekday": "fri"}', '09:00',
    'UTC', 'last-month', '{"q": "canary-filter"}', 'canary-message',
    '{canary-copy@customer.example}', 918273.64, '2024-11-01', now(), now(), 3, 'canary-why',
    'batch_not_made';
INSERT INTO schedule_occurrences (schedule_id, occurrence, outcome, reason, reason_code)
SELECT id, current_date, 'skipped', 'canary-why', 'occurrence_late' FROM schedules;
ANALYZE;
"""


async def fill(database: str) -> None:
    """Put a canary into each text and amount of a customer and of a mail."""
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(_FILLED)
    finally:
        await conn.close()


def files(bundle: Path) -> dict[str, bytes]:
    with tarfile.open(bundle) as archive:
        found = {}
        for each in archive:
            content = archive.extractfile(each)
            assert content is not None
            found[each.name] = content.read()
    return found


def forms(text: str) -> Iterator[bytes]:
    """The octets by which a text could be read again."""
    yield from (text.encode(), text.encode("utf-16-le"), json.dumps(text)[1:-1].encode())
    yield from (quote(text, safe="").encode(), text.encode().hex().encode(), text[::-1].encode())
    for cut in range(3):  # base64 of a longer text that has it at any place
        whole = base64.b64encode(b"x" * cut + text.encode())
        yield whole[4 if cut else 0 : len(whole) - 4]


def found(bundle: Path, canaries: Sequence[str]) -> list[tuple[str, str]]:
    """The files that have a canary, with the canary."""
    contents = files(bundle)
    contents["the file itself"] = bundle.read_bytes() + gzip.decompress(bundle.read_bytes())
    return [
        (name, canary)
        for name, data in contents.items()
        for canary in canaries
        for form in forms(canary)
        if form.lower() in data.lower()
    ]
