-- name: figures
-- The receivable of each customer at the end of the day as_of, as columns. The table `figures` has one row for
-- each customer of the business, in no order: the buckets, `credits`, `opening` and `total` in units of 0.0001,
-- and the customer's columns that filters need.
--
-- Reads kept_open_parts (migration 0025), one span after the other: a part of span n is open for at most 2^n
-- days, so it is open at the end of as_of only if it opened less than 2^n days before the next day. OFFSET 0
-- forces the planner to look each span up in the index. Units are numeric or bigint as in the report's figures
-- (services/api/reports/queries.sql).
WITH open_parts AS (
    SELECT part.*
    FROM generate_series(0, 23) AS each (span)
    CROSS JOIN LATERAL (
        SELECT customer_id, due_date, units
        FROM kept_open_parts
        WHERE business_id = {business} AND span = each.span AND opens > opened_after(each.span, {as_of})
            AND opens <= {as_of} AND closes > {as_of}
        OFFSET 0
    ) part
), sums AS (
    SELECT customer_id, {sums}, {sum}(units) AS documents
    FROM open_parts
    GROUP BY customer_id
), figures AS (
    SELECT
        c.id, c.business_name, {amounts},
        units_bounded(c.report_opening::{units}) AS opening,
        units_bounded(c.report_opening::{units} + coalesce(s.documents, 0)) AS total,
        c.first_name, c.last_name, c.business_email, coalesce(c.category_id, 1) AS category_id, c.archived
    FROM customers c
    LEFT JOIN sums s ON s.customer_id = c.id
    WHERE c.business_id = {business}
)

-- name: sum_of
-- The sum of the open parts that are in one column.
{sum}(units) FILTER (WHERE {condition}) AS {column}

-- name: amount_of
-- The amount of one column.
units_bounded(coalesce(s.{column}, 0)) AS {column}

-- name: json_rows
-- The rows that the filters choose, each as a JSON object, in order; and after the last one their totals, as
-- one more object. `chosen` is counted once for both.
{figures}, chosen AS MATERIALIZED (
    SELECT id, business_name, {columns}, {sort_value} AS sort_value FROM figures chosen WHERE {filters}
)
SELECT row
FROM (
    SELECT {row} AS row FROM (TABLE chosen ORDER BY {order}) ordered ORDER BY {order}
) rows
UNION ALL
SELECT {totals} FROM chosen

-- name: summary
-- The number of rows that the filters choose, how many of them stand before a place, and their totals.
{figures}
SELECT count(*) AS rows, count(*) FILTER (WHERE {before}) AS before, {sums}
FROM (
    SELECT *, {sort_value} AS sort_value FROM figures chosen WHERE {filters}
) ordered

-- name: values
-- The rows that the filters choose, as columns, each with the value that orders it as text.
{figures}
SELECT id, business_name, {columns}, {sort_text} AS sort_text
FROM (
    SELECT *, {sort_value} AS sort_value FROM figures chosen WHERE {filters}
) ordered
ORDER BY {order}
{limit}

-- name: sum_over_rows
-- The sum of one column over all rows, in units of 0.0001.
coalesce(sum({column}), 0)::numeric
