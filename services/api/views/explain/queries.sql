-- name: documents
-- Issued invoices, and issued credit notes as negative amounts.
SELECT
    CASE i.kind WHEN 'invoice' THEN i.total ELSE -i.total END AS amount,
    i.kind, i.status, i.issue_date AS date, i.number,
    i.id AS document_id, NULL::bigint AS payment_id, NULL::bigint AS deposit_id
FROM invoices i
WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'{where}

-- name: invoices
-- Issued invoices; each counts 1.
SELECT
    1 AS amount, i.kind, i.status, i.issue_date AS date, i.number,
    i.id AS document_id, NULL::bigint AS payment_id, NULL::bigint AS deposit_id
FROM invoices i
WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'
    AND i.kind = 'invoice'{where}

-- name: payments
-- Settled payments on issued documents; refunds are negative payments. OFFSET 0 changes no row: it lets
-- Postgres look up the payments of each document, however many documents the customer has.
SELECT
    {sign}p.amount AS amount,
    CASE WHEN p.amount < 0 THEN 'refund' ELSE 'payment' END AS kind,
    p.status, p.paid_on AS date, i.number,
    i.id AS document_id, p.id AS payment_id, NULL::bigint AS deposit_id
FROM invoices i
CROSS JOIN LATERAL (
    SELECT * FROM payments WHERE business_id = i.business_id AND invoice_id = i.id OFFSET 0
) p
WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'
    AND p.status = 'settled'{where}

-- name: paid_in_full
-- Invoices that are paid in full, with the days from issue to the latest positive payment.
SELECT
    p.latest - i.issue_date AS amount,
    i.kind, i.status, i.issue_date AS date, i.number,
    i.id AS document_id, NULL::bigint AS payment_id, NULL::bigint AS deposit_id
FROM invoices i
CROSS JOIN LATERAL (
    SELECT max(paid_on) FILTER (WHERE amount > 0) AS latest, sum(amount) AS paid
    FROM payments
    WHERE business_id = i.business_id AND invoice_id = i.id AND status = 'settled'
) p
WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'
    AND i.kind = 'invoice' AND i.total > 0 AND p.paid >= i.total{where}

-- name: opening_balance
-- The balance with which the customer's account began.
SELECT
    c.opening_balance AS amount,
    'opening_balance' AS kind, NULL AS status, NULL::date AS date, NULL AS number,
    NULL::bigint AS document_id, NULL::bigint AS payment_id, NULL::bigint AS deposit_id
FROM customers c
WHERE c.business_id = $business AND c.id = $customer{where}

-- name: deposits
-- Prepayments, and their returns as negative amounts.
SELECT
    CASE d.type WHEN 'credit' THEN d.amount ELSE -d.amount END AS amount,
    'deposit' AS kind, NULL AS status, d.entry_date AS date, NULL AS number,
    NULL::bigint AS document_id, NULL::bigint AS payment_id, d.id AS deposit_id
FROM deposits d
WHERE d.business_id = $business AND d.customer_id = $customer{where}

-- name: totals
-- The fields of the customer's row, if the business has such a customer.
{figures}
SELECT {fields} FROM figures WHERE id = {customer}

-- name: in_order
-- The parts of a figure, the largest first; those of one size by the ids of document and payment.
SELECT amount, document_id, payment_id, deposit_id, date, number, kind, status
FROM (
{parts}
) part{after}
ORDER BY abs(amount) DESC, coalesce(document_id, deposit_id, -1), coalesce(payment_id, -1){limit}
