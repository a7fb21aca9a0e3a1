-- name: naive_report
-- The report's rows, in its order, each as one line of JSON: of business $1 from $2 to $3 (dates,
-- inclusive), of the customers with ids from $4 to $5 (the same one twice for one customer).
-- Computed from the base tables at every call: what kept figures are proved against.
WITH documents AS (
    -- Issued documents with what was settled on each, whenever that was.
    SELECT
        i.customer_id,
        i.kind = 'invoice' AS is_invoice,
        i.issue_date BETWEEN $2 AND $3 AS in_period,
        i.issue_date,
        i.total,
        sum(p.amount) AS paid,
        sum(p.amount) FILTER (WHERE p.channel = 'manual') AS paid_manually,
        sum(p.amount) FILTER (WHERE p.channel = 'online') AS paid_online,
        max(p.paid_on) FILTER (WHERE p.amount > 0) AS last_paid_on
    FROM invoices i
    LEFT JOIN payments p
        ON p.business_id = i.business_id AND p.invoice_id = i.id AND p.status = 'settled'
    WHERE i.business_id = $1 AND i.customer_id BETWEEN $4 AND $5 AND i.status = 'issued'
    GROUP BY i.business_id, i.id
), billed AS (
    SELECT
        customer_id,
        sum(CASE WHEN is_invoice THEN total ELSE -total END) AS ever,
        sum(paid) AS paid_ever,
        sum(CASE WHEN is_invoice THEN total ELSE -total END) FILTER (WHERE in_period) AS due,
        count(*) FILTER (WHERE in_period AND is_invoice) AS invoices,
        sum(paid_manually) FILTER (WHERE in_period) AS paid_manually,
        sum(paid_online) FILTER (WHERE in_period) AS paid_online,
        sum(paid) FILTER (WHERE in_period) AS paid,
        round(
            avg(last_paid_on - issue_date)
                FILTER (WHERE in_period AND is_invoice AND total > 0 AND paid >= total),
            2
        ) AS terms
    FROM documents
    GROUP BY customer_id
), held AS (
    SELECT customer_id, sum(CASE WHEN type = 'credit' THEN amount ELSE -amount END) AS amount
    FROM deposits
    WHERE business_id = $1 AND customer_id BETWEEN $4 AND $5
    GROUP BY customer_id
)
SELECT row_to_json(line)::text
FROM (
    SELECT
        c.id,
        c.owner_id,
        c.business_id,
        c.first_name,
        c.last_name,
        c.phone_number,
        c.business_name,
        c.business_address,
        c.business_phone,
        c.business_location,
        c.business_email,
        to_char(c.created_at, 'YYYY-MM-DD HH24:MI:SS') AS created_at,
        to_char(c.updated_at, 'YYYY-MM-DD HH24:MI:SS') AS updated_at,
        c.account_id,
        coalesce(g.name, 'Uncategorised') AS category,
        coalesce(c.category_id, 1) AS category_id,
        trim_scale(coalesce(held.amount, 0)) AS deposit_amount,
        c.deposit_account_id,
        c.archived,
        trim_scale(coalesce(b.due, 0)) AS amount_due,
        coalesce(b.invoices, 0) AS invoice_count,
        trim_scale(c.opening_balance + coalesce(b.ever, 0) - coalesce(b.paid_ever, 0)) AS balance,
        trim_scale(b.paid_manually) AS amount_paid,
        trim_scale(b.paid_online) AS online_amount_paid,
        $2::date AS "dateFrom",
        $3::date AS "dateTo",
        trim_scale(coalesce(b.terms, 0)) AS average_payment_terms,
        trim_scale(coalesce(b.due, 0) - coalesce(b.paid, 0)) AS owing,
        trim_scale(coalesce(b.paid, 0)) AS total_paid,
        coalesce(b.invoices, 0) AS invoices
    FROM customers c
    LEFT JOIN categories g ON g.business_id = c.business_id AND g.id = c.category_id
    LEFT JOIN billed b ON b.customer_id = c.id
    LEFT JOIN held ON held.customer_id = c.id
    WHERE c.business_id = $1 AND c.id BETWEEN $4 AND $5
) line
ORDER BY line.balance DESC, line.id
