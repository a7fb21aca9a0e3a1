"""The time from the first byte of a POST until the smarthost's 250 is recorded."""

import json
import threading
import time
from datetime import UTC, datetime
from queue import SimpleQueue
from statistics import quantiles
from uuid import UUID

import asyncpg

from bench import accepting, deliveries, servers
from bench.client import Client
from bench.postfix import Sink

_CLIENTS = 4


def run(dsn: str, key: str, amqp: str, sink: Sink, *, sends: int, each: float) -> list[float]:
    """Return the milliseconds of each send, in order; `each` is the seconds between two."""
    deliveries.clear(dsn, amqp)
    asked: dict[UUID, datetime] = {}
    with (
        servers.product(dsn, key) as api,
        servers.relay(dsn, amqp),
        servers.mailer(dsn, amqp, sink.port, ATTACH_PDF="off"),
    ):
        _ask(api, asked, 20, each)
        asked.clear()
        _ask(api, asked, sends, each)
        deliveries.wait(dsn, "state = 'sent'", sends + 20)

    async def recorded(conn: asyncpg.Connection) -> list[float]:
        rows = await conn.fetch("SELECT send_id, sent_at FROM deliveries")
        sent = {row["send_id"]: row["sent_at"] for row in rows}
        return sorted((sent[each] - begun).total_seconds() * 1000 for each, begun in asked.items())

    return deliveries.on(dsn, recorded)


def shown(milliseconds: list[float]) -> str:
    """Return the percentiles as text."""
    cut = quantiles(milliseconds, n=1000)
    return f"median {cut[499]:.1f} ms, p99 {cut[989]:.1f} ms, p99.9 {cut[998]:.1f} ms"


def _ask(api: servers.Served, asked: dict[UUID, datetime], sends: int, each: float) -> None:
    """Request sends at a steady pace, from several clients so that none waits."""
    turns: SimpleQueue[float | None] = SimpleQueue()

    def client() -> None:
        connection = Client(api)
        while (turn := turns.get()) is not None:
            time.sleep(max(0.0, turn - time.perf_counter()))
            begun = datetime.now(UTC)
            answer = json.loads(connection.post(accepting.path(len(asked))))
            asked[UUID(answer["id"])] = begun

    begin = time.perf_counter()
    for number in range(sends):
        turns.put(begin + number * each)
    threads = [threading.Thread(target=client) for _ in range(_CLIENTS)]
    for thread in threads:
        turns.put(None)
        thread.start()
    for thread in threads:
        thread.join()
