-- name: rows
-- The rows that the filters choose, each written as one text. They are sorted before they are written, so
-- that the first rows are sent while the last are still to be written.
{figures}
SELECT {row} AS row
FROM (
    SELECT *, {sort_value} AS sort_value
    FROM {table} chosen
    WHERE {filters}
    ORDER BY {order}
) ordered
ORDER BY {order}

-- name: values
-- The rows that the filters choose, as columns.
{figures}
SELECT {columns}
FROM (
    SELECT *, {sort_value} AS sort_value
    FROM {table} chosen
    WHERE {filters}
) ordered
ORDER BY {order}

-- name: page
-- The rows with these ids in no order, each written as one text, with the value that orders it as text, and
-- the version of the ledger that they show.
{figures}
SELECT id, {row} AS row, {sort_text} AS sort_text, (SELECT report_version({business})) AS ledger_version
FROM {table} chosen
WHERE id = {customer}

-- name: page_values
-- The rows with these ids in no order, as columns, with the value that orders each as text.
{figures}
SELECT {columns}, {sort_text} AS sort_text
FROM {table} chosen
WHERE id = {customer}

-- name: ranking
-- The ids of the rows that the filters choose, in order, as 8 bytes each, as many as are wanted; how many rows
-- there are, and how many of them stand before a place; and the version of the ledger that they show.
{figures}, ranked AS {materialized} (
    SELECT id, {sort_value} AS sort_value
    FROM figures chosen
    WHERE {filters}
)
SELECT
    report_version({business}) AS ledger_version,
    (SELECT count(*) FROM ranked) AS rows,
    (SELECT count(*) FROM ranked WHERE {before}) AS before,
    (
        SELECT coalesce(string_agg(int8send(id), ''), '')
        FROM (SELECT id FROM ranked ORDER BY {order} LIMIT {most}) first
    ) AS ids

-- name: standing
-- The table `figures` with only those of its columns that do not depend on the period and by which rows are
-- chosen and ordered. It is read without the kept periods, in little more than half the time.
WITH figures AS (
    SELECT
        c.id, c.first_name, c.last_name, c.business_name, c.business_email, c.created_at, c.archived,
        coalesce(c.category_id, 1) AS category_id,
        coalesce(s.deposited, 0) AS deposit_amount,
        units_bounded(c.report_opening::{units} + coalesce(s.receivable, 0)) AS balance
    FROM customers c
    LEFT JOIN (
        SELECT
            customer_id, {sum}(receivable) AS receivable, units_bounded({sum}(deposited)) AS deposited
        FROM kept_totals
        WHERE business_id = {business}
        GROUP BY customer_id
    ) s ON s.customer_id = c.id
    WHERE c.business_id = {business}
)

-- name: chosen_ids
-- The ids of the rows that the filters choose, in no order.
{figures}
SELECT id
FROM figures chosen
WHERE {filters}

-- name: totals
-- The number of rows that the filters choose, their sums, and the mean over all their documents.
{figures}
SELECT count(*) AS rows, {sums}
FROM {table} chosen
WHERE {filters}

-- name: with_previous
-- The figures of the period, joined with those of the period that it is compared with. The difference of
-- two amounts may be too large for double precision to be exact, so it is numeric.
{figures}, previous AS (
    {previous_figures}
    SELECT
        id, amount_due AS previous_amount_due, invoice_count AS previous_invoice_count,
        amount_paid AS previous_amount_paid, online_amount_paid AS previous_online_amount_paid,
        total_paid AS previous_total_paid, owing AS previous_owing,
        average_payment_terms AS previous_average_payment_terms,
        paid_in_full AS previous_paid_in_full, days AS previous_days
    FROM figures
), compared AS (
    SELECT
        *,
        amount_due::numeric - previous_amount_due AS change_amount_due,
        invoice_count - previous_invoice_count AS change_invoice_count,
        coalesce(amount_paid, 0)::numeric - coalesce(previous_amount_paid, 0) AS change_amount_paid,
        coalesce(online_amount_paid, 0)::numeric - coalesce(previous_online_amount_paid, 0)
            AS change_online_amount_paid,
        total_paid::numeric - previous_total_paid AS change_total_paid,
        owing::numeric - previous_owing AS change_owing,
        average_payment_terms::numeric - previous_average_payment_terms::numeric
            AS change_average_payment_terms
    FROM figures
    JOIN previous USING (id)
)

-- name: json
-- A row as one JSON object, as the list without options has it.
concat(
    report_head, report_category, {deposit_amount}, report_middle,
    {amount_due}, ',"invoice_count":', invoice_count,
    ',"balance":', {balance},
    ',"amount_paid":', {amount_paid},
    ',"online_amount_paid":', {online_amount_paid},
    (SELECT concat(
        ',"dateFrom":"', greatest({start}, '0001-01-01'), '","dateTo":"', least({end}, '9999-12-31')
    )),
    '","average_payment_terms":', average_payment_terms,
    ',"owing":', {owing}, ',"total_paid":', {total_paid},
    ',"invoices":', invoice_count, {comparison} '}'
)

-- name: json_comparison
-- The last fields of a compared row.
',"previous":{"amount_due":', {previous_amount_due},
',"invoice_count":', previous_invoice_count,
',"amount_paid":', {previous_amount_paid},
',"online_amount_paid":', {previous_online_amount_paid},
',"total_paid":', {previous_total_paid},
',"owing":', {previous_owing},
',"average_payment_terms":', previous_average_payment_terms,
'},"change":{"amount_due":', {change_amount_due},
',"invoice_count":', change_invoice_count,
',"amount_paid":', {change_amount_paid},
',"online_amount_paid":', {change_online_amount_paid},
',"total_paid":', {change_total_paid},
',"owing":', {change_owing},
',"average_payment_terms":', trim_scale(change_average_payment_terms), '}',

-- name: as_number
-- An amount as a JSON number; NULL is written as nothing.
units_number({amount})

-- name: as_number_or_null
-- An amount that may be NULL, as a JSON number.
CASE WHEN {amount} IS NULL THEN 'null' END, units_number({amount})

-- name: as_string
-- An amount as a JSON string.
'"', units_text({amount}), '"'

-- name: as_string_or_null
-- An amount that may be NULL, as a JSON string.
CASE WHEN {amount} IS NULL THEN 'null' ELSE concat('"', units_text({amount}), '"') END

-- name: sum_money
-- The sum of an amount over all rows, with NULL as 0.
units_number(coalesce(sum({field}), 0)::numeric)

-- name: sum_count
-- The sum of a number over all rows.
coalesce(sum({field}), 0)::bigint

-- name: sum_days
-- The mean over the documents of all rows.
average_days(coalesce(sum({days}), 0)::numeric, coalesce(sum({documents}), 0)::numeric)
