-- before the code
-- Keeps the figures of documents in the transaction of whoever writes the ledger: base tables ->
-- kept_documents -> sums in slots. A few rows go one by one, by plans that are cached and held to index
-- lookups: the session's next statement may find the tables a thousand times as large. More go at once;
-- what is a good part of all documents is not looked up, but hashed.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

CREATE FUNCTION are_few(rows_changed bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT rows_changed <= 20';

CREATE FUNCTION are_a_good_part(rows_changed bigint) RETURNS boolean LANGUAGE sql STABLE AS
    $$SELECT rows_changed * 2000 > pg_relation_size('kept_documents')$$;

CREATE FUNCTION counts(d kept_documents) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT d.billed <> 0 OR d.invoices <> 0 OR d.manual_count <> 0 OR d.online_count <> 0';

-- The query that adds `changed` (documents, those that no longer count with every figure negative) to
-- the sums, and returns the businesses concerned. A day's year is summed up from its months.
CREATE FUNCTION adding_documents(changed text) RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
WITH %1$s, of_month AS MATERIALIZED (
    SELECT business_id, day / 100 * 100 AS period, customer_id, sum(billed) * 10000 AS billed,
        sum(manual) * 10000 AS manual, sum(online) * 10000 AS online, sum(days) AS days,
        sum(invoices) AS invoices, sum(manual_count) AS manual_count,
        sum(online_count) AS online_count, sum(paid_in_full) AS paid_in_full
    FROM changed
    WHERE billed <> 0 OR invoices <> 0 OR manual_count <> 0 OR online_count <> 0
    GROUP BY business_id, day / 100 * 100, customer_id
), of_year AS MATERIALIZED (
    SELECT business_id, period / 10000 * 10000 AS period, customer_id, sum(billed) AS billed,
        sum(manual) AS manual, sum(online) AS online, sum(days) AS days,
        sum(invoices) AS invoices, sum(manual_count) AS manual_count,
        sum(online_count) AS online_count, sum(paid_in_full) AS paid_in_full
    FROM of_month
    GROUP BY business_id, period / 10000 * 10000, customer_id
), due_kept_periods AS MATERIALIZED (
    SELECT * FROM (TABLE of_month UNION ALL TABLE of_year) due
    WHERE billed <> 0 OR manual <> 0 OR online <> 0 OR days <> 0 OR invoices <> 0
        OR manual_count <> 0 OR online_count <> 0 OR paid_in_full <> 0
), due_kept_totals AS MATERIALIZED (
    SELECT business_id, customer_id, sum(billed - manual - online) AS receivable,
        0::numeric AS deposited
    FROM of_year
    GROUP BY business_id, customer_id
    HAVING sum(billed - manual - online) <> 0
), %2$s, %3$s
SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM of_year
$query$, changed, adding('kept_periods'), adding('kept_totals'))
$function$;

