-- name: income_by_customers
-- The report's rows, in its order, each as one line of JSON: of business $1 from $2 to $3 (dates,
-- inclusive), of the customers with ids from $4 to $5 (the same one twice for one customer).
-- Reads kept figures only (see migrations 0004 to 0008): as many rows as the customers have periods.
-- OFFSET 0 keeps the planner to one index lookup for each period.
WITH billed AS MATERIALIZED (
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
    FROM kept_periods_within($1, $2, $3) AS within (period)
    CROSS JOIN LATERAL (
        SELECT * FROM kept_periods
        WHERE business_id = $1 AND period = within.period AND customer_id BETWEEN $4 AND $5
        OFFSET 0
    ) k
    GROUP BY k.customer_id
), receivable AS (
    SELECT customer_id, (sum(billed) - sum(manual) - sum(online)) * 0.0001 AS amount
    FROM kept_periods
    WHERE business_id = $1 AND period = 0 AND customer_id BETWEEN $4 AND $5
    GROUP BY customer_id
), held AS (
    SELECT customer_id, trim_scale(sum(amount) * 0.0001) AS amount
    FROM kept_deposits
    WHERE business_id = $1 AND customer_id BETWEEN $4 AND $5
    GROUP BY customer_id
)
SELECT
    concat(
        c.report_head, coalesce(to_json(g.name)::text, '"Uncategorised"'),
        ',"category_id":', coalesce(c.category_id, 1),
        ',"deposit_amount":', coalesce(held.amount, 0),
        ',"deposit_account_id":', coalesce(c.deposit_account_id::text, 'null'),
        ',"archived":', c.archived,
        ',"amount_due":', coalesce(b.due, 0),
        ',"invoice_count":', coalesce(b.invoices, 0),
        ',"balance":', c.balance,
        ',"amount_paid":', CASE WHEN b.manual_count > 0 THEN b.manual::text ELSE 'null' END,
        ',"online_amount_paid":', CASE WHEN b.online_count > 0 THEN b.online::text ELSE 'null' END,
        ',"dateFrom":"', $2::date, '","dateTo":"', $3::date, '","average_payment_terms":',
        CASE WHEN b.paid_in_full > 0 THEN trim_scale(round(b.days / b.paid_in_full, 2)) ELSE 0 END,
        ',"owing":', coalesce(trim_scale(b.due - b.manual - b.online), 0),
        ',"total_paid":', coalesce(trim_scale(b.manual + b.online), 0),
        ',"invoices":', coalesce(b.invoices, 0), '}'
    ) AS row
FROM (
    SELECT
        c.id, c.report_head, c.category_id, c.deposit_account_id, c.archived,
        trim_scale(c.opening_balance + coalesce(receivable.amount, 0)) AS balance
    FROM customers c LEFT JOIN receivable ON receivable.customer_id = c.id
    WHERE c.business_id = $1 AND c.id BETWEEN $4 AND $5
) c
LEFT JOIN categories g ON g.business_id = $1 AND g.id = c.category_id
LEFT JOIN billed b ON b.customer_id = c.id
LEFT JOIN held ON held.customer_id = c.id
ORDER BY c.balance DESC, c.id
