-- before the code
-- How sums are kept in slots (0004): by statements that change much, and by those that change little.
-- These run inside the triggers of 0007, with their rights and settings.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- A change that an answer may show: once a transaction for each business.
CREATE FUNCTION note_change(businesses bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    business bigint;
    free record;
    fresh bigint := extract(epoch FROM clock_timestamp()) * 1000000;
BEGIN
    FOREACH business IN ARRAY businesses LOOP
        IF current_setting('transaction_isolation') = 'read committed' THEN
            SELECT slot, changed_by = pg_current_xact_id() AS done INTO free FROM report_versions
            WHERE business_id = business
            ORDER BY changed_by = pg_current_xact_id() DESC LIMIT 1 FOR UPDATE SKIP LOCKED;
        ELSE
            SELECT NULL::bigint AS slot, true AS done INTO free FROM report_versions
            WHERE business_id = business AND changed_by = pg_current_xact_id();
        END IF;
        CONTINUE WHEN free.done;
        IF free.slot IS NULL THEN
            INSERT INTO report_versions (business_id, version, changed_by)
            VALUES (business, fresh, pg_current_xact_id());
        ELSE
            UPDATE report_versions
            SET version = greatest(version + 1, fresh), changed_by = pg_current_xact_id()
            WHERE business_id = business AND slot = free.slot;
        END IF;
        -- Slots that many writers at once, or writers in REPEATABLE READ, left behind.
        IF fresh % 16 = 0 AND free.slot IS NOT NULL THEN
            DELETE FROM report_versions v USING (
                SELECT slot FROM report_versions WHERE business_id = business AND slot <> free.slot
                OFFSET 15 FOR UPDATE SKIP LOCKED
            ) spare
            WHERE v.business_id = business AND v.slot = spare.slot;
        END IF;
    END LOOP;
END
$$;

-- What a slot may hold and still take two others in without overflow.
CREATE FUNCTION slot_limit() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT 2000000000000000000';

CREATE FUNCTION parts_of(amount numeric) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT (1 + div(amount, slot_limit()))::int';

CREATE FUNCTION in_parts(amount numeric, part int, parts int) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT (CASE WHEN parts = 1 THEN amount
        WHEN part = 1 THEN amount - (parts - 1) * div(amount, parts)
        ELSE div(amount, parts) END)::bigint';

-- The columns of a table with slots, each written as `form`: those that say whose sums they are
-- (`are_keys`), or the sums.
CREATE FUNCTION each_column(kept regclass, are_keys boolean, form text, between_them text DEFAULT ', ')
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(format(form, a.attname), between_them
        ORDER BY array_position(i.indkey::int2[], a.attnum), a.attnum)
    FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = kept AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'slot'
        AND (a.attnum = ANY (i.indkey)) = are_keys
$$;

-- Much: the CTEs that add the rows of `due_<kept>`, one for each key, to the slots of `kept`. All free
-- slots of a key become one; a sum too large for it comes in parts, of which the others open slots.
CREATE FUNCTION adding(kept regclass) RETURNS text LANGUAGE sql STABLE AS $function$
SELECT format($query$
free_%1$s AS MATERIALIZED (
    SELECT k.* FROM due_%1$s JOIN %1$s k USING (%2$s)
    WHERE greatest(%3$s) < slot_limit() AND (
        current_setting('transaction_isolation') = 'read committed'
        OR k.xmin = pg_current_xact_id()::xid
    )
    FOR UPDATE OF k SKIP LOCKED
), sum_%1$s AS (
    SELECT %2$s, min(slot) AS slot, %4$s
    FROM (
        SELECT %2$s, NULL::bigint AS slot, %6$s FROM due_%1$s
        UNION ALL SELECT %2$s, slot, %6$s FROM free_%1$s
    ) both_sides
    GROUP BY %2$s
), part_%1$s AS MATERIALIZED (
    SELECT %2$s, CASE part WHEN 1 THEN slot END AS slot, %5$s
    FROM (SELECT *, parts_of(greatest(%7$s)) AS parts FROM sum_%1$s OFFSET 0) sums
    CROSS JOIN LATERAL generate_series(1, parts) part
), added_%1$s AS (
    UPDATE %1$s k SET %8$s FROM part_%1$s p WHERE %9$s AND k.slot = p.slot
), merged_%1$s AS (
    DELETE FROM %1$s k
    USING (
        SELECT *, row_number() OVER (PARTITION BY %2$s ORDER BY slot) AS place FROM free_%1$s
    ) p
    WHERE %9$s AND k.slot = p.slot AND p.place > 1
), opened_%1$s AS (
    INSERT INTO %1$s (%2$s, %6$s)
    SELECT %2$s, %6$s FROM part_%1$s WHERE slot IS NULL ORDER BY %2$s
)
$query$,
    kept,
    each_column(kept, true, '%I'),
    each_column(kept, false, 'abs(k.%I)'),
    each_column(kept, false, 'sum(%1$I) AS %1$I'),
    each_column(kept, false, 'in_parts(%1$I, part, parts) AS %1$I'),
    each_column(kept, false, '%I'),
    each_column(kept, false, 'abs(%I)'),
    each_column(kept, false, '%1$I = p.%1$I'),
    each_column(kept, true, 'k.%1$I = p.%1$I', ' AND ')
)
$function$;

-- Little: one sum, which a slot has room for, likewise.
DO $do$
DECLARE
    kept regclass;
BEGIN
    FOREACH kept IN ARRAY ARRAY['kept_periods', 'kept_totals'] LOOP
        EXECUTE format($create$
CREATE FUNCTION add_to_%1$s(due %1$s) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    mine bigint;
    crowded boolean;
BEGIN
    LOOP
        UPDATE %1$s k SET %2$s
        WHERE %3$s AND k.slot = (
            SELECT f.slot FROM %1$s f
            WHERE %4$s AND greatest(%5$s) < slot_limit()
                AND (read_committed OR f.xmin = pg_current_xact_id()::xid)
            LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING k.slot, EXISTS (SELECT FROM %1$s f WHERE %4$s AND f.slot <> k.slot)
        INTO mine, crowded;
        IF mine IS NULL THEN
            INSERT INTO %1$s (%6$s, %7$s) VALUES (%8$s);
        END IF;
        EXIT WHEN mine IS NULL OR NOT crowded OR NOT read_committed;
        DELETE FROM %1$s k
        WHERE %3$s AND k.slot = (
            SELECT f.slot FROM %1$s f
            WHERE %4$s AND f.slot <> mine AND greatest(%5$s) < slot_limit()
            LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING k.* INTO due;
        EXIT WHEN NOT FOUND;
    END LOOP;
END
$body$
        $create$,
            kept,
            each_column(kept, false, '%1$I = k.%1$I + due.%1$I'),
            each_column(kept, true, 'k.%1$I = due.%1$I', ' AND '),
            each_column(kept, true, 'f.%1$I = due.%1$I', ' AND '),
            each_column(kept, false, 'abs(f.%I)'),
            each_column(kept, true, '%I'),
            each_column(kept, false, '%I'),
            each_column(kept, true, 'due.%I') || ', ' || each_column(kept, false, 'due.%I')
        );
    END LOOP;
END
$do$;
