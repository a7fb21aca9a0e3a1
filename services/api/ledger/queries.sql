-- Queries of `import` and `verify`. Names in braces are filled in from files.py only.

-- name: one_import_at_a_time
-- Waits until no other import runs; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(2020173442117121)

-- name: begin_bulk_load
-- From here on, new documents are counted by `end_bulk_load`, or else by COMMIT (0038_bulk_loads.sql).
INSERT INTO bulk_loads DEFAULT VALUES

-- name: end_bulk_load
-- Counts the documents that were inserted since `begin_bulk_load`.
SET CONSTRAINTS count_bulk_load IMMEDIATE

-- name: create_staged
-- Creates a table for the unchanged rows of one file; it is dropped with the transaction.
CREATE TEMP TABLE staged_{table} (line bigint NOT NULL, {columns}) ON COMMIT DROP

-- name: repeated_keys
-- Rows of a file whose key is in an earlier line, too.
WITH repeated AS (
    SELECT {key} FROM staged_{table} GROUP BY {key} HAVING count(*) > 1
)
SELECT line, id, first_line FROM (
    SELECT line, id, first_value(line) OVER (PARTITION BY {key} ORDER BY line) AS first_line
    FROM staged_{table} JOIN repeated USING ({key})
) AS rows_of_a_key
WHERE line > first_line
ORDER BY line
LIMIT $1

-- name: unknown_businesses
-- Rows of a business that does not exist.
SELECT line, 'business_id' AS column, business_id, business_id AS missing
FROM staged_{table} AS staged
WHERE NOT EXISTS (SELECT FROM businesses WHERE id = staged.business_id)
ORDER BY line
LIMIT $1

-- name: unknown_referents
-- Rows that refer to a row that their business does not have.
SELECT line, '{column}' AS column, business_id, {column} AS missing
FROM staged_{table} AS staged
WHERE {column} IS NOT NULL AND NOT EXISTS (
    SELECT FROM {referents} AS referent
    WHERE referent.business_id = staged.business_id AND referent.id = staged.{column}
) AND EXISTS (SELECT FROM businesses WHERE id = staged.business_id)
ORDER BY line
LIMIT $1

-- name: changed_businesses
-- The first businesses whose name, owner or currency a file changes.
SELECT line, id, concat_ws(', ', stored.name, stored.currency, 'owner ' || stored.owner_id) AS was,
    concat_ws(', ', staged.name, staged.currency, 'owner ' || staged.owner_id) AS becomes
FROM staged_businesses AS staged JOIN businesses AS stored USING (id)
WHERE (stored.name, stored.owner_id, stored.currency)
    IS DISTINCT FROM (staged.name, staged.owner_id, staged.currency)
ORDER BY line
LIMIT 20

-- name: write_rows
-- Inserts new rows and updates changed ones, in the order of keys so that two writers lock rows in the
-- same order. Unchanged rows are not written. New ones are counted before, because rows of a partitioned table
-- do not tell afterwards whether they are new.
WITH fresh AS MATERIALIZED (
    SELECT count(*) AS rows FROM staged_{table} AS staged LEFT JOIN {table} AS stored USING ({key})
    WHERE stored.id IS NULL
), written AS (
    INSERT INTO {table} AS target ({columns})
    SELECT {values}
    FROM staged_{table} AS staged LEFT JOIN {table} AS stored USING ({key})
    WHERE stored.id IS NULL OR ROW({stored}) IS DISTINCT FROM ROW({values})
    ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {assignments}
    RETURNING 1
)
SELECT fresh.rows AS inserted, (SELECT count(*) FROM written) - fresh.rows AS updated FROM fresh

-- name: analyze
-- Updates the planner's statistics of a table that was just written.
ANALYZE {table}

-- name: analyze_figures
-- Updates the planner's statistics of the kept figures.
ANALYZE kept_documents, kept_periods, kept_totals, kept_open_parts

-- name: businesses_without_uncategorised
-- Businesses without category 1, which each has from the start.
SELECT business.id::text AS what FROM businesses AS business
WHERE NOT EXISTS (SELECT FROM categories WHERE business_id = business.id AND id = 1)
ORDER BY business.id

-- name: orphans
-- Rows that refer to a row that their business does not have. Foreign keys are bypassed with
-- session_replication_role = replica, or may be missing after a partial restore.
SELECT format('%s %s of business %s: no %s %s', '{table}', child.id, child.business_id, '{column}', child.{column}) AS what
FROM {table} AS child
WHERE child.{column} IS NOT NULL AND NOT EXISTS (
    SELECT FROM {referents} AS referent WHERE {match}
)
ORDER BY child.business_id, child.id

-- name: guards_switched_off
-- Triggers of the ledger that are switched off, and constraints that Postgres has not checked on all rows.
SELECT format('trigger %s on %s is switched off', tgname, tgrelid::regclass) AS what
FROM pg_trigger
WHERE tgrelid = ANY ($1::text[]::regclass[]) AND tgenabled NOT IN ('O', 'A')
UNION ALL
SELECT format('constraint %s on %s was never validated', conname, conrelid::regclass)
FROM pg_constraint
WHERE conrelid = ANY ($1::text[]::regclass[]) AND NOT convalidated
ORDER BY what

