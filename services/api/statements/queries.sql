-- name: lines
-- The lines of a customer's statement, as tables for a WITH list: `moves` are all documents and payments
-- until the end, `opening` is the balance before the start, `lines` are the moves of the period in their
-- order, with the balance after each, and `totals` their sums by kind, none of them signed. OFFSET 0 forces the
-- planner to look the payments of each document up: for a customer that it does not know yet, it would read all
-- documents of the business.
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
    FROM invoices i
    CROSS JOIN LATERAL (
        SELECT * FROM payments
        WHERE business_id = $business AND invoice_id = i.id AND status = 'settled' AND paid_on <= $end
        OFFSET 0
    ) p
    WHERE i.business_id = $business AND i.customer_id = $customer AND i.status = 'issued'
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

-- name: snapshot
-- The snapshot of a statement at this moment, as tables for a WITH list. `meant` has its kind and language,
-- `open_items` what is open at the end of each document and of the opening balance, if it is not zero, `late`
-- the days past due of these documents, `aging` the sums of what is open by these days, `coming` what of it is
-- due at the end or later, of the first 31 due dates each and of all others together, and `snapshot` one row:
-- the text, its hash, and `figures_sha256`, the hash of the text without its first member, `generated_at`. There
-- is no such row if there is no such customer, or if the statement has too many lines and open items together.
-- `report` is the report's own query of one customer, and `lines` the fragment of this file, with the same
-- parameters. Texts are cut far above what a mail shows. asyncpg turns the first and the last date of Python
-- into infinities.
report (row) AS (
    {report}
), {lines}, meant AS MATERIALIZED (
    SELECT coalesce($kind::text, g.statement_kind, 'activity') AS kind,
           coalesce($locale::text, c.locale, b.locale, 'en') AS locale,
           least(greatest($start::date, '0001-01-01'), '9999-12-31') AS first_day,
           least(greatest($end::date, '0001-01-01'), '9999-12-31') AS last_day
    FROM businesses b
    JOIN customers c ON c.business_id = b.id
    LEFT JOIN branding g ON g.business_id = b.id
    WHERE b.id = $business AND c.id = $customer
), open_parts AS (
    SELECT 'opening_balance' AS kind, NULL::bigint AS id, NULL::text AS number, NULL::date AS day,
           NULL::date AS due_date, opening_balance::numeric AS total, opening_balance::numeric AS open
    FROM customers
    WHERE business_id = $business AND id = $customer AND opening_balance <> 0
    UNION ALL
    SELECT i.kind, i.id, i.number, i.issue_date, i.due_date, i.total, part.open
    FROM (
        SELECT document_id, sum(coalesce(charge, 0) - coalesce(credit, 0)) AS open
        FROM moves
        GROUP BY document_id
        HAVING sum(coalesce(charge, 0) - coalesce(credit, 0)) <> 0
    ) part
    CROSS JOIN LATERAL (
        SELECT kind, id, number, issue_date, due_date,
               CASE kind WHEN 'invoice' THEN total ELSE -total END AS total
        FROM invoices
        WHERE business_id = $business AND id = part.document_id
        OFFSET 0
    ) i
), open_items AS (
    SELECT p.*, CASE WHEN p.open > 0 AND p.due_date IS NOT NULL THEN greatest(m.last_day - p.due_date, 0) END
                AS days_overdue
    FROM open_parts p CROSS JOIN meant m
), late AS MATERIALIZED (
    -- By document. Without statistics, a join with the lines would be a loop in a loop: 2 s for 5,000 of each.
    SELECT coalesce(jsonb_object_agg(concat(kind, id), days_overdue), '{}') AS days
    FROM open_items
    WHERE kind <> 'opening_balance'
), aging AS (
    SELECT json_build_object(
        'not_due', trim_scale(coalesce(sum(open) FILTER (WHERE days_overdue = 0), 0)),
        '1-30', trim_scale(coalesce(sum(open) FILTER (WHERE days_overdue BETWEEN 1 AND 30), 0)),
        '31-60', trim_scale(coalesce(sum(open) FILTER (WHERE days_overdue BETWEEN 31 AND 60), 0)),
        '61-90', trim_scale(coalesce(sum(open) FILTER (WHERE days_overdue BETWEEN 61 AND 90), 0)),
        'over_90', trim_scale(coalesce(sum(open) FILTER (WHERE days_overdue > 90), 0)),
        'no_due_date', trim_scale(coalesce(sum(open) FILTER (
            WHERE kind <> 'opening_balance' AND open > 0 AND due_date IS NULL), 0)),
        'credits', trim_scale(coalesce(sum(open) FILTER (
            WHERE kind <> 'opening_balance' AND open < 0), 0)),
        'opening', trim_scale(coalesce(sum(open) FILTER (WHERE kind = 'opening_balance'), 0)),
        'total', trim_scale(coalesce(sum(open), 0))) AS sums
    FROM open_items
), coming AS (
    SELECT json_build_object(
        'dates', coalesce(json_agg(json_build_object('due_date', due_date, 'open', trim_scale(open))
                                   ORDER BY due_date) FILTER (WHERE place <= 31), '[]'),
        'later', trim_scale(coalesce(sum(open) FILTER (WHERE place > 31), 0))) AS parts
    FROM (
        SELECT due_date, sum(open) AS open, row_number() OVER (ORDER BY due_date) AS place
        FROM open_items
        WHERE days_overdue = 0
        GROUP BY due_date
    ) by_date
), size AS (
    -- Lines are counted first, and no more than are needed to know: nothing else is computed then.
    SELECT CASE WHEN lines > $most_lines::int OR m.kind = 'activity' THEN lines
                ELSE lines + (SELECT count(*) FROM open_items) END AS size
    FROM meant m
    CROSS JOIN LATERAL (
        SELECT CASE WHEN m.kind = 'open-items' THEN 0
                    ELSE (SELECT count(*)
                          FROM (SELECT FROM moves WHERE day >= $start LIMIT $most_lines + 1) first)
               END AS lines
        OFFSET 0
    ) counted
), undated AS MATERIALIZED (
    SELECT m.kind, m.locale, g.logo_sha256, json_build_object(
        'version', 2,
        'template_version', $template_version::int,
        'kind', m.kind,
        'locale', m.locale,
        'branding', json_build_object(
            'accent', g.accent, 'sender_name', g.sender_name, 'reply_to', g.reply_to,
            'how_to_pay', g.how_to_pay, 'pay_link', g.pay_link, 'paper', coalesce(g.paper, 'a4'),
            'attach_csv', coalesce(g.attach_csv, false), 'logo_sha256', encode(g.logo_sha256, 'hex'),
            'logo_width', logo.width, 'logo_height', logo.height),
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
        'from', m.first_day,
        'to', m.last_day,
        'opening_balance', trim_scale(o.balance),
        'transactions', CASE WHEN m.kind = 'open-items' THEN '[]' ELSE coalesce((
            SELECT json_agg(json_build_object(
                'date', l.day, 'kind', l.kind, 'id', l.id, 'number', left(l.number, 1000),
                'due_date', l.due_date, 'channel', l.channel, 'method', left(l.method, 1000),
                'reference', left(l.reference, 1000),
                'charge', trim_scale(l.charge), 'credit', trim_scale(l.credit),
                'balance', trim_scale(l.balance),
                'days_overdue', late.days -> concat(l.kind, l.id)) ORDER BY l.place)
            FROM lines l CROSS JOIN late), '[]') END,
        'totals', json_build_object(
            'invoiced', trim_scale(t.invoiced), 'credited', trim_scale(t.credited),
            'paid', trim_scale(t.paid), 'refunded', trim_scale(t.refunded)),
        'closing_balance', trim_scale(o.balance + t.invoiced - t.credited - t.paid + t.refunded),
        'open_items', CASE WHEN m.kind <> 'activity' THEN coalesce((
            SELECT json_agg(json_build_object(
                'kind', kind, 'id', id, 'number', left(number, 1000), 'date', day, 'due_date', due_date,
                'total', trim_scale(total), 'open', trim_scale(open), 'days_overdue', days_overdue)
                ORDER BY day NULLS FIRST, id)
            FROM open_items), '[]') END,
        'aging', a.sums,
        'coming', next.parts,
        'report', r.row::json)::text AS text
    FROM businesses b
    JOIN customers c ON c.business_id = b.id
    LEFT JOIN branding g ON g.business_id = b.id
    LEFT JOIN logos logo ON logo.business_id = b.id AND logo.sha256 = g.logo_sha256
    CROSS JOIN meant m CROSS JOIN opening o CROSS JOIN totals t CROSS JOIN aging a CROSS JOIN coming next
    CROSS JOIN report r
    WHERE b.id = $business AND c.id = $customer AND (SELECT size FROM size) <= $most_lines
), snapshot AS MATERIALIZED (
    SELECT kind, locale, logo_sha256, content, sha256(convert_to(content, 'UTF8')) AS sha256,
           sha256(convert_to(text, 'UTF8')) AS figures_sha256
    FROM undated CROSS JOIN LATERAL (
        SELECT concat(
            '{"generated_at" : "', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '", ',
            substr(text, 2)) AS content
        OFFSET 0
    ) dated
)

