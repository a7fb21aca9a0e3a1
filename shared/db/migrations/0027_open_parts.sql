-- Keeps the open parts of documents, for the ageing of receivables as of any day.
--
-- The open part of a document is its signed total less its payments, each from its own day on. It changes
-- on few days, so it is kept as rows, each of which is valid from the day `opens` to the day before `closes`.
-- What is open at the end of a day is the sum of the rows with opens <= day < closes: exact for each day, past
-- or future, whatever was paid early, too much, refunded or paid again.
--
-- A row is found by its span: one of span n is valid for at most 2^n days, so if it is valid on a day, it opened
-- less than 2^n days before the next one; 23 stands for ever. Half of the rows that are read of a span are valid,
-- or more. The primary key has all columns, so that they are read from it alone; there is no other index, because
-- the rows of a document follow from its kept row. 0034 writes them, and 0035 lets the triggers do so.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

CREATE TABLE kept_open_parts (
    business_id bigint NOT NULL,
    span smallint NOT NULL,
    opens date NOT NULL,
    invoice_id bigint NOT NULL,
    -- From 1. An amount that is too large for a slot (0005) is in several rows.
    slice smallint NOT NULL,
    closes date NOT NULL,
    due_date date,
    customer_id bigint NOT NULL,
    -- Of 0.0001; never 0.
    units bigint NOT NULL,
    PRIMARY KEY (business_id, span, opens, invoice_id, slice) INCLUDE (closes, due_date, customer_id, units)
);

-- As in 0025, and with the due date.
ALTER TABLE kept_documents ADD COLUMN due_date date;

CREATE OR REPLACE FUNCTION counting(documents text, keys text, paid text) RETURNS text LANGUAGE sql IMMUTABLE AS $function$
SELECT format($query$
SELECT
    i.business_id,
    i.id AS invoice_id,
    i.customer_id,
    day_number(i.issue_date) AS day,
    CASE WHEN i.kind = 'invoice' THEN 1 ELSE 0 END * c.counts AS invoices,
    coalesce(p.manual_count, 0)::int * c.counts AS manual_count,
    coalesce(p.online_count, 0)::int * c.counts AS online_count,
    CASE WHEN t.full_paid THEN p.last_paid_on - i.issue_date ELSE 0 END AS days,
    CASE WHEN t.full_paid THEN 1 ELSE 0 END AS paid_in_full,
    CASE i.kind WHEN 'invoice' THEN i.total ELSE -i.total END * c.counts AS billed,
    coalesce(p.manual, 0) * c.counts AS manual,
    coalesce(p.online, 0) * c.counts AS online,
    c.counts AS documents,
    CASE WHEN c.counts = 1 AND p.first_on = p.last_on THEN day_number(p.first_on) END AS paid_day,
    CASE WHEN c.counts = 1 AND p.first_on < p.last_on THEN counted_receipts(i.business_id, i.id) END AS receipts,
    i.due_date::date AS due_date
FROM (
    SELECT business_id, id, id AS invoice_id, customer_id, kind, status, issue_date, due_date, total
    FROM %1$s d
) i
%2$s
LEFT JOIN LATERAL (
    SELECT
        business_id,
        invoice_id,
        sum(amount) FILTER (WHERE channel = 'manual') AS manual,
        count(*) FILTER (WHERE channel = 'manual') AS manual_count,
        sum(amount) FILTER (WHERE channel = 'online') AS online,
        count(*) FILTER (WHERE channel = 'online') AS online_count,
        sum(amount) AS paid,
        min(paid_on) AS first_on,
        max(paid_on) AS last_on,
        max(paid_on) FILTER (WHERE amount > 0) AS last_paid_on
    FROM payments p
    WHERE status = 'settled' %3$s
    GROUP BY business_id, invoice_id
) p ON p.business_id = i.business_id AND p.invoice_id = i.id
CROSS JOIN LATERAL (SELECT (i.status = 'issued')::int) c (counts)
CROSS JOIN LATERAL (
    SELECT c.counts = 1 AND i.kind = 'invoice' AND i.total > 0 AND coalesce(p.paid >= i.total, false)
) t (full_paid)
$query$, documents, keys, paid)
$function$;

DO $$
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW counted_documents AS ' || counting('invoices', '', '');
END
$$;

