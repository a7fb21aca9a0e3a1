-- name: version
-- What changes in every transaction that can change a report of business $1, and never comes back.
SELECT report_version($1)

-- name: income_by_customers
-- The report's rows, in its order, each as one line of JSON: of business $1 from $2 to $3 (dates,
-- inclusive), of the customers with ids from $4 to $5 (the same one twice for one customer).
-- Reads kept figures only (migrations 0004 to 0009), by index lookups for each year, month and day
-- that make up [$2, $3], which OFFSET 0 holds the planner to. What one document was paid may not fit
-- into a bigint of 0.0001 units: such ones come in parts. asyncpg makes infinities of the first and
-- the last date that Python knows.
WITH billed AS (
    SELECT
        k.customer_id,
        trim_scale(sum(k.billed) * 0.0001) AS due,
        sum(k.invoices) AS invoices,
        trim_scale(sum(k.manual) * 0.0001) AS manual,
        sum(k.manual_count) AS manual_count,
        trim_scale(sum(k.online) * 0.0001) AS online,
        sum(k.online_count) AS online_count,
        sum(k.days) AS days,
        sum(k.paid_in_full) AS paid_in_full
    FROM periods_within($1, $2, $3) AS within (period)
    CROSS JOIN LATERAL (
        SELECT
            customer_id, billed, manual, online, days, invoices, manual_count, online_count,
            paid_in_full
        FROM kept_periods
        WHERE business_id = $1 AND period = within.period AND customer_id BETWEEN $4 AND $5
        UNION ALL
        SELECT
            customer_id, (billed * 10000)::bigint, (manual * 10000)::bigint,
            (online * 10000)::bigint, days, invoices, manual_count, online_count, paid_in_full
        FROM kept_documents
        WHERE business_id = $1 AND day = within.period AND customer_id BETWEEN $4 AND $5
            AND greatest(abs(manual), abs(online)) < 100000000000000
        UNION ALL
        SELECT
            customer_id, in_parts(billed * 10000, part, parts),
            in_parts(manual * 10000, part, parts), in_parts(online * 10000, part, parts),
            days * first, invoices * first, manual_count * first, online_count * first,
            paid_in_full * first
        FROM kept_documents
        CROSS JOIN LATERAL parts_of(greatest(abs(manual), abs(online)) * 10000) parts
        CROSS JOIN LATERAL generate_series(1, parts) part
        CROSS JOIN LATERAL (SELECT (part = 1)::int) f (first)
        WHERE business_id = $1 AND day = within.period AND customer_id BETWEEN $4 AND $5
            AND greatest(abs(manual), abs(online)) >= 100000000000000
        OFFSET 0
    ) k
    GROUP BY k.customer_id
), totals AS (
    SELECT customer_id, sum(receivable) * 0.0001 AS receivable,
        trim_scale(sum(deposited) * 0.0001) AS deposited
    FROM kept_totals
    WHERE business_id = $1 AND customer_id BETWEEN $4 AND $5
    GROUP BY customer_id
), named AS MATERIALIZED (
    SELECT id, concat(to_json(name), ',"category_id":', id, ',"deposit_amount":') AS category
    FROM categories
    WHERE business_id = $1
)
SELECT
    concat(
        c.report_head, coalesce(n.category, '"Uncategorised","category_id":1,"deposit_amount":'),
        coalesce(c.deposited, 0), c.report_middle, coalesce(b.due, 0),
        ',"invoice_count":', coalesce(b.invoices, 0),
        ',"balance":', c.balance,
        ',"amount_paid":', CASE WHEN b.manual_count > 0 THEN b.manual::text ELSE 'null' END,
        ',"online_amount_paid":', CASE WHEN b.online_count > 0 THEN b.online::text ELSE 'null' END,
        (SELECT concat(',"dateFrom":"', greatest($2, '0001-01-01'), '","dateTo":"', least($3, '9999-12-31'))),
        '","average_payment_terms":',
        CASE WHEN b.paid_in_full > 0 THEN trim_scale(round(b.days / b.paid_in_full, 2)) ELSE 0 END,
        ',"owing":', coalesce(trim_scale(b.due - b.manual - b.online), 0),
        ',"total_paid":', coalesce(trim_scale(b.manual + b.online), 0),
        ',"invoices":', coalesce(b.invoices, 0), '}'
    ) AS row
FROM (
    SELECT
        c.id, c.report_head, c.report_middle, c.category_id, totals.deposited,
        trim_scale(c.opening_balance + coalesce(totals.receivable, 0)) AS balance
    FROM customers c LEFT JOIN totals ON totals.customer_id = c.id
    WHERE c.business_id = $1 AND c.id BETWEEN $4 AND $5
) c
LEFT JOIN named n ON n.id = c.category_id
LEFT JOIN billed b ON b.customer_id = c.id
ORDER BY c.balance DESC, c.id
