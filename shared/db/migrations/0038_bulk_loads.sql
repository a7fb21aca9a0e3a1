-- before the code
-- Counts the documents of a bulk load once, when all of its rows are there.
--
-- A first import writes a million invoices and then their payments. The trigger of the first statement made a kept
-- row, open parts and sums of each document, and that of the second made all of them again: three quarters of the
-- time. A transaction that has a row in `bulk_loads` says that more is to come: its new documents are not counted
-- before the end.
--
--     INSERT INTO bulk_loads DEFAULT VALUES;
--     …                                             writes, in statements of more than 20 rows
--     SET CONSTRAINTS count_bulk_load IMMEDIATE;    counts now; otherwise COMMIT does
--
-- Nobody can leave figures wrong by it: the rows of `bulk_loads` are seen by their transaction alone, and a deferred
-- trigger of the table itself counts before they can be committed. Until then a document either has a kept row,
-- which is exact as ever, or is in one of these rows. No other transaction can see it or pay it.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

CREATE TABLE bulk_loads (
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    -- The keys of the documents that one statement has inserted; NULL in the row that begins the load.
    businesses bigint[],
    invoices bigint[],
    PRIMARY KEY (transaction, id)
);

CREATE FUNCTION is_in_bulk_load() RETURNS boolean LANGUAGE sql STABLE AS
    'SELECT EXISTS (SELECT FROM bulk_loads WHERE transaction = pg_current_xact_id())';

-- The sums of the columns of a table with slots, as in 0026; those of amounts and days have the type `units`.
CREATE FUNCTION summed_columns(kept regclass, units regtype) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(format('sum(%1$I)::%2$s AS %1$I', attname,
        CASE atttypid WHEN 'int'::regtype THEN 'int' ELSE units::text END), ', ' ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = kept AND format('%I', attname) = ANY (string_to_array(each_column(kept, false, '%I'), ', '))
$$;

-- As in 0026, with the type of units, and with the name of the CTE that has the sums.
DROP FUNCTION summing(text, text), summed_columns(regclass);
CREATE FUNCTION summing(
    changed text, moved text DEFAULT 'changed', due text DEFAULT 'due_kept_periods', units regtype DEFAULT 'numeric'
) RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
%1$s, split AS NOT MATERIALIZED (
    SELECT c.sign, c.business_id, c.customer_id, r.*
    FROM changed c CROSS JOIN LATERAL unnest(c.receipts) r WHERE c.receipts IS NOT NULL
), moves AS NOT MATERIALIZED (
    SELECT business_id, customer_id, day, day / 100 * 100 AS month, (sign * 10000 * billed)::%7$s AS billed,
        (sign * 10000 * manual)::%7$s AS manual, (sign * 10000 * online)::%7$s AS online, sign * days AS days,
        sign * invoices AS invoices, sign * manual_count AS manual_count, sign * online_count AS online_count,
        sign * paid_in_full AS paid_in_full, sign * documents AS documents, 0::%7$s AS received_manual,
        0::%7$s AS received_online, 0 AS received_manual_count, 0 AS received_online_count
    FROM %2$I
    WHERE documents <> 0 OR (billed, manual, online, days, invoices, manual_count, online_count,
        paid_in_full) <> (0, 0, 0, 0, 0, 0, 0, 0)
    UNION ALL
    SELECT business_id, customer_id, day, day / 100 * 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, (sign * 10000 * manual)::%7$s,
        (sign * 10000 * online)::%7$s, sign * manual_count, sign * online_count
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
), %6$I AS MATERIALIZED (
    SELECT * FROM (
        TABLE of_month UNION ALL TABLE of_quarter UNION ALL TABLE of_year
        UNION ALL
        SELECT business_id, day, -1, %4$s FROM of_month_or_day WHERE day IS NOT NULL
        UNION ALL
        SELECT business_id, day, customer_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(sign * 10000 * manual)::%7$s,
            sum(sign * 10000 * online)::%7$s, sum(sign * manual_count)::int, sum(sign * online_count)::int
        FROM split
        GROUP BY business_id, day, customer_id
    ) due
    WHERE %5$s
)
$query$,
    changed,
    moved,
    summed_columns('kept_periods', units),
    each_column('kept_periods', false, '%I'),
    each_column('kept_periods', false, '%I <> 0', ' OR '),
    due,
    units)
$function$;

