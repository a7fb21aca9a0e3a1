from pathlib import Path

import asyncpg
import pytest

from services.api.ledger.faults import ImportRefused
from services.api.ledger.imports import import_directory
from tests.services.api.ledger.test_import_options import BUSINESSES, fetch

BUSINESS = "id,owner_id,name,currency,timezone,locale\n1,1,Kente,GHS,Africa/Accra,"
CUSTOMER = "id,business_id,owner_id,locale\n7,1,1,"


async def imported(database: str, folder: Path, businesses: str, customers: str) -> list[object]:
    """Import a business and a customer, and return their languages."""
    (folder / "businesses.csv").write_text(businesses)
    (folder / "customers.csv").write_text(customers)
    await import_directory(database, folder)
    return [
        row["locale"]
        for table in ("businesses", "customers")
        for row in await fetch(database, f"SELECT locale FROM {table}")
    ]


async def test_business_and_customer_have_a_language_each(database: str, tmp_path: Path) -> None:
    both = await imported(database, tmp_path, f"{BUSINESS}pt-BR\n", f"{CUSTOMER}zh-Hant-TW\n")
    assert both == ["pt-BR", "zh-Hant-TW"]


async def test_a_language_is_kept_unless_the_file_has_it(database: str, tmp_path: Path) -> None:
    await imported(database, tmp_path, f"{BUSINESS}fr\n", f"{CUSTOMER}de\n")
    without = "id,business_id,owner_id\n7,1,1\n"
    assert await imported(database, tmp_path, BUSINESSES, without) == ["fr", "de"]
    assert await imported(database, tmp_path, f"{BUSINESS}\n", f"{CUSTOMER}\n") == [None, None]


@pytest.mark.parametrize(
    "tag", ["x", "pt_BR", "english", "pt-", "-BR", "de-123456789", "a-b-c-d-e"]
)
async def test_what_is_no_tag_is_refused(database: str, tmp_path: Path, tag: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        await imported(database, tmp_path, f"{BUSINESS}{tag}\n", f"{CUSTOMER}{tag}\n")
    assert refused.value.errors == [
        f"{name}.csv:2: locale: '{tag}' is not a language tag like en or pt-BR (BCP 47)"
        for name in ("businesses", "customers")
    ]
    conn = await asyncpg.connect(database)
    with pytest.raises(asyncpg.CheckViolationError, match="businesses_locale_is_a_language_tag"):
        await conn.execute(
            "INSERT INTO businesses (id, owner_id, name, currency, timezone, locale)"
            " VALUES (9, 1, 'A', 'EUR', 'UTC', $1)",
            tag,
        )
    await conn.close()
