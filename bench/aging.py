"""The ageing of about 100,000 open documents, as of today and of a past day, beside the list."""

import asyncio
import os
from collections.abc import Mapping

import asyncpg

from bench import ledger, results, servers
from bench.client import Client, in_turn, seconds
from bench.reports import LIST, YEAR
from bench.servers import ROOT, Served
from provision import servers as provision

CUSTOMERS, INVOICES, ROUNDS = 10_000, 1_000_000, 9
AGING = f"{LIST}/aging"
_PAID = """
SET session_replication_role = replica;
UPDATE payments p SET status = 'settled', paid_on = {paid_on},
    amount = CASE i.kind WHEN 'invoice' THEN i.total ELSE -i.total END
FROM invoices i WHERE i.business_id = p.business_id AND i.id = p.invoice_id;
{then};
SET session_replication_role = origin;
"""
# A tenth of all documents is never paid, and the others within two months.
_UNPAID = _PAID.format(paid_on="p.paid_on", then="DELETE FROM payments WHERE id % 180 = 1")
# All are paid, most of them so late that as many are open on each day of the ledger's later years.
_LATE = _PAID.format(
    paid_on="i.issue_date + floor(random() * 400)::int",
    then="""INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
        SELECT id, 1, id, issue_date + floor(random() * 400)::int,
            CASE kind WHEN 'invoice' THEN total ELSE -total END, 'manual', 'settled'
        FROM invoices WHERE id % 10 = 0""",
)
_OPEN = """
SELECT count(DISTINCT invoice_id)
FROM kept_open_parts, (SELECT coalesce(nullif($1, '')::date, now()::date)) AS at (day)
WHERE opens <= day AND closes > day
"""


def main(arguments: list[str]) -> None:
    """Run it and write the results, or run at another size and show them."""
    servers.install()
    invoices = int(arguments[0]) if arguments else INVOICES
    url = os.environ.get("DATABASE_URL") or provision.start(ROOT, "bench").database_url
    lines = [
        f"{results.machine(url, 'aiohttp', 'asyncpg')} Medians of {ROUNDS} rounds, taken in turn.",
        "",
        "| the ageing | open documents | ms | the year's list, ms | × |",
        "|---|---|---|---|---|",
    ]
    days = {"today": "", "2024-12-31": "2024-12-31", "2022-06-30": "2022-06-30"}
    lines += _on(url, invoices, _UNPAID, days)
    late = {f"{day}, paid late": day for day in ("2022-06-30", "2024-06-30")}
    lines += _on(url, invoices, _LATE, late)
    if arguments:
        print("\n".join(lines))
    else:
        results.write("aging", "Ageing", lines)


def _on(url: str, invoices: int, paid: str, days: Mapping[str, str]) -> list[str]:
    dsn = asyncio.run(ledger.create(url))
    try:
        key = asyncio.run(ledger.fill(dsn, customers=CUSTOMERS, invoices=invoices, then=paid))
        with servers.product(dsn, key) as served:
            return [_line(dsn, served, name, day) for name, day in days.items()]
    finally:
        asyncio.run(ledger.drop(url, dsn))


def _line(dsn: str, served: Served, name: str, day: str) -> str:
    client = Client(served)
    path = f"{AGING}?as_of={day}" if day else AGING
    took = in_turn(
        ROUNDS,
        aging=lambda: seconds(lambda: client.get(path)),
        year=lambda: seconds(lambda: client.get(f"{LIST}/{YEAR}")),
    )
    aging, year = took["aging"] * 1000, took["year"] * 1000
    documents = asyncio.run(_open(dsn, day))
    return f"| {name} | {documents:,} | {aging:.0f} | {year:.0f} | {aging / year:.2f} |"


async def _open(dsn: str, day: str) -> int:
    conn = await asyncpg.connect(dsn)
    count: int = await conn.fetchval(_OPEN, day)
    await conn.close()
    return count
