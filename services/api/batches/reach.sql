-- How many customers and recipients a batch can have.

-- name: reach
-- The number of customers that `ids` selects, and the most recipients that they can have.
SELECT count(*)::integer AS customers,
       coalesce(sum(least($recipients_max::integer, {recipients})), 0)::integer AS recipients
FROM ({ids}) found JOIN customers c ON c.business_id = $business::bigint AND c.id = found.id
