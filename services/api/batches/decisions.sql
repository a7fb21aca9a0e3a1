-- Who of a batch receives the statement.

-- name: sender
-- What business $1 has for all its customers: its address, whether it suppresses any, and the kind of its
-- statements. A stored address may be a list, and have any length: as much of it is read as tells that there are
-- too many.
SELECT left(b.email, 4001) AS email, EXISTS (SELECT FROM suppressions WHERE business_id = b.id) AS suppresses,
       coalesce(g.statement_kind, 'activity') AS kind
FROM businesses b LEFT JOIN branding g ON g.business_id = b.id
WHERE b.id = $1

-- name: customers
-- Those of the customers $2 that business $1 has, with their addresses.
SELECT id, left(business_name, 1000) AS business_name, left(business_email, 4001) AS email
FROM customers WHERE business_id = $1 AND id = ANY($2::bigint[])

-- name: shown
-- What the statements of the customers $4 of business $1, from $2 to $3, would show: the closing balance, and
-- whether there is a transaction in the period and an open item at its end. Both are the statement's own
-- (services/api/statements/queries.sql), but read from kept figures. `during` is the report of the period, and
-- `after` that of the time after it, whose moves are taken off the balance of all time. $5: whether a transaction
-- of the period is enough, because the statement shows it; documents are looked at only if it is not, and if
-- no balance says that one of them is open. OFFSET 0 forces the planner to look each of them up. asyncpg turns
-- the first and the last date of Python into infinities.
WITH moved AS MATERIALIZED (
    {during}
    SELECT id, balance, documents + receipts AS lines FROM figures WHERE id = ANY($4)
), later AS MATERIALIZED (
    {after}
    SELECT id, amount_due - total_paid AS change FROM figures WHERE id = ANY($4)
), closing AS MATERIALIZED (
    SELECT id, m.balance - l.change AS units, m.lines > 0 AS has_transactions
    FROM moved m JOIN later l USING (id)
)
SELECT c.id, units_number(c.units) AS balance, c.has_transactions,
       CASE WHEN c.units <> 0 OR c.has_transactions AND $5::boolean THEN true
            ELSE (SELECT opening_balance <> 0 FROM customers WHERE business_id = $1 AND id = c.id)
              OR EXISTS (
                SELECT
                FROM invoices i
                CROSS JOIN LATERAL (
                    SELECT * FROM kept_documents WHERE business_id = $1 AND invoice_id = i.id OFFSET 0
                ) d
                WHERE i.business_id = $1 AND i.customer_id = c.id AND i.status = 'issued'
                  AND CASE WHEN d.day <= the_end.day THEN d.billed ELSE 0 END
                      <> CASE WHEN d.receipts IS NULL
                              THEN CASE WHEN d.paid_day <= the_end.day THEN d.manual + d.online ELSE 0 END
                              ELSE (SELECT coalesce(sum(r.manual + r.online), 0)
                                    FROM unnest(d.receipts) r WHERE r.day <= the_end.day) END)
       END AS has_open_items
FROM closing c
CROSS JOIN (SELECT day_number(least(greatest($3::date, '0001-01-01'), '9999-12-31')) AS day) the_end