-- The same for one document whose figures are `sign` (1 or -1) times `d`.
CREATE FUNCTION add_document(d kept_documents, sign int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    due kept_periods;
    total kept_totals;
    businesses bigint[];
BEGIN
    IF d.invoice_id IS NULL OR (d.billed, d.manual, d.online, d.days, d.invoices, d.manual_count, d.online_count,
        d.paid_in_full) = (0, 0, 0, 0, 0, 0, 0, 0) THEN
        RETURN;
    END IF;
    IF greatest(abs(d.billed), abs(d.manual), abs(d.online)) > 50000000000000 THEN
        EXECUTE adding_documents('changed AS (
            SELECT ($1).business_id, ($1).customer_id, ($1).day, $2 * ($1).billed AS billed,
                $2 * ($1).manual AS manual, $2 * ($1).online AS online, $2 * ($1).days AS days,
                $2 * ($1).invoices AS invoices, $2 * ($1).manual_count AS manual_count,
                $2 * ($1).online_count AS online_count, $2 * ($1).paid_in_full AS paid_in_full
        )') INTO businesses USING d, sign;
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
    due.period := d.day / 100 * 100;
    PERFORM add_to_kept_periods(due);
    due.period := d.day / 10000 * 10000;
    PERFORM add_to_kept_periods(due);
    total.business_id := d.business_id;
    total.customer_id := d.customer_id;
    total.receivable := due.billed - due.manual - due.online;
    total.deposited := 0;
    PERFORM add_to_kept_totals(total);
END
$$;

-- Brings a kept document in line with the base tables. Locks its row first: whoever else writes to the
-- document has committed when it is counted, or waits for us; in REPEATABLE READ and above the loser
-- gets a serialization failure. Counting twice changes nothing.
CREATE FUNCTION keep_document(business bigint, id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept kept_documents;
    counted kept_documents;
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
            online = counted.online
        WHERE k.business_id = business AND k.invoice_id = id;
    END IF;
    IF counts(kept) OR counts(counted) THEN
        PERFORM note_change(ARRAY[business]);
    END IF;
    IF kept.customer_id = counted.customer_id AND kept.day = counted.day THEN
        counted.invoices := counted.invoices - kept.invoices;
        counted.manual_count := counted.manual_count - kept.manual_count;
        counted.online_count := counted.online_count - kept.online_count;
        counted.days := counted.days - kept.days;
        counted.paid_in_full := counted.paid_in_full - kept.paid_in_full;
        counted.billed := counted.billed - kept.billed;
        counted.manual := counted.manual - kept.manual;
        counted.online := counted.online - kept.online;
    ELSE
        PERFORM add_document(kept, -1);
    END IF;
    PERFORM add_document(counted, 1);
END
$$;

-- The same for the documents with these keys, in whose order they are locked.
CREATE FUNCTION keep_documents(businesses bigint[], ids bigint[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    paid text := 'AND p.business_id = i.business_id AND p.invoice_id = i.id';
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
        ), counted AS (%s), signed AS MATERIALIZED (
            SELECT business_id, invoice_id, customer_id, day, invoices, manual_count, online_count,
                days, paid_in_full, billed, manual, online, sum(sign) AS sign
            FROM (
                SELECT *, 1 AS sign FROM counted
                UNION ALL
                SELECT k.*, -1 FROM key JOIN kept_documents k USING (business_id, invoice_id)
            ) both_sides
            GROUP BY business_id, invoice_id, customer_id, day, invoices, manual_count,
                online_count, days, paid_in_full, billed, manual, online
            HAVING sum(sign) <> 0
        ), updated AS (
            UPDATE kept_documents k SET
                customer_id = s.customer_id, day = s.day, invoices = s.invoices,
                manual_count = s.manual_count, online_count = s.online_count, days = s.days,
                paid_in_full = s.paid_in_full, billed = s.billed, manual = s.manual,
                online = s.online
            FROM signed s
            WHERE s.sign = 1 AND k.business_id = s.business_id AND k.invoice_id = s.invoice_id
        ), deleted AS (
            DELETE FROM kept_documents k USING signed s
            WHERE s.sign = -1 AND k.business_id = s.business_id AND k.invoice_id = s.invoice_id
                AND NOT EXISTS (
                    SELECT FROM invoices i
                    WHERE i.business_id = s.business_id AND i.id = s.invoice_id
                )
        ), changed AS (
            SELECT business_id, customer_id, day, sign * billed AS billed, sign * manual AS manual,
                sign * online AS online, sign * days AS days, sign * invoices AS invoices,
                sign * manual_count AS manual_count, sign * online_count AS online_count,
                sign * paid_in_full AS paid_in_full
            FROM signed
        )
    $$, counting('invoices', 'JOIN key USING (business_id, invoice_id)', paid)))
    INTO changed_businesses USING businesses, ids;
    PERFORM note_change(coalesce(changed_businesses, '{}'));
END
$function$;
