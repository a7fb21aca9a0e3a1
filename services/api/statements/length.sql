-- How long a statement would be.

-- name: is_too_long
-- Whether a statement would have more than $most_lines lines and open items, as far as the latest $looked
-- documents until its end tell. They are looked at from the latest on, and no more of them than are needed, so that
-- the time is bounded; it is never true of a statement that can be made.
SELECT count(*) > $most_lines::int
FROM (
    SELECT
    FROM (
        SELECT coalesce($kind::text, g.statement_kind, 'activity') AS kind
        FROM businesses b LEFT JOIN branding g ON g.business_id = b.id
        WHERE b.id = $business
    ) meant
    CROSS JOIN (
        SELECT id, issue_date, CASE kind WHEN 'invoice' THEN total ELSE -total END AS total
        FROM invoices
        WHERE business_id = $business AND customer_id = $customer AND status = 'issued' AND issue_date <= $end
        ORDER BY issue_date DESC
        LIMIT $looked::int
    ) i
    CROSS JOIN LATERAL (
        SELECT 1 WHERE meant.kind <> 'open-items' AND i.issue_date >= $start
        UNION ALL
        SELECT 1 FROM payments
        WHERE meant.kind <> 'open-items' AND business_id = $business AND invoice_id = i.id
          AND status = 'settled' AND paid_on >= $start AND paid_on <= $end
        UNION ALL
        SELECT 1 WHERE meant.kind <> 'activity' AND i.total <> (
            SELECT coalesce(sum(amount), 0) FROM payments
            WHERE business_id = $business AND invoice_id = i.id AND status = 'settled' AND paid_on <= $end)
    ) line
    LIMIT $most_lines + 1
) first
