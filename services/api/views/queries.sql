-- name: customer
-- What customer $2 of business $1 is called.
SELECT id, business_name, first_name, last_name FROM customers WHERE business_id = $1 AND id = $2
