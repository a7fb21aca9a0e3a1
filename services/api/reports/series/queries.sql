-- name: of_business
-- What all customers of business $1 were billed and paid from $2 to $3, by the intervals that begin on the
-- days $4. Only those with a document or a payment have a row. The sums of each day are kept for the
-- customer -1 (migration 0026); they are looked up day by day, within the years that have any. A SELECT of its
-- own reads the array once, and not for each day.
SELECT
    width_bucket(d.day, (SELECT $4::text[]::date[])) - 1 AS place,
    sum(k.billed) * 0.0001 AS billed, sum(k.manual + k.online) * 0.0001 AS paid,
    sum(k.received_manual + k.received_online) * 0.0001 AS received, sum(k.invoices) AS invoices
FROM (
    SELECT
        (SELECT period FROM kept_periods WHERE business_id = $1 ORDER BY business_id, period LIMIT 1) / 10000,
        (SELECT period FROM kept_periods WHERE business_id = $1
            ORDER BY business_id DESC, period DESC LIMIT 1) / 10000
) years (oldest, newest)
CROSS JOIN LATERAL (
    SELECT day::date FROM generate_series(
        greatest($2::date, make_date(oldest, 1, 1))::timestamp, least($3::date, make_date(newest, 12, 31)),
        interval '1 day'
    ) day
) d
CROSS JOIN LATERAL (
    SELECT billed, manual, online, received_manual, received_online, invoices
    FROM kept_periods
    WHERE business_id = $1 AND period = day_number(d.day) AND customer_id = -1
    OFFSET 0
) k
GROUP BY 1

-- name: of_customer
-- What customer $2 of business $1 was billed and paid from $3 to $4, by the intervals that begin on the days $5.
-- Only those with a document or a payment have a row.
SELECT
    width_bucket(m.day, (SELECT $5::text[]::date[])) - 1 AS place,
    sum(m.billed) AS billed, sum(m.paid) AS paid, sum(m.received) AS received, sum(m.invoices) AS invoices
FROM (
    SELECT
        i.issue_date::date AS day, CASE i.kind WHEN 'invoice' THEN i.total ELSE -i.total END AS billed,
        0::numeric AS paid, 0::numeric AS received, (i.kind = 'invoice')::int AS invoices
    FROM invoices i
    WHERE i.business_id = $1 AND i.customer_id = $2 AND i.status = 'issued'
        AND i.issue_date BETWEEN $3 AND $4
    UNION ALL
    SELECT i.issue_date, 0, p.amount, 0, 0
    FROM invoices i JOIN payments p ON p.business_id = i.business_id AND p.invoice_id = i.id
    WHERE i.business_id = $1 AND i.customer_id = $2 AND i.status = 'issued'
        AND p.status = 'settled' AND i.issue_date BETWEEN $3 AND $4
    UNION ALL
    SELECT p.paid_on, 0, 0, p.amount, 0
    FROM invoices i JOIN payments p ON p.business_id = i.business_id AND p.invoice_id = i.id
    WHERE i.business_id = $1 AND i.customer_id = $2 AND i.status = 'issued'
        AND p.status = 'settled' AND p.paid_on BETWEEN $3 AND $4
) m
GROUP BY 1

-- name: has_customer
-- Whether business $1 has the customer $2.
SELECT EXISTS (SELECT FROM customers WHERE business_id = $1 AND id = $2)
