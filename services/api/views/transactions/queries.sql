-- name: account
-- A customer's account over a period, if the business has such a customer: the balances before and after
-- it, the sums of what lies between by kind, and the number of lines. The closing balance is added up from
-- all moves until the end, so that it can be compared with what the sums lead to. `lines` is the fragment
-- of statements.
WITH {lines}
SELECT
    o.balance AS opening_balance, t.invoiced, t.credited, t.paid, t.refunded,
    (SELECT count(*) FROM lines) AS count,
    c.opening_balance + (
        SELECT coalesce(sum(coalesce(m.charge, 0) - coalesce(m.credit, 0)), 0) FROM moves m
    ) AS closing_balance
FROM customers c CROSS JOIN opening o CROSS JOIN totals t
WHERE c.business_id = $business AND c.id = $customer

-- name: in_order
-- The lines of the account in the period, in their order. `lines` is the fragment of statements.
WITH {lines}
SELECT
    l.day AS date, l.kind, l.number, l.document_id, CASE l.rank WHEN 2 THEN l.id END AS payment_id,
    l.charge, l.credit, l.balance
FROM lines l
{after}ORDER BY l.place
{limit}
