-- Returned mails that match no delivery.

-- name: count
-- Counts a mail of $1 bytes today (in UTC), as one of nobody's business. Returns whether there are not more than $2
-- mails and $3 bytes with it; if there are, one of the two may be counted.
WITH counted AS (
    INSERT INTO daily_counts AS d (business_id, kind, day, used)
    SELECT -1, mail.kind, (now() AT TIME ZONE 'UTC')::date, mail.number
    FROM (VALUES ('bytes of returned mails', $1::integer), ('returned mails', 1)) AS mail (kind, number)
    ON CONFLICT (business_id, kind) DO UPDATE SET
        used = CASE WHEN d.day < excluded.day THEN excluded.used ELSE d.used + excluded.used END,
        day = greatest(d.day, excluded.day)
    WHERE d.day < excluded.day
       OR d.used + excluded.used <= CASE d.kind WHEN 'returned mails' THEN $2::integer ELSE $3::integer END
    RETURNING true
)
SELECT count(*) = 2 FROM counted
