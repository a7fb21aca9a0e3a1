"""Dry runs, templates, optional columns and warnings of the import."""

import asyncio
import io
import re
from pathlib import Path

import asyncpg
import pytest

from services.api.ledger import templates
from services.api.ledger.commands import import_
from services.api.ledger.imports import import_directory
from services.api.ledger.progress import Progress
from tests.services.api.ledger.test_ledger_commands import GOLDEN, run

ROOT = Path(__file__).parents[4]
WARNING = (
    "warning: customers.csv: business_email: 4 of 9 rows have a text that is no e-mail"
    " address, nor a list of addresses, the first in line 3"
)
BUSINESSES = "id,owner_id,name,currency,timezone\n1,1,Kente,GHS,Africa/Accra\n"


async def fetch(dsn: str, query: str) -> list[asyncpg.Record]:
    conn = await asyncpg.connect(dsn)
    try:
        return list(await conn.fetch(query))
    finally:
        await conn.close()


async def test_a_dry_run_counts_and_writes_nothing(database: str, tmp_path: Path) -> None:
    result = await run(import_, database, str(GOLDEN), "--dry-run")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[2] == "customers.csv: 8 to be inserted, 0 to be updated, 0 unchanged"
    assert lines[-1] == "nothing was written: this was a dry run"
    assert await fetch(database, "SELECT FROM businesses") == []
    (tmp_path / "deposits.csv").write_text(
        "id,business_id,customer_id,entry_date,amount,type\n1,9,1,2024-01-01,1,credit\n"
    )
    refused = await run(import_, database, str(tmp_path), "--dry-run")
    assert refused.exit_code == 1
    assert "there is no business 9" in refused.stderr


async def test_a_misspelt_name_is_no_half_import(database: str, tmp_path: Path) -> None:
    (tmp_path / "businesses.csv").write_text(BUSINESSES)
    (tmp_path / "customer.csv").write_text("id\n")
    result = await run(import_, database, str(tmp_path))
    assert result.exit_code == 1
    assert "did you mean customers.csv?" in result.stderr
    assert await fetch(database, "SELECT FROM businesses") == []
    assert (await run(import_, database, str(tmp_path), "--ignore-unknown")).exit_code == 0


async def test_templates_are_taken_by_an_import(database: str, tmp_path: Path) -> None:
    written = await run(import_, database, "--template", str(tmp_path / "new"))
    assert len(written.stdout.splitlines()) == 6
    assert (await run(import_, database, str(tmp_path / "new"))).exit_code == 0
    again = await run(import_, database, "--template", str(tmp_path / "new"))
    assert again.exit_code == 1
    assert len(again.stderr.splitlines()) == 6


def test_the_docs_have_every_column_as_it_is() -> None:
    assert templates.markdown() in (ROOT / "docs" / "import.md").read_text("utf-8")


async def test_times_may_be_left_out_or_be_a_day(database: str, tmp_path: Path) -> None:
    (tmp_path / "businesses.csv").write_text(BUSINESSES)
    customers = tmp_path / "customers.csv"
    customers.write_text("id,business_id,owner_id\n1,1,1\n")
    await import_directory(database, tmp_path)
    customers.write_text(
        "id,business_id,owner_id,created_at,updated_at\n1,1,1,,\n2,1,1,2026-01-01,\n"
    )
    changed = (await import_directory(database, tmp_path)).files[1]
    assert (changed.inserted, changed.updated, changed.unchanged) == (1, 0, 1)
    (row,) = await fetch(database, "SELECT created_at::text FROM customers WHERE id = 2")
    assert row["created_at"] == "2026-01-01 00:00:00"


async def test_what_is_no_address_is_counted_and_not_shown(database: str, tmp_path: Path) -> None:
    (tmp_path / "businesses.csv").write_text(BUSINESSES)
    given = [
        "a@b.example",
        "mueller(at)kunde",
        '"a@b.example, c@d.example"',
        "",
        '"o\'neil@b.example"',
        '"a@b.example; mueller(at)kunde"',
        '"a@b.example;\N{NO-BREAK SPACE}C@d.example\N{NO-BREAK SPACE}"',
        ";",
        '"' + "a@b.example," * 26 + '"',
    ]
    rows = "".join(f"{number},1,1,{each}\n" for number, each in enumerate(given, 1))
    (tmp_path / "customers.csv").write_text("id,business_id,owner_id,business_email\n" + rows)
    result = await run(import_, database, str(tmp_path))
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        WARNING,
    ]


async def test_a_business_that_becomes_another_is_warned_of(database: str, tmp_path: Path) -> None:
    (tmp_path / "businesses.csv").write_text(BUSINESSES)
    await import_directory(database, tmp_path)
    (tmp_path / "businesses.csv").write_text(BUSINESSES.replace("Kente", "My Shop"))
    (warning,) = (await import_directory(database, tmp_path)).warnings
    assert "business 1 was 'Kente, GHS, owner 1' and becomes 'My Shop, GHS, owner 1'" in warning


async def test_a_long_step_is_told_of_now_and_then_without_a_terminal() -> None:
    stream = io.StringIO()
    async with Progress({}, stream, every=0.01) as progress, asyncio.timeout(180):
        progress.show("writing invoices.csv", 0)
        while len(stream.getvalue().splitlines()) < 2:
            await asyncio.sleep(0.01)
    assert all(
        re.fullmatch(r"writing invoices\.csv: \d+ s", x) for x in stream.getvalue().splitlines()
    )


async def test_a_terminal_shows_how_long_a_write_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    async with Progress({"invoices.csv": 100}, stream) as progress:
        progress.show("reading invoices.csv", 50)
        progress.show("writing invoices.csv", 0)
    assert "writing invoices.csv: 00:00" in stream.getvalue()
    assert "0%" not in stream.getvalue().rpartition("writing")[2]
