"""Batches: accept, dry run, expansion alone and beside mails, many schedules, the relay's memory."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

import asyncpg

from bench import deliveries, ledger, postfix, results, servers
from bench.client import Client, seconds
from bench.processes import parent, sampled, spent
from bench.servers import FIELDS, ROOT
from provision import servers as provision

PARTS = ("accepting", "dry_run", "expansion", "mails", "schedules", "size")
_CUSTOMERS, _INVOICES = 10_000, 100_000
_MANY, _FEW_INVOICES = 100_000, 200_000
_SCHEDULES, _EACH = 1_000, 10
_ROUNDS = 5
_SEND = f"{FIELDS}/transactions/send?from=2023-01-01&to=2023-12-31"
_ALL = {"skip_empty": False, "message": "Thank you!"}
_QUARTER = {"filter": {"category_id": [2]}}
_CLEAR = "TRUNCATE batches, frozen_lists, schedules, business_events CASCADE"
# The same rows and indexes without the batch.
_BARE = "CREATE TABLE bare_customers (LIKE batch_customers INCLUDING ALL)"
_FILL_BARE = """
INSERT INTO bare_customers (batch_id, customer_id)
SELECT $1, id FROM customers WHERE business_id = 1 ORDER BY id
"""
_MAILED = """
SELECT extract(epoch FROM max(d.sent_at) - min(e.occurred_at))::float8
FROM deliveries d JOIN delivery_events e ON e.delivery_id = d.id AND e.state = 'sending'
"""
_SAME_SCHEDULES = """
WITH made AS (
    INSERT INTO schedules
    SELECT (jsonb_populate_record(s, jsonb_build_object(
        'id', gen_random_uuid(), 'next_on', current_date, 'next_at', now(), 'due_at', now(),
        'filter', jsonb_build_object('id', (SELECT jsonb_agg(n * {each} + i) FROM generate_series(1, {each}) i))))).*
    FROM schedules s, generate_series(0, $1::int - 1) n
    RETURNING 1
)
SELECT count(*), pg_notify('ledgerpost_batches', '') FROM made
"""
_MADE = "SELECT count(*) FROM batches WHERE phase IN ('sending', 'done')"
_TOOK = "SELECT extract(epoch FROM max(updated_at) - $1)::float8 FROM batches"


def main(arguments: list[str]) -> None:
    """Run all parts and write the results, or the named ones; `small` sends a quarter of the mails."""
    is_small = "small" in arguments
    parts = [each for each in arguments if each != "small"] or list(PARTS)
    found = provision.start(ROOT, "bench", os.environ)
    lines = [results.machine(found.database_url, "aiohttp", "asyncpg", "aio-pika"), ""]
    for customers, invoices, named in (
        (_CUSTOMERS, _INVOICES, PARTS[:-1]),
        (_MANY, _FEW_INVOICES, PARTS[-1:]),
    ):
        if wanted := [part for part in named if part in parts]:
            dsn = asyncio.run(ledger.create(found.database_url))
            try:
                key = asyncio.run(ledger.fill(dsn, customers=customers, invoices=invoices))
                bench = Batches(dsn, found.amqp_url, key, is_small=is_small)
                for part in wanted:
                    print(f"{part} ...", file=sys.stderr)
                    lines += [f"- {line}" for line in getattr(bench, part)()]
                    print(lines[-1], file=sys.stderr)
            finally:
                asyncio.run(ledger.drop(found.database_url, dsn))
    if parts == list(PARTS) and not is_small:
        results.write("batches", "Batches", lines)
    else:
        print("\n".join(lines))


class Batches:
    """The parts of the benchmark; each returns lines of the report."""

    def __init__(self, dsn: str, amqp: str, key: str, *, is_small: bool) -> None:
        self._dsn, self._amqp, self._key, self._is_small = dsn, amqp, key, is_small

    def accepting(self) -> list[str]:
        """Measure the POST, beside a bare INSERT of the same rows."""
        self._clear()
        with self._api() as client:
            took = [seconds(lambda: _send(client)) for _ in range(_ROUNDS)]

        async def bare(conn: asyncpg.Connection) -> float:
            await conn.execute(_BARE)
            found = []
            for number in range(_ROUNDS):
                begun = time.perf_counter()
                await conn.execute(_FILL_BARE, f"00000000-0000-0000-0000-{number:012}")
                found.append(time.perf_counter() - begun)
            await conn.execute("DROP TABLE bare_customers")
            return median(found)

        limit = deliveries.on(self._dsn, bare)
        return [
            (
                f"A batch of {_CUSTOMERS:,} customers is accepted in {median(took) * 1000:,.0f} ms, at"
                f" most {max(took) * 1000:,.0f} ({_ROUNDS} POSTs); a bare INSERT of the same rows"
                f" takes {limit * 1000:,.0f} ms."
            )
        ]

    def dry_run(self) -> list[str]:
        """Measure a dry run."""
        with self._api() as client:
            took = [
                seconds(lambda: client.post(f"{_SEND}&dry_run=1", _ALL)) for _ in range(_ROUNDS)
            ]
        return [f"A dry run of {_CUSTOMERS:,} customers: {median(took) * 1000:,.0f} ms."]

    def expansion(self) -> list[str]:
        """Measure the time until all customers have sends, without a mailer."""
        self._clear()
        with self._api() as client, servers.relay(self._dsn, self._amqp):
            took = seconds(lambda: self._expanded(client))
        return [
            f"From the POST until all {_CUSTOMERS:,} customers have sends: {took:,.1f} s, without a mailer."
        ]

    def mails(self) -> list[str]:
        """Measure mails of a batch, and of as many single sends that one statement stores."""
        number, some = (_CUSTOMERS // 4, _QUARTER) if self._is_small else (_CUSTOMERS, {})
        single, batch = [], []
        with postfix.sink() as sink:
            for _ in range(2):
                self._clear()
                single.append(self._mailed(sink.port, number, lambda _: self._store(number)))
                self._clear()
                batch.append(self._mailed(sink.port, number, lambda client: _send(client, some)))
        (alone, cost), (together, more) = (
            map(sum, zip(*each, strict=True)) for each in (single, batch)
        )
        return [
            (
                f"From the first claim to the last 250 of {number:,} mails without PDF, twice each:"
                f" single sends {alone:,.1f} s, a batch with its expansion {together:,.1f} s:"
                f" × {together / alone:.2f}. Processor time of relay, mailer and Postgres a mail:"
                f" {cost / number / 2 * 1000:,.2f} and {more / number / 2 * 1000:,.2f} ms:"
                f" × {more / cost:.2f}."
            )
        ]

    def schedules(self) -> list[str]:
        """Measure many schedules that are due at once."""
        self._clear()
        monthly = {
            "name": "Monthly", "rule": {"every": "month", "day": 1}, "time": "08:00",
            "period": "last-year", "skip_empty": False,
        }  # fmt: skip
        with self._api() as client, servers.relay(self._dsn, self._amqp):
            client.post("/api/v3/schedules", monthly)
            query = _SAME_SCHEDULES.format(each=_EACH)
            begun = deliveries.on(self._dsn, lambda conn: conn.fetchval("SELECT clock_timestamp()"))
            deliveries.on(self._dsn, lambda conn: conn.execute(query, _SCHEDULES))
            self._wait(_MADE, _SCHEDULES)
            took = deliveries.on(self._dsn, lambda conn: conn.fetchval(_TOOK, begun))
        return [
            (
                f"{_SCHEDULES:,} schedules of {_EACH} customers that are due at once: all expanded after"
                f" {took:,.1f} s."
            )
        ]

    def size(self) -> list[str]:
        """Measure the relay's memory and the answer about a batch, by the size of the batch."""
        self._clear()
        with self._api() as client, servers.relay(self._dsn, self._amqp) as relay:
            peaks = []
            for body in (_QUARTER, {}):
                with sampled(relay) as memory:
                    self._expanded(client, body)
                    deliveries.wait(self._dsn, "state = 'queued'", 1)
                peaks.append(max(memory))
            newest = json.loads(client.get("/api/v3/batches?limit=1")[1])["data"][0]["id"]
            shown = [
                seconds(lambda: client.get(f"/api/v3/batches/{newest}")) for _ in range(_ROUNDS)
            ]
        few, many = (f"{each / 1024:,.0f}" for each in peaks)
        return [
            (
                f"Memory of the relay at its peak: {few} MiB in a batch of {_MANY // 4:,} customers, {many} MiB"
                f" in one of {_MANY:,}. GET of that batch: {median(shown) * 1000:,.0f} ms."
            )
        ]

    @contextmanager
    def _api(self) -> Iterator[Client]:
        with servers.product(self._dsn, self._key) as api:
            yield Client(api)

    def _clear(self) -> None:
        deliveries.clear(self._dsn, self._amqp)
        deliveries.on(self._dsn, lambda conn: conn.execute(_CLEAR))

    def _expanded(self, client: Client, body: Mapping[str, object] | None = None) -> None:
        before = deliveries.on(self._dsn, lambda conn: conn.fetchval(_MADE))
        _send(client, body)
        self._wait(_MADE, before + 1)

    def _mailed(
        self, smtp: int, number: int, begin: Callable[[Client], None]
    ) -> tuple[float, float]:
        """Return the seconds from the first claim to the last 250, and those of processors."""
        with (
            self._api() as client,
            servers.relay(self._dsn, self._amqp) as relay,
            servers.mailer(self._dsn, self._amqp, smtp, ATTACH_PDF="off") as mailer,
        ):
            postgres = deliveries.on(self._dsn, _server)
            working = (relay.pid, mailer.pid, postgres)
            begun = spent(*working)
            begin(client)
            deliveries.wait(self._dsn, "state = 'sent'", number, patience=900)
            cost = spent(*working) - begun
        return deliveries.on(self._dsn, lambda conn: conn.fetchval(_MAILED)), cost

    def _store(self, number: int) -> None:
        deliveries.add(self._dsn, number, customers=number, vacuum=False)

    def _wait(self, query: str, number: int, patience: float = 300) -> None:
        end = time.monotonic() + patience
        while deliveries.on(self._dsn, lambda conn: conn.fetchval(query)) < number:
            if time.monotonic() > end:
                raise TimeoutError(query)
            time.sleep(0.1)


def _send(client: Client, body: Mapping[str, object] | None = None) -> None:
    client.post(_SEND, {**_ALL, **(body or {})})


async def _server(conn: asyncpg.Connection) -> int:
    """Return the process of Postgres whose children serve the connections."""
    return parent(await conn.fetchval("SELECT pg_backend_pid()"))
