-- What delays a batch.

-- name: waiting
-- The mails of business $1 that are due by $2 and not finished, by the domains of their recipients.
SELECT split_part(email_key, '@', 2) AS domain, count(*) AS number FROM (
    SELECT email_key FROM deliveries
    WHERE business_id = $1 AND state IN ('scheduled', 'deferred') AND due_at <= $2
    UNION ALL
    SELECT email_key FROM deliveries
    WHERE state IN ('queued', 'sending', 'committing') AND business_id = $1
) open
GROUP BY 1

-- name: unexpanded
-- The number of customers of business $1's batches due by $2 who wait for a send.
SELECT count(*) FROM batches b JOIN batch_customers c ON c.batch_id = b.id
WHERE b.business_id = $1 AND b.phase IN ('scheduled', 'expanding') AND b.send_at <= $2
  AND c.send_id IS NULL AND c.reason_code IS NULL
