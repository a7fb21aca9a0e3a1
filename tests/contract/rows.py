"""Reads all rows of a business in all tables."""

import asyncpg

# What a column may say that is no text of anybody's: words of the program.
_VOCABULARY = {
    ("businesses", "currency"),
    ("businesses", "timezone"),
    ("businesses", "fiscal_year_start"),
    ("kept_documents", "receipts"),
    ("invoices", "kind"),
    ("invoices", "status"),
    ("payments", "channel"),
    ("payments", "status"),
    ("deposits", "type"),
    ("deliveries", "state"),
    ("deliveries", "reason_code"),
    ("delivery_events", "state"),
    ("delivery_events", "reason_code"),
    ("suppressions", "reason_code"),
    ("daily_counts", "kind"),
    ("sends", "status"),
    ("sends", "traceparent"),
    ("request_answers", "traceparent"),
    ("request_answers", "event_id"),
    # The beginning of the key, which is random; and what it is allowed to do.
    ("api_keys", "prefix"),
    ("api_keys", "scopes"),
}
_OF = {
    "businesses": "t.id = $1",
    "key_windows": "t.key_id IN (SELECT id FROM api_keys WHERE business_id = $1)",
    "sessions": "t.key_id IN (SELECT id FROM api_keys WHERE business_id = $1)",
    "delivery_events": "t.delivery_id IN (SELECT id FROM deliveries WHERE business_id = $1)",
}
_OTHER = {"schema_migrations", "outbox"}


async def tables(conn: asyncpg.Connection) -> dict[str, str]:
    """Return each table with the condition under which a row of it belongs to business $1."""
    found: dict[str, str] = {}
    for row in await conn.fetch(
        """SELECT table_name AS name, bool_or(column_name = 'business_id') AS keyed
           FROM information_schema.columns JOIN information_schema.tables
               USING (table_schema, table_name)
           WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY table_name"""
    ):
        name = row["name"]
        if name in _OF:
            found[name] = _OF[name]
        elif row["keyed"]:
            found[name] = "t.business_id = $1"
        else:
            assert name in _OTHER, f"whose are the rows of {name}?"
    return found


async def dump(conn: asyncpg.Connection, business: int) -> dict[str, list[str]]:
    """Return every row of a business as text, in a fixed order."""
    return {
        table: [
            row["row"]
            for row in await conn.fetch(
                f"SELECT t::text AS row FROM {table} t WHERE {condition} ORDER BY 1", business
            )
        ]
        for table, condition in (await tables(conn)).items()
    }


async def unmarked(conn: asyncpg.Connection, business: int, word: str) -> list[str]:
    """Return the text columns in which no row of a business contains its word."""
    missing = []
    for table, condition in (await tables(conn)).items():
        columns = await conn.fetch(
            """SELECT column_name FROM information_schema.columns
               WHERE table_schema = 'public' AND table_name = $1
                 AND (data_type LIKE '%char%' OR data_type IN ('text', 'json', 'jsonb', 'ARRAY'))
                 AND is_generated = 'NEVER'""",
            table,
        )
        for (column,) in columns:
            if (table, column) in _VOCABULARY:
                continue
            if not await conn.fetchval(
                f"SELECT EXISTS (SELECT FROM {table} t"
                f" WHERE {condition} AND t.{column}::text LIKE '%' || $2 || '%')",
                business,
                word,
            ):
                missing.append(f"{table}.{column}")
    return missing