-- name: look
-- The snapshot that would be frozen now. `snapshot` is the fragment of this file.
WITH {snapshot}
SELECT convert_to(content, 'UTF8') AS content, sha256, figures_sha256, kind, locale FROM snapshot

-- name: freeze
-- Computes the statement of a send once and keeps it under its hash. One statement, so one snapshot: the
-- figures of the report row, the lines and the open items agree. `snapshot` is the fragment of this file.
-- The send takes over the kind and the language that were meant. Returns the hash, or no row if there is no
-- snapshot or another relay was first.
WITH {snapshot}, stored AS (
    INSERT INTO statements (business_id, sha256, content, logo_sha256)
    SELECT $business, sha256, content, logo_sha256 FROM snapshot
    ON CONFLICT (business_id, sha256) DO UPDATE SET content = statements.content
    RETURNING sha256
)
UPDATE sends
SET statement_sha256 = stored.sha256, figures_sha256 = snapshot.figures_sha256,
    statement_kind = snapshot.kind, locale = snapshot.locale
FROM stored JOIN snapshot ON snapshot.sha256 = stored.sha256
WHERE sends.id = $send AND sends.statement_sha256 IS NULL
RETURNING sends.statement_sha256

-- name: has_customer
-- Whether business $1 has the customer $2.
SELECT EXISTS (SELECT FROM customers WHERE business_id = $1 AND id = $2)

-- name: is_frozen
-- Whether the statement of send $1 is frozen.
SELECT EXISTS (SELECT FROM sends WHERE id = $1 AND statement_sha256 IS NOT NULL)
