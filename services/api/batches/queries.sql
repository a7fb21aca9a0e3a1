-- Accepting, showing and cancelling batches.

-- name: look
-- What a request of business $1 has to know, and the time of the database. A batch of an occurrence does
-- not count as open: schedules have bounds of their own.
SELECT now() AS asked_at, b.timezone, left(b.email, 4001) AS email,
       (SELECT count(*) FROM batches o
        WHERE o.business_id = b.id AND o.occurrence IS NULL
          AND o.phase IN ('scheduled', 'waiting', 'expanding', 'sending'))::integer AS open,
       (SELECT count(*) FROM batches w WHERE w.business_id = b.id AND w.phase = 'waiting')::integer AS waiting
FROM businesses b
WHERE b.id = $1

-- name: hold_turn
-- Whether no other batch of business $1 is being accepted; none can be until this transaction ends. Postgres ends
-- it if its process hangs, because it keeps the counts of the quota from all other sends of the business, too.
SELECT pg_try_advisory_xact_lock(hashtextextended('batches', $1))
FROM set_config('idle_in_transaction_session_timeout', '10s', true)

-- name: wait_for_turn
-- Takes the turn of `hold_turn`, once no other batch of business $1 is being accepted.
SELECT pg_advisory_xact_lock(hashtextextended('batches', $1))

-- name: accept
-- Stores a batch whose customers and possible recipients the table `sized` has counted. The recipients count
-- towards the quota of the day in UTC on which they are due, and four times as many may be accepted on one
-- day: too many violate `due_quota` or `daily_quota`. A batch that waits for a day with room counts nothing yet.
-- Days travel as text, because asyncpg takes the first and the last day of the calendar for the two infinities.
WITH {sized}, stored AS (
    INSERT INTO batches (id, business_id, phase, date_from, date_to, filter, personal_message, other_emails,
                         copy_to_me, statement_kind, locale, skip_empty, min_balance, frozen_list,
                         schedule_id, occurrence, send_at, expires_at, created_at, updated_at, customers,
                         charged, reason, reason_code, traceparent)
    SELECT $id::uuid, $business::bigint,
           CASE WHEN s.customers = 0 THEN 'done' ELSE $phase::text END, $start::text::date, $end::text::date,
           $filter::text::jsonb, $personal_message::text, $other_emails::text[], $copy_to_me::boolean,
           $statement_kind::text, $locale::text, $skip_empty::boolean, $min_balance::numeric,
           $frozen_list::uuid, $schedule::uuid, $occurrence::text::date, $send_at::timestamptz,
           $expires_at::timestamptz, $created_at::timestamptz, $created_at, s.customers,
           CASE WHEN $phase <> 'waiting' THEN s.recipients ELSE 0 END, $reason::text, $reason_code::text,
           $trace::text
    FROM sized s
    -- Last of all, because other sends of the business wait for these counts until the transaction ends.
    WHERE CASE WHEN s.stored >= 0 AND s.is_within AND $phase <> 'waiting' AND s.customers BETWEEN 1 AND $customers_max
               THEN count_due_recipients($business, ($send_at AT TIME ZONE 'UTC')::date, s.recipients,
                                         $daily_quota)
                    AND count_recipients($business, s.recipients,
                                         least(4 * $daily_quota::bigint, 2147483647)::integer)
               ELSE true END
    RETURNING customers
)
SELECT stored.customers, sized.is_within FROM stored, sized

-- name: of_filters
-- Counts the customers that `ids` selects, one more than a batch may have if there are so many, with their
-- recipients, and stores them. They are stored only if the batch may be: whoever asks again and again for more
-- would fill the table with rows that are rolled back.
chosen AS MATERIALIZED (
    SELECT c.id, least($recipients_max::integer, {recipients}) AS recipients
    FROM ({ids}) found JOIN customers c ON c.business_id = $business AND c.id = found.id
    ORDER BY c.id
    LIMIT $customers_max::integer + 1
), counted AS MATERIALIZED (
    SELECT count(*)::integer AS customers, coalesce(sum(recipients), 0)::integer AS recipients FROM chosen
), {counted_today}, added AS (
    INSERT INTO batch_customers (batch_id, customer_id, charged)
    SELECT $id, chosen.id, chosen.recipients FROM chosen CROSS JOIN counted
    WHERE counted.customers <= $customers_max AND (counted.recipients <= $daily_quota OR $phase = 'waiting')
      AND (SELECT is_within FROM within)
    RETURNING 1
), sized AS MATERIALIZED (
    SELECT customers, recipients, is_within, (SELECT count(*) FROM added) AS stored FROM counted, within
)

