-- before the code
-- Amounts and averages as numbers whose text is JSON's. Double precision is written in half the time of
-- numeric: a report takes it where it is exact.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Units of 0.0001 as an amount. Below 500,000,000,000 the double precision next to an amount is next to
-- no other one with four decimals, so that its shortest text is the amount.
CREATE FUNCTION units_number(units numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
    'SELECT trim_scale(units * 0.0001)';
CREATE FUNCTION units_number(units bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
    'SELECT units / 10000.0::double precision';

-- The same units, or an error where they are more than a third of that, so that three of them can be
-- added up: the product does not fit.
CREATE FUNCTION units_bounded(units numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT units';
CREATE FUNCTION units_bounded(units bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT units * 6000 / 6000';

-- The average of whole days, to two decimals, halves away from zero; of no documents it is 0.
CREATE FUNCTION average_days(days numeric, documents numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN documents > 0 THEN trim_scale(round(days / documents, 2)) ELSE 0 END';
CREATE FUNCTION average_days(days bigint, documents bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN documents > 0 THEN
        (200 * days + CASE WHEN days < 0 THEN -documents ELSE documents END) / (2 * documents)
        / 100.0::double precision
    ELSE 0 END
$$;
