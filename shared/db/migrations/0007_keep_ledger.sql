-- before the code
-- What calls upon 0006 and 0005, whoever writes invoices, payments or deposits.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Triggers of a statement that inserts, updates or deletes, named alike on every table of the ledger.
CREATE PROCEDURE add_triggers(ledger regclass, prefix text, handler text) LANGUAGE plpgsql AS $$
DECLARE
    op text;
BEGIN
    FOREACH op IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
        EXECUTE format(
            'CREATE TRIGGER %s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %s()',
            prefix || '_' || op, op, ledger, CASE op
                WHEN 'insert' THEN 'NEW TABLE AS new_rows'
                WHEN 'delete' THEN 'OLD TABLE AS old_rows'
                ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows'
            END, handler
        );
    END LOOP;
END
$$;

CREATE FUNCTION invoices_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $function$
DECLARE
    new_row record;
    document kept_documents;
    businesses bigint[];
    ids bigint[];
BEGIN
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

CREATE FUNCTION payments_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
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

CREATE TRIGGER keep_truncated AFTER TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();

-- Other writers of documents are gone: TRUNCATE has the table to itself.
CREATE FUNCTION invoices_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_documents ORDER BY 1));
    TRUNCATE kept_documents, kept_periods;
    UPDATE kept_totals SET receivable = 0 WHERE receivable <> 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_truncated AFTER TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_truncated();

CALL add_triggers('invoices', 'keep', 'invoices_changed');
CALL add_triggers('payments', 'keep', 'payments_changed');

CREATE FUNCTION deposits_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_nestloop = on SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
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
CALL add_triggers('deposits', 'keep', 'deposits_changed');

CREATE FUNCTION deposits_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_totals ORDER BY 1));
    UPDATE kept_totals SET deposited = 0 WHERE deposited <> 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_truncated AFTER TRUNCATE ON deposits
    FOR EACH STATEMENT EXECUTE FUNCTION deposits_truncated();
