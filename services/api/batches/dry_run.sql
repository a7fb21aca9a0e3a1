-- What a dry run reads beside the customers.

-- name: hold_turn
-- Whether no other dry run of business $1 is under way, in whatever process; none can be until this transaction
-- ends.
SELECT pg_try_advisory_xact_lock(hashtextextended('dry runs', $1))

-- name: charged
-- The recipients of business $1 that are due on the day of $2, and those accepted today, both in UTC.
SELECT (SELECT coalesce(sum(used), 0) FROM due_recipients
        WHERE business_id = $1 AND day = ($2::timestamptz AT TIME ZONE 'UTC')::date) AS due,
       (SELECT coalesce(sum(used), 0) FROM daily_recipients
        WHERE business_id = $1 AND day = (now() AT TIME ZONE 'UTC')::date) AS accepted

-- name: in_order
-- The ids of the customers that `ids` selects, in order.
SELECT id FROM ({ids}) selected ORDER BY id
