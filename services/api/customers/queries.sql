-- name: page
-- At most $5 customers of business $1 with an id above $2, by id: only those that are archived ($3 = 1) or
-- not ($3 = 0; NULL: all), and only those that meet `contains`, the condition for the text $4, if it is not ''.
SELECT c.id, c.first_name, c.last_name, c.business_name, c.business_email,
       coalesce(g.name, 'Uncategorised') AS category, coalesce(g.id, 1) AS category_id, c.archived, c.locale
FROM customers c
LEFT JOIN categories g ON g.business_id = c.business_id AND g.id = c.category_id
WHERE c.business_id = $1 AND c.id > $2
  AND ($3::smallint IS NULL OR c.archived = $3)
  AND ($4 = '' OR {contains})
ORDER BY c.id
LIMIT $5
