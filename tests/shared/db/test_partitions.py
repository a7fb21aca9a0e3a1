"""A table of the ledger may be partitioned by business, if its writers name the table itself."""

import asyncpg
import pytest

_TRIGGERS = """
SELECT replace(pg_get_triggerdef(oid), 'deposits_old', $1) FROM pg_trigger
WHERE tgrelid = 'deposits_old'::regclass AND NOT tgisinternal
"""
_ADD = """
INSERT INTO {} (id, business_id, customer_id, entry_date, amount, type)
VALUES ({}, 1, 1, '2024-12-02', 5, 'credit')
"""


async def test_the_triggers_of_a_partitioned_table_keep_what_is_written_by_its_name(
    database: str,
) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute("""
        INSERT INTO businesses (id, owner_id, name, currency, timezone)
            VALUES (1, 1, 'Only', 'EUR', 'UTC');
        INSERT INTO customers (id, business_id, owner_id, business_name) VALUES (1, 1, 1, 'C');
        ALTER TABLE deposits RENAME TO deposits_old;
        CREATE TABLE deposits (LIKE deposits_old INCLUDING DEFAULTS INCLUDING CONSTRAINTS
            INCLUDING INDEXES) PARTITION BY LIST (business_id);
        CREATE TABLE deposits_1 PARTITION OF deposits FOR VALUES IN (1);
    """)
    for (trigger,) in await conn.fetch(_TRIGGERS, "deposits"):
        await conn.execute(trigger)
    await conn.execute(_ADD.format("deposits", 1))
    kept = await conn.fetch("SELECT * FROM kept_totals")
    assert len(kept) == 1
    await conn.execute(_ADD.format("deposits", 2))
    assert await conn.fetch("SELECT * FROM kept_totals") != kept
    kept = await conn.fetch("SELECT * FROM kept_totals")

    # By the name of the partition no trigger of the table fires, and its own would refuse.
    await conn.execute(_ADD.format("deposits_1", 3))
    assert await conn.fetch("SELECT * FROM kept_totals") == kept
    for (trigger,) in await conn.fetch(_TRIGGERS, "deposits_1"):
        await conn.execute(trigger)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="serves deposits only"):
        await conn.execute(_ADD.format("deposits_1", 4))
    await conn.close()
