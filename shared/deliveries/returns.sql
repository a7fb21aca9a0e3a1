-- The transitions that returned mails make. The README has the rules that all of them keep.

-- name: settle_returned
-- What returned mails change about the deliveries $ids, each of which is there once: its state becomes `bounced` or
-- `complained`, if it was handed over; and its address is suppressed, if there is a code for it. Returns of each which
-- of both happened. An attempt that is in doubt can no longer decide afterwards.
WITH said AS (
    SELECT * FROM unnest($ids::uuid[], $states::text[], $reasons::text[], $reason_codes::text[],
                         $suppressed_codes::text[])
        AS s (id, state, reason, reason_code, suppressed_code)
), mine AS MATERIALIZED (
    SELECT d.id, d.business_id, d.email_key, d.state IN ('sent', 'in_doubt') AS is_moved
    FROM (SELECT id FROM said ORDER BY id) AS s
    CROSS JOIN LATERAL (
        SELECT id, business_id, email_key, state FROM deliveries WHERE id = s.id OFFSET 0 FOR NO KEY UPDATE
    ) AS d
), moved AS (
    UPDATE deliveries d SET
        state = s.state,
        token = d.token + 1,
        reason = s.reason,
        reason_code = s.reason_code,
        lease_until = NULL,
        updated_at = clock_timestamp()
    FROM mine, said s WHERE mine.is_moved AND d.id = mine.id AND s.id = d.id
), unwanted AS MATERIALIZED (
    SELECT DISTINCT ON (m.business_id, m.email_key) m.id, m.business_id, m.email_key, s.reason, s.suppressed_code
    FROM mine m JOIN said s USING (id)
    WHERE s.suppressed_code IS NOT NULL AND m.email_key NOT LIKE 'erased-%@erased.invalid'
    ORDER BY m.business_id, m.email_key, m.id
), suppressed AS (
    INSERT INTO suppressions (business_id, email_key, reason, reason_code)
    SELECT business_id, email_key, reason, suppressed_code FROM unwanted ORDER BY business_id, email_key
    ON CONFLICT DO NOTHING
    RETURNING business_id, email_key
)
SELECT m.id, m.is_moved, s.email_key IS NOT NULL AS is_suppressed
FROM mine m
    LEFT JOIN unwanted u USING (id)
    LEFT JOIN suppressed s ON s.business_id = u.business_id AND s.email_key = u.email_key
