-- name: version
-- What changes in every transaction that can change a report of business $1, and never comes back.
SELECT report_version($1)

-- name: income_by_customers
-- The report's rows, in its order, each as one line of JSON: of business $1 from $2 to $3 (dates,
-- inclusive), of the customers with ids from $4 to $5 (the same one twice for one customer).
-- Reads kept figures only (migrations 0004 to 0009), by index lookups for each year, month and day
-- that make up [$2, $3], which OFFSET 0 holds the planner to. Counts in {units} of 0.0001, by {sum}:
-- numeric by sum; or bigint by sum_units, which is faster and fails before the first row where one
-- does not fit. Rows are put in order before they are written as text, so that the first go out while
-- the last are still to be written. asyncpg makes infinities of the first and the last date that
-- Python knows.
WITH billed AS (
    SELECT
        k.customer_id,
        {sum}(k.billed) AS due,
        sum(k.invoices) AS invoices,
        {sum}(k.manual) AS manual,
        sum(k.manual_count) AS manual_count,
        {sum}(k.online) AS online,
        sum(k.online_count) AS online_count,
        {sum}(k.days) AS days,
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
            customer_id, (billed * 10000)::{units}, (manual * 10000)::{units},
            (online * 10000)::{units}, days, invoices, manual_count, online_count, paid_in_full
        FROM kept_documents
        WHERE business_id = $1 AND day = within.period AND customer_id BETWEEN $4 AND $5
        OFFSET 0
    ) k
    GROUP BY k.customer_id
), totals AS (
    SELECT customer_id, {sum}(receivable) AS receivable, {sum}(deposited) AS deposited
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
        report_head, coalesce(category, '"Uncategorised","category_id":1,"deposit_amount":'),
        units_text(deposited), report_middle, units_text(due),
        ',"invoice_count":', coalesce(invoices, 0),
        ',"balance":', units_text(balance),
        ',"amount_paid":', CASE WHEN manual_count > 0 THEN units_text(manual) ELSE 'null' END,
        ',"online_amount_paid":', CASE WHEN online_count > 0 THEN units_text(online) ELSE 'null' END,
        (SELECT concat(',"dateFrom":"', greatest($2, '0001-01-01'), '","dateTo":"', least($3, '9999-12-31'))),
        '","average_payment_terms":',
        CASE WHEN paid_in_full > 0
            THEN trim_scale(round(days::numeric / paid_in_full, 2))::text ELSE '0' END,
        ',"owing":', units_text(owing), ',"total_paid":', units_text(paid),
        ',"invoices":', coalesce(invoices, 0), '}'
    ) AS row
FROM (
    SELECT
        c.id, c.report_head, n.category, t.deposited, c.report_middle, b.due, b.invoices,
        c.report_opening::{units} + coalesce(t.receivable, 0) AS balance,
        b.manual, b.manual_count, b.online, b.online_count, b.manual + b.online AS paid,
        b.due - (b.manual + b.online) AS owing, b.days, b.paid_in_full
    FROM customers c
    LEFT JOIN totals t ON t.customer_id = c.id
    LEFT JOIN named n ON n.id = c.category_id
    LEFT JOIN billed b ON b.customer_id = c.id
    WHERE c.business_id = $1 AND c.id BETWEEN $4 AND $5
    ORDER BY balance DESC, id
) ordered
ORDER BY balance DESC, id
