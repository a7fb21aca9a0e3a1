-- Sets right what differs, while others write: a document is counted again under its row's lock, and a
-- sum gets what it lacks in a slot of its own, computed on one snapshot. Whatever is written meanwhile
-- adds the same to both sides. Two menders at once would add it twice, so one waits for the other.

CREATE FUNCTION mend_documents() RETURNS bigint LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
    FROM (
        SELECT business_id, invoice_id FROM counted_documents c
        FULL JOIN kept_documents k USING (business_id, invoice_id)
        WHERE (c.customer_id, c.day, c.billed, c.invoices, c.manual, c.manual_count, c.online,
                c.online_count, c.days, c.paid_in_full)
            IS DISTINCT FROM (k.customer_id, k.day, k.billed, k.invoices, k.manual, k.manual_count,
                k.online, k.online_count, k.days, k.paid_in_full)
    ) differing;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN coalesce(cardinality(ids), 0);
END
$$;

CREATE FUNCTION mend_periods() RETURNS bigint LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    mended bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(2020173442117122);
    WITH lacking AS (
        SELECT
            business_id, period, customer_id,
            coalesce(c.billed, 0) - coalesce(s.billed, 0) AS billed,
            coalesce(c.manual, 0) - coalesce(s.manual, 0) AS manual,
            coalesce(c.online, 0) - coalesce(s.online, 0) AS online,
            coalesce(c.days, 0) - coalesce(s.days, 0) AS days,
            coalesce(c.invoices, 0) - coalesce(s.invoices, 0) AS invoices,
            coalesce(c.manual_count, 0) - coalesce(s.manual_count, 0) AS manual_count,
            coalesce(c.online_count, 0) - coalesce(s.online_count, 0) AS online_count,
            coalesce(c.paid_in_full, 0) - coalesce(s.paid_in_full, 0) AS paid_in_full
        FROM counted_periods c FULL JOIN summed_periods s USING (business_id, period, customer_id)
    ), wrong AS (
        SELECT * FROM lacking
        WHERE (billed, manual, online, days, invoices, manual_count, online_count, paid_in_full)
            <> (0, 0, 0, 0, 0, 0, 0, 0)
    ), opened AS (
        INSERT INTO kept_periods
            (business_id, period, customer_id, billed, manual, online, days, invoices,
            manual_count, online_count, paid_in_full)
        SELECT
            business_id, period, customer_id,
            in_parts(billed, part, parts), in_parts(manual, part, parts),
            in_parts(online, part, parts), days * first, invoices * first, manual_count * first,
            online_count * first, paid_in_full * first
        FROM wrong
        CROSS JOIN LATERAL parts_of(greatest(abs(billed), abs(manual), abs(online))) parts
        CROSS JOIN LATERAL generate_series(1, parts) part
        CROSS JOIN LATERAL (SELECT (part = 1)::int) f (first)
        ORDER BY business_id, period, customer_id
    )
    SELECT count(*), array_agg(DISTINCT business_id ORDER BY business_id)
    INTO mended, businesses FROM wrong;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN mended;
END
$$;

CREATE FUNCTION mend_totals() RETURNS bigint LANGUAGE plpgsql SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    businesses bigint[];
    mended bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(2020173442117122);
    WITH wrong AS (
        SELECT
            business_id, customer_id,
            coalesce(c.receivable, 0) - coalesce(s.receivable, 0) AS receivable,
            coalesce(c.deposited, 0) - coalesce(s.deposited, 0) AS deposited
        FROM counted_totals c FULL JOIN summed_totals s USING (business_id, customer_id)
        WHERE coalesce(c.receivable, 0) <> coalesce(s.receivable, 0)
            OR coalesce(c.deposited, 0) <> coalesce(s.deposited, 0)
    ), opened AS (
        INSERT INTO kept_totals (business_id, customer_id, receivable, deposited)
        SELECT
            business_id, customer_id, in_parts(receivable, part, parts),
            in_parts(deposited, part, parts)
        FROM wrong
        CROSS JOIN LATERAL parts_of(greatest(abs(receivable), abs(deposited))) parts
        CROSS JOIN LATERAL generate_series(1, parts) part
        ORDER BY business_id, customer_id
    )
    SELECT count(*), array_agg(DISTINCT business_id ORDER BY business_id)
    INTO mended, businesses FROM wrong;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN mended;
END
$$;

-- The figures of what is in the ledger already.
INSERT INTO kept_documents
    (business_id, invoice_id, customer_id, day, billed, invoices, manual, manual_count, online,
    online_count, days, paid_in_full)
SELECT * FROM counted_documents ORDER BY business_id, invoice_id;
SELECT mend_totals();
