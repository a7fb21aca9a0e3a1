-- name: spread
-- The first and the last customer of business $1, and how many categories it has.
SELECT
    (SELECT min(id) FROM customers WHERE business_id = $1) AS first,
    (SELECT max(id) FROM customers WHERE business_id = $1) AS last,
    (SELECT count(*) FROM categories WHERE business_id = $1) AS categories

-- name: summary
-- The sums of each category in each range of customers that the filters choose, and single customers, from one
-- look at `figures`. `part` says which of them a row is; `id` and `name` are those of the category or the
-- customer. A `range` of customers has ids that are equal but for their last bits, which are `shift`.
-- `columns` are those of `figures` from which all others follow, with those of another period if
-- there is one to `join`; `sums` and `values` are the same of several customers and of one. Names are looked
-- up for the few rows that are shown.
{figures}, picked AS MATERIALIZED (
    SELECT chosen.id, category_id, documents + receipts > 0 AS active, {columns}
    FROM figures chosen
    {join}
    WHERE {filters} {of_range}
), single AS (
    SELECT * FROM picked {single}
), summed AS (
    SELECT
        id >> {shift} AS range, category_id, count(*) AS customers, count(*) FILTER (WHERE active) AS active,
        {sums}
    FROM picked
    GROUP BY 1, 2
)
SELECT
    'category' AS part, range, category_id AS id, coalesce(g.name, 'Uncategorised') AS name, customers, active,
    {values}
FROM summed
LEFT JOIN categories g ON g.business_id = {business} AND g.id = category_id
UNION ALL
SELECT 'single', NULL, s.id, c.business_name, 1, active::int, {values}
FROM single s
JOIN customers c ON c.business_id = {business} AND c.id = s.id

-- name: largest
ORDER BY {by} DESC NULLS LAST, id LIMIT {limit}

-- name: named
WHERE id = ANY({customers}::bigint[])

-- name: of_range
-- Restricts a summary to the customers of a range.
AND chosen.id BETWEEN {customers}

-- name: previous
-- The figures of the period that is compared.
JOIN (
    {figures}
    SELECT id, {columns}
    FROM figures chosen
    WHERE true {of_range}
) before ON before.id = chosen.id
