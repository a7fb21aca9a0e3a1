"""The effect of one business's work on the mails, lists and rows of another."""

import asyncio
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from statistics import median

import asyncpg

from bench import deliveries, ledger, postfix, results, servers
from bench.client import Client
from bench.servers import FIELDS, ROOT, Served
from provision import servers as provision
from services.api.access import store

_CUSTOMERS, _INVOICES = 25_000, 25_000
_LONG, _HUGE = 1_000_001, 1_000_002  # customers of business 1
_LONG_LINES, _HUGE_LINES = 4_990, 100_000
_TRIES, _EACH = 50, 0.4  # and seconds between two
_DATES = "2023-01-01/2023-12-31"

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
# How many sends, recipients of each, and of which customer (None: of a different one each).
ATTACKS: dict[str, tuple[int, int, int | None]] = {
    "nothing": (0, 0, None),
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
        lines = [
            results.machine(dsn, "aio-pika", "asyncpg", "typst"),
            "",
            *_readers(dsn, key, other),
        ]
        lines += ["", *_mails(dsn, found.amqp_url, other, wanted)]
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


def _mails(dsn: str, amqp: str, key: str, wanted: list[str]) -> list[str]:
    """Measure another business's single mails under each attack."""
    lines = [
        (
            "Milliseconds from the POST of another business's single mail, with PDF, to the 250;"
            f" {_TRIES} tries, one each {_EACH} s, from when the attack begins."
        ),
        "",
        "| meanwhile, of one business | median | p99 | most |",
        "|---|---|---|---|",
    ]
    with postfix.sink() as sink:
        for name in wanted:
            print(f"{name} ...", file=sys.stderr)
            took = _attacked(dsn, amqp, key, sink.port, name)
            p99 = took[round(0.99 * (len(took) - 1))]
            lines.append(f"| {name} | {median(took):,.0f} | {p99:,.0f} | {took[-1]:,.0f} |")
            print(lines[-1], file=sys.stderr)
    return lines


def _attacked(dsn: str, amqp: str, key: str, smtp: int, name: str) -> list[float]:
    deliveries.clear(dsn, amqp)
    with (
        servers.product(dsn, key) as api,
        servers.relay(dsn, amqp),
        servers.mailer(dsn, amqp, smtp),
    ):
        client = Client(api)
        _ask(client, 1)
        deliveries.wait(dsn, "business_id = 2 AND state = 'sent'", 1)
        deliveries.on(dsn, lambda conn: conn.execute(_ATTACK, *ATTACKS[name]))
        begun = time.perf_counter()
        asked: dict[str, datetime] = {}
        for number in range(_TRIES):
            time.sleep(max(0.0, begun + number * _EACH - time.perf_counter()))
            now = datetime.now(UTC)
            asked[_ask(client, 1 + number)] = now
        deliveries.wait(dsn, "business_id = 2 AND state = 'sent'", _TRIES + 1, patience=900)

    async def recorded(conn: asyncpg.Connection) -> list[float]:
        rows = await conn.fetch(
            "SELECT send_id::text, sent_at FROM deliveries WHERE business_id = 2"
        )
        sent = dict(rows)
        return sorted((sent[each] - now).total_seconds() * 1000 for each, now in asked.items())

    return deliveries.on(dsn, recorded)


def _ask(client: Client, customer: int) -> str:
    path = f"/api/v3/clients/{customer}/transactions/send?from=2023-01-01&to=2023-12-31"
    return str(json.loads(client.post(path))["id"])


def _readers(dsn: str, key: str, other: str) -> list[str]:
    """Measure the lists and single rows of another business beside five slow readers of one key."""
    lines = [
        (
            f"Another business's reports, {_TRIES} of each, alone and beside five readers of 1 KiB a"
            f" second of one key's list of {_CUSTOMERS:,} customers; milliseconds."
        ),
        "",
        "| | alone, median | most | beside them, median | most | refused |",
        "|---|---|---|---|---|---|",
    ]
    with servers.product(dsn, key) as api:
        for name, path in (
            ("list", f"{FIELDS}/{_DATES}"),
            ("one customer", f"{FIELDS}/client/1/{_DATES}"),
        ):
            alone, _ = _times(api, other, path)
            with _slow(api, 5):
                beside, refused = _times(api, other, path)
            figures = (
                f"{median(alone):.0f} | {max(alone):.0f} | {median(beside):.0f} | {max(beside):.0f}"
            )
            lines.append(f"| {name} | {figures} | {refused} |")
    return lines


def _times(api: Served, key: str, path: str) -> tuple[list[float], int]:
    took, refused = [], 0
    for _ in range(_TRIES):
        client = Client(Served(api.port, key, api.pid))
        begun = time.perf_counter()
        try:
            client.get(path)
        except RuntimeError:
            refused += 1
        took.append((time.perf_counter() - begun) * 1000)
    return took, refused


@contextmanager
def _slow(api: Served, readers: int) -> Iterator[None]:
    """Read a list at 1 KiB per second on several connections, again when cut off."""
    over = threading.Event()

    def drip() -> None:
        while not over.is_set():
            with socket.socket() as opened:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                opened.connect(("127.0.0.1", api.port))
                opened.sendall(
                    f"GET {FIELDS}/{_DATES} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode()
                )
                _until(over, lambda opened=opened: opened.recv(1024))

    with ExitStack() as stack:
        for _ in range(readers):
            thread = threading.Thread(target=drip)
            thread.start()
            stack.callback(thread.join)
        stack.callback(over.set)
        time.sleep(2)
        yield


def _until(over: threading.Event, read: Callable[[], bytes]) -> None:
    try:
        while not over.wait(1) and read():
            continue
    except OSError:
        return
