-- Adds what changed in kept_documents to kept_periods. One function for each of INSERT, UPDATE and
-- DELETE, alike but for where the changes come from.

-- What a slot may hold and still take two others in without overflow.
CREATE FUNCTION slot_limit() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 2000000000000000000';

CREATE FUNCTION parts_of(amount numeric) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT (1 + div(amount, slot_limit()))::int';

CREATE FUNCTION in_parts(amount numeric, part int, parts int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT (CASE part WHEN 1 THEN amount - (parts - 1) * div(amount, parts) ELSE div(amount, parts) END)::bigint';

DO $do$
DECLARE
    op text;
    changes text;
BEGIN
    FOREACH op IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
        changes := CASE op
            WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM new_rows'
            WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM old_rows'
            ELSE 'SELECT 1 AS sign, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows'
        END;
        EXECUTE format($create$
CREATE FUNCTION %1$s RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_hashagg = off SET jit = off SET plan_cache_mode = force_generic_plan AS $body$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    businesses bigint[];
BEGIN
    -- An upsert comes here twice, for the rows inserted and for those updated.
    IF NOT EXISTS (SELECT FROM %3$s) THEN
        RETURN NULL;
    END IF;
    WITH change AS (
        SELECT
            d.business_id, p.period, d.customer_id, sum(sign * billed) * 10000 AS billed,
            sum(sign * manual) * 10000 AS manual, sum(sign * online) * 10000 AS online,
            sum(sign * days) AS days, sum(sign * invoices) AS invoices,
            sum(sign * manual_count) AS manual_count, sum(sign * online_count) AS online_count,
            sum(sign * paid_in_full) AS paid_in_full
        FROM (%2$s) d
        CROSS JOIN LATERAL (VALUES (day / 10000 * 10000), (day / 100 * 100)) p (period)
        WHERE billed <> 0 OR invoices <> 0 OR manual_count <> 0 OR online_count <> 0
        GROUP BY d.business_id, p.period, d.customer_id
    ), part AS (
        -- Sums too large for one slot come in parts, of which all but the first open a slot.
        SELECT
            business_id, period, customer_id, part,
            in_parts(billed, part, parts) AS billed,
            in_parts(manual, part, parts) AS manual,
            in_parts(online, part, parts) AS online,
            days * (part = 1)::int AS days,
            invoices * (part = 1)::int AS invoices,
            manual_count * (part = 1)::int AS manual_count,
            online_count * (part = 1)::int AS online_count,
            paid_in_full * (part = 1)::int AS paid_in_full
        FROM change
        CROSS JOIN LATERAL parts_of(greatest(abs(billed), abs(manual), abs(online))) parts
        CROSS JOIN LATERAL generate_series(1, parts) part
        WHERE billed <> 0 OR manual <> 0 OR online <> 0 OR days <> 0 OR invoices <> 0
            OR manual_count <> 0 OR online_count <> 0 OR paid_in_full <> 0
    ), found AS MATERIALIZED (
        SELECT
            part.*, s.slot, s.place, s.billed AS was_billed, s.manual AS was_manual,
            s.online AS was_online, s.days AS was_days, s.invoices AS had_invoices,
            s.manual_count AS had_manual, s.online_count AS had_online, s.paid_in_full AS had_paid
        FROM part
        LEFT JOIN LATERAL (
            SELECT free.*, row_number() OVER () AS place
            FROM (
                SELECT * FROM kept_periods k
                WHERE k.business_id = part.business_id AND k.period = part.period
                    AND k.customer_id = part.customer_id AND part.part = 1
                    AND greatest(abs(k.billed), abs(k.manual), abs(k.online)) < slot_limit()
                    AND (read_committed OR k.xmin = pg_current_xact_id()::xid)
                LIMIT 2 FOR UPDATE SKIP LOCKED
            ) free
        ) s ON true
    ), sums AS MATERIALIZED (
        SELECT
            business_id, period, customer_id, max(slot) FILTER (WHERE place = 1) AS slot,
            max(billed) + coalesce(sum(was_billed), 0) AS billed,
            max(manual) + coalesce(sum(was_manual), 0) AS manual,
            max(online) + coalesce(sum(was_online), 0) AS online,
            max(days) + coalesce(sum(was_days), 0) AS days,
            max(invoices) + coalesce(sum(had_invoices), 0) AS invoices,
            max(manual_count) + coalesce(sum(had_manual), 0) AS manual_count,
            max(online_count) + coalesce(sum(had_online), 0) AS online_count,
            max(paid_in_full) + coalesce(sum(had_paid), 0) AS paid_in_full
        FROM found
        GROUP BY business_id, period, customer_id, part
    ), added AS (
        UPDATE kept_periods k SET
            billed = s.billed, manual = s.manual, online = s.online, days = s.days,
            invoices = s.invoices, manual_count = s.manual_count, online_count = s.online_count,
            paid_in_full = s.paid_in_full
        FROM sums s
        WHERE k.business_id = s.business_id AND k.period = s.period
            AND k.customer_id = s.customer_id AND k.slot = s.slot
    ), merged AS (
        DELETE FROM kept_periods k USING found f
        WHERE f.place = 2 AND k.business_id = f.business_id AND k.period = f.period
            AND k.customer_id = f.customer_id AND k.slot = f.slot
    ), opened AS (
        INSERT INTO kept_periods
            (business_id, period, customer_id, billed, manual, online, days, invoices,
            manual_count, online_count, paid_in_full)
        SELECT business_id, period, customer_id, billed, manual, online, days, invoices,
            manual_count, online_count, paid_in_full
        FROM sums WHERE slot IS NULL
    )
    SELECT array_agg(DISTINCT business_id ORDER BY business_id) INTO businesses FROM sums;
    IF businesses IS NOT NULL THEN
        PERFORM note_change(businesses);
    END IF;
    RETURN NULL;
END
$body$
        $create$, format('periods_%s()', lower(op)), changes,
            CASE op WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END);
    END LOOP;
END
$do$;

CREATE TRIGGER sum_periods_inserted AFTER INSERT ON kept_documents REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION periods_insert();
CREATE TRIGGER sum_periods_updated AFTER UPDATE ON kept_documents
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION periods_update();
CREATE TRIGGER sum_periods_deleted AFTER DELETE ON kept_documents REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION periods_delete();