-- The query that adds new documents, and returns the businesses concerned. `changed` are CTEs, the last of which is
-- named so and writes their kept rows. No open part of them is there yet, and of the periods few: those that are not
-- are written as they are, only the others meet their slots. With bigint as the type of units it takes two thirds of
-- the time, and fails if the sums need numeric.
CREATE FUNCTION adding_new_documents(changed text, units regtype) RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
WITH %1$s, opened_parts AS (
    INSERT INTO kept_open_parts %2$s ORDER BY business_id, span, opens, invoice_id, slice
), first_kept_periods AS (
    INSERT INTO kept_periods (%3$s, %4$s)
    SELECT %3$s, %4$s FROM sum_of_period s
    WHERE %5$s AND NOT EXISTS (SELECT FROM kept_periods k WHERE %6$s)
    ORDER BY %3$s
), due_kept_periods AS MATERIALIZED (
    SELECT * FROM sum_of_period s WHERE EXISTS (SELECT FROM kept_periods k WHERE %6$s)
    UNION ALL
    SELECT * FROM sum_of_period s WHERE NOT (%5$s) AND NOT EXISTS (SELECT FROM kept_periods k WHERE %6$s)
), due_kept_totals AS MATERIALIZED (
    SELECT business_id, customer_id, sum(billed::numeric - manual - online) AS receivable, 0::numeric AS deposited
    FROM of_year
    GROUP BY business_id, customer_id
    HAVING sum(billed::numeric - manual - online) <> 0
), %7$s, %8$s
SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM of_year
$query$,
    summing(changed, 'changed', 'sum_of_period', units),
    counting_open_parts('changed'),
    each_column('kept_periods', true, '%I'),
    each_column('kept_periods', false, '%I'),
    'greatest(' || each_column('kept_periods', false, 'abs(s.%I)') || ') < slot_limit()',
    each_column('kept_periods', true, 'k.%1$I = s.%1$I', ' AND '),
    adding('kept_periods'),
    adding('kept_totals'))
$function$;

CREATE FUNCTION are_most(rows_changed bigint) RETURNS boolean LANGUAGE sql STABLE AS
    $$SELECT rows_changed * 100 > pg_relation_size('kept_documents')$$;

-- Counts the documents that one statement of a load has inserted, and that have no kept row yet. Their payments are
-- of the same transaction, because no other sees them. So nothing is locked. If they are most of the ledger, all
-- documents without a kept row are counted, which spares two joins.
CREATE FUNCTION bulk_load_ended() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = on
SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    uncounted text := '(
        SELECT * FROM invoices v WHERE NOT EXISTS (
            SELECT FROM kept_documents k WHERE k.business_id = v.business_id AND k.invoice_id = v.id
        )
    )';
    key text := 'JOIN unnest($1, $2) key (business_id, invoice_id) USING (business_id, invoice_id)';
    paid text := 'AND p.business_id = i.business_id AND p.invoice_id = i.id';
    changed text;
    changed_businesses bigint[];
BEGIN
    IF TG_RELID <> 'bulk_loads'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'bulk_load_ended serves bulk_loads only';
    END IF;
    DELETE FROM bulk_loads WHERE transaction = NEW.transaction AND id = NEW.id;
    IF NEW.invoices IS NULL THEN
        RETURN NULL;
    END IF;
    IF are_a_good_part(cardinality(NEW.invoices)) THEN
        SET LOCAL enable_nestloop = off;
        SET LOCAL enable_seqscan = on;
        paid := 'AND (business_id, invoice_id) IN (SELECT * FROM unnest($1, $2))';
    END IF;
    IF are_most(cardinality(NEW.invoices)) THEN
        key := '';
        paid := '';
    END IF;
    changed := format('changed AS (INSERT INTO kept_documents %s ORDER BY 1, 2 RETURNING *, 1 AS sign)',
        counting(uncounted, key, paid));
    BEGIN
        EXECUTE adding_new_documents(changed, 'bigint') INTO changed_businesses USING NEW.businesses, NEW.invoices;
    EXCEPTION WHEN numeric_value_out_of_range THEN
        EXECUTE adding_new_documents(changed, 'numeric') INTO changed_businesses USING NEW.businesses, NEW.invoices;
    END;
    PERFORM note_change(coalesce(changed_businesses, '{}'));
    RETURN NULL;
END
$function$;

CREATE CONSTRAINT TRIGGER count_bulk_load AFTER INSERT ON bulk_loads
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bulk_load_ended();

-- Two trigger functions get a branch each; shared/db/schema.sql shows them whole.
DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
BEGIN
    -- Documents that a statement of a load inserts are noted instead of counted.
    EXECUTE replace(pg_get_functiondef('invoices_changed()'::regprocedure), $old$
        SET LOCAL enable_seqscan = on;
$old$, $new$
        IF is_in_bulk_load() THEN
            INSERT INTO bulk_loads (businesses, invoices)
            SELECT array_agg(business_id), array_agg(id) FROM new_rows;
            RETURN NULL;
        END IF;
        SET LOCAL enable_seqscan = on;
$new$);
    -- In a load, documents without a kept row are counted at its end.
    EXECUTE replace(pg_get_functiondef('payments_changed()'::regprocedure), $old$
    IF ids IS NOT NULL THEN
$old$, $new$
    IF NOT are_few(cardinality(ids)) AND is_in_bulk_load() THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id
            FROM unnest(businesses, ids) key (business_id, invoice_id)
            JOIN kept_documents USING (business_id, invoice_id)
            ORDER BY 1, 2
        ) k;
    END IF;
    IF ids IS NOT NULL THEN
$new$);
    EXECUTE format('ALTER FUNCTION bulk_load_ended() SET search_path = pg_catalog, %s, pg_temp', ledger);
    REVOKE EXECUTE ON FUNCTION bulk_load_ended() FROM PUBLIC;
END
$do$;
