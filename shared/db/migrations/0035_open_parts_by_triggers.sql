-- Lets the triggers keep the open parts of documents (0034), and counts those of all documents.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);
SET LOCAL jit = off;
SET LOCAL work_mem = '64MB';

-- Writers wait, and so do reports, until all documents are counted.
LOCK TABLE invoices, payments IN SHARE ROW EXCLUSIVE MODE;

-- As in 0025 and, of invoices_truncated, 0019; and with the open parts.
CREATE OR REPLACE FUNCTION keep_documents(businesses bigint[], ids bigint[]) RETURNS void LANGUAGE plpgsql
SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
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
        ), pair AS MATERIALIZED (
            SELECT business_id, invoice_id, %2$s
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
            SELECT business_id, invoice_id, %5$s, 1 AS sign FROM pair
            UNION ALL SELECT business_id, invoice_id, %6$s, -1 FROM pair
            UNION ALL SELECT business_id, invoice_id, %7$s, -1 FROM gone
        ), %8$s
    $$,
        counting('invoices', 'JOIN key USING (business_id, invoice_id)', paid),
        each_column('kept_documents', false, 'c.%1$I AS now_%1$I, k.%1$I AS was_%1$I'),
        each_column('kept_documents', false, 'c.%1$I IS DISTINCT FROM k.%1$I', ' OR '),
        each_column('kept_documents', false, '%1$I = p.now_%1$I'),
        each_column('kept_documents', false, 'now_%1$I AS %1$I'),
        each_column('kept_documents', false, 'was_%1$I AS %1$I'),
        each_column('kept_documents', false, '%I'),
        keeping_open_parts()
    )) INTO changed_businesses USING businesses, ids;
    PERFORM note_change(coalesce(changed_businesses, '{}'));
END
$function$;

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
                    PERFORM add_document(document, 1);
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

-- The documents that are there, in the order in which they are read.
DROP INDEX kept_documents_by_day;
TRUNCATE kept_documents, kept_open_parts;
INSERT INTO kept_documents SELECT * FROM counted_documents ORDER BY business_id, invoice_id;
CREATE INDEX kept_documents_by_day ON kept_documents (business_id, day, customer_id);
INSERT INTO kept_open_parts
SELECT * FROM counted_open_parts ORDER BY business_id, span, opens, invoice_id, slice;
