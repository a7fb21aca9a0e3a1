-- What an import and `verify` ask of the ledger. Names in braces are filled in from files.py only.

-- name: one_import_at_a_time
-- Waits until no other import runs; the lock ends with the transaction.
SELECT pg_advisory_xact_lock(2020173442117121)

-- name: create_staged
-- A place for one file's rows as they stand there, gone with the transaction.
CREATE TEMP TABLE staged_{table} (line bigint NOT NULL, {columns}) ON COMMIT DROP

-- name: repeated_keys
-- Rows of a file whose key stands in an earlier line already.
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
-- Rows that refer to what their business does not have.
SELECT line, '{column}' AS column, business_id, {column} AS missing
FROM staged_{table} AS staged
WHERE {column} IS NOT NULL AND NOT EXISTS (
    SELECT FROM {referents} AS referent
    WHERE referent.business_id = staged.business_id AND referent.id = staged.{column}
) AND EXISTS (SELECT FROM businesses WHERE id = staged.business_id)
ORDER BY line
LIMIT $1

-- name: changed_businesses
-- Businesses that a file makes into others, by their name, owner or currency; the first of them.
SELECT line, id, concat_ws(', ', stored.name, stored.currency, 'owner ' || stored.owner_id) AS was,
    concat_ws(', ', staged.name, staged.currency, 'owner ' || staged.owner_id) AS becomes
FROM staged_businesses AS staged JOIN businesses AS stored USING (id)
WHERE (stored.name, stored.owner_id, stored.currency)
    IS DISTINCT FROM (staged.name, staged.owner_id, staged.currency)
ORDER BY line
LIMIT 20

-- name: write_rows
-- Inserts new rows and updates changed ones, in key order so that two writers meet in the same
-- order; rows that say what is stored already are not touched. A row just inserted has no xmax.
WITH written AS (
    INSERT INTO {table} AS target ({columns})
    SELECT {values}
    FROM staged_{table} AS staged LEFT JOIN {table} AS stored USING ({key})
    WHERE stored.id IS NULL OR ROW({stored}) IS DISTINCT FROM ROW({values})
    ORDER BY {key}
    ON CONFLICT ({key}) DO UPDATE SET {assignments}
    RETURNING target.xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS inserted, count(*) FILTER (WHERE NOT is_new) AS updated
FROM written

-- name: analyze
-- Lets the planner know how large a table is that was just written, and what is kept of it.
ANALYZE {table}, kept_documents, kept_periods, kept_totals

-- name: businesses_without_uncategorised
-- Businesses that lack the category 1 that each has from the start.
SELECT business.id::text AS what FROM businesses AS business
WHERE NOT EXISTS (SELECT FROM categories WHERE business_id = business.id AND id = 1)
ORDER BY business.id

-- name: orphans
-- Rows that refer to what their business does not have; a foreign key can be passed by with
-- session_replication_role = replica, or be missing after a partial restore.
SELECT format('%s %s of business %s: no %s %s', '{table}', child.id, child.business_id, '{column}', child.{column}) AS what
FROM {table} AS child
WHERE child.{column} IS NOT NULL AND NOT EXISTS (
    SELECT FROM {referents} AS referent WHERE {match}
)
ORDER BY child.business_id, child.id

-- name: guards_switched_off
-- Triggers of the ledger that do not fire for everybody, and constraints not proved for old rows.
SELECT format('trigger %s on %s is switched off', tgname, tgrelid::regclass) AS what
FROM pg_trigger
WHERE tgrelid = ANY ($1::text[]::regclass[]) AND tgenabled NOT IN ('O', 'A')
UNION ALL
SELECT format('constraint %s on %s was never validated', conname, conrelid::regclass)
FROM pg_constraint
WHERE conrelid = ANY ($1::text[]::regclass[]) AND NOT convalidated
ORDER BY what

-- name: timezones
-- The time zones that businesses have, each with one business that has it.
SELECT timezone, min(id) AS business_id FROM businesses GROUP BY timezone ORDER BY timezone

-- name: documents_kept_wrong
-- Documents whose kept figures are not what the base tables say.
SELECT format('invoice %s of business %s: kept %s, counted %s', invoice_id, business_id,
    coalesce(k.figures, 'nothing'), coalesce(c.figures, 'nothing')) AS what
FROM (
    SELECT business_id, invoice_id,
        concat_ws(' ', customer_id, day, trim_scale(billed), invoices, trim_scale(manual),
            manual_count, trim_scale(online), online_count, days, paid_in_full) AS figures
    FROM counted_documents
) c
FULL JOIN (
    SELECT business_id, invoice_id,
        concat_ws(' ', customer_id, day, trim_scale(billed), invoices, trim_scale(manual),
            manual_count, trim_scale(online), online_count, days, paid_in_full) AS figures
    FROM kept_documents
) k USING (business_id, invoice_id)
WHERE c.figures IS DISTINCT FROM k.figures
ORDER BY business_id, invoice_id
LIMIT $1

-- name: periods_kept_wrong
-- Months and years whose kept sums are not those of their documents.
SELECT format('customer %s of business %s in %s: kept %s, counted %s', customer_id, business_id,
    period, coalesce(k.figures, 'nothing'), coalesce(c.figures, 'nothing')) AS what
FROM (
    SELECT business_id, period, customer_id,
        concat_ws(' ', trim_scale(billed), invoices, trim_scale(manual), manual_count,
            trim_scale(online), online_count, days, paid_in_full) AS figures
    FROM counted_periods
) c
FULL JOIN (
    SELECT business_id, period, customer_id,
        concat_ws(' ', billed, invoices, manual, manual_count, online, online_count, days,
            paid_in_full) AS figures
    FROM summed_periods
) k USING (business_id, period, customer_id)
WHERE coalesce(c.figures, '0 0 0 0 0 0 0 0') <> coalesce(k.figures, '0 0 0 0 0 0 0 0')
ORDER BY business_id, customer_id, period
LIMIT $1

-- name: totals_kept_wrong
-- Customers whose kept sums of all time are not those of their documents and deposits.
SELECT format('customer %s of business %s: kept %s, counted %s', customer_id, business_id,
    coalesce(k.figures, 'nothing'), coalesce(c.figures, 'nothing')) AS what
FROM (
    SELECT business_id, customer_id,
        concat_ws(' ', trim_scale(receivable), trim_scale(deposited)) AS figures
    FROM counted_totals
) c
FULL JOIN (
    SELECT business_id, customer_id, concat_ws(' ', receivable, deposited) AS figures
    FROM summed_totals
) k USING (business_id, customer_id)
WHERE coalesce(c.figures, '0 0') <> coalesce(k.figures, '0 0')
ORDER BY business_id, customer_id
LIMIT $1

-- name: mend_documents
SELECT mend_documents()

-- name: mend_periods
SELECT mend_periods()

-- name: mend_totals
SELECT mend_totals()
