-- before the code
-- Keeps what was received, by the day of payment, sums of quarters, and open parts (0025), beside the figures of
-- 0004.
--
-- A document's payments are mostly of one day: then what was received on it stands in its kept row
-- already, and only the day is new. Sums of a period tell what was billed by the dates of documents, and
-- what was received by the dates of payments. One statement adds to all periods that a document touches.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';

-- Writers wait, and so do reports, until the figures of what is there are counted again at the end.
LOCK TABLE invoices, payments IN SHARE ROW EXCLUSIVE MODE;

DROP VIEW counted_documents, counted_periods, summed_periods;
DROP FUNCTION add_to_kept_periods(kept_periods), add_document(kept_documents, int), adding_documents(text);

ALTER TABLE kept_documents
    -- 1 if the document is issued.
    ADD COLUMN documents int NOT NULL DEFAULT 0,
    -- The day of its settled payments, if all are of one day; otherwise they stand in `receipts`.
    ADD COLUMN paid_day int,
    ADD COLUMN receipts receipt[],
    ADD COLUMN due_date date;

-- A period is now also a quarter (20241300 to 20241600) or a day. Of a customer, a day has only what was
-- received on it for documents that are paid on several days: all else is read from the documents that are
-- issued or paid on the day. The customer -1 stands for all customers of the business, and has days only, with
-- all figures.
ALTER TABLE kept_periods
    ADD COLUMN documents int NOT NULL DEFAULT 0,
    ADD COLUMN received_manual bigint NOT NULL DEFAULT 0,
    ADD COLUMN received_online bigint NOT NULL DEFAULT 0,
    ADD COLUMN received_manual_count int NOT NULL DEFAULT 0,
    ADD COLUMN received_online_count int NOT NULL DEFAULT 0;

-- The quarter of a day or of a month.
CREATE FUNCTION quarter_of(period int) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT period / 10000 * 10000 + 1300 + (period / 100 % 100 - 1) / 3 * 100';

