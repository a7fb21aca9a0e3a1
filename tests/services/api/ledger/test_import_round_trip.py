import csv
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from services.api.ledger.imports import import_directory
from services.api.ledger.records import fields, records

NASTY = st.one_of(
    st.sampled_from(
        [
            "",
            '"',
            '""',
            ",",
            "\r",
            "\n",
            "\r\n",
            "\\.",
            "\n\\.\n",
            "NULL",
            "\\N",
            " ",
            "'",
            "\ufeff",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.text('",\r\n\\. aƐ€😀', max_size=20),
)
OPTIONAL = st.none() | NASTY
AMOUNTS = st.decimals(-99_999_999_999_999, 99_999_999_999_999, places=4)
BIGINTS = st.integers(-(2**63), 2**63 - 1)
ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(0, 2**63 - 1),
        "business_id": st.sampled_from([1, 2]),
        "owner_id": BIGINTS,
        "first_name": OPTIONAL,
        "last_name": OPTIONAL,
        "business_address": OPTIONAL,
        "account_id": st.none() | BIGINTS,
        "opening_balance": AMOUNTS,
        "archived": st.sampled_from([0, 1]),
        "created_at": st.datetimes().map(lambda moment: moment.replace(fold=0)),
        "updated_at": st.datetimes().map(lambda moment: moment.replace(microsecond=0, fold=0)),
    }
)


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    # isoformat pads years below 1000, and str() of a Decimal may write an exponent.
    return f"{value:f}" if isinstance(value, Decimal) else _plain(value)


def _plain(value: Any) -> str:
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)


def key(row: dict[str, Any]) -> tuple[int, int]:
    return row["business_id"], row["id"]


@seed(20261031)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(ROWS, unique_by=key, max_size=12), end=st.sampled_from(["\n", "\r\n"]))
def test_text_cut_into_records_and_fields_is_the_text(rows: list[dict[str, Any]], end: str) -> None:
    lines = [",".join(map(text_of, row.values())) for row in rows]
    found = list(records(io.BytesIO(end.join(lines).encode())))
    expected_line = 1
    for row, line, (number, record) in zip(rows, lines, found, strict=True):
        assert number == expected_line
        assert fields(record) == [
            None if value is None else value if isinstance(value, str) else text_of(value)
            for value in row.values()
        ]
        expected_line += line.count("\n") + 1


@seed(20261031)
@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(NASTY, min_size=2, max_size=5), max_size=8))
def test_what_the_standard_library_writes_is_read_alike(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(rows)
    found = [fields(record) for _, record in records(io.BytesIO(out.getvalue().encode()))]
    assert found == rows


async def test_rows_come_back_as_they_went(database: str, tmp_path: Path) -> None:
    (tmp_path / "businesses.csv").write_text(
        "id,owner_id,name,currency,timezone\n1,1,A,GHS,Africa/Accra\n2,1,B,USD,America/New_York\n"
    )
    await import_directory(database, tmp_path)
    (tmp_path / "businesses.csv").unlink()
    batches: list[list[dict[str, Any]]] = []

    @seed(20261031)
    @settings(max_examples=40, deadline=None, database=None)
    @given(st.lists(ROWS, unique_by=key, min_size=1, max_size=12))
    def collect(rows: list[dict[str, Any]]) -> None:
        batches.append(rows)

    collect()
    connection = await asyncpg.connect(database)
    try:
        for rows in batches:
            await _check(connection, database, tmp_path, rows)
    finally:
        await connection.close()


async def _check(
    connection: asyncpg.Connection, dsn: str, directory: Path, rows: list[dict[str, Any]]
) -> None:
    names = list(rows[0])
    text = [",".join(names), *(",".join(text_of(row[name]) for name in names) for row in rows)]
    (directory / "customers.csv").write_text("\n".join(text), "utf-8", newline="")
    await connection.execute("TRUNCATE customers CASCADE")
    await import_directory(dsn, directory)
    stored = await connection.fetch(f"SELECT {', '.join(names)} FROM customers")
    assert sorted(map(dict, stored), key=key) == sorted(rows, key=key)
    (again,) = (await import_directory(dsn, directory)).files
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, len(rows))