-- NULL for 0, which a document has until it is counted for the first time.
CREATE FUNCTION date_of(day int) RETURNS date LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN day > 0 THEN make_date(day / 10000, day / 100 % 100, day % 100) END';

CREATE FUNCTION span_of(opens date, closes date) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN closes = 'infinity' THEN 23 ELSE width_bucket(closes - opens - 1, ARRAY[
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144,
        524288, 1048576, 2097152, 4194304
    ]) END::smallint
$$;

-- The day after which a row of this span opened if it is valid on `day`.
CREATE FUNCTION opened_after(span int, day date) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN 1 << span < day - date '0001-01-01' THEN day - (1 << span) ELSE '-infinity' END
$$;

-- The query of the open parts of documents, from the rows of `kept`, a table like kept_documents.
CREATE FUNCTION counting_open_parts(kept text) RETURNS text LANGUAGE sql IMMUTABLE AS $function$
SELECT format($query$
SELECT business_id, span_of(opens, closes) AS span, opens, invoice_id, slice::smallint AS slice, closes,
    due_date, customer_id, in_parts(units, slice, slices) AS units
FROM (
    SELECT business_id, invoice_id, customer_id, due_date, day AS opens,
        lead(day, 1, 'infinity') OVER days AS closes, sum(amount) OVER days * 10000 AS units
    FROM (
        SELECT d.business_id, d.invoice_id, d.customer_id, d.due_date, date_of(m.day) AS day, m.amount
        FROM %1$s d
        CROSS JOIN LATERAL (
            SELECT d.day, d.billed AS amount
            UNION ALL SELECT d.paid_day, -d.manual - d.online WHERE d.paid_day IS NOT NULL
            UNION ALL SELECT r.day, -r.manual - r.online FROM unnest(d.receipts) r
        ) m
        WHERE d.documents <> 0
    ) moves
    WINDOW days AS (PARTITION BY business_id, invoice_id, customer_id, due_date ORDER BY day)
) part
CROSS JOIN LATERAL (SELECT parts_of(abs(units)) AS slices OFFSET 0) needed
CROSS JOIN LATERAL generate_series(1, slices) slice
WHERE units <> 0 AND closes > opens
$query$, kept)
$function$;

DO $do$
BEGIN
    EXECUTE 'CREATE VIEW counted_open_parts AS ' || counting_open_parts('kept_documents');
    EXECUTE format(
        'CREATE FUNCTION open_parts_by_day(d kept_documents) RETURNS SETOF kept_open_parts LANGUAGE sql ROWS 3 AS %L',
        counting_open_parts('(SELECT (d).*)'));
END
$do$;

-- Whether the open parts of a document have to be found day by day: if its payments are of several days, or
-- an amount may be too large for a slot. Few have.
CREATE FUNCTION has_many_parts(receipts receipt[], billed numeric, manual numeric, online numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT receipts IS NOT NULL OR greatest(abs(billed), abs(manual), abs(online)) > 50000000000000
$$;

CREATE FUNCTION open_part(d kept_documents, opens date, closes date, units bigint) RETURNS kept_open_parts
LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(
        d.business_id, span_of(opens, closes), opens, d.invoice_id, 1, closes, d.due_date, d.customer_id, units
    )::kept_open_parts
$$;

-- The open parts of one document.
CREATE FUNCTION open_parts(d kept_documents) RETURNS kept_open_parts[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    issued date := date_of(d.day);
    paid date := date_of(d.paid_day);
    owed bigint;
    remaining bigint;
    parts kept_open_parts[] := '{}';
BEGIN
    IF d.documents IS DISTINCT FROM 1 THEN
        RETURN parts;
    ELSIF has_many_parts(d.receipts, d.billed, d.manual, d.online) THEN
        RETURN ARRAY(SELECT p FROM open_parts_by_day(d) p);
    END IF;
    owed := d.billed * 10000;
    remaining := owed - (d.manual + d.online) * 10000;
    IF paid > issued AND owed <> 0 THEN
        parts := parts || open_part(d, issued, paid, owed);
    ELSIF paid < issued AND remaining <> owed THEN
        parts := parts || open_part(d, paid, issued, remaining - owed);
    END IF;
    IF remaining <> 0 THEN
        parts := parts || open_part(d, greatest(issued, paid), 'infinity', remaining);
    END IF;
    RETURN parts;
END
$$;
