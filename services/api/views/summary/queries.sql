-- name: summary
-- The sums of all customers that the filters choose, of each category, and the largest customers, from one look at `figures`. `part`
-- says which of them a row is; `id` and `name` are those of the category or the customer, and `place` orders
-- the customers. `columns` are those of `figures` that are shown, with those of another period if there is
-- one to `join`; `sums` and `values` are the same of several customers and of one.
{figures}, picked AS MATERIALIZED (
    SELECT chosen.id, business_name, category_id, category, documents + receipts > 0 AS active, {columns}
    FROM figures chosen
    {join}
    WHERE {filters}
), largest AS (
    SELECT *, row_number() OVER (ORDER BY {by} DESC NULLS LAST, id) AS place
    FROM picked
    ORDER BY {by} DESC NULLS LAST, id
    LIMIT {limit}
)
SELECT
    CASE WHEN grouping(category_id) = 1 THEN 'all' ELSE 'category' END AS part, 0 AS place,
    category_id AS id, category AS name,
    count(*) AS customers, count(*) FILTER (WHERE active) AS active, {sums}
FROM picked
GROUP BY GROUPING SETS ((), (category_id, category))
UNION ALL
SELECT 'top', place, id, business_name, 1, active::int, {values}
FROM largest
ORDER BY part, place

-- name: previous
-- The figures of the period that is compared.
JOIN (
    {figures}
    SELECT id, {columns}
    FROM figures
) before ON before.id = chosen.id
