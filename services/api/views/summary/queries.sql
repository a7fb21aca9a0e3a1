-- name: summary
-- The sums of all customers that the filters choose, of each category, and the largest customers, from one
-- look at `figures`. `part` says which of them a row is; `id` and `name` are those of the category or the
-- customer. `columns` are those of `figures` from which all others follow, with those of another period if
-- there is one to `join`; `sums` and `values` are the same of several customers and of one. Names are looked
-- up for the few rows that are shown.
{figures}, picked AS MATERIALIZED (
    SELECT chosen.id, category_id, documents + receipts > 0 AS active, {columns}
    FROM figures chosen
    {join}
    WHERE {filters}
), largest AS (
    SELECT * FROM picked ORDER BY {by} DESC NULLS LAST, id LIMIT {limit}
), summed AS (
    SELECT category_id, count(*) AS customers, count(*) FILTER (WHERE active) AS active, {sums}
    FROM picked
    GROUP BY category_id
)
SELECT
    'category' AS part, category_id AS id, coalesce(g.name, 'Uncategorised') AS name, customers, active,
    {values}
FROM summed
LEFT JOIN categories g ON g.business_id = {business} AND g.id = category_id
UNION ALL
SELECT 'all', NULL, NULL, coalesce(sum(customers), 0)::bigint, coalesce(sum(active), 0)::bigint, {sums}
FROM summed
UNION ALL
SELECT 'top', l.id, c.business_name, 1, active::int, {values}
FROM largest l
JOIN customers c ON c.business_id = {business} AND c.id = l.id

-- name: previous
-- The figures of the period that is compared.
JOIN (
    {figures}
    SELECT id, {columns}
    FROM figures
) before ON before.id = chosen.id
