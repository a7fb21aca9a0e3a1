import csv
import re
from pathlib import Path

import asyncpg

from demo import ledger
from services.api.ledger.imports import import_directory


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        ledger.write(tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_nobody_real_can_be_mailed(tmp_path: Path) -> None:
    ledger.write(tmp_path)
    addresses = set(re.findall(rb"[^\s,\"]*@[^\s,\"]*", b"\n".join(contents(tmp_path).values())))
    assert len(addresses) > 200
    assert all(re.fullmatch(rb"[a-z0-9.]+@[a-z-]+\.example", address) for address in addresses)


async def test_it_is_imported_and_shows_every_kind_of_thing(database: str, tmp_path: Path) -> None:
    ledger.write(tmp_path)
    summary = await import_directory(database, tmp_path)
    assert len(summary.files) == 6
    assert summary.warnings == ()
    seen = {
        name: {row[column] for row in csv.DictReader((tmp_path / f"{name}.csv").open())}
        for name, column in (("invoices", "status"), ("payments", "status"), ("deposits", "type"))
    }
    assert seen == {
        "invoices": {"draft", "issued", "void"},
        "payments": {"pending", "settled", "failed"},
        "deposits": {"credit", "debit"},
    }
    connection = await asyncpg.connect(database)
    try:
        refunds = await connection.fetchval("SELECT count(*) FROM payments WHERE amount < 0")
        credited = "SELECT count(*) FROM invoices WHERE kind = 'credit_note'"
        shared = "SELECT count(*) FROM (SELECT id FROM customers GROUP BY id HAVING count(*) = 2) x"
        assert refunds > 10
        assert await connection.fetchval(credited) > 10
        assert await connection.fetchval(shared) == 12  # ids of customers repeat across businesses
    finally:
        await connection.close()
