-- Writes the open parts of documents (0027), of one or of many.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Writes the open parts of a document whose kept row was `was` and is `now`; either may be NULL.
CREATE FUNCTION keep_open_parts(was kept_documents, now kept_documents) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    lost kept_open_parts[] := open_parts(was);
    gained kept_open_parts[] := open_parts(now);
BEGIN
    IF lost = gained THEN
        RETURN;
    ELSIF cardinality(lost) = 1 AND cardinality(gained) > 0 THEN
        UPDATE kept_open_parts k SET
            span = gained[1].span, opens = gained[1].opens, closes = gained[1].closes,
            due_date = gained[1].due_date, customer_id = gained[1].customer_id, units = gained[1].units
        WHERE k.business_id = lost[1].business_id AND k.span = lost[1].span AND k.opens = lost[1].opens
            AND k.invoice_id = lost[1].invoice_id AND k.slice = lost[1].slice;
        IF FOUND THEN
            gained := gained[2:];
        END IF;
    ELSIF cardinality(lost) > 0 THEN
        DELETE FROM kept_open_parts k USING unnest(lost) p
        WHERE k.business_id = p.business_id AND k.span = p.span AND k.opens = p.opens
            AND k.invoice_id = p.invoice_id AND k.slice = p.slice;
    END IF;
    IF cardinality(gained) > 0 THEN
        INSERT INTO kept_open_parts SELECT * FROM unnest(gained)
        ON CONFLICT (business_id, span, opens, invoice_id, slice) DO UPDATE SET
            closes = excluded.closes, due_date = excluded.due_date, customer_id = excluded.customer_id,
            units = excluded.units;
    END IF;
END
$$;

-- The CTEs that do the same for many: `changed` has rows of kept_documents, with a sign of -1 if they were,
-- and of 1 if they are.
CREATE FUNCTION keeping_open_parts() RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
open_part AS MATERIALIZED (
    SELECT sign, business_id, span_of(opens, closes) AS span, opens, invoice_id, 1::smallint AS slice, closes,
        due_date, customer_id, units
    FROM changed
    CROSS JOIN LATERAL (
        SELECT date_of(day) AS issued, date_of(paid_day) AS paid, (billed * 10000)::bigint AS owed,
            ((manual + online) * 10000)::bigint AS received
        OFFSET 0
    ) document
    CROSS JOIN LATERAL (VALUES
        (
            least(issued, paid),
            CASE WHEN paid <> issued THEN greatest(issued, paid) ELSE 'infinity' END,
            CASE WHEN paid < issued THEN -received WHEN paid = issued THEN owed - received ELSE owed END
        ),
        (CASE WHEN paid <> issued THEN greatest(issued, paid) END, 'infinity', owed - received)
    ) part (opens, closes, units)
    WHERE documents <> 0 AND NOT has_many_parts(receipts, billed, manual, online)
        AND opens IS NOT NULL AND units <> 0
    UNION ALL
    SELECT sign, p.*
    FROM changed c
    CROSS JOIN LATERAL open_parts_by_day(ROW(c.business_id, c.invoice_id, %1$s)::kept_documents) p
    WHERE has_many_parts(receipts, billed, manual, online)
), lost_part AS (
    DELETE FROM kept_open_parts k USING (
        SELECT business_id, span, opens, invoice_id, slice FROM open_part WHERE sign < 0
        EXCEPT SELECT business_id, span, opens, invoice_id, slice FROM open_part WHERE sign > 0
    ) p
    WHERE k.business_id = p.business_id AND k.span = p.span AND k.opens = p.opens
        AND k.invoice_id = p.invoice_id AND k.slice = p.slice
), gained_part AS (
    INSERT INTO kept_open_parts
    SELECT business_id, span, opens, invoice_id, slice, closes, due_date, customer_id, units
    FROM open_part WHERE sign > 0
    EXCEPT SELECT business_id, span, opens, invoice_id, slice, closes, due_date, customer_id, units
    FROM open_part WHERE sign < 0
    ORDER BY business_id, span, opens, invoice_id
    ON CONFLICT (business_id, span, opens, invoice_id, slice) DO UPDATE SET
        closes = excluded.closes, due_date = excluded.due_date, customer_id = excluded.customer_id,
        units = excluded.units
)
$query$, each_column('kept_documents', false, 'c.%I'))
$function$;

-- As mend_documents (0009): the rows of a document that differ are written again under its lock.
CREATE FUNCTION mend_open_parts() RETURNS bigint LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
    FROM (
        SELECT DISTINCT business_id, invoice_id
        FROM (
            (TABLE counted_open_parts EXCEPT TABLE kept_open_parts)
            UNION ALL (TABLE kept_open_parts EXCEPT TABLE counted_open_parts)
        ) differing
    ) document;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM FROM kept_documents k JOIN unnest(businesses, ids) key (business_id, invoice_id)
        USING (business_id, invoice_id)
    ORDER BY business_id, invoice_id FOR UPDATE OF k;
    DELETE FROM kept_open_parts k USING unnest(businesses, ids) key (business_id, invoice_id)
    WHERE k.business_id = key.business_id AND k.invoice_id = key.invoice_id;
    INSERT INTO kept_open_parts
    SELECT c.* FROM counted_open_parts c JOIN unnest(businesses, ids) key (business_id, invoice_id)
        USING (business_id, invoice_id);
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM unnest(businesses) business_id ORDER BY 1));
    RETURN cardinality(ids);
END
$$;

-- As in 0025, and with the open parts.
CREATE OR REPLACE FUNCTION keep_document(business bigint, id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept kept_documents;
    counted kept_documents;
    change kept_documents;
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
        PERFORM note_change(ARRAY[business]);
        PERFORM keep_open_parts(kept, counted);
    END IF;
    IF kept.customer_id = counted.customer_id AND kept.day = counted.day THEN
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
            change.receipts := receipts_changed(kept, counted);
        END IF;
        PERFORM add_document(change, 1);
    ELSE
        PERFORM add_document(kept, -1);
        PERFORM add_document(counted, 1);
    END IF;
END
$$;
