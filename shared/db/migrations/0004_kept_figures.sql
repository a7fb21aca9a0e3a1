-- before the code
-- What the report needs of each document and each customer, kept beside the ledger so that a report
-- costs what its customers cost. docs/adr/5-kept-figures.md has the reasons and the measurements.

-- What is made from here on finds temporary tables last, so that no writer can put his own in between.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- The query of documents as the report counts them, from the base tables: those of `documents` that
-- `keys` joins to the ones asked for, with what was settled on each; `paid` may say on which. Documents
-- that are not issued count nothing, but have their row: two transactions that touch a document meet
-- there.
CREATE FUNCTION counting(documents text, keys text, paid text) RETURNS text LANGUAGE sql IMMUTABLE AS $function$
SELECT format($query$
SELECT
    i.business_id,
    i.id AS invoice_id,
    i.customer_id,
    (extract(year FROM i.issue_date) * 10000 + extract(month FROM i.issue_date) * 100
        + extract(day FROM i.issue_date))::int AS day,
    CASE WHEN i.kind = 'invoice' THEN 1 ELSE 0 END * c.counts AS invoices,
    coalesce(p.manual_count, 0)::int * c.counts AS manual_count,
    coalesce(p.online_count, 0)::int * c.counts AS online_count,
    CASE WHEN t.full_paid THEN p.last_paid_on - i.issue_date ELSE 0 END AS days,
    CASE WHEN t.full_paid THEN 1 ELSE 0 END AS paid_in_full,
    CASE i.kind WHEN 'invoice' THEN i.total ELSE -i.total END * c.counts AS billed,
    coalesce(p.manual, 0) * c.counts AS manual,
    coalesce(p.online, 0) * c.counts AS online
FROM (
    SELECT business_id, id, id AS invoice_id, customer_id, kind, status, issue_date, total
    FROM %1$s d
) i
%2$s
LEFT JOIN LATERAL (
    SELECT
        business_id,
        invoice_id,
        sum(amount) FILTER (WHERE channel = 'manual') AS manual,
        count(*) FILTER (WHERE channel = 'manual') AS manual_count,
        sum(amount) FILTER (WHERE channel = 'online') AS online,
        count(*) FILTER (WHERE channel = 'online') AS online_count,
        sum(amount) AS paid,
        max(paid_on) FILTER (WHERE amount > 0) AS last_paid_on
    FROM payments p
    WHERE status = 'settled' %3$s
    GROUP BY business_id, invoice_id
) p ON p.business_id = i.business_id AND p.invoice_id = i.id
CROSS JOIN LATERAL (SELECT (i.status = 'issued')::int) c (counts)
CROSS JOIN LATERAL (
    SELECT c.counts = 1 AND i.kind = 'invoice' AND i.total > 0 AND coalesce(p.paid >= i.total, false)
) t (full_paid)
$query$, documents, keys, paid)
$function$;

DO $$
BEGIN
    EXECUTE 'CREATE VIEW counted_documents AS ' || counting('invoices', '', '');
END
$$;

-- The same, kept: what a report reads for the days of its first and last month.
CREATE TABLE kept_documents (
    business_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    day int NOT NULL,
    invoices int NOT NULL,
    manual_count int NOT NULL,
    online_count int NOT NULL,
    days int NOT NULL,
    paid_in_full int NOT NULL,
    billed numeric NOT NULL,
    manual numeric NOT NULL,
    online numeric NOT NULL,
    PRIMARY KEY (business_id, invoice_id)
) WITH (fillfactor = 85);

CREATE INDEX kept_documents_by_day ON kept_documents (business_id, day, customer_id);

-- Sums of the documents issued in a period, by customer. A period is a month 20240100 or a year
-- 20240000. Money is in units of 0.0001.
--
-- A customer's sum of a period is spread over slots: a writer adds to any slot that no other
-- transaction holds, or opens one. So writers never wait for each other here, and no figure is lost;
-- who finds two free slots makes one of them. A slot that could overflow is full and left alone.
CREATE TABLE kept_periods (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    slot bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 100),
    billed bigint NOT NULL,
    manual bigint NOT NULL,
    online bigint NOT NULL,
    days bigint NOT NULL,
    period int NOT NULL,
    invoices int NOT NULL,
    manual_count int NOT NULL,
    online_count int NOT NULL,
    paid_in_full int NOT NULL,
    PRIMARY KEY (business_id, period, customer_id, slot)
) WITH (fillfactor = 85);

-- A customer's sums of all time, in units of 0.0001, in slots likewise: issued invoices less credit
-- notes and payments, and deposits held.
CREATE TABLE kept_totals (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    slot bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 100),
    receivable bigint NOT NULL,
    deposited bigint NOT NULL,
    PRIMARY KEY (business_id, customer_id, slot)
) WITH (fillfactor = 85);

-- The business's version changes in every transaction that can change an answer: one of its slots,
-- whichever nobody holds, gets a number that was never there before. All slots together are it.
CREATE TABLE report_versions (
    business_id bigint NOT NULL,
    slot bigint NOT NULL GENERATED ALWAYS AS IDENTITY (CACHE 100),
    version bigint NOT NULL,
    changed_by xid8 NOT NULL,
    PRIMARY KEY (business_id, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION report_version(business bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(string_agg(slot || '.' || version, '-' ORDER BY slot), '0')
    FROM report_versions WHERE business_id = business
$$;

-- The sums that there should be, and those that are kept.
CREATE VIEW counted_periods AS
SELECT
    business_id, period, customer_id,
    sum(billed) * 10000 AS billed, sum(manual) * 10000 AS manual, sum(online) * 10000 AS online,
    sum(days) AS days, sum(invoices) AS invoices, sum(manual_count) AS manual_count,
    sum(online_count) AS online_count, sum(paid_in_full) AS paid_in_full
FROM kept_documents
CROSS JOIN LATERAL (VALUES (day / 10000 * 10000), (day / 100 * 100)) p (period)
GROUP BY business_id, period, customer_id;

CREATE VIEW summed_periods AS
SELECT
    business_id, period, customer_id,
    sum(billed) AS billed, sum(manual) AS manual, sum(online) AS online,
    sum(days) AS days, sum(invoices) AS invoices, sum(manual_count) AS manual_count,
    sum(online_count) AS online_count, sum(paid_in_full) AS paid_in_full
FROM kept_periods
GROUP BY business_id, period, customer_id;

CREATE VIEW counted_totals AS
SELECT business_id, customer_id, sum(receivable) * 10000 AS receivable, sum(deposited) * 10000 AS deposited
FROM (
    SELECT business_id, customer_id, billed - manual - online AS receivable, 0 AS deposited
    FROM kept_documents
    UNION ALL
    SELECT business_id, customer_id, 0, CASE type WHEN 'credit' THEN amount ELSE -amount END
    FROM deposits
) moves
GROUP BY business_id, customer_id;

CREATE VIEW summed_totals AS
SELECT business_id, customer_id, sum(receivable) AS receivable, sum(deposited) AS deposited
FROM kept_totals GROUP BY business_id, customer_id;
