"""The effect of one business's work on the mails, lists and rows of another."""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime
from statistics import median

import asyncpg

from bench import deliveries, ledger, postfix, results, servers, slow_readers
from bench.client import Client
from bench.servers import ROOT, Served
from provision import servers as provision
from services.api.access import store

_CUSTOMERS, _INVOICES = 25_000, 25_000
_BATCH_OF = 100_000  # customers, the two below with them
_LONG, _HUGE = 1_000_001, 1_000_002  # customers of business 1
_LONG_LINES, _HUGE_LINES = 4_990, 100_000
_TRIES, _EACH = 50, 0.4  # and seconds between two

_VICTIM = """
INSERT INTO businesses (id, owner_id, name, currency, timezone) VALUES (2, 2, 'Two', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id, business_name, business_email)
    SELECT n, 2, 2, 'Other ' || n, 'billing@other' || n || '.example' FROM generate_series(1, 200) n;
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT n, 2, 1 + n % 200, 'X' || n, 'invoice', 'issued', '2023-05-01', 10
    FROM generate_series(1, 2000) n;
"""
_WIDE = """
INSERT INTO customers (id, business_id, owner_id, business_name, business_email)
    VALUES ({customer}, 1, 1, 'Wide', 'billing@wide.example');
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
    SELECT {customer}::bigint * 1000000 + n, 1, {customer}, 'W' || n, 'invoice', 'issued', '2023-06-01', 1
    FROM generate_series(1, {lines}) n;
"""
_ATTACK = """
WITH sent AS (
    INSERT INTO sends (id, business_id, customer_id, date_from, date_to, copy_to_me, created_at,
                       send_at, expires_at)
    SELECT gen_random_uuid(), 1, coalesce($3::bigint, n), '2023-01-01', '2023-12-31', false, now(),
           now(), now() + interval '3 days'
    FROM generate_series(1, $1::int) n
    RETURNING *
), added AS (
    INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at, expires_at,
                            created_at, updated_at)
    SELECT gen_random_uuid(), id, 1, r, 'r' || r || '@crowd.example', 'r' || r || '@crowd.example',
           send_at, expires_at, created_at, created_at
    FROM sent CROSS JOIN generate_series(1, $2::int) r
)
SELECT pg_notify('ledgerpost_due', '')
"""
# The steps of a single mail, each from the end of the step before.
_STEPS = {
    "accepted": "s.created_at",
    "frozen": "t.created_at",
    "queued": "(SELECT max(occurred_at) FROM delivery_events e WHERE e.delivery_id = d.id AND state = 'queued')",
    "claimed": "(SELECT max(occurred_at) FROM delivery_events e WHERE e.delivery_id = d.id AND state = 'sending')",
    "sent": "d.sent_at",
}
_TIMES = f"""
SELECT s.id::text AS id, {", ".join(f"{when} AS {step}" for step, when in _STEPS.items())}
FROM deliveries d JOIN sends s ON s.id = d.send_id JOIN statements t ON t.sha256 = s.statement_sha256
WHERE d.business_id = 2
"""
# The customers of business 1 beyond those of its lists.
_CROWD = """
INSERT INTO customers (id, business_id, owner_id, business_name, business_email)
    SELECT n, 1, 1, 'Crowd ' || n, 'billing@crowd' || n || '.example' FROM generate_series({first}, {last}) n
"""
_BATCH = "/api/v3/reports/customers/transactions/send?from=2023-01-01&to=2023-12-31"
# How many sends, recipients of each, and of which customer (None: of a different one each); None: a
# batch of all customers.
ATTACKS: dict[str, tuple[int, int, int | None] | None] = {
    "nothing": (0, 0, None),
    "a batch of 100,000 customers": None,
    "5,000 sends to one recipient": (5_000, 1, None),
    "200 sends to 25 recipients": (200, 25, None),
    "120 statements of 100,000 lines": (120, 1, _HUGE),
    "6 statements of 4,990 lines": (6, 1, _LONG),
}