-- name: timezones
-- The time zones of businesses, each with one business that has it.
SELECT timezone, min(id) AS business_id FROM businesses GROUP BY timezone ORDER BY timezone

-- name: some_businesses
-- So many businesses by chance.
SELECT id FROM businesses ORDER BY random() LIMIT $1

-- In the queries below, {only} is empty, or takes the rows of some businesses.

-- name: documents_kept_wrong
-- Documents whose kept figures differ from the base tables.
SELECT format('invoice %s of business %s: kept %s, counted %s', invoice_id, business_id,
    coalesce(k.figures, 'nothing'), coalesce(c.figures, 'nothing')) AS what
FROM (
    SELECT business_id, invoice_id,
        concat_ws(' ', customer_id, day, trim_scale(billed), invoices, trim_scale(manual),
            manual_count, trim_scale(online), online_count, days, paid_in_full,
            documents, paid_day, receipts, 'due ' || due_date) AS figures
    FROM counted_documents {only}
) c
FULL JOIN (
    SELECT business_id, invoice_id,
        concat_ws(' ', customer_id, day, trim_scale(billed), invoices, trim_scale(manual),
            manual_count, trim_scale(online), online_count, days, paid_in_full,
            documents, paid_day, receipts, 'due ' || due_date) AS figures
    FROM kept_documents {only}
) k USING (business_id, invoice_id)
WHERE c.figures IS DISTINCT FROM k.figures
ORDER BY business_id, invoice_id
LIMIT $1

-- name: periods_kept_wrong
-- Days, months, quarters and years whose kept sums differ from their documents.
SELECT format('customer %s of business %s in %s: kept %s, counted %s', customer_id, business_id,
    period, coalesce(k.figures, 'nothing'), coalesce(c.figures, 'nothing')) AS what
FROM (
    SELECT business_id, period, customer_id,
        concat_ws(' ', trim_scale(billed), documents, invoices, trim_scale(manual), manual_count,
            trim_scale(online), online_count, days, paid_in_full, trim_scale(received_manual),
            received_manual_count, trim_scale(received_online), received_online_count) AS figures
    FROM counted_periods {only}
) c
FULL JOIN (
    SELECT business_id, period, customer_id,
        concat_ws(' ', billed, documents, invoices, manual, manual_count, online, online_count,
            days, paid_in_full, received_manual, received_manual_count, received_online,
            received_online_count) AS figures
    FROM summed_periods {only}
) k USING (business_id, period, customer_id)
WHERE coalesce(c.figures, '0 0 0 0 0 0 0 0 0 0 0 0 0')
    <> coalesce(k.figures, '0 0 0 0 0 0 0 0 0 0 0 0 0')
ORDER BY business_id, customer_id, period
LIMIT $1

-- name: totals_kept_wrong
-- Customers whose kept sums of all time differ from their documents and deposits.
SELECT format('customer %s of business %s: kept %s, counted %s', customer_id, business_id,
    coalesce(k.figures, 'nothing'), coalesce(c.figures, 'nothing')) AS what
FROM (
    SELECT business_id, customer_id,
        concat_ws(' ', trim_scale(receivable), trim_scale(deposited)) AS figures
    FROM counted_totals {only}
) c
FULL JOIN (
    SELECT business_id, customer_id, concat_ws(' ', receivable, deposited) AS figures
    FROM summed_totals {only}
) k USING (business_id, customer_id)
WHERE coalesce(c.figures, '0 0') <> coalesce(k.figures, '0 0')
ORDER BY business_id, customer_id
LIMIT $1

-- name: open_parts_kept_wrong
-- Documents whose kept open parts differ from those that follow from their kept figures.
SELECT format('open parts of invoice %s of business %s: kept %s, counted %s', invoice_id, business_id,
    coalesce(k.parts, 'nothing'), coalesce(c.parts, 'nothing')) AS what
FROM (
    SELECT business_id, invoice_id, string_agg(concat_ws(' ', opens, closes, span, slice, customer_id,
        'due ' || coalesce(due_date::text, 'never'), units), ', ' ORDER BY opens, slice) AS parts
    FROM counted_open_parts {only}
    GROUP BY business_id, invoice_id
) c
FULL JOIN (
    SELECT business_id, invoice_id, string_agg(concat_ws(' ', opens, closes, span, slice, customer_id,
        'due ' || coalesce(due_date::text, 'never'), units), ', ' ORDER BY opens, slice) AS parts
    FROM kept_open_parts {only}
    GROUP BY business_id, invoice_id
) k USING (business_id, invoice_id)
WHERE c.parts IS DISTINCT FROM k.parts
ORDER BY business_id, invoice_id
LIMIT $1

-- name: mend_documents
SELECT mend_documents()

-- name: mend_periods
SELECT mend_periods()

-- name: mend_totals
SELECT mend_totals()

-- name: mend_open_parts
SELECT mend_open_parts()