-- name: counted_today
-- Counts the customers that the table `counted` has counted towards those that the business may store in batches
-- on one day in UTC, as count_today of services/api/access does; is_within is false, and nothing counted, if there
-- would be too many. Customers who are skipped, or whose batch is cancelled, stay counted: their rows stay, too.
today AS (
    INSERT INTO daily_counts AS d (business_id, kind, day, used)
    SELECT $business, 'customers of batches', (now() AT TIME ZONE 'UTC')::date, customers
    FROM counted WHERE customers BETWEEN 1 AND $customers_max
    ON CONFLICT (business_id, kind) DO UPDATE SET
        used = CASE WHEN d.day < excluded.day THEN excluded.used ELSE d.used + excluded.used END,
        day = greatest(d.day, excluded.day)
    WHERE d.day < excluded.day OR d.used + excluded.used <= $customers_a_day::integer
    RETURNING 1
), within AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM today) OR customers NOT BETWEEN 1 AND $customers_max AS is_within FROM counted
)

-- name: most_recipients
-- The most recipients that the customer c can have: as many as its stored text can have addresses, and those
-- that all customers share; none if it has no address.
CASE WHEN btrim(coalesce(c.business_email, '')) = '' THEN 0
     ELSE $shared::integer + 1 + length(left(c.business_email, 4001))
          - length(translate(left(c.business_email, 4001), ',;', '')) END

-- name: of_list
-- The customers and recipients of a frozen list.
counted AS (
    SELECT $customers::integer AS customers, $recipients::integer AS recipients
), {counted_today}, sized AS (
    SELECT customers, recipients, is_within, 0 AS stored FROM counted, within
)

-- name: batches
-- Batches with how far each has come; `chosen` is one of the queries below. Every count reads only an index,
-- and of an index only the part of its batch.
SELECT b.id, b.business_id, b.date_from::text AS start, b.date_to::text AS end, b.filter::text AS filter,
       b.personal_message, b.other_emails, b.copy_to_me, b.statement_kind, b.locale, b.skip_empty,
       trim_scale(b.min_balance) AS min_balance, b.frozen_list, b.schedule_id, b.occurrence, b.send_at,
       b.expires_at, b.created_at, b.reason, b.reason_code, b.customers, b.is_last,
       CASE WHEN b.phase = 'scheduled' AND b.send_at <= now() THEN 'expanding' ELSE b.phase END AS status,
       b.phase IN ('scheduled', 'waiting', 'expanding', 'sending') AND EXISTS (
           SELECT FROM pauses WHERE business_id = b.business_id OR business_id IS NULL) AS paused,
       mails.counts, omitted.skipped, omitted.customers AS skipped_customers,
       (SELECT count(*)::integer FROM batch_customers
        WHERE batch_id = b.id AND send_id IS NULL AND reason_code IS NULL) AS waiting,
       (SELECT count(*)::integer FROM sends
        WHERE batch_id = b.id AND status IN ('scheduled', 'sending')) AS unfinished
FROM (
{chosen}
) b
CROSS JOIN LATERAL (
    SELECT coalesce(json_object_agg(state, number ORDER BY state), '{}') AS counts
    FROM (SELECT CASE state WHEN 'committing' THEN 'sending' ELSE state END AS state, count(*) AS number
          FROM deliveries WHERE batch_id = b.id GROUP BY 1) of_state
) mails
CROSS JOIN LATERAL (
    SELECT coalesce(json_object_agg(reason_code, number ORDER BY reason_code), '{}') AS skipped,
           coalesce(sum(number), 0)::integer AS customers
    FROM (SELECT reason_code, count(*) AS number FROM batch_customers
          WHERE batch_id = b.id AND reason_code IS NOT NULL GROUP BY 1) of_reason
) omitted
ORDER BY b.created_at DESC, b.id DESC

