-- before the code
-- Keeps the open parts of documents, for the ageing of receivables as of any day.
--
-- The open part of a document is its signed total less its payments, each from its own day on. It changes
-- on few days, so it is kept as rows, each of which is valid from the day `opens` to the day before `closes`.
-- What is open at the end of a day is the sum of the rows with opens <= day < closes: exact for each day, past
-- or future, whatever was paid early, too much, refunded or paid again.
--
-- The span of a row says how long the row is valid: one day for span 0, more than 2^(n-1) and at most 2^n days for
-- span n, and for ever for span 23. So to find what is open on a day, each span is read alone: of span n, only the
-- rows that opened on that day or in the 2^n - 1 days before can be valid, and all that opened in the later half of
-- these days are. So at least half of the rows that are read are valid, if documents are spread evenly. The primary
-- key has all columns, so that they are read from it alone; there is no other index, because the rows of a document
-- follow from its kept row. Nothing writes them before 0026, which adds the columns of kept_documents that the
-- functions here read.
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

-- What was settled on a document on one day.
CREATE TYPE receipt AS (day int, manual numeric, online numeric, manual_count int, online_count int);

CREATE FUNCTION day_number(day date) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT (date_part(''year'', day) * 10000 + date_part(''month'', day) * 100 + date_part(''day'', day))::int';

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

-- Whether the open parts of a document have to be found day by day: if its payments are of several days, or
-- an amount may be too large for a slot. Few have.
CREATE FUNCTION has_many_parts(receipts receipt[], billed numeric, manual numeric, online numeric) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT receipts IS NOT NULL OR greatest(abs(billed), abs(manual), abs(online)) > 50000000000000
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

-- Writes the open parts of a document whose kept row was `was` and is `now`; either may be NULL.
CREATE FUNCTION keep_open_parts(was kept_documents, now kept_documents) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lost kept_open_parts[] := open_parts(was);
    gained kept_open_parts[] := open_parts(now);
BEGIN
    IF lost = gained THEN
        RETURN;
    ELSIF cardinality(lost) = 1 AND cardinality(gained) > 0 THEN
        UPDATE kept_open_parts k SET
            span = gained[1].span, opens = gained[1].opens, closes = gained[1].closes,
            due_date = gained[1].due_date, customer_id = gained[1].customer_id, units = gained[1].units
        WHERE k.business_id = lost[1].business_id AND k.span = lost[1].span AND k.opens = lost[1].opens
            AND k.invoice_id = lost[1].invoice_id AND k.slice = lost[1].slice;
        IF FOUND THEN
            gained := gained[2:];
        END IF;
    ELSIF cardinality(lost) > 0 THEN
        DELETE FROM kept_open_parts k USING unnest(lost) p
        WHERE k.business_id = p.business_id AND k.span = p.span AND k.opens = p.opens
            AND k.invoice_id = p.invoice_id AND k.slice = p.slice;
    END IF;
    IF cardinality(gained) > 0 THEN
        INSERT INTO kept_open_parts SELECT * FROM unnest(gained)
        ON CONFLICT (business_id, span, opens, invoice_id, slice) DO UPDATE SET
            closes = excluded.closes, due_date = excluded.due_date, customer_id = excluded.customer_id,
            units = excluded.units;
    END IF;
END
$$;

-- The CTEs that do the same for many: `changed` has rows of kept_documents, with a sign of -1 if they were,
-- and of 1 if they are.
CREATE FUNCTION keeping_open_parts() RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
open_part AS MATERIALIZED (
    SELECT sign, business_id, span_of(opens, closes) AS span, opens, invoice_id, 1::smallint AS slice, closes,
        due_date, customer_id, units
    FROM changed
    CROSS JOIN LATERAL (
        SELECT date_of(day) AS issued, date_of(paid_day) AS paid, (billed * 10000)::bigint AS owed,
            ((manual + online) * 10000)::bigint AS received
        OFFSET 0
    ) document
    CROSS JOIN LATERAL (VALUES
        (
            least(issued, paid),
            CASE WHEN paid <> issued THEN greatest(issued, paid) ELSE 'infinity' END,
            CASE WHEN paid < issued THEN -received WHEN paid = issued THEN owed - received ELSE owed END
        ),
        (CASE WHEN paid <> issued THEN greatest(issued, paid) END, 'infinity', owed - received)
    ) part (opens, closes, units)
    WHERE documents <> 0 AND NOT has_many_parts(receipts, billed, manual, online)
        AND opens IS NOT NULL AND units <> 0
    UNION ALL
    SELECT sign, p.*
    FROM changed c
    CROSS JOIN LATERAL open_parts_by_day(ROW(c.business_id, c.invoice_id, %1$s)::kept_documents) p
    WHERE has_many_parts(receipts, billed, manual, online)
), lost_part AS (
    DELETE FROM kept_open_parts k USING (
        SELECT business_id, span, opens, invoice_id, slice FROM open_part WHERE sign < 0
        EXCEPT SELECT business_id, span, opens, invoice_id, slice FROM open_part WHERE sign > 0
    ) p
    WHERE k.business_id = p.business_id AND k.span = p.span AND k.opens = p.opens
        AND k.invoice_id = p.invoice_id AND k.slice = p.slice
), gained_part AS (
    INSERT INTO kept_open_parts
    SELECT business_id, span, opens, invoice_id, slice, closes, due_date, customer_id, units
    FROM open_part WHERE sign > 0
    EXCEPT SELECT business_id, span, opens, invoice_id, slice, closes, due_date, customer_id, units
    FROM open_part WHERE sign < 0
    ORDER BY business_id, span, opens, invoice_id
    ON CONFLICT (business_id, span, opens, invoice_id, slice) DO UPDATE SET
        closes = excluded.closes, due_date = excluded.due_date, customer_id = excluded.customer_id,
        units = excluded.units
)
$query$, each_column('kept_documents', false, 'c.%I'))
$function$;

-- As mend_documents (0009): the rows of a document that differ are written again under its lock.
CREATE FUNCTION mend_open_parts() RETURNS bigint LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
    FROM (
        SELECT DISTINCT business_id, invoice_id
        FROM (
            (TABLE counted_open_parts EXCEPT TABLE kept_open_parts)
            UNION ALL (TABLE kept_open_parts EXCEPT TABLE counted_open_parts)
        ) differing
    ) document;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM FROM kept_documents k JOIN unnest(businesses, ids) key (business_id, invoice_id)
        USING (business_id, invoice_id)
    ORDER BY business_id, invoice_id FOR UPDATE OF k;
    DELETE FROM kept_open_parts k USING unnest(businesses, ids) key (business_id, invoice_id)
    WHERE k.business_id = key.business_id AND k.invoice_id = key.invoice_id;
    INSERT INTO kept_open_parts
    SELECT c.* FROM counted_open_parts c JOIN unnest(businesses, ids) key (business_id, invoice_id)
        USING (business_id, invoice_id);
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM unnest(businesses) business_id ORDER BY 1));
    RETURN cardinality(ids);
END
$$;
