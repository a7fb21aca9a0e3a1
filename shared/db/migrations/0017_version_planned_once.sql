-- before the code
-- The same version, asked for at every request with a key: in PL/pgSQL its query is planned once for a
-- connection, while a function in SQL with an aggregate is read and planned anew at each call.
CREATE OR REPLACE FUNCTION report_version(business bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(string_agg(slot || '.' || version, '-' ORDER BY slot), '0')
        FROM report_versions WHERE business_id = business
    );
END
$$;
