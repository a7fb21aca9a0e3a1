-- before the code
-- The report's rows as they are read: what does not change with the ledger is rendered once.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- The columns of a row from `id` to `account_id`. Immutable, though to_char and to_json are declared
-- less: of a timestamp without zone in digits, and of text, they depend on no setting.
CREATE FUNCTION report_head(
    id bigint, owner_id bigint, business_id bigint, first_name text, last_name text,
    phone_number text, business_name text, business_address text, business_phone text,
    business_location text, business_email text, created_at timestamp, updated_at timestamp,
    account_id bigint
) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN concat(
        '{"id":', id, ',"owner_id":', owner_id, ',"business_id":', business_id,
        ',"first_name":', coalesce(to_json(first_name)::text, 'null'),
        ',"last_name":', coalesce(to_json(last_name)::text, 'null'),
        ',"phone_number":', coalesce(to_json(phone_number)::text, 'null'),
        ',"business_name":', coalesce(to_json(business_name)::text, 'null'),
        ',"business_address":', coalesce(to_json(business_address)::text, 'null'),
        ',"business_phone":', coalesce(to_json(business_phone)::text, 'null'),
        ',"business_location":', coalesce(to_json(business_location)::text, 'null'),
        ',"business_email":', coalesce(to_json(business_email)::text, 'null'),
        ',"created_at":"', to_char(created_at, 'YYYY-MM-DD HH24:MI:SS'),
        '","updated_at":"', to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS'),
        '","account_id":', coalesce(account_id::text, 'null'), ',"category":'
    );
END
$$;

ALTER TABLE customers ADD COLUMN report_head text NOT NULL GENERATED ALWAYS AS (
    report_head(
        id, owner_id, business_id, first_name, last_name, phone_number, business_name,
        business_address, business_phone, business_location, business_email, created_at, updated_at,
        account_id
    )
) STORED;

-- The columns of a row from `deposit_account_id` to the name of `amount_due`.
ALTER TABLE customers ADD COLUMN report_middle text NOT NULL GENERATED ALWAYS AS (
    ',"deposit_account_id":' || coalesce(deposit_account_id::text, 'null')
        || ',"archived":' || archived::text || ',"amount_due":'
) STORED;

-- The opening balance as the sums have it, in units of 0.0001.
ALTER TABLE customers ADD COLUMN report_opening bigint NOT NULL
    GENERATED ALWAYS AS ((opening_balance * 10000)::bigint) STORED;

-- An amount in units of 0.0001 as JSON's number; nothing is 0.
CREATE FUNCTION units_text(units numeric) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT coalesce(trim_scale(units * 0.0001)::text, ''0'')';
CREATE FUNCTION units_text(units bigint) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT coalesce(trim_scale(units * 0.0001)::text, ''0'')';

-- The sum of bigints as a bigint, or an error where it does not fit.
CREATE AGGREGATE sum_units(bigint) (sfunc = int8pl, stype = bigint, combinefunc = int8pl, parallel = safe);

CREATE FUNCTION ledger_rows_changed() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $$
DECLARE
    businesses bigint[];
BEGIN
    CASE TG_OP
    WHEN 'INSERT' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM new_rows ORDER BY 1);
    WHEN 'UPDATE' THEN
        businesses := ARRAY(
            SELECT business_id FROM new_rows UNION SELECT business_id FROM old_rows ORDER BY 1
        );
    WHEN 'DELETE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM old_rows ORDER BY 1);
    WHEN 'TRUNCATE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM report_versions ORDER BY 1);
    END CASE;
    PERFORM note_change(businesses);
    RETURN NULL;
END
$$;

CALL add_triggers('customers', 'note', 'ledger_rows_changed');
CALL add_triggers('categories', 'note', 'ledger_rows_changed');
DROP PROCEDURE add_triggers;
CREATE TRIGGER note_truncated AFTER TRUNCATE ON customers
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_truncated AFTER TRUNCATE ON categories
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();

-- The fewest years, months and days that together are [first, last], where the business has documents
-- at all: at most 60 days, 22 months, and the years from its first document to its last.
CREATE FUNCTION periods_within(business bigint, first date, last date) RETURNS SETOF int
LANGUAGE plpgsql STABLE ROWS 20 AS $$
DECLARE
    oldest int;
    newest int;
    day date;
    until date;
    year int;
    month date;
BEGIN
    SELECT
        (SELECT period FROM kept_periods WHERE business_id = business
            ORDER BY business_id, period LIMIT 1) / 10000,
        (SELECT period FROM kept_periods WHERE business_id = business
            ORDER BY business_id DESC, period DESC LIMIT 1) / 10000
    INTO oldest, newest;
    day := greatest(first, make_date(oldest, 1, 1));
    until := least(last, make_date(newest, 12, 31));
    WHILE oldest IS NOT NULL AND day <= until LOOP
        year := extract(year FROM day);
        IF day = make_date(year, 1, 1) AND until >= make_date(year, 12, 31) THEN
            RETURN NEXT year * 10000;
            EXIT WHEN year = 9999;
            day := make_date(year + 1, 1, 1);
        ELSE
            month := date_trunc('month', day::timestamp) + interval '1 month';
            IF extract(day FROM day) = 1 AND until >= month - 1 THEN
                RETURN NEXT year * 10000 + extract(month FROM day)::int * 100;
                day := month;
            ELSE
                RETURN NEXT year * 10000 + extract(month FROM day)::int * 100
                    + extract(day FROM day)::int;
                day := day + 1;
            END IF;
        END IF;
    END LOOP;
END
$$;