def main(arguments: list[str]) -> None:
    """Run all attacks and write the results; or those whose names contain an argument."""
    wanted = [name for name in ATTACKS if not arguments or any(each in name for each in arguments)]
    found = provision.start(ROOT, "bench", os.environ)
    dsn = asyncio.run(ledger.create(found.database_url))
    try:
        key = asyncio.run(ledger.fill(dsn, customers=_CUSTOMERS, invoices=_INVOICES))
        other = deliveries.on(dsn, _add_others)
        lines = [results.machine(dsn, "aio-pika", "asyncpg", "typst"), ""]
        if not arguments:
            lines += [*slow_readers.run(dsn, key, other, _CUSTOMERS), ""]
        if None in map(ATTACKS.get, wanted):
            crowd = _CROWD.format(first=_CUSTOMERS + 1, last=_BATCH_OF - 2)
            deliveries.on(dsn, lambda conn: conn.execute(crowd))
        lines += [*_mails(dsn, found.amqp_url, (other, key), wanted)]
    finally:
        asyncio.run(ledger.drop(found.database_url, dsn))
    if arguments:
        print("\n".join(lines))
    else:
        results.write("fairness", "Fairness", lines)


async def _add_others(conn: asyncpg.Connection) -> str:
    await conn.execute(_VICTIM)
    for customer, number in ((_LONG, _LONG_LINES), (_HUGE, _HUGE_LINES)):
        await conn.execute(_WIDE.format(customer=customer, lines=number))
    await conn.execute("VACUUM ANALYZE")
    key = await store.create(
        conn, business_id=2, name="bench", scopes=("transactions:send", "reports:read")
    )
    return key.text


def _mails(dsn: str, amqp: str, keys: tuple[str, str], wanted: list[str]) -> list[str]:
    """Measure another business's single mails under each attack."""
    lines = [
        (
            "Milliseconds from the POST of another business's single mail, with PDF, to the 250;"
            f" {_TRIES} tries, one each {_EACH} s, from when the attack begins."
        ),
        "",
        f"| meanwhile, of one business | median | p99 | most | median until {' | '.join(_STEPS)} |",
        f"|---|---|---|---|{'---|' * len(_STEPS)}",
    ]
    with postfix.sink() as sink:
        for name in wanted:
            print(f"{name} ...", file=sys.stderr)
            took = _attacked(dsn, amqp, keys, sink.port, name)
            whole = sorted(each["all"] for each in took)
            figures = [median(whole), whole[round(0.99 * (len(whole) - 1))], whole[-1]]
            figures += [median(each[step] for each in took) for step in _STEPS]
            lines.append(f"| {name} | {' | '.join(f'{each:,.0f}' for each in figures)} |")
            print(lines[-1], file=sys.stderr)
    return lines


def _attacked(
    dsn: str, amqp: str, keys: tuple[str, str], smtp: int, name: str
) -> list[dict[str, float]]:
    deliveries.clear(dsn, amqp)
    deliveries.on(dsn, lambda conn: conn.execute("TRUNCATE batches CASCADE"))
    with (
        servers.product(dsn, keys[0]) as api,
        servers.relay(dsn, amqp),
        servers.mailer(dsn, amqp, smtp),
    ):
        client = Client(api)
        _ask(client, 1)
        deliveries.wait(dsn, "business_id = 2 AND state = 'sent'", 1)
        if (attack := ATTACKS[name]) is None:
            Client(Served(api.port, keys[1], api.pid)).post(_BATCH, {"skip_empty": False})
        else:
            deliveries.on(dsn, lambda conn: conn.execute(_ATTACK, *attack))
        begun = time.perf_counter()
        asked: dict[str, datetime] = {}
        for number in range(_TRIES):
            time.sleep(max(0.0, begun + number * _EACH - time.perf_counter()))
            now = datetime.now(UTC)
            asked[_ask(client, 1 + number)] = now
        deliveries.wait(dsn, "business_id = 2 AND state = 'sent'", _TRIES + 1, patience=900)

    async def recorded(conn: asyncpg.Connection) -> list[dict[str, float]]:
        return [
            _steps(row, asked[row["id"]]) for row in await conn.fetch(_TIMES) if row["id"] in asked
        ]

    return deliveries.on(dsn, recorded)


def _steps(row: asyncpg.Record, asked: datetime) -> dict[str, float]:
    """Return the milliseconds that each step of a mail took, and all of them together."""
    took, before = {"all": (row["sent"] - asked).total_seconds() * 1000}, asked
    for step in _STEPS:
        took[step] = (row[step] - before).total_seconds() * 1000
        before = row[step]
    return took


def _ask(client: Client, customer: int) -> str:
    path = f"/api/v3/clients/{customer}/transactions/send?from=2023-01-01&to=2023-12-31"
    return str(json.loads(client.post(path))["id"])
