-- Frozen lists: who a dry run said would be mailed.

-- name: add_list
-- Adds the list $1 of business $2, which asked for $3, and returns when it expires.
INSERT INTO frozen_lists (id, business_id, asked, created_at, expires_at)
VALUES ($1, $2, $3::text::jsonb, now(), now() + interval '24 hours')
RETURNING expires_at

-- name: add_customer
-- Adds the customer $2 to the list $1, with its recipients $3.
INSERT INTO frozen_list_customers (list_id, customer_id, recipients) VALUES ($1, $2, $3::text[])

-- name: drop_oldest
-- Deletes the oldest lists of business $1 beyond the newest $2.
DELETE FROM frozen_lists WHERE id IN (
    SELECT id FROM frozen_lists WHERE business_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)

-- name: look
-- What the list $2 of business $1 asked for, unless it has expired.
SELECT asked::text AS asked, expires_at FROM frozen_lists
WHERE id = $2 AND business_id = $1 AND expires_at > now()

-- name: hold
-- Like `look`, and locked until the transaction ends: whoever waits finds that it was used.
SELECT asked::text AS asked, expires_at FROM frozen_lists
WHERE id = $2 AND business_id = $1 AND expires_at > now()
FOR UPDATE

-- name: count
-- The customers of the list $1, and their recipients.
SELECT count(*)::integer AS customers, coalesce(sum(cardinality(recipients)), 0)::integer AS recipients
FROM frozen_list_customers WHERE list_id = $1

-- name: copy
-- Copies the customers of the list $1 to the batch $2.
INSERT INTO batch_customers (batch_id, customer_id, recipients, charged)
SELECT $2, customer_id, recipients, coalesce(cardinality(recipients), 0) FROM frozen_list_customers WHERE list_id = $1

-- name: drop
-- Deletes the list $1 with its customers.
DELETE FROM frozen_lists WHERE id = $1

-- name: is_list
-- Whether business $1 has the list $2, which has not expired.
SELECT EXISTS (SELECT FROM frozen_lists WHERE id = $2 AND business_id = $1 AND expires_at > now())

-- name: page
-- At most $4 customers of the list $2 of business $1 after the customer $3, by id.
SELECT l.customer_id, c.business_name, l.recipients
FROM frozen_list_customers l LEFT JOIN customers c ON c.business_id = $1 AND c.id = l.customer_id
WHERE l.list_id = $2 AND l.customer_id > $3
ORDER BY l.customer_id
LIMIT $4

-- name: some_customers
-- At most $3 customers of the list $1 after the customer $2, with their recipients.
SELECT customer_id, recipients FROM frozen_list_customers
WHERE list_id = $1 AND customer_id > $2 ORDER BY customer_id LIMIT $3
