"""The figures after an import, whatever was in the ledger and whoever wrote it meanwhile."""

import asyncio
import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest

from services.api.ledger.faults import ImportRefused
from services.api.ledger.imports import import_directory
from services.api.ledger.verification import prove
from tests.roles import acting
from tests.services.api.reports.base_tables import assert_as_in_python

CUSTOMERS = range(1, 6)
DAY = date(2024, 1, 15)
HEADERS = {
    "businesses": "id,owner_id,name,currency,timezone",
    "customers": "id,business_id,owner_id,created_at,updated_at",
    "invoices": "id,business_id,customer_id,number,kind,status,issue_date,due_date,total",
    "payments": "id,business_id,invoice_id,paid_on,amount,channel,status",
    "deposits": "id,business_id,customer_id,entry_date,amount,type",
}
ALL = date(1, 1, 1), date(9999, 12, 31)
LEDGER_TABLES = (*HEADERS, "kept_documents", "kept_periods", "kept_open_parts", "bulk_loads")


def files(directory: Path, documents: range, *, seed: int = 0) -> Path:
    """Write the files of two businesses with these documents, at random but for the seed."""
    chance = random.Random(seed)
    businesses = (1, 2)
    both = [(business, number) for business in businesses for number in documents]
    issued = {document: DAY + timedelta(chance.randint(0, 800)) for document in both}
    amount = lambda: f"{chance.randint(0, 3_000_000) / 10_000:.4f}"  # noqa: E731 - the only one
    paid = [document for document in both for _ in range(chance.choice((0, 1, 1, 1, 2)))]
    rows = {
        "businesses": [f"{n},1,B{n},EUR,UTC" for n in businesses],
        "customers": [f"{n},{b},1,{DAY},{DAY}" for b in businesses for n in CUSTOMERS],
        "invoices": [
            f"{n},{b},{chance.choice(CUSTOMERS)},N,{chance.choice(('invoice', 'credit_note'))},"
            f"{chance.choice(('issued', 'issued', 'draft', 'void'))},{day},,{amount()}"
            for (b, n), day in issued.items()
        ],
        "payments": [
            f"{documents.start * 10 + place},{b},{n},"
            f"{issued[b, n] + timedelta(chance.randint(-9, 90))},{amount()},"
            f"{chance.choice(('manual', 'online'))},"
            f"{chance.choice(('settled', 'settled', 'pending'))}"
            for place, (b, n) in enumerate(paid)
        ],
        "deposits": [
            f"{documents.start + n},{b},{n},{DAY},{amount()},credit"
            for b in businesses
            for n in CUSTOMERS
        ],
    }
    directory.mkdir(parents=True)
    for table, header in HEADERS.items():
        (directory / f"{table}.csv").write_text("\n".join([header, *rows[table], ""]))
    return directory


async def assert_exact(dsn: str, documents: int) -> None:
    conn = await asyncpg.connect(dsn)
    assert await conn.fetchval("SELECT count(*) FROM kept_documents") == documents
    assert await conn.fetchval("SELECT count(*) FROM bulk_loads") == 0
    await assert_as_in_python(conn, *ALL)
    await assert_as_in_python(conn, date(2024, 3, 3), date(2025, 2, 8))
    async for proof in prove(conn):
        assert not proof.differences, proof
    await conn.close()


@pytest.mark.parametrize("login", [None, "ledger"])
async def test_figures_after_imports_of_new_and_of_known_documents(
    database: str, tmp_path: Path, login: str | None
) -> None:
    dsn = acting(database, login) if login else database
    await import_directory(dsn, files(tmp_path / "first", range(100, 200)))
    await assert_exact(database, 200)
    # The next one changes half of those documents, brings new ones, and pays both.
    await import_directory(dsn, files(tmp_path / "second", range(150, 250), seed=1))
    await assert_exact(database, 300)
    # Few documents, beside many.
    await import_directory(dsn, files(tmp_path / "third", range(300, 303), seed=2))
    await assert_exact(database, 306)


async def test_a_dry_run_leaves_no_figure(database: str, tmp_path: Path) -> None:
    await import_directory(database, files(tmp_path / "first", range(100, 200)), dry_run=True)
    await assert_exact(database, 0)


async def test_two_imports_at_once(database: str, tmp_path: Path) -> None:
    directories = [files(tmp_path / str(n), range(100 * n, 100 * n + 150), seed=n) for n in (1, 2)]
    await asyncio.gather(*(import_directory(database, each) for each in directories))
    await assert_exact(database, 500)


WRITES = (
    """INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date, total)
    VALUES (1, $1 + 5000, 1, 'N', 'invoice', 'issued', '2024-05-05', $1)""",
    """INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
    VALUES (1, $1 + 9000, 100 + $1 % 100, '2024-06-06', 1, 'manual', 'settled')""",
    """UPDATE invoices SET total = total + 1, issue_date = issue_date + 1
    WHERE business_id = 1 AND id = 100 + $1 % 100""",
    """UPDATE payments SET amount = amount + 1
    WHERE business_id = 2 AND invoice_id = 100 + $1 % 100""",
    "DELETE FROM payments WHERE business_id = 2 AND invoice_id = 100 + $1 % 100",
)


async def write_until(dsn: str, is_over: Callable[[], bool], place: int) -> None:
    """Write the documents of the first import, one statement after the other."""
    conn = await asyncpg.connect(dsn)
    turn = 0
    while not is_over() or turn < len(WRITES):
        turn += 1
        try:
            await conn.execute(WRITES[turn % len(WRITES)], place * 1000 + turn)
        except (asyncpg.DeadlockDetectedError, asyncpg.UniqueViolationError):
            continue
    await conn.close()


async def test_others_write_the_same_documents_during_an_import(
    database: str, tmp_path: Path
) -> None:
    await import_directory(database, files(tmp_path / "first", range(100, 200)))
    second = files(tmp_path / "second", range(150, 450), seed=1)
    is_over = False
    writers = [
        asyncio.create_task(write_until(acting(database, "ledger"), lambda: is_over, place))
        for place in (1, 2)
    ]
    try:
        for _ in range(20):
            try:
                await import_directory(database, second)
                break
            except ImportRefused:  # a deadlock: run it again
                continue
        else:
            pytest.fail("no import came through")
    finally:
        is_over = True
        await asyncio.gather(*writers)
    conn = await asyncpg.connect(database)
    documents = await conn.fetchval("SELECT count(*) FROM invoices")
    await conn.close()
    await assert_exact(database, documents)


async def test_an_import_that_is_killed_while_it_counts_leaves_nothing(
    database: str, tmp_path: Path
) -> None:
    holder, other = await asyncpg.connect(database), await asyncpg.connect(database)
    steps: list[str] = []
    async with holder.transaction():
        await holder.execute("LOCK TABLE kept_open_parts IN SHARE MODE")
        importing = asyncio.create_task(
            import_directory(
                database,
                files(tmp_path / "first", range(100, 200)),
                lambda step, _: steps.append(step),
            )
        )
        pid = await waiting_for(holder, other)
        assert steps[-1] == "counting the figures"
        await other.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await importing
    await holder.close()
    for table in LEDGER_TABLES:
        assert await other.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    await other.close()
    await import_directory(database, tmp_path / "first")
    await assert_exact(database, 200)


async def waiting_for(holder: asyncpg.Connection, seen_by: asyncpg.Connection) -> int:
    """Return the process of the session that waits for a lock of `holder`."""
    query = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))"
    async with asyncio.timeout(180):
        while not (pid := await seen_by.fetchval(query, holder.get_server_pid())):
            await asyncio.sleep(0.01)
    return int(pid)
