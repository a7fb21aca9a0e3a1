-- before the code
-- Sets right what differs, while others write: a document is counted again under its row's lock, and
-- what a sum lacks, computed on one snapshot, is added to it like any change. Whatever is written
-- meanwhile adds the same to both sides. Two menders at once would add it twice, so one waits for the
-- other.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

CREATE FUNCTION mend_documents() RETURNS bigint LANGUAGE plpgsql SET jit = off AS $$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
    FROM (
        SELECT business_id, invoice_id
        FROM counted_documents c FULL JOIN kept_documents k USING (business_id, invoice_id)
        WHERE c IS DISTINCT FROM k
        ORDER BY business_id, invoice_id
    ) differing;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN coalesce(cardinality(ids), 0);
END
$$;

-- `counted` and `summed` are views of the sums that there should be and of those that there are.
CREATE FUNCTION mend_sums(kept regclass, counted regclass, summed regclass) RETURNS bigint
LANGUAGE plpgsql SET jit = off AS $function$
DECLARE
    businesses bigint[];
    mended bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(2020173442117122);
    EXECUTE format($$
        WITH due_%1$s AS MATERIALIZED (
            SELECT * FROM (
                SELECT %4$s, %5$s FROM %2$s c FULL JOIN %3$s s USING (%4$s)
            ) lacking
            WHERE %6$s
        ), %7$s
        SELECT count(*), array_agg(DISTINCT business_id ORDER BY business_id) FROM due_%1$s
    $$,
        kept, counted, summed,
        each_column(kept, true, '%I'),
        each_column(kept, false, 'coalesce(c.%1$I, 0)::numeric - coalesce(s.%1$I, 0) AS %1$I'),
        each_column(kept, false, '%I <> 0', ' OR '),
        adding(kept)
    ) INTO mended, businesses;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN mended;
END
$function$;

CREATE FUNCTION mend_periods() RETURNS bigint LANGUAGE sql AS
    $$SELECT mend_sums('kept_periods', 'counted_periods', 'summed_periods')$$;

CREATE FUNCTION mend_totals() RETURNS bigint LANGUAGE sql AS
    $$SELECT mend_sums('kept_totals', 'counted_totals', 'summed_totals')$$;

-- The figures of what is in the ledger already.
INSERT INTO kept_documents SELECT * FROM counted_documents ORDER BY business_id, invoice_id;
SELECT mend_periods();
SELECT mend_totals();
