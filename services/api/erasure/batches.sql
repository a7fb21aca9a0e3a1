-- Personal data in batches, frozen lists and schedules.

-- name: stop_waiting
-- Skips customer $2 wherever it waits in a batch of business $1. The batches are locked first, as a step of the
-- relay locks them.
WITH held AS MATERIALIZED (
    SELECT b.id FROM batches b
    WHERE b.business_id = $1 AND b.phase IN ('scheduled', 'waiting', 'expanding')
      AND EXISTS (SELECT FROM batch_customers c WHERE c.batch_id = b.id AND c.customer_id = $2)
    ORDER BY b.id
    FOR NO KEY UPDATE
)
UPDATE batch_customers c SET reason = 'cancelled by the operator', reason_code = 'cancelled', recipients = NULL
FROM held WHERE c.batch_id = held.id AND c.customer_id = $2 AND c.send_id IS NULL AND c.reason_code IS NULL

-- name: waits
-- Whether customer $2 of business $1 waits in a batch that will be expanded.
SELECT EXISTS (
    SELECT FROM batches b JOIN batch_customers c ON c.batch_id = b.id AND c.customer_id = $2
    WHERE b.business_id = $1 AND b.phase IN ('scheduled', 'waiting', 'expanding')
      AND c.send_id IS NULL AND c.reason_code IS NULL)

-- name: erase_customers
-- Removes the addresses of customer $2 from the batches of business $1, and the sentences that may quote them.
UPDATE batch_customers c
SET recipients = NULL, reason = CASE WHEN c.reason IS NOT NULL THEN 'erased' END
FROM batches b
WHERE b.business_id = $1 AND c.batch_id = b.id AND c.customer_id = $2
  AND (c.recipients IS NOT NULL OR c.reason IS NOT NULL)

-- name: erase_listed
-- Takes customer $2, and whoever has one of the addresses $3, off the frozen lists of business $1.
DELETE FROM frozen_list_customers c USING frozen_lists f
WHERE f.business_id = $1 AND c.list_id = f.id AND (c.customer_id = $2 OR c.recipients && $3::text[])

-- name: erase_recipients
-- Removes the addresses $2 from what the batches of business $1 keep of a frozen list. A customer who still has one
-- of them in the ledger is then skipped.
UPDATE batch_customers c
SET recipients = ARRAY(SELECT r FROM unnest(c.recipients) r WHERE r <> ALL ($2::text[]))
FROM batches b
WHERE b.business_id = $1 AND c.batch_id = b.id AND c.recipients && $2::text[]

-- name: mask_reasons
-- Masks the address $2, which the pattern $3 finds, in the sentences that say why batches of business $1 skip
-- customers: such a sentence may quote a mail server.
UPDATE batch_customers c SET reason = regexp_replace(c.reason, $3, '\1erased@erased.invalid', 'gi')
FROM batches b
WHERE b.business_id = $1 AND c.batch_id = b.id AND strpos(lower(c.reason), $2) > 0 AND c.reason ~* $3

-- name: erase_message
-- Removes the message of batches of business $1 that were for customer $2 alone.
UPDATE batches b SET personal_message = NULL
WHERE b.business_id = $1 AND b.customers = 1 AND b.personal_message IS NOT NULL
  AND EXISTS (SELECT FROM batch_customers c WHERE c.batch_id = b.id AND c.customer_id = $2)

-- name: erase_requests
-- Removes the addresses $2 from the further recipients of what business $1 has in the table `requests`, and searches
-- for them.
UPDATE {requests} SET
    other_emails = ARRAY(SELECT e FROM unnest(other_emails) e WHERE lower(e) <> ALL ($2::text[])),
    filter = CASE WHEN lower(filter ->> 'q') = ANY ($2::text[])
                  THEN filter || jsonb_build_object('q', 'erased@erased.invalid') ELSE filter END
WHERE business_id = $1
  AND (lower(filter ->> 'q') = ANY ($2::text[])
       OR EXISTS (SELECT FROM unnest(other_emails) e WHERE lower(e) = ANY ($2::text[])))
