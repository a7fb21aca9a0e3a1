-- before the code
-- Functions that run with their owner's rights do so for the ledger's own tables only, and all trigger
-- functions find what they name whatever search_path their caller has.
--
-- CREATE TRIGGER asks for EXECUTE, which PUBLIC has unless it is revoked: any role could hang such a
-- function on a temporary table of its own, with rows and with types of its own making. So each asks for its
-- table before it touches a row: from there on, the types of the columns are the ledger's.
--
-- A statement that inserts many documents or deposits joins what it adds to the sums that are there, and may
-- do so by a hash. By nested loops, to which 0007 bound it, it compared each with each: the planner expects
-- one sum in three hundred to be free, and nearly all are. 10,000 customers with a second month took half a
-- minute.

CREATE OR REPLACE FUNCTION invoices_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = on SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    new_row record;
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
            FOR new_row IN SELECT business_id, id FROM new_rows LOOP
                INSERT INTO kept_documents
                SELECT * FROM counted_documents d
                WHERE d.business_id = new_row.business_id AND d.invoice_id = new_row.id
                ON CONFLICT DO NOTHING
                RETURNING * INTO document;
                IF counts(document) THEN
                    PERFORM note_change(ARRAY[document.business_id]);
                    PERFORM add_document(document, 1);
                END IF;
            END LOOP;
            RETURN NULL;
        END IF;
        SET LOCAL enable_seqscan = on;
        EXECUTE adding_documents(format($$
            changed AS (
                INSERT INTO kept_documents %s ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING *
            )
        $$, counting('new_rows', '', 'AND false'))) INTO businesses;
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

CREATE OR REPLACE FUNCTION payments_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    IF TG_RELID <> 'payments'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'payments_changed serves payments only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT DISTINCT business_id, invoice_id FROM new_rows WHERE status = 'settled'
            ORDER BY 1, 2
        ) k;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id FROM new_rows WHERE status = 'settled'
            UNION SELECT business_id, invoice_id FROM old_rows WHERE status = 'settled'
            ORDER BY 1, 2
        ) k;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT DISTINCT business_id, invoice_id FROM old_rows WHERE status = 'settled'
            ORDER BY 1, 2
        ) k;
    WHEN 'TRUNCATE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id FROM kept_documents
            WHERE manual_count > 0 OR online_count > 0
            ORDER BY 1, 2
        ) k;
    END CASE;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION deposits_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = on SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
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
            PERFORM note_change(ARRAY[due.business_id]);
            PERFORM add_to_kept_totals(due);
        END LOOP;
    END IF;
    IF few AND TG_OP <> 'INSERT' THEN
        FOR due IN
            SELECT business_id, customer_id, NULL, 0,
                CASE type WHEN 'credit' THEN -amount ELSE amount END * 10000
            FROM old_rows
        LOOP
            PERFORM note_change(ARRAY[due.business_id]);
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
$$;

CREATE OR REPLACE FUNCTION invoices_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER AS $$
BEGIN
    IF TG_RELID <> 'invoices'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'invoices_truncated serves invoices only';
    END IF;
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_documents ORDER BY 1));
    TRUNCATE kept_documents, kept_periods;
    UPDATE kept_totals SET receivable = 0 WHERE receivable <> 0;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION deposits_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER AS $$
BEGIN
    IF TG_RELID <> 'deposits'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'deposits_truncated serves deposits only';
    END IF;
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_totals ORDER BY 1));
    UPDATE kept_totals SET deposited = 0 WHERE deposited <> 0;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ledger_rows_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET enable_seqscan = off AS $$
DECLARE
    businesses bigint[];
BEGIN
    IF TG_RELID NOT IN ('customers'::regclass, 'categories'::regclass) THEN
        RAISE insufficient_privilege USING MESSAGE = 'ledger_rows_changed serves customers and categories only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM new_rows ORDER BY 1);
    WHEN 'UPDATE' THEN
        businesses := ARRAY(
            SELECT business_id FROM new_rows UNION SELECT business_id FROM old_rows ORDER BY 1
        );
    WHEN 'DELETE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM old_rows ORDER BY 1);
    WHEN 'TRUNCATE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM report_versions ORDER BY 1);
    END CASE;
    PERFORM note_change(businesses);
    RETURN NULL;
END
$$;

-- Its callers are triggers that have the owner's rights already.
ALTER FUNCTION keep_documents(bigint[], bigint[]) SECURITY INVOKER;

-- pg_catalog first and temporary tables last. Nobody comes in between, because PUBLIC may not create
-- anything in the ledger's schema; before Postgres 15 it could.
DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY[
        'add_uncategorised()', 'drop_uncategorised()', 'log_delivery_states()', 'invoices_changed()',
        'payments_changed()', 'deposits_changed()', 'invoices_truncated()', 'deposits_truncated()',
        'ledger_rows_changed()', 'keep_documents(bigint[], bigint[])'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %s, pg_temp', each, ledger);
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', each);
    END LOOP;
    EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM PUBLIC', ledger);
END
$do$;

-- Logical replication finds a row to delete by its primary key, which cannot hold the NULL of everybody's
-- pause.
ALTER TABLE pauses ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
