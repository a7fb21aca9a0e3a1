-- before the code
-- The triggers say which customers a change of few rows is about (0044). Until then each change may be about anything.

CREATE OR REPLACE FUNCTION keep_document(business bigint, id bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
        PERFORM note_customer(business, coalesce(counted.customer_id, kept.customer_id));
        IF counts(kept) AND kept.customer_id <> counted.customer_id THEN
            PERFORM note_customer(business, kept.customer_id);
        END IF;
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
$function$;

CREATE OR REPLACE FUNCTION deposits_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'on'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
DECLARE
    moves text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT *, 1 AS sign FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT *, -1 AS sign FROM old_rows'
        ELSE 'SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows'
    END;
    businesses bigint[];
    due kept_totals;
    few boolean;
BEGIN
    IF TG_RELID <> 'deposits'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'deposits_changed serves deposits only';
    END IF;
    IF TG_OP = 'INSERT' THEN
        few := are_few((SELECT count(*) FROM (SELECT FROM new_rows LIMIT 21) first_rows));
    ELSE
        few := are_few((SELECT count(*) FROM (SELECT FROM old_rows LIMIT 21) first_rows));
    END IF;
    IF few AND TG_OP <> 'DELETE' THEN
        FOR due IN
            SELECT business_id, customer_id, NULL, 0,
                CASE type WHEN 'credit' THEN amount ELSE -amount END * 10000
            FROM new_rows
        LOOP
            PERFORM note_customer(due.business_id, due.customer_id);
            PERFORM add_to_kept_totals(due);
        END LOOP;
    END IF;
    IF few AND TG_OP <> 'INSERT' THEN
        FOR due IN
            SELECT business_id, customer_id, NULL, 0,
                CASE type WHEN 'credit' THEN -amount ELSE amount END * 10000
            FROM old_rows
        LOOP
            PERFORM note_customer(due.business_id, due.customer_id);
            PERFORM add_to_kept_totals(due);
        END LOOP;
    END IF;
    IF few THEN
        RETURN NULL;
    END IF;
    EXECUTE format($query$
        WITH due_kept_totals AS MATERIALIZED (
            SELECT business_id, customer_id, 0::numeric AS receivable,
                sum(CASE type WHEN 'credit' THEN sign * amount ELSE -sign * amount END) * 10000
                    AS deposited
            FROM (%s) moves
            GROUP BY business_id, customer_id
            HAVING sum(CASE type WHEN 'credit' THEN sign * amount ELSE -sign * amount END) <> 0
        ), %s
        SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM due_kept_totals
    $query$, moves, adding('kept_totals')) INTO businesses;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION ledger_rows_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_seqscan TO 'off'
AS $function$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    IF TG_RELID NOT IN ('customers'::regclass, 'categories'::regclass) THEN
        RAISE insufficient_privilege USING MESSAGE = 'ledger_rows_changed serves customers and categories only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM new_rows LIMIT 21) first_rows;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM new_rows UNION SELECT business_id, id FROM old_rows LIMIT 21) first_rows;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM old_rows LIMIT 21) first_rows;
    WHEN 'TRUNCATE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM report_versions ORDER BY 1);
    END CASE;
    IF TG_RELID = 'customers'::regclass AND ids IS NOT NULL AND are_few(cardinality(ids)) THEN
        FOR place IN 1 .. cardinality(ids) LOOP
            PERFORM note_customer(businesses[place], ids[place]);
        END LOOP;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM new_rows ORDER BY 1);
    ELSIF TG_OP = 'UPDATE' THEN
        businesses := ARRAY(
            SELECT business_id FROM new_rows UNION SELECT business_id FROM old_rows ORDER BY 1
        );
    ELSIF TG_OP = 'DELETE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM old_rows ORDER BY 1);
    END IF;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN NULL;
END
$function$;

DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
BEGIN
    EXECUTE format('ALTER FUNCTION deposits_changed() SET search_path = pg_catalog, %s, pg_temp', ledger);
    EXECUTE format('ALTER FUNCTION ledger_rows_changed() SET search_path = pg_catalog, %s, pg_temp', ledger);
END
$do$;
