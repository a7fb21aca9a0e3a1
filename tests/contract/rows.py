"""Reads all rows of a business in all tables."""

import asyncpg

# What a column may say that is no text of anybody's: words of the program.
_VOCABULARY = {
    ("businesses", "currency"),
    ("businesses", "timezone"),
    ("businesses", "fiscal_year_start"),
    ("businesses", "locale"),
    ("customers", "locale"),
    ("sends", "locale"),
    ("sends", "statement_kind"),
    ("branding", "accent"),
    ("branding", "paper"),
    ("branding", "statement_kind"),
    ("kept_documents", "receipts"),
    ("report_versions", "changes"),  # versions, and ids of customers
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
    ("schedules", "rule"),
    ("schedules", "timezone"),
    ("schedules", "period"),
    ("schedules", "locale"),
    ("schedules", "statement_kind"),
    ("schedules", "catch_up"),
    ("schedules", "reason_code"),
    ("schedules", "traceparent"),
    ("schedule_occurrences", "outcome"),
    ("schedule_occurrences", "reason_code"),
    ("sends", "status"),
    ("sends", "traceparent"),
    ("request_answers", "traceparent"),
    ("request_answers", "event_id"),
    ("batches", "phase"),
    ("batches", "locale"),
    ("batches", "statement_kind"),
    ("batches", "reason_code"),
    ("batches", "traceparent"),
    ("batch_customers", "reason_code"),
    ("frozen_lists", "asked"),  # digests
    ("business_events", "type"),
    ("business_events", "reason_code"),
    ("business_events", "traceparent"),
    ("returns", "source"),
    ("returns", "kind"),
    ("returns", "scope"),
    ("returns", "status"),
    ("returns", "form"),
    ("returns", "effect"),
    ("reprocessed_returns", "former_kind"),
    ("reprocessed_returns", "former_scope"),
    ("reprocessed_returns", "effect"),
    ("lifted_suppressions", "reason_code"),
    # The beginning of the key, which is random; and what it is allowed to do.
    ("api_keys", "prefix"),
    ("api_keys", "scopes"),
}
_OF = {
    "businesses": "t.id = $1",
    "key_windows": "t.key_id IN (SELECT id FROM api_keys WHERE business_id = $1)",
    "sessions": "t.key_id IN (SELECT id FROM api_keys WHERE business_id = $1)",
    "batch_customers": "t.batch_id IN (SELECT id FROM batches WHERE business_id = $1)",
    "frozen_list_customers": "t.list_id IN (SELECT id FROM frozen_lists WHERE business_id = $1)",
    "schedule_occurrences": "t.schedule_id IN (SELECT id FROM schedules WHERE business_id = $1)",
    "reprocessed_returns": "t.return_id IN (SELECT id FROM returns WHERE business_id = $1)",
    "returned_mails": "t.return_id IN (SELECT id FROM returns WHERE business_id = $1)",
    "delivery_events": "t.delivery_id IN (SELECT id FROM deliveries WHERE business_id = $1)",
}
_OTHER = {"schema_migrations", "outbox", "return_paths", "bulk_loads"}


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
