-- before the code
-- A time zone is one that IANA names. Postgres knows more of them: copies of its machine's files with leap
-- seconds (right/…) or without (posix/…), the machine's own (localtime), none at all (Factory),
-- abbreviations (PST), and rules of POSIX, in which UTC+3 lies west of Greenwich. They are not the same on
-- every machine, or show another hour than the business's clock does.
CREATE OR REPLACE FUNCTION is_timezone(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    PERFORM timestamp '2000-01-01' AT TIME ZONE name;
    RETURN name ~ ('^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe'
                   '|Indian|Mexico|Pacific|US)/[A-Za-z0-9_+/-]+$')
        OR name = ANY (ARRAY['CET', 'CST6CDT', 'Cuba', 'EET', 'EST', 'EST5EDT', 'Egypt', 'Eire', 'GB', 'GB-Eire',
            'GMT', 'GMT+0', 'GMT-0', 'GMT0', 'Greenwich', 'HST', 'Hongkong', 'Iceland', 'Iran', 'Israel',
            'Jamaica', 'Japan', 'Kwajalein', 'Libya', 'MET', 'MST', 'MST7MDT', 'NZ', 'NZ-CHAT', 'Navajo', 'PRC',
            'PST8PDT', 'Poland', 'Portugal', 'ROC', 'ROK', 'Singapore', 'Turkey', 'UCT', 'UTC', 'Universal',
            'W-SU', 'WET', 'Zulu']);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;

-- Businesses that have another one stay as they are, and `verify` names them; whoever writes such a row again
-- has to give it a time zone of IANA's.
ALTER TABLE businesses DROP CONSTRAINT businesses_timezone_is_iana;
ALTER TABLE businesses ADD CONSTRAINT businesses_timezone_is_iana CHECK (is_timezone(timezone)) NOT VALID;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM businesses WHERE is_timezone(timezone) IS NOT TRUE) THEN
        ALTER TABLE businesses VALIDATE CONSTRAINT businesses_timezone_is_iana;
    END IF;
END
$$;
