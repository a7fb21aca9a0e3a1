from pathlib import Path

import asyncpg
import pytest

from services.api.ledger.faults import ImportRefused
from services.api.ledger.imports import import_directory
from tests.services.api.ledger.test_import_options import BUSINESSES, fetch

WITH_START = "id,owner_id,name,currency,timezone,fiscal_year_start\n1,1,Kente,GHS,Africa/Accra,"


async def started(database: str, folder: Path, text: str) -> str:
    """Import a file of one business, and return when its fiscal years begin."""
    (folder / "businesses.csv").write_text(text)
    await import_directory(database, folder)
    (row,) = await fetch(database, "SELECT fiscal_year_start FROM businesses")
    start: str = row[0]
    return start


async def test_a_business_without_a_day_has_calendar_years(database: str, tmp_path: Path) -> None:
    assert await started(database, tmp_path, BUSINESSES) == "01-01"


async def test_the_day_is_kept_unless_the_file_has_it(database: str, tmp_path: Path) -> None:
    assert await started(database, tmp_path, f"{WITH_START}04-28\n") == "04-28"
    assert await started(database, tmp_path, BUSINESSES) == "04-28"
    assert await started(database, tmp_path, f"{WITH_START}\n") == "01-01"


@pytest.mark.parametrize("day", ["04-29", "13-01", "00-10", "4-1", "04-00", "04/01", "0401", "x"])
async def test_a_day_that_some_month_lacks_is_refused(
    database: str, tmp_path: Path, day: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        await started(database, tmp_path, f"{WITH_START}{day}\n")
    (error,) = refused.value.errors
    assert error == (
        f"businesses.csv:2: fiscal_year_start: '{day}' is not a month and a day from 01 to 28,"
        " written MM-DD"
    )
    conn = await asyncpg.connect(database)
    with pytest.raises(asyncpg.CheckViolationError, match="businesses_fiscal_year_start_is_a_day"):
        await conn.execute(
            "INSERT INTO businesses (id, owner_id, name, currency, timezone, fiscal_year_start)"
            " VALUES (1, 1, 'A', 'EUR', 'UTC', $1)",
            day,
        )
    await conn.close()