-- name: by_id
-- One batch of a business.
SELECT *, true AS is_last FROM batches WHERE business_id = $business::bigint AND id = $id::uuid

-- name: some
-- The newest batches before the time $before and the id $before_id, and not before $since, that meet each
-- `condition`: at most $count, and fewer if they have very many customers together, because counting what
-- became of those customers takes time. is_last is whether no batch follows the row.
SELECT * FROM (
    SELECT *, lead(id) OVER newest IS NULL AS is_last, sum(customers) OVER newest - customers AS customers_before
    FROM (
        SELECT * FROM batches
        WHERE created_at >= $since::timestamptz AND (created_at, id) < ($before::timestamptz, $before_id::uuid)
          AND {condition}
        ORDER BY created_at DESC, id DESC
        LIMIT $count::bigint + 1
    ) found
    WINDOW newest AS (ORDER BY created_at DESC, id DESC)
) counted
WHERE customers_before < $customers::bigint
ORDER BY created_at DESC, id DESC
LIMIT $count

-- name: everywhere
-- Batches of all businesses.
true

-- name: of_business
-- Batches of one business.
business_id = $business::bigint

-- name: of_schedule
-- Batches of one schedule.
schedule_id = $schedule::uuid

-- name: of_status
-- Batches of one status.
CASE WHEN phase = 'scheduled' AND send_at <= now() THEN 'expanding' ELSE phase END = $status::text

-- name: is_batch
-- Whether business $1 has the batch $2.
SELECT EXISTS (SELECT FROM batches WHERE business_id = $1 AND id = $2)

-- name: skipped
-- At most $5 of the customers that the batch $2 of business $1 skipped after the customer $3, by id, and only
-- those with the reason code $4 (NULL: any).
SELECT s.customer_id, c.business_name, s.reason, s.reason_code
FROM batch_customers s LEFT JOIN customers c ON c.business_id = $1 AND c.id = s.customer_id
WHERE s.batch_id = $2 AND s.customer_id > $3 AND s.reason_code IS NOT NULL
  AND ($4::text IS NULL OR s.reason_code = $4)
ORDER BY s.customer_id
LIMIT $5

-- name: waiting
-- What a batch that waits for a day with room has to know: locked until the transaction ends.
SELECT b.business_id, b.copy_to_me, cardinality(b.other_emails) AS others, left(s.email, 4001) AS email,
       now() AS asked_at
FROM batches b JOIN businesses s ON s.id = b.business_id
WHERE b.id = $1 AND b.phase = 'waiting'
FOR NO KEY UPDATE OF b

-- name: admit
-- Counts the recipients of a batch that waits towards the quota of today, as `accept` does, and makes it due now.
-- Its customers are written only if there is room: a batch may wait for many days, and is asked once a minute. One
-- that is not in the ledger any more is charged nothing, or others would use what nobody paid for.
WITH counted AS MATERIALIZED (
    SELECT w.customer_id,
           CASE WHEN c.id IS NULL THEN 0 ELSE least($recipients_max::integer, {recipients}) END AS recipients
    FROM batch_customers w LEFT JOIN customers c ON c.business_id = $business::bigint AND c.id = w.customer_id
    WHERE w.batch_id = $id::uuid
), sized AS MATERIALIZED (
    SELECT coalesce(sum(recipients), 0)::integer AS recipients FROM counted
), admitted AS (
    UPDATE batches b SET
        phase = 'expanding', send_at = now(), expires_at = $expires_at::timestamptz, charged = sized.recipients,
        reason = NULL, reason_code = NULL, updated_at = now()
    FROM sized
    WHERE b.id = $id
      AND count_due_recipients($business, (now() AT TIME ZONE 'UTC')::date, sized.recipients, $daily_quota::integer)
      AND count_recipients($business, sized.recipients, least(4 * $daily_quota::bigint, 2147483647)::integer)
    RETURNING b.id
)
UPDATE batch_customers w SET charged = counted.recipients
FROM admitted, counted
WHERE w.batch_id = $id AND w.customer_id = counted.customer_id AND w.charged IS DISTINCT FROM counted.recipients

-- name: business_of
-- The business that has the batch $1.
SELECT business_id FROM batches WHERE id = $1
