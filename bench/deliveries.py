"""Deliveries for the benchmarks: due, queued and finished ones."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aio_pika
import asyncpg

from bench import servers
from shared.amqp import topology

CUSTOMERS = 2_000
INVOICES = 20_000
PERIOD = ("2023-01-01", "2023-12-31")

# A send for each, to one recipient, their ids in the order of time as the API gives them.
_ADD = """
WITH ids AS (
    SELECT n, lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
        || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15) AS id
    FROM generate_series(1, $1::int) n
), sent AS (
    INSERT INTO sends (id, business_id, customer_id, date_from, date_to, personal_message,
                       copy_to_me, created_at, send_at, expires_at)
    SELECT id::uuid, 1, 1 + n % $2::int, $3::text::date, $4::text::date, 'Thank you!', false, now(),
           now() + $5::text::interval, now() + $5::text::interval + interval '3 days'
    FROM ids
    RETURNING *
)
INSERT INTO deliveries (id, send_id, business_id, position, email, email_key, due_at, expires_at,
                        created_at, updated_at)
SELECT overlay(id::text placing substr(md5(random()::text), 1, 12) FROM 25)::uuid, id, 1, 1,
       'billing@customer' || customer_id || '.example',
       'billing@customer' || customer_id || '.example', send_at, expires_at, created_at, created_at
FROM sent
"""
_UNPUBLISHED = "SELECT EXISTS (SELECT FROM delivery_events WHERE published_at IS NULL)"
_MANY = 50_000
Result = TypeVar("Result")


def on(dsn: str, work: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
    """Do some work on a separate connection."""

    async def connected() -> Result:
        conn = await asyncpg.connect(dsn, command_timeout=None)
        try:
            return await work(conn)
        finally:
            await conn.close()

    return asyncio.run(connected())


def add(
    dsn: str,
    number: int,
    *,
    due_in: str = "0 s",
    customers: int = CUSTOMERS,
    vacuum: bool = True,
) -> None:
    """Store `count` sends; very many are stored without triggers, and so without their first event."""

    async def work(conn: asyncpg.Connection) -> None:
        if number > _MANY:
            await conn.execute("SET session_replication_role = replica")
        await conn.execute(_ADD, number, customers, *PERIOD, due_in)
        if vacuum:
            await conn.execute("VACUUM ANALYZE sends, deliveries, delivery_events")

    on(dsn, work)


def clear(dsn: str, amqp: str) -> None:
    """Delete all sends, and all messages."""

    async def purge() -> None:
        async with await aio_pika.connect(amqp) as connection:
            channel = await connection.channel()
            await topology.declare(channel)
            await (await channel.get_queue(topology.DELIVERIES)).purge()

    on(
        dsn,
        lambda conn: conn.execute(
            "TRUNCATE statements, sends, deliveries, delivery_events CASCADE"
        ),
    )
    asyncio.run(purge())


def count(dsn: str, condition: str) -> int:
    """Return the number of deliveries with this condition."""
    return on(dsn, lambda conn: conn.fetchval(f"SELECT count(*) FROM deliveries WHERE {condition}"))


def wait(dsn: str, condition: str, number: int, patience: float = 180) -> None:
    """Return once this number of deliveries has this condition."""
    end = time.monotonic() + patience
    while (found := count(dsn, condition)) < number:
        if time.monotonic() > end:
            raise TimeoutError(f"{found} of {number} deliveries have {condition}")
        time.sleep(0.2)


def queue(dsn: str, amqp: str, number: int) -> None:
    """Store sends, and let the relay freeze and publish them all."""
    add(dsn, number)
    with servers.relay(dsn, amqp, fills=True):
        wait(dsn, "state = 'queued' AND published_at IS NOT NULL", number)
        while on(dsn, lambda conn: conn.fetchval(_UNPUBLISHED)):
            time.sleep(0.1)
    on(dsn, lambda conn: conn.execute("VACUUM ANALYZE deliveries, delivery_events"))
