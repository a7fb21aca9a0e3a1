"""docs/erasure.md says of every column that can hold words what erasing a person does to it."""

import re
from pathlib import Path

import asyncpg

PAGE = Path(__file__).parents[2] / "docs" / "erasure.md"
ROW = re.compile(r"^\| `(\w+)` \| (.*?) ?\| (.*?) ?\|$", re.MULTILINE)
# Of texts, octets and JSON, also in arrays, whatever a type of ours is called.
WORDS = """
SELECT c.relname || '.' || a.attname
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
  AND (coalesce(e.typcategory, t.typcategory) = 'S'
       OR coalesce(e.typname, t.typname) IN ('bytea', 'json', 'jsonb', 'xml'))
"""


def told() -> list[tuple[str, bool]]:
    """Each column of the page as `table.column`, and whether erasing removes what it holds."""
    return [
        (f"{table}.{column}", is_removed)
        for table, *cells in ROW.findall(PAGE.read_text("utf-8"))
        for cell, is_removed in zip(cells, (True, False), strict=True)
        for column in re.findall(r"`(\w+)`", cell)
    ]


def removed() -> set[str]:
    """The columns from which a person is removed."""
    return {column for column, is_removed in told() if is_removed}


async def test_each_column_that_can_hold_words_is_on_the_page_once(database: str) -> None:
    conn = await asyncpg.connect(database)
    found = sorted(row[0] for row in await conn.fetch(WORDS))
    await conn.close()
    assert sorted(column for column, _ in told()) == found, (
        "say in docs/erasure.md whether `erase` removes it, or why it is kept"
    )
