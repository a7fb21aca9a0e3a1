"""Batches in a case: whom they are for, and what has to become of them."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp

from tests.faults.processes import Child
from tests.faults.world import World

_PATH = "/api/v3/reports/customers/transactions/send?from=2024-11-01&to=2024-11-30"
_BUSY = {409, 429, 503}
_NAMED = "Batch customer"
FILTER = {"q": _NAMED}  # of the list: selects the audience
_CUSTOMERS = """INSERT INTO customers
        (id, business_id, owner_id, business_name, business_email, opening_balance)
    SELECT 10000 + n, 1, 1, $2 || ' ' || n,
           CASE WHEN n % 10 <> 3 THEN 'c' || n || '@x.example' END,
           CASE WHEN n % 10 <> 5 THEN 10 ELSE 0 END
    FROM generate_series(0, $1::integer - 1) AS n"""
_ANOTHER = """INSERT INTO customers
        (id, business_id, owner_id, business_name, business_email, opening_balance)
    VALUES (9999, 1, 1, $1, $2, 10)"""
_EXPANDED = """SELECT count(*) AS customers,
           count(*) FILTER (WHERE send_id IS NOT NULL OR reason_code IS NOT NULL) AS expanded
    FROM batch_customers WHERE batch_id = $1"""
_SUPPRESSED = """INSERT INTO suppressions (business_id, email_key, reason, reason_code)
    SELECT 1, 'c' || n || '@x.example', 'by hand', 'suppressed_by_business'
    FROM generate_series(0, $1::integer - 1) AS n WHERE n % 10 = 7"""


@dataclass(frozen=True)
class Audience:
    """The customers of a batch: the addresses that are mailed, and the others by their reason."""

    mailed: frozenset[str]
    skipped: dict[str, int]

    @property
    def customers(self) -> int:
        """The number of customers that the batch selects."""
        return len(self.mailed) + sum(self.skipped.values())


async def audience(world: World, many: int) -> Audience:
    """Add customers to the ledger: 7 of 10 can be mailed, the others cannot for various reasons."""
    await world.fetch(_CUSTOMERS, many, _NAMED)
    await world.fetch(_SUPPRESSED, many)
    last = Counter(n % 10 for n in range(many))
    return Audience(
        frozenset(f"c{n}@x.example" for n in range(many) if n % 10 not in {3, 5, 7}),
        {
            "no_address": last[3],
            "suppressed_by_business": last[7],
            "statement_empty": last[5],
        },
    )


async def add(world: World, name: str, email: str) -> None:
    """Add a customer whom a batch for the audience selects."""
    await world.fetch(_ANOTHER, f"{_NAMED} {name}", email)


def mailer(world: World, width: int = 30) -> Child:
    """Start a mailer of many connections that makes no PDFs, of which each mail has its own."""
    return world.mailer(ATTACH_PDF="off", MAILER_CONCURRENCY=str(width))


async def ask(world: World, **body: Any) -> str:
    """Request a batch for the audience, and return its id. A busy API is asked again."""
    answer = await post(world.http, str(uuid4()), **body)
    return str(answer["id"])


async def post(http: aiohttp.ClientSession, key: str, **body: Any) -> dict[str, Any]:
    """Request a batch with an Idempotency-Key, and return the body of the answer.

    A busy API is asked again. Raises OSError or aiohttp.ClientError if the API cannot be reached.
    """
    path = _PATH + "&dry_run=1" * body.pop("dry_run", False)
    body = {"filter": FILTER} | body
    for attempt in range(300):
        async with http.post(path, json=body, headers={"Idempotency-Key": key}) as response:
            if response.status in _BUSY and attempt < 299:
                await asyncio.sleep(0.1)
                continue
            assert response.status in {200, 202}, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer
    raise AssertionError


async def show(world: World, batch: str) -> dict[str, Any]:
    """Return the batch as the API shows it."""
    return await world.answer("GET", f"/api/v3/batches/{batch}", 200)


async def progress(world: World, batch: str, part: float) -> None:
    """Wait until this part of the batch is over: half of it is to expand, half to mail."""

    async def come_so_far() -> bool:
        [row] = await world.fetch(_EXPANDED, batch)
        come = row["expanded"] + len(world.judge.accepted)
        return come >= 2 * part * row["customers"] or await is_over(world, batch)

    await world.until(come_so_far, f"{part:.0%} of the batch")


async def is_over(world: World, batch: str) -> bool:
    """Return whether the batch is in a final phase."""
    rows = await world.fetch("SELECT phase FROM batches WHERE id = $1", batch)
    return rows[0]["phase"] in {"done", "failed", "cancelled"}


async def finished(world: World, batch: str, people: Audience, wait: float = 200) -> None:
    """Wait until the batch is over, and check that everybody got a mail or is skipped rightly."""
    await world.until(lambda: is_over(world, batch), "a batch that is over", wait)
    await world.settled()
    shown = await show(world, batch)
    assert shown["status"] == "done", shown
    assert shown["skipped"] == people.skipped
    mails = len(people.mailed)
    assert sum(shown["counts"].values()) == mails, shown["counts"]
    assert shown["counts"].keys() <= {"sent", "in_doubt"}, shown["counts"]
    assert shown["progress"] == {
        "customers": people.customers,
        "expanded": people.customers,
        "sends": mails,
        "finished": mails,
    }
    mailed = await world.fetch(
        "SELECT d.email FROM deliveries d JOIN sends s ON s.id = d.send_id WHERE s.batch_id = $1",
        batch,
    )
    assert Counter(row["email"] for row in mailed) == Counter(people.mailed)
    events = await world.fetch("SELECT type FROM business_events WHERE batch_id = $1", batch)
    assert Counter(row["type"] for row in events)["batch.done"] == 1


async def charged(world: World, *, cancelled: bool = False) -> int:
    """Return the recipients that are charged to the days on which they are due.

    What a cancel gives back there stays charged to the day on which it was accepted.
    """
    [row] = await world.fetch("SELECT coalesce(sum(used), 0) FROM due_recipients")
    accepted = await world.fetch("SELECT coalesce(sum(used), 0) FROM daily_recipients")
    due, taken = row[0], accepted[0][0]
    assert due <= taken if cancelled else due == taken, "both counts of the quota agree"
    return int(row[0])
