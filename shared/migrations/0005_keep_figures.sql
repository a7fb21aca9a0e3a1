-- Keeps the figures of 0004 in the transaction of whoever writes the ledger. Base tables -> documents
-- -> periods. The planner is held to index lookups: a plan is cached for the session, whose next
-- statement may be a thousand times as large, or as small.

-- A change that an answer may show: once a transaction for each business.
CREATE FUNCTION note_change(businesses bigint[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    business bigint;
    free bigint;
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    fresh bigint := extract(epoch FROM clock_timestamp()) * 1000000;
BEGIN
    FOREACH business IN ARRAY businesses LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM report_versions
            WHERE business_id = business AND changed_by = pg_current_xact_id()
        );
        free := NULL;
        IF read_committed THEN
            SELECT slot INTO free FROM report_versions WHERE business_id = business
            LIMIT 1 FOR UPDATE SKIP LOCKED;
        END IF;
        IF free IS NULL THEN
            INSERT INTO report_versions (business_id, version, changed_by)
            VALUES (business, fresh, pg_current_xact_id());
        ELSE
            UPDATE report_versions
            SET version = greatest(version + 1, fresh), changed_by = pg_current_xact_id()
            WHERE business_id = business AND slot = free;
            -- Slots that many writers at once, or writers in REPEATABLE READ, left behind.
            DELETE FROM report_versions v USING (
                SELECT slot FROM report_versions WHERE business_id = business AND slot > free
                OFFSET 15 FOR UPDATE SKIP LOCKED
            ) spare
            WHERE v.business_id = business AND v.slot = spare.slot;
        END IF;
    END LOOP;
END
$$;

-- Brings the kept documents with these keys in line with the base tables. Locks their rows first, in
-- order: whoever else writes to a document has committed when it is counted, or waits for us; in
-- REPEATABLE READ and above the loser gets a serialization failure. Counting twice changes nothing.
CREATE FUNCTION keep_documents(businesses bigint[], ids bigint[]) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    PERFORM FROM unnest(businesses, ids) key (business_id, invoice_id)
    JOIN kept_documents k USING (business_id, invoice_id)
    ORDER BY key.business_id, key.invoice_id FOR UPDATE OF k;
    INSERT INTO kept_documents AS kept
        (business_id, invoice_id, customer_id, day, billed, invoices, manual, manual_count, online,
        online_count, days, paid_in_full)
    SELECT d.* FROM unnest(businesses, ids) key (business_id, invoice_id)
    CROSS JOIN LATERAL (
        SELECT * FROM counted_documents d
        WHERE d.business_id = key.business_id AND d.invoice_id = key.invoice_id
    ) d
    ON CONFLICT (business_id, invoice_id) DO UPDATE SET
        customer_id = excluded.customer_id, day = excluded.day, billed = excluded.billed,
        invoices = excluded.invoices, manual = excluded.manual,
        manual_count = excluded.manual_count, online = excluded.online,
        online_count = excluded.online_count, days = excluded.days,
        paid_in_full = excluded.paid_in_full
    WHERE ROW(kept.*) IS DISTINCT FROM ROW(excluded.*);
    DELETE FROM kept_documents k USING unnest(businesses, ids) key (business_id, invoice_id)
    WHERE k.business_id = key.business_id AND k.invoice_id = key.invoice_id AND NOT EXISTS (
        SELECT FROM invoices i WHERE i.business_id = key.business_id AND i.id = key.invoice_id
    );
END
$$;

CREATE FUNCTION invoices_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        -- Nothing can have been paid on a new document, unless the same statement paid it and was
        -- counted before: then its row is there already.
        INSERT INTO kept_documents
            (business_id, invoice_id, customer_id, day, billed, invoices, manual, manual_count,
            online, online_count, days, paid_in_full)
        SELECT
            business_id, id, customer_id,
            (extract(year FROM issue_date) * 10000 + extract(month FROM issue_date) * 100
                + extract(day FROM issue_date))::int,
            CASE WHEN status <> 'issued' THEN 0 WHEN kind = 'invoice' THEN total ELSE -total END,
            (status = 'issued' AND kind = 'invoice')::int, 0, 0, 0, 0, 0, 0
        FROM new_rows
        ON CONFLICT DO NOTHING;
        RETURN NULL;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM new_rows UNION SELECT business_id, id FROM old_rows) k;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids FROM old_rows;
    END CASE;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION payments_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (SELECT DISTINCT business_id, invoice_id FROM new_rows WHERE status = 'settled') k;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id FROM new_rows WHERE status = 'settled'
            UNION SELECT business_id, invoice_id FROM old_rows WHERE status = 'settled'
        ) k;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (SELECT DISTINCT business_id, invoice_id FROM old_rows WHERE status = 'settled') k;
    WHEN 'TRUNCATE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM kept_documents WHERE manual_count > 0 OR online_count > 0;
    END CASE;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER keep_inserted AFTER INSERT ON invoices REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();
CREATE TRIGGER keep_updated AFTER UPDATE ON invoices
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();
CREATE TRIGGER keep_deleted AFTER DELETE ON invoices REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();

CREATE TRIGGER keep_inserted AFTER INSERT ON payments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER keep_updated AFTER UPDATE ON payments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER keep_deleted AFTER DELETE ON payments REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER keep_truncated AFTER TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
