-- Adds what changed in kept_documents and in deposits to kept_totals, in the same way.

DO $do$
DECLARE
    source text;
    op text;
    changes text;
    moves text;
BEGIN
    FOREACH source IN ARRAY ARRAY['kept_documents', 'deposits'] LOOP
    FOREACH op IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
        changes := CASE op
            WHEN 'insert' THEN 'SELECT 1 AS sign, * FROM new_rows'
            WHEN 'delete' THEN 'SELECT -1 AS sign, * FROM old_rows'
            ELSE 'SELECT 1 AS sign, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows'
        END;
        moves := CASE source
            WHEN 'deposits' THEN '0::numeric AS receivable,
                sum(CASE type WHEN ''credit'' THEN sign * amount ELSE -sign * amount END) * 10000 AS deposited'
            ELSE 'sum(sign * (billed - manual - online)) * 10000 AS receivable, 0::numeric AS deposited'
        END;
        EXECUTE format($create$
CREATE FUNCTION totals_of_%1$s_%2$s() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_hashagg = off SET jit = off SET plan_cache_mode = force_generic_plan AS $body$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    businesses bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM %5$s) THEN
        RETURN NULL;
    END IF;
    WITH change AS (
        SELECT business_id, customer_id, %4$s FROM (%3$s) c GROUP BY business_id, customer_id
    ), part AS (
        SELECT
            business_id, customer_id, part, in_parts(receivable, part, parts) AS receivable,
            in_parts(deposited, part, parts) AS deposited
        FROM change
        CROSS JOIN LATERAL parts_of(greatest(abs(receivable), abs(deposited))) parts
        CROSS JOIN LATERAL generate_series(1, parts) part
        WHERE receivable <> 0 OR deposited <> 0
    ), found AS MATERIALIZED (
        SELECT
            part.*, s.slot, s.place, s.receivable AS was_receivable, s.deposited AS was_deposited
        FROM part
        LEFT JOIN LATERAL (
            SELECT free.*, row_number() OVER () AS place
            FROM (
                SELECT * FROM kept_totals k
                WHERE k.business_id = part.business_id AND k.customer_id = part.customer_id
                    AND part.part = 1
                    AND greatest(abs(k.receivable), abs(k.deposited)) < slot_limit()
                    AND (read_committed OR k.xmin = pg_current_xact_id()::xid)
                LIMIT 2 FOR UPDATE SKIP LOCKED
            ) free
        ) s ON true
    ), sums AS MATERIALIZED (
        SELECT
            business_id, customer_id, max(slot) FILTER (WHERE place = 1) AS slot,
            max(receivable) + coalesce(sum(was_receivable), 0) AS receivable,
            max(deposited) + coalesce(sum(was_deposited), 0) AS deposited
        FROM found
        GROUP BY business_id, customer_id, part
    ), added AS (
        UPDATE kept_totals k SET receivable = s.receivable, deposited = s.deposited
        FROM sums s
        WHERE k.business_id = s.business_id AND k.customer_id = s.customer_id AND k.slot = s.slot
    ), merged AS (
        DELETE FROM kept_totals k USING found f
        WHERE f.place = 2 AND k.business_id = f.business_id AND k.customer_id = f.customer_id
            AND k.slot = f.slot
    ), opened AS (
        INSERT INTO kept_totals (business_id, customer_id, receivable, deposited)
        SELECT business_id, customer_id, receivable, deposited FROM sums WHERE slot IS NULL
    )
    SELECT array_agg(DISTINCT business_id ORDER BY business_id) INTO businesses FROM sums;
    IF businesses IS NOT NULL THEN
        PERFORM note_change(businesses);
    END IF;
    RETURN NULL;
END
$body$
        $create$, source, op, changes, moves,
            CASE op WHEN 'delete' THEN 'old_rows' ELSE 'new_rows' END);
        EXECUTE format(
            'CREATE TRIGGER sum_totals_%1$s AFTER %1$s ON %2$s REFERENCING %3$s FOR EACH STATEMENT EXECUTE FUNCTION totals_of_%2$s_%1$s()',
            op, source, CASE op
                WHEN 'insert' THEN 'NEW TABLE AS new_rows'
                WHEN 'delete' THEN 'OLD TABLE AS old_rows'
                ELSE 'OLD TABLE AS old_rows NEW TABLE AS new_rows'
            END
        );
    END LOOP;
    END LOOP;
END
$do$;

CREATE FUNCTION deposits_truncated() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_totals ORDER BY 1));
    UPDATE kept_totals SET deposited = 0 WHERE deposited <> 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER sum_totals_truncate AFTER TRUNCATE ON deposits
    FOR EACH STATEMENT EXECUTE FUNCTION deposits_truncated();

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
