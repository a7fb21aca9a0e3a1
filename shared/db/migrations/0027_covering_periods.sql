-- before the code
-- The periods whose sums make up a range of days: sums are additive, so some of them may be taken away.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- The cheapest years, quarters, months and days that together are [first, last], each added (sign 1) or
-- taken away (sign -1), where the business has figures at all: at most 36 days, 4 months, 4 quarters, and
-- the years from the first with figures to the last.
--
-- A range is the way from its first day to the day after its last. From either end it leads to the start
-- of a month, from there to that of a quarter, and from there to that of a year, forwards or backwards.
-- If both ends meet on one level, the way is straight. A day costs 1, a month 7, a quarter and a year 8:
-- so long it takes to read one if a customer has about two documents a month.
CREATE FUNCTION periods_covering(business bigint, first date, last date)
RETURNS TABLE (period int, sign int) LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    epoch CONSTANT date := '0001-01-01';
    oldest int;
    newest int;
    -- The two ends: days since the epoch, and months since year 0.
    day int;
    until int;
    month int;
    until_month int;
    month_day int;
    until_month_day int;
    cost int;
    least_cost int;
    -- For each part of the way: where it begins and ends, and how far one step goes.
    starts int[];
    ends int[];
    sizes CONSTANT int[] := '{1,1,1,1,3,3,12}';
BEGIN
    SELECT
        (SELECT k.period FROM kept_periods k WHERE k.business_id = business
            ORDER BY k.business_id, k.period LIMIT 1) / 10000,
        (SELECT k.period FROM kept_periods k WHERE k.business_id = business
            ORDER BY k.business_id DESC, k.period DESC LIMIT 1) / 10000
    INTO oldest, newest;
    first := greatest(first, make_date(oldest, 1, 1));
    last := least(last, make_date(newest, 12, 31)) + 1;
    IF oldest IS NULL OR first >= last THEN
        RETURN;
    END IF;
    day := first - epoch;
    until := last - epoch;
    month := date_part('year', first) * 12 + date_part('month', first) - 1;
    until_month := date_part('year', last) * 12 + date_part('month', last) - 1;
    FOR m IN month .. month + (date_part('day', first) > 1)::int LOOP
        month_day := make_date(m / 12, m % 12 + 1, 1) - epoch;
        FOR um IN until_month .. until_month + (date_part('day', last) > 1)::int LOOP
            until_month_day := make_date(um / 12, um % 12 + 1, 1) - epoch;
            FOR q IN m / 3 * 3 .. (m + 2) / 3 * 3 BY 3 LOOP
                FOR uq IN um / 3 * 3 .. (um + 2) / 3 * 3 BY 3 LOOP
                    FOR y IN q / 12 * 12 .. (q + 11) / 12 * 12 BY 12 LOOP
                        FOR uy IN uq / 12 * 12 .. (uq + 11) / 12 * 12 BY 12 LOOP
                            cost := CASE WHEN m = um THEN until - day
                                    ELSE abs(month_day - day) + abs(until - until_month_day) END
                                + CASE WHEN q = uq THEN abs(um - m) ELSE abs(q - m) + abs(um - uq) END * 7
                                + CASE WHEN y = uy THEN abs(uq - q) ELSE abs(y - q) + abs(uq - uy) END / 3 * 8
                                + abs(uy - y) / 12 * 8;
                            CONTINUE WHEN cost >= least_cost;
                            least_cost := cost;
                            starts := ARRAY[
                                day, CASE WHEN m = um THEN until ELSE until_month_day END,
                                m, CASE WHEN q = uq THEN um ELSE uq END,
                                q, CASE WHEN y = uy THEN uq ELSE uy END, y];
                            ends := ARRAY[
                                CASE WHEN m = um THEN until ELSE month_day END, until,
                                CASE WHEN q = uq THEN um ELSE q END, um,
                                CASE WHEN y = uy THEN uq ELSE y END, uq, uy];
                        END LOOP;
                    END LOOP;
                END LOOP;
            END LOOP;
        END LOOP;
    END LOOP;
    FOR part IN 1 .. 7 LOOP
        sign := pg_catalog.sign(ends[part] - starts[part]);
        CONTINUE WHEN sign = 0;
        FOR step IN least(starts[part], ends[part]) .. greatest(starts[part], ends[part]) - sizes[part]
            BY sizes[part]
        LOOP
            period := CASE
                WHEN part <= 2 THEN day_number(epoch + step)
                WHEN part <= 4 THEN step / 12 * 10000 + (step % 12 + 1) * 100
                WHEN part <= 6 THEN step / 12 * 10000 + 1300 + step % 12 / 3 * 100
                ELSE step / 12 * 10000
            END;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$$;
