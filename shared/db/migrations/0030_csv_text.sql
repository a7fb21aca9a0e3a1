-- before the code
-- A text as a field of CSV (RFC 4180), always in quotes, so that an empty text and NULL (nothing) stay apart.
-- A text that a spreadsheet would take for a formula begins with an apostrophe: one that begins with tab (9),
-- CR (13), =, +, -, @ or the full-width form of one of these four.
CREATE FUNCTION csv_text(value text) RETURNS text
LANGUAGE sql IMMUTABLE
AS $function$
    SELECT CASE
        WHEN value IS NULL THEN ''
        WHEN ascii(value) IN (9, 13, 43, 45, 61, 64, 65291, 65293, 65309, 65312)
            THEN '"''' || replace(value, '"', '""') || '"'
        ELSE '"' || replace(value, '"', '""') || '"'
    END
$function$;
