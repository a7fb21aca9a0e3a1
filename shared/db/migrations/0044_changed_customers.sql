-- before the code
-- The rows of `report_versions` say which customers the last changes were about. So a summary right after a change
-- adds up the figures of these customers and their neighbours, and not those of all.
-- `changes` of a slot is empty if the change to its version may be about anything. Otherwise it has a version, and then
-- pairs: a later version, and a customer whose figures it changed. From that version on, each change is there. A list that
-- does not end with the version of its row says nothing: a writer that waited for this migration may have left it behind.
ALTER TABLE report_versions ADD COLUMN changes bigint[] NOT NULL DEFAULT '{}';

CREATE FUNCTION note_customer(business bigint, customer bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    writer xid8 := pg_current_xact_id();
    fresh bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    mine bigint;
BEGIN
    -- The first change of a transaction takes a version. A transaction that changes many customers notes that
    -- anything may have changed, and then nothing more.
    UPDATE report_versions v SET
        version = CASE WHEN v.changed_by = writer THEN v.version ELSE greatest(v.version + 1, fresh) END,
        changed_by = writer,
        changes = CASE
            WHEN customer IS NULL THEN '{}'
            WHEN v.changed_by = writer AND v.changes[cardinality(v.changes) - 1] <> v.version
                OR v.changed_by = writer AND cardinality(v.changes) > 32 AND v.changes[2] = v.version THEN '{}'
            WHEN v.changes = '{}' OR v.changes[cardinality(v.changes) - 1] <> v.version
                THEN ARRAY[v.version, greatest(v.version + 1, fresh), customer]
            ELSE
                CASE WHEN cardinality(v.changes) > 32 THEN v.changes[2:2] || v.changes[4:] ELSE v.changes END
                || CASE WHEN v.changed_by = writer THEN v.version ELSE greatest(v.version + 1, fresh) END
                || customer
        END
    WHERE v.business_id = business AND v.slot = (
        SELECT f.slot FROM report_versions f
        WHERE f.business_id = business AND (read_committed OR f.changed_by = writer)
        ORDER BY f.changed_by = writer DESC LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AND (v.changed_by <> writer OR v.changes <> '{}'
        AND v.changes[cardinality(v.changes) - 1:] IS DISTINCT FROM ARRAY[v.version, customer])
    RETURNING v.slot INTO mine;
    IF mine IS NULL THEN
        INSERT INTO report_versions (business_id, version, changed_by, changes)
        SELECT business, fresh, writer, CASE WHEN customer IS NULL THEN '{}' ELSE ARRAY[0, fresh, customer] END
        WHERE NOT EXISTS (
            SELECT FROM report_versions v WHERE v.business_id = business AND v.changed_by = writer
        );
    END IF;
    -- Slots that many writers at once, or writers in REPEATABLE READ, left behind. What they say is lost.
    IF fresh % 16 = 0 AND mine IS NOT NULL AND read_committed THEN
        DELETE FROM report_versions v USING (
            SELECT f.slot FROM report_versions f WHERE f.business_id = business AND f.slot <> mine
            OFFSET 15 FOR UPDATE SKIP LOCKED
        ) spare
        WHERE v.business_id = business AND v.slot = spare.slot;
        IF FOUND THEN
            UPDATE report_versions v SET changes = '{}' WHERE v.business_id = business AND v.slot = mine;
        END IF;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION note_change(businesses bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    business bigint;
BEGIN
    FOREACH business IN ARRAY businesses LOOP
        PERFORM note_customer(business, NULL);
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION invoices_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
                    PERFORM note_customer(document.business_id, document.customer_id);
                    PERFORM add_document(document, 1, NULL);
                    PERFORM keep_open_parts(NULL, document);
                END IF;
            END LOOP;
            RETURN NULL;
        END IF;
        IF is_in_bulk_load() THEN
            INSERT INTO bulk_loads (businesses, invoices)
            SELECT array_agg(business_id), array_agg(id) FROM new_rows;
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

DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
BEGIN
    EXECUTE format('ALTER FUNCTION invoices_changed() SET search_path = pg_catalog, %s, pg_temp', ledger);
END
$do$;
