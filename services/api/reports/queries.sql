-- name: version
-- What changes in every transaction that can change a report of business $1, and never comes back.
SELECT report_version($1)

-- name: income_by_customers
-- The report's rows, in its order, each as one line of JSON: of business $1 from $2 to $3 (dates,
-- inclusive), of the customers with ids from $4 to $5 (the same one twice for one customer).
-- Reads kept figures only (migrations 0004 to 0009), by index lookups for each year, month and day
-- that make up [$2, $3], which OFFSET 0 holds the planner to. Counts in {units} of 0.0001, by {sum}:
-- numeric by sum; or bigint by sum_units, which is faster and fails before the first row where one is
-- out of bounds. Rows are put in order before they are written as text, so that the first go out while
-- the last are still to be written; they carry as few columns until then as they can. asyncpg makes
-- infinities of the first and the last date that Python knows.
WITH sums AS (
    SELECT
        k.customer_id,
        {sum}(k.billed) AS due,
        sum(k.invoices) AS invoices,
        CASE WHEN sum(k.manual_count) > 0 THEN {sum}(k.manual) END AS manual,
        CASE WHEN sum(k.online_count) > 0 THEN {sum}(k.online) END AS online,
        average_days({sum}(k.days), sum(k.paid_in_full)) AS average,
        {sum}(k.receivable) AS receivable,
        {sum}(k.deposited) AS deposited
    FROM (
        SELECT of_period.*
        FROM periods_within($1, $2, $3) AS within (period)
        CROSS JOIN LATERAL (
            SELECT
                customer_id, billed, invoices, manual, manual_count, online, online_count, days,
                paid_in_full, 0::bigint AS receivable, 0::bigint AS deposited
            FROM kept_periods
            WHERE business_id = $1 AND period = within.period AND customer_id BETWEEN $4 AND $5
            UNION ALL
            SELECT
                customer_id, (billed * 10000)::{units}, invoices, (manual * 10000)::{units},
                manual_count, (online * 10000)::{units}, online_count, days, paid_in_full, 0, 0
            FROM kept_documents
            WHERE business_id = $1 AND day = within.period AND customer_id BETWEEN $4 AND $5
            OFFSET 0
        ) of_period
        UNION ALL
        SELECT customer_id, 0, 0, 0, 0, 0, 0, 0, 0, receivable, deposited
        FROM kept_totals
        WHERE business_id = $1 AND customer_id BETWEEN $4 AND $5
    ) k
    GROUP BY k.customer_id
), named AS MATERIALIZED (
    SELECT id, concat(to_json(name), ',"category_id":', id, ',"deposit_amount":') AS category
    FROM categories
    WHERE business_id = $1
)
SELECT
    concat(
        report_head, coalesce(category, '"Uncategorised","category_id":1,"deposit_amount":'),
        units_number(deposited), report_middle, units_number(due),
        ',"invoice_count":', coalesce(invoices, 0),
        ',"balance":', units_number(balance),
        ',"amount_paid":', CASE WHEN manual IS NULL THEN 'null' END, units_number(manual),
        ',"online_amount_paid":', CASE WHEN online IS NULL THEN 'null' END, units_number(online),
        (SELECT concat(',"dateFrom":"', greatest($2, '0001-01-01'), '","dateTo":"', least($3, '9999-12-31'))),
        '","average_payment_terms":', coalesce(average, 0),
        ',"owing":', units_number(due - coalesce(manual, 0) - coalesce(online, 0)),
        ',"total_paid":', units_number(coalesce(manual, 0) + coalesce(online, 0)),
        ',"invoices":', coalesce(invoices, 0), '}'
    ) AS row
FROM (
    SELECT
        c.id, c.report_head, n.category, c.report_middle,
        units_bounded(coalesce(s.deposited, 0)) AS deposited,
        units_bounded(coalesce(s.due, 0)) AS due, s.invoices,
        units_bounded(c.report_opening::{units} + coalesce(s.receivable, 0)) AS balance,
        units_bounded(s.manual) AS manual, units_bounded(s.online) AS online, s.average
    FROM customers c
    LEFT JOIN named n ON n.id = c.category_id
    LEFT JOIN sums s ON s.customer_id = c.id
    WHERE c.business_id = $1 AND c.id BETWEEN $4 AND $5
    ORDER BY balance DESC, id
) ordered
ORDER BY balance DESC, id