-- What was settled on a document, by day. A function, because few documents need it: those that do not
-- would pay for a part of the plan that they do not run.
CREATE FUNCTION counted_receipts(business bigint, invoice bigint) RETURNS receipt[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(ROW(day, manual, online, manual_count, online_count)::receipt ORDER BY day)
    FROM (
        SELECT
            day_number(paid_on) AS day,
            trim_scale(coalesce(sum(amount) FILTER (WHERE channel = 'manual'), 0)) AS manual,
            trim_scale(coalesce(sum(amount) FILTER (WHERE channel = 'online'), 0)) AS online,
            count(*) FILTER (WHERE channel = 'manual') AS manual_count,
            count(*) FILTER (WHERE channel = 'online') AS online_count
        FROM payments
        WHERE business_id = business AND invoice_id = invoice AND status = 'settled'
        GROUP BY paid_on
    ) of_day
$$;

-- As in 0004, and with what was received by day and the due date.
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
    EXECUTE 'CREATE VIEW counted_documents AS ' || counting('invoices', '', '');
END
$$;

DO $do$
BEGIN
    EXECUTE 'CREATE VIEW counted_open_parts AS ' || counting_open_parts('kept_documents');
    EXECUTE format(
        'CREATE FUNCTION open_parts_by_day(d kept_documents) RETURNS SETOF kept_open_parts LANGUAGE sql ROWS 3 AS %L',
        counting_open_parts('(SELECT (d).*)'));
END
$do$;

CREATE FUNCTION open_part(d kept_documents, opens date, closes date, units bigint) RETURNS kept_open_parts
LANGUAGE sql IMMUTABLE AS $$
    SELECT ROW(
        d.business_id, span_of(opens, closes), opens, d.invoice_id, 1, closes, d.due_date, d.customer_id, units
    )::kept_open_parts
$$;

CREATE FUNCTION receipts_of(d kept_documents) RETURNS receipt[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN d.paid_day IS NULL THEN d.receipts
        ELSE ARRAY[ROW(d.paid_day, d.manual, d.online, d.manual_count, d.online_count)::receipt]
    END
$$;

CREATE OR REPLACE FUNCTION counts(d kept_documents) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT d.documents <> 0';

-- The sums of the columns of a table with slots. Counts stay integers: a group of numeric sums takes more memory,
-- and many groups go to disk.
CREATE FUNCTION summed_columns(kept regclass) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(format(
        CASE atttypid WHEN 'int'::regtype THEN 'sum(%1$I)::int AS %1$I' ELSE 'sum(%1$I) AS %1$I' END, attname
    ), ', ' ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = kept AND format('%I', attname) = ANY (string_to_array(each_column(kept, false, '%I'), ', '))
$$;

-- The CTEs that sum up `changed` (rows of kept_documents, each with a sign) to `due_kept_periods`: months, these
-- to quarters, and these to years. What is summed by the day of issue is read from the CTE `moved`, which may
-- have one row of differences for two rows of `changed`.
CREATE FUNCTION summing(changed text, moved text DEFAULT 'changed') RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
%1$s, split AS NOT MATERIALIZED (
    SELECT c.sign, c.business_id, c.customer_id, r.*
    FROM changed c CROSS JOIN LATERAL unnest(c.receipts) r WHERE c.receipts IS NOT NULL
), moves AS NOT MATERIALIZED (
    SELECT business_id, customer_id, day, day / 100 * 100 AS month, sign * 10000 * billed AS billed,
        sign * 10000 * manual AS manual, sign * 10000 * online AS online, sign * days AS days,
        sign * invoices AS invoices, sign * manual_count AS manual_count, sign * online_count AS online_count,
        sign * paid_in_full AS paid_in_full, sign * documents AS documents, 0::numeric AS received_manual,
        0::numeric AS received_online, 0 AS received_manual_count, 0 AS received_online_count
    FROM %2$I
    WHERE documents <> 0 OR (billed, manual, online, days, invoices, manual_count, online_count,
        paid_in_full) <> (0, 0, 0, 0, 0, 0, 0, 0)
    UNION ALL
    SELECT business_id, customer_id, day, day / 100 * 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, sign * 10000 * manual,
        sign * 10000 * online, sign * manual_count, sign * online_count
    FROM (
        SELECT sign, business_id, customer_id, paid_day AS day, manual, online, manual_count, online_count
        FROM changed WHERE paid_day IS NOT NULL
        UNION ALL TABLE split
    ) received
), of_month_or_day AS MATERIALIZED (
    SELECT business_id, month, customer_id, day, %3$s
    FROM moves
    GROUP BY GROUPING SETS ((business_id, month, customer_id), (business_id, day))
), of_month AS NOT MATERIALIZED (
    SELECT business_id, month AS period, customer_id, %4$s FROM of_month_or_day WHERE month IS NOT NULL
), of_quarter AS MATERIALIZED (
    SELECT business_id, quarter_of(period) AS period, customer_id, %3$s
    FROM of_month
    GROUP BY business_id, quarter_of(period), customer_id
), of_year AS MATERIALIZED (
    SELECT business_id, period / 10000 * 10000 AS period, customer_id, %3$s
    FROM of_quarter
    GROUP BY business_id, period / 10000 * 10000, customer_id
), due_kept_periods AS MATERIALIZED (
    SELECT * FROM (
        TABLE of_month UNION ALL TABLE of_quarter UNION ALL TABLE of_year
        UNION ALL
        SELECT business_id, day, -1, %4$s FROM of_month_or_day WHERE day IS NOT NULL
        UNION ALL
        SELECT business_id, day, customer_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(sign * 10000 * manual),
            sum(sign * 10000 * online), sum(sign * manual_count)::int, sum(sign * online_count)::int
        FROM split
        GROUP BY business_id, day, customer_id
    ) due
    WHERE %5$s
)
$query$,
    changed,
    moved,
    summed_columns('kept_periods'),
    each_column('kept_periods', false, '%I'),
    each_column('kept_periods', false, '%I <> 0', ' OR '))
$function$;

-- The query that adds `changed` to the sums, and returns the businesses concerned.
CREATE FUNCTION adding_documents(changed text, moved text DEFAULT 'changed') RETURNS text
LANGUAGE sql STABLE AS $function$
SELECT format($query$
WITH %1$s, due_kept_totals AS MATERIALIZED (
    SELECT business_id, customer_id, sum(billed - manual - online) AS receivable,
        0::numeric AS deposited
    FROM of_year
    GROUP BY business_id, customer_id
    HAVING sum(billed - manual - online) <> 0
), %2$s, %3$s
SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM of_year
$query$, summing(changed, moved), adding('kept_periods'), adding('kept_totals'))
$function$;

DO $$
BEGIN
    EXECUTE format('CREATE VIEW counted_periods AS WITH %s SELECT * FROM due_kept_periods',
        summing('changed AS NOT MATERIALIZED (SELECT *, 1 AS sign FROM kept_documents)'));
    EXECUTE format(
        'CREATE VIEW summed_periods AS SELECT business_id, period, customer_id, %s
        FROM kept_periods GROUP BY business_id, period, customer_id',
        each_column('kept_periods', false, 'sum(%1$I) AS %1$I'));
END
$$;

-- A period of a customer to which a change of a document is added: what it is billed, what is received, or both.
CREATE TYPE kept_place AS (customer_id bigint, period int, issued int, received int);

-- Adds a change of one document to the sums of the periods of its day of issue and of its day of payment, and of the
-- day of its customer itself if it is one of several days of payment; each may be missing. Slots as in 0005: to one
-- that is free, or to a new one. Now and then two free slots become one.
CREATE FUNCTION add_to_kept_periods(due kept_periods, issue_day int, paid_day int, split_day int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    places kept_place[];
    found bigint[];
BEGIN
    places := ARRAY(
        SELECT ROW(customer_id, period, max(issued), max(received))::kept_place
        FROM (VALUES
            (due.customer_id, issue_day / 10000 * 10000, 1, 0),
            (due.customer_id, quarter_of(issue_day), 1, 0),
            (due.customer_id, issue_day / 100 * 100, 1, 0),
            (-1, issue_day, 1, 0),
            (due.customer_id, paid_day / 10000 * 10000, 0, 1),
            (due.customer_id, quarter_of(paid_day), 0, 1),
            (due.customer_id, paid_day / 100 * 100, 0, 1),
            (-1, paid_day, 0, 1),
            (due.customer_id, split_day, 0, 1)
        ) place (customer_id, period, issued, received)
        WHERE period IS NOT NULL
        GROUP BY customer_id, period
    );
    -- Locked once, before the first is updated: to look again would pass over a slot that this statement
    -- has updated. By ctid, which cannot change while we hold the lock, it is found in any plan.
    WITH free AS MATERIALIZED (
        SELECT p.*, f.ctid
        FROM unnest(places) WITH ORDINALITY p (customer_id, period, issued, received, place)
        CROSS JOIN LATERAL (
            SELECT f.ctid FROM kept_periods f
            WHERE f.business_id = due.business_id AND f.period = p.period AND f.customer_id = p.customer_id
                AND has_room(f) AND (read_committed OR f.xmin = pg_current_xact_id()::xid)
            LIMIT 1 FOR UPDATE SKIP LOCKED
        ) f
    ), added AS (
        UPDATE kept_periods k SET
            billed = k.billed + p.issued * due.billed,
            manual = k.manual + p.issued * due.manual,
            online = k.online + p.issued * due.online,
            days = k.days + p.issued * due.days,
            invoices = k.invoices + p.issued * due.invoices,
            manual_count = k.manual_count + p.issued * due.manual_count,
            online_count = k.online_count + p.issued * due.online_count,
            paid_in_full = k.paid_in_full + p.issued * due.paid_in_full,
            documents = k.documents + p.issued * due.documents,
            received_manual = k.received_manual + p.received * due.received_manual,
            received_online = k.received_online + p.received * due.received_online,
            received_manual_count = k.received_manual_count + p.received * due.received_manual_count,
            received_online_count = k.received_online_count + p.received * due.received_online_count
        FROM free p
        WHERE k.ctid = p.ctid
        RETURNING p.place
    )
    SELECT array_agg(place) INTO found FROM added;
    IF cardinality(places) > coalesce(cardinality(found), 0) THEN
        INSERT INTO kept_periods (business_id, period, customer_id, billed, manual, online, days, invoices,
            manual_count, online_count, paid_in_full, documents, received_manual, received_online,
            received_manual_count, received_online_count)
        SELECT due.business_id, p.period, p.customer_id, p.issued * due.billed, p.issued * due.manual,
            p.issued * due.online, p.issued * due.days, p.issued * due.invoices,
            p.issued * due.manual_count, p.issued * due.online_count, p.issued * due.paid_in_full,
            p.issued * due.documents, p.received * due.received_manual, p.received * due.received_online,
            p.received * due.received_manual_count, p.received * due.received_online_count
        FROM unnest(places) WITH ORDINALITY p (customer_id, period, issued, received, place)
        WHERE found IS NULL OR p.place <> ALL (found);
    END IF;
    IF read_committed AND random() < 0.1 THEN
        PERFORM join_slots(due.business_id, places);
    END IF;
END
$$;

-- Makes one of two free slots of each of these places.
CREATE FUNCTION join_slots(business bigint, places kept_place[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place record;
    slots bigint[];
    spare kept_periods;
BEGIN
    FOR place IN
        SELECT p.customer_id, p.period FROM unnest(places) p
        WHERE 1 < (
            SELECT count(*) FROM kept_periods k
            WHERE k.business_id = business AND k.period = p.period AND k.customer_id = p.customer_id
        )
    LOOP
        slots := ARRAY(
            SELECT f.slot FROM kept_periods f
            WHERE f.business_id = business AND f.period = place.period
                AND f.customer_id = place.customer_id AND has_room(f)
            LIMIT 2 FOR UPDATE SKIP LOCKED
        );
        CONTINUE WHEN cardinality(slots) < 2;
        DELETE FROM kept_periods k
        WHERE k.business_id = business AND k.period = place.period
            AND k.customer_id = place.customer_id AND k.slot = slots[2]
        RETURNING k.* INTO spare;
        UPDATE kept_periods k SET
            billed = k.billed + spare.billed, manual = k.manual + spare.manual,
            online = k.online + spare.online, days = k.days + spare.days,
            invoices = k.invoices + spare.invoices, manual_count = k.manual_count + spare.manual_count,
            online_count = k.online_count + spare.online_count,
            paid_in_full = k.paid_in_full + spare.paid_in_full,
            documents = k.documents + spare.documents,
            received_manual = k.received_manual + spare.received_manual,
            received_online = k.received_online + spare.received_online,
            received_manual_count = k.received_manual_count + spare.received_manual_count,
            received_online_count = k.received_online_count + spare.received_online_count
        WHERE k.business_id = business AND k.period = place.period
            AND k.customer_id = place.customer_id AND k.slot = slots[1];
    END LOOP;
END
$$;

CREATE FUNCTION has_large_receipts(receipts receipt[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM unnest(receipts) r WHERE greatest(abs(r.manual), abs(r.online)) > 50000000000000
    )
$$;

-- Whether an amount of a document may be too large for a slot.
CREATE FUNCTION is_large(d kept_documents) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT greatest(abs(d.billed), abs(d.manual), abs(d.online)) > 50000000000000
        OR d.receipts IS NOT NULL AND has_large_receipts(d.receipts)
$$;

-- Adds `sign` (1 or -1) times the figures of one document to the sums. If `d` is a change, `split` is how the days
-- of payment of a document that has several have changed.
CREATE FUNCTION add_document(d kept_documents, sign int, split receipt[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    due kept_periods;
    total kept_totals;
    receipt record;
    businesses bigint[];
BEGIN
    IF d.invoice_id IS NULL OR d.receipts IS NULL AND split IS NULL AND (d.billed, d.manual, d.online, d.days,
        d.invoices, d.manual_count, d.online_count, d.paid_in_full, d.documents) = (0, 0, 0, 0, 0, 0, 0, 0, 0) THEN
        RETURN;
    END IF;
    IF is_large(d) THEN
        EXECUTE adding_documents('changed AS (SELECT ($1).*, $2 AS sign)') INTO businesses USING d, sign;
        RETURN;
    END IF;
    due.business_id := d.business_id;
    due.customer_id := d.customer_id;
    due.billed := sign * d.billed * 10000;
    due.manual := sign * d.manual * 10000;
    due.online := sign * d.online * 10000;
    due.days := sign * d.days;
    due.invoices := sign * d.invoices;
    due.manual_count := sign * d.manual_count;
    due.online_count := sign * d.online_count;
    due.paid_in_full := sign * d.paid_in_full;
    due.documents := sign * d.documents;
    due.received_manual := due.manual;
    due.received_online := due.online;
    due.received_manual_count := due.manual_count;
    due.received_online_count := due.online_count;
    PERFORM add_to_kept_periods(due, d.day, d.paid_day, NULL);
    total.business_id := d.business_id;
    total.customer_id := d.customer_id;
    total.receivable := due.billed - due.manual - due.online;
    total.deposited := 0;
    PERFORM add_to_kept_totals(total);
    IF num_nonnulls(d.receipts, split) > 0 THEN
        FOR receipt IN
            SELECT false AS is_split, r.* FROM unnest(d.receipts) r
            UNION ALL SELECT true, r.* FROM unnest(split) r
        LOOP
            due.received_manual := sign * receipt.manual * 10000;
            due.received_online := sign * receipt.online * 10000;
            due.received_manual_count := sign * receipt.manual_count;
            due.received_online_count := sign * receipt.online_count;
            PERFORM add_to_kept_periods(due, NULL, CASE WHEN NOT receipt.is_split THEN receipt.day END,
                CASE WHEN receipt.is_split THEN receipt.day END);
        END LOOP;
    END IF;
END
$$;

-- As in 0005, in one statement if a slot is free.
CREATE OR REPLACE FUNCTION note_change(businesses bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    business bigint;
    mine bigint;
    fresh bigint := extract(epoch FROM clock_timestamp()) * 1000000;
BEGIN
    FOREACH business IN ARRAY businesses LOOP
        mine := NULL;
        IF current_setting('transaction_isolation') = 'read committed' THEN
            UPDATE report_versions v
            SET version = greatest(v.version + 1, fresh), changed_by = pg_current_xact_id()
            WHERE v.business_id = business AND v.changed_by <> pg_current_xact_id() AND v.slot = (
                SELECT f.slot FROM report_versions f WHERE f.business_id = business
                ORDER BY f.changed_by = pg_current_xact_id() DESC LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING v.slot INTO mine;
        END IF;
        IF mine IS NULL THEN
            INSERT INTO report_versions (business_id, version, changed_by)
            SELECT business, fresh, pg_current_xact_id()
            WHERE NOT EXISTS (
                SELECT FROM report_versions v
                WHERE v.business_id = business AND v.changed_by = pg_current_xact_id()
            );
        END IF;
        -- Slots that many writers at once, or writers in REPEATABLE READ, left behind.
        IF fresh % 16 = 0 AND mine IS NOT NULL THEN
            DELETE FROM report_versions v USING (
                SELECT f.slot FROM report_versions f WHERE f.business_id = business AND f.slot <> mine
                OFFSET 15 FOR UPDATE SKIP LOCKED
            ) spare
            WHERE v.business_id = business AND v.slot = spare.slot;
        END IF;
    END LOOP;
END
$$;

-- A slot that can take two others in.
CREATE FUNCTION has_room(k kept_periods) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT greatest(abs(k.billed), abs(k.manual), abs(k.online), abs(k.days), abs(k.received_manual),
        abs(k.received_online)) < slot_limit()
$$;

-- Brings a kept document in line with the base tables; as in 0006.
CREATE OR REPLACE FUNCTION keep_document(business bigint, id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept kept_documents;
    counted kept_documents;
    change kept_documents;
    split receipt[];
BEGIN
    LOOP
        SELECT * INTO kept FROM kept_documents k
        WHERE k.business_id = business AND k.invoice_id = id FOR UPDATE;
        SELECT * INTO counted FROM counted_documents c
        WHERE c.business_id = business AND c.invoice_id = id;
        EXIT WHEN kept.invoice_id IS NOT NULL OR counted.invoice_id IS NULL;
        INSERT INTO kept_documents VALUES (business, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        ON CONFLICT DO NOTHING;
    END LOOP;
    IF kept IS NOT DISTINCT FROM counted THEN
        RETURN;
    ELSIF counted.invoice_id IS NULL THEN
        DELETE FROM kept_documents k WHERE k.business_id = business AND k.invoice_id = id;
    ELSE
        UPDATE kept_documents k SET
            customer_id = counted.customer_id, day = counted.day, invoices = counted.invoices,
            manual_count = counted.manual_count, online_count = counted.online_count, days = counted.days,
            paid_in_full = counted.paid_in_full, billed = counted.billed, manual = counted.manual,
            online = counted.online, documents = counted.documents, paid_day = counted.paid_day,
            receipts = counted.receipts, due_date = counted.due_date
        WHERE k.business_id = business AND k.invoice_id = id;
    END IF;
    IF counts(kept) OR counts(counted) THEN
        PERFORM note_change(ARRAY[business]);
        PERFORM keep_open_parts(kept, counted);
    END IF;
    IF (kept.customer_id, kept.day) = (counted.customer_id, counted.day) THEN
        change := counted;
        change.invoices := counted.invoices - kept.invoices;
        change.manual_count := counted.manual_count - kept.manual_count;
        change.online_count := counted.online_count - kept.online_count;
        change.days := counted.days - kept.days;
        change.paid_in_full := counted.paid_in_full - kept.paid_in_full;
        change.billed := counted.billed - kept.billed;
        change.manual := counted.manual - kept.manual;
        change.online := counted.online - kept.online;
        change.documents := counted.documents - kept.documents;
        change.paid_day := coalesce(counted.paid_day, kept.paid_day);
        IF change.paid_day <> kept.paid_day OR num_nonnulls(kept.receipts, counted.receipts) > 0 THEN
            change.paid_day := NULL;
            change.receipts := receipts_changed(receipts_of(kept), receipts_of(counted));
            split := receipts_changed(kept.receipts, counted.receipts);
        END IF;
        IF NOT (is_large(kept) OR is_large(counted) OR is_large(change)) THEN
            PERFORM add_document(change, 1, split);
            RETURN;
        END IF;
    END IF;
    PERFORM add_document(kept, -1, kept.receipts);
    PERFORM add_document(counted, 1, counted.receipts);
END
$$;

-- What was received now, less what was before, by day; NULL if it is the same.
CREATE FUNCTION receipts_changed(was receipt[], now receipt[]) RETURNS receipt[] LANGUAGE sql STABLE AS $$
    SELECT array_agg(ROW(day, manual, online, manual_count, online_count)::receipt)
    FROM (
        SELECT day, sum(sign * manual) AS manual, sum(sign * online) AS online,
            sum(sign * manual_count)::int AS manual_count, sum(sign * online_count)::int AS online_count
        FROM (
            SELECT -1 AS sign, r.* FROM unnest(was) r
            UNION ALL SELECT 1, r.* FROM unnest(now) r
        ) both_sides
        GROUP BY day
    ) changed
    WHERE (manual, online, manual_count, online_count) <> (0, 0, 0, 0)
$$;

-- The same for the documents with these keys, in whose order they are locked.
CREATE OR REPLACE FUNCTION keep_documents(businesses bigint[], ids bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    paid text := 'AND p.business_id = i.business_id AND p.invoice_id = i.id';
    -- What is summed by the day of issue.
    figures text[] := '{billed,manual,online,days,invoices,manual_count,online_count,paid_in_full,documents}';
    found bigint;
    changed_businesses bigint[];
BEGIN
    IF are_few(cardinality(ids)) THEN
        FOR place IN 1 .. cardinality(ids) LOOP
            PERFORM keep_document(businesses[place], ids[place]);
        END LOOP;
        RETURN;
    END IF;
    IF are_a_good_part(cardinality(ids)) THEN
        SET LOCAL enable_nestloop = off;
        SET LOCAL enable_seqscan = on;
        SET LOCAL enable_hashjoin = on;
        SET LOCAL enable_mergejoin = on;
        paid := 'AND (business_id, invoice_id) IN (SELECT business_id, invoice_id FROM key)';
    END IF;
    LOOP
        EXECUTE $$
            SELECT count(*) FROM (
                SELECT FROM kept_documents k
                JOIN unnest($1, $2) key (business_id, invoice_id) USING (business_id, invoice_id)
                ORDER BY business_id, invoice_id FOR UPDATE OF k
            ) locked
        $$ INTO found USING businesses, ids;
        EXIT WHEN found = cardinality(ids);
        EXECUTE $$
            INSERT INTO kept_documents
            SELECT business_id, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
            FROM invoices i JOIN unnest($1, $2) key (business_id, id) USING (business_id, id)
            WHERE NOT EXISTS (
                SELECT FROM kept_documents k
                WHERE k.business_id = i.business_id AND k.invoice_id = i.id
            )
            ORDER BY business_id, id
            ON CONFLICT DO NOTHING
        $$ USING businesses, ids;
        GET DIAGNOSTICS found = ROW_COUNT;
        EXIT WHEN found = 0;
    END LOOP;
    EXECUTE adding_documents(format($$
        key AS MATERIALIZED (
            SELECT * FROM unnest($1, $2) key (business_id, invoice_id)
        ), pair AS MATERIALIZED (
            SELECT business_id, invoice_id, %2$s,
                (c.customer_id, c.day) = (k.customer_id, k.day) AS is_in_place
            FROM (%1$s) c JOIN kept_documents k USING (business_id, invoice_id)
            WHERE %3$s
        ), gone AS MATERIALIZED (
            DELETE FROM kept_documents k USING key
            WHERE k.business_id = key.business_id AND k.invoice_id = key.invoice_id AND NOT EXISTS (
                SELECT FROM invoices i WHERE i.business_id = key.business_id AND i.id = key.invoice_id
            )
            RETURNING k.*
        ), updated AS (
            UPDATE kept_documents k SET %4$s FROM pair p
            WHERE k.business_id = p.business_id AND k.invoice_id = p.invoice_id
        ), changed AS NOT MATERIALIZED (
            SELECT business_id, invoice_id, %5$s, 1 AS sign, is_in_place FROM pair
            UNION ALL SELECT business_id, invoice_id, %6$s, -1, is_in_place FROM pair
            UNION ALL SELECT business_id, invoice_id, %7$s, -1, false FROM gone
        ), moved AS NOT MATERIALIZED (
            SELECT business_id, now_customer_id AS customer_id, now_day AS day, 1 AS sign, %9$s
            FROM pair WHERE is_in_place
            UNION ALL
            SELECT business_id, customer_id, day, sign, %10$s FROM changed WHERE NOT is_in_place
        ), %8$s
    $$,
        counting('invoices', 'JOIN key USING (business_id, invoice_id)', paid),
        each_column('kept_documents', false, 'c.%1$I AS now_%1$I, k.%1$I AS was_%1$I'),
        each_column('kept_documents', false, 'c.%1$I IS DISTINCT FROM k.%1$I', ' OR '),
        each_column('kept_documents', false, '%1$I = p.now_%1$I'),
        each_column('kept_documents', false, 'now_%1$I AS %1$I'),
        each_column('kept_documents', false, 'was_%1$I AS %1$I'),
        each_column('kept_documents', false, '%I'),
        keeping_open_parts(),
        (SELECT string_agg(format('now_%1$I - was_%1$I AS %1$I', each), ', ') FROM unnest(figures) each),
        array_to_string(figures, ', ')
    ), 'moved') INTO changed_businesses USING businesses, ids;
    PERFORM note_change(coalesce(changed_businesses, '{}'));
END
$function$;

-- As in 0019. What goes one by one uses nested loops only.
CREATE OR REPLACE FUNCTION invoices_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    document kept_documents;
    businesses bigint[];
    ids bigint[];
BEGIN
    IF TG_RELID <> 'invoices'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'invoices_changed serves invoices only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        -- Nothing can have been paid on a new document, unless the same statement paid it and was
        -- counted before: then its row is there already.
        IF are_few((SELECT count(*) FROM (SELECT FROM new_rows LIMIT 21) first_rows)) THEN
            FOR document IN
                INSERT INTO kept_documents (business_id, invoice_id, customer_id, day, invoices, manual_count,
                    online_count, days, paid_in_full, billed, manual, online, documents, due_date)
                SELECT business_id, id, customer_id, day_number(issue_date), (kind = 'invoice')::int * counts,
                    0, 0, 0, 0, CASE kind WHEN 'invoice' THEN total ELSE -total END * counts, 0, 0, counts, due_date
                FROM new_rows CROSS JOIN LATERAL (SELECT (status = 'issued')::int) c (counts)
                ON CONFLICT DO NOTHING
                RETURNING *
            LOOP
                IF counts(document) THEN
                    PERFORM note_change(ARRAY[document.business_id]);
                    PERFORM add_document(document, 1, NULL);
                    PERFORM keep_open_parts(NULL, document);
                END IF;
            END LOOP;
            RETURN NULL;
        END IF;
        SET LOCAL enable_seqscan = on;
        SET LOCAL enable_hashjoin = on;
        EXECUTE adding_documents(format($$
            changed AS (
                INSERT INTO kept_documents %s ORDER BY 1, 2 ON CONFLICT DO NOTHING
                RETURNING *, 1 AS sign
            ), %s
        $$, counting('new_rows', '', 'AND false'), keeping_open_parts())) INTO businesses;
        PERFORM note_change(coalesce(businesses, '{}'));
        RETURN NULL;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (
            SELECT business_id, id FROM new_rows UNION SELECT business_id, id FROM old_rows
            ORDER BY 1, 2
        ) k;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id ORDER BY business_id, id), array_agg(id ORDER BY business_id, id)
        INTO businesses, ids FROM old_rows;
    END CASE;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION invoices_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER AS $$
BEGIN
    IF TG_RELID <> 'invoices'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'invoices_truncated serves invoices only';
    END IF;
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_documents ORDER BY 1));
    TRUNCATE kept_documents, kept_periods, kept_open_parts;
    UPDATE kept_totals SET receivable = 0 WHERE receivable <> 0;
    RETURN NULL;
END
$$;

DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY[
        'invoices_changed()', 'invoices_truncated()', 'keep_documents(bigint[], bigint[])'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %s, pg_temp', each, ledger);
    END LOOP;
END
$do$;

-- The figures of what is in the ledger already, in the order in which they are read.
DROP INDEX kept_documents_by_day;
TRUNCATE kept_documents, kept_periods;
INSERT INTO kept_documents SELECT * FROM counted_documents ORDER BY business_id, invoice_id;
CREATE INDEX kept_documents_by_day ON kept_documents (business_id, day, customer_id);
-- What was received on a day is read from this index alone.
CREATE INDEX kept_documents_by_paid_day ON kept_documents (business_id, paid_day, customer_id)
    INCLUDE (manual, online, manual_count, online_count) WHERE paid_day IS NOT NULL;
INSERT INTO kept_open_parts
SELECT * FROM counted_open_parts ORDER BY business_id, span, opens, invoice_id, slice;
DO $$
BEGIN
    EXECUTE format($query$
        INSERT INTO kept_periods (business_id, period, customer_id, %1$s)
        SELECT business_id, period, customer_id, %2$s
        FROM (SELECT *, parts_of(greatest(%3$s)) AS parts FROM counted_periods OFFSET 0) sums
        CROSS JOIN LATERAL generate_series(1, parts) part
        ORDER BY business_id, period, customer_id
    $query$,
        each_column('kept_periods', false, '%I'),
        each_column('kept_periods', false, 'in_parts(%1$I, part, parts)'),
        each_column('kept_periods', false, 'abs(%I)'));
END
$$;
