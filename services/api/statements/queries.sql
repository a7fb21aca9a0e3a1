-- name: lines
-- The lines of a customer's statement, as tables for a WITH list: `moves` are all documents and payments
-- until the end, `opening` is the balance before the start, `lines` are the moves of the period in their
-- order, with the balance after each, and `totals` their sums by kind, none of them signed.
moves AS (
    SELECT i.issue_date::date AS day, 1 AS rank, i.kind, i.id, i.id AS document_id, i.number,
           i.due_date::date AS due_date, NULL::text AS channel, NULL::text AS method, NULL::text AS reference,
           CASE i.kind WHEN 'invoice' THEN i.total END AS charge,
           CASE i.kind WHEN 'credit_note' THEN i.total END AS credit
    FROM invoices i
    WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'
      AND i.issue_date <= $end
    UNION ALL
    SELECT p.paid_on, 2, CASE WHEN p.amount < 0 THEN 'refund' ELSE 'payment' END, p.id, i.id, i.number,
           NULL, p.channel, p.method, p.reference,
           CASE WHEN p.amount < 0 THEN -p.amount END,
           CASE WHEN p.amount >= 0 THEN p.amount END
    FROM invoices i JOIN payments p ON p.business_id = i.business_id AND p.invoice_id = i.id
    WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'
      AND p.status = 'settled' AND p.paid_on <= $end
), opening AS (
    SELECT c.opening_balance + coalesce(sum(coalesce(m.charge, 0) - coalesce(m.credit, 0)), 0) AS balance
    FROM customers c LEFT JOIN moves m ON m.day < $start
    WHERE c.business_id = $business AND c.id = $customer
    GROUP BY c.opening_balance
), lines AS (
    SELECT m.*, o.balance + sum(coalesce(m.charge, 0) - coalesce(m.credit, 0)) OVER in_order AS balance,
           row_number() OVER in_order AS place
    FROM moves m CROSS JOIN opening o
    WHERE m.day >= $start
    WINDOW in_order AS (ORDER BY m.day, m.rank, m.id)
), totals AS (
    SELECT coalesce(sum(charge) FILTER (WHERE kind = 'invoice'), 0) AS invoiced,
           coalesce(sum(credit) FILTER (WHERE kind = 'credit_note'), 0) AS credited,
           coalesce(sum(credit) FILTER (WHERE kind = 'payment'), 0) AS paid,
           coalesce(sum(charge) FILTER (WHERE kind = 'refund'), 0) AS refunded
    FROM lines
)

-- name: freeze
-- Computes the statement of a send once and keeps it under its hash. One statement, so one snapshot:
-- the figures of the report row and the transactions agree. `report` is the report's own query of one
-- customer, and `lines` the fragment of this file, with the same parameters. Returns the hash, or no row if
-- the customer is gone, the statement has too many lines, or another relay was first. Texts are cut far
-- above what a mail shows.
WITH report (row) AS (
    {report}
), {lines}, snapshot AS (
    SELECT json_build_object(
        'version', 1,
        'template_version', $template_version::int,
        'business', json_build_object(
            'id', b.id, 'name', left(b.name, 1000), 'email', left(b.email, 1000),
            'phone', left(b.phone, 1000), 'address', left(b.address, 10000),
            'currency', b.currency, 'timezone', b.timezone),
        'customer', json_build_object(
            'id', c.id, 'first_name', left(c.first_name, 1000), 'last_name', left(c.last_name, 1000),
            'business_name', left(c.business_name, 1000),
            'business_address', left(c.business_address, 10000),
            'business_phone', left(c.business_phone, 1000),
            'business_location', left(c.business_location, 1000),
            'business_email', left(c.business_email, 1000),
            'phone_number', left(c.phone_number, 1000)),
        'from', $start::date,
        'to', $end::date,
        'generated_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'opening_balance', trim_scale(o.balance),
        'transactions', coalesce((
            SELECT json_agg(json_build_object(
                'date', l.day, 'kind', l.kind, 'id', l.id, 'number', left(l.number, 1000),
                'due_date', l.due_date, 'channel', l.channel, 'method', left(l.method, 1000),
                'reference', left(l.reference, 1000),
                'charge', trim_scale(l.charge), 'credit', trim_scale(l.credit),
                'balance', trim_scale(l.balance)) ORDER BY l.place)
            FROM lines l), '[]'),
        'totals', json_build_object(
            'invoiced', trim_scale(t.invoiced), 'credited', trim_scale(t.credited),
            'paid', trim_scale(t.paid), 'refunded', trim_scale(t.refunded)),
        'closing_balance', trim_scale(o.balance + t.invoiced - t.credited - t.paid + t.refunded),
        'report', r.row::json)::text AS content
    FROM businesses b
    JOIN customers c ON c.business_id = b.id
    CROSS JOIN opening o CROSS JOIN totals t CROSS JOIN report r
    WHERE b.id = $business AND c.id = $customer
      -- Looked at first, and for no more lines than are needed to know: nothing else is computed then.
      AND (
          SELECT count(*)
          FROM (SELECT FROM moves m WHERE m.day >= $start LIMIT $most_lines::int + 1) first
      ) <= $most_lines
), stored AS (
    INSERT INTO statements (business_id, sha256, content)
    SELECT $business, sha256(convert_to(content, 'UTF8')), content FROM snapshot
    ON CONFLICT (business_id, sha256) DO UPDATE SET content = statements.content
    RETURNING sha256
)
UPDATE sends SET statement_sha256 = stored.sha256
FROM stored WHERE sends.id = $send AND sends.statement_sha256 IS NULL
RETURNING sends.statement_sha256

-- name: why_not_frozen
-- Why the statement of send $3 to customer $2 of business $1 was not frozen.
SELECT EXISTS (SELECT FROM customers WHERE business_id = $1 AND id = $2) AS has_customer,
       EXISTS (SELECT FROM sends WHERE id = $3 AND statement_sha256 IS NOT NULL) AS is_frozen
