-- name: version
-- The version of business $1's ledger: it changes in every transaction that can change a report, and never
-- repeats.
SELECT report_version($1)

-- name: changes
-- Each part of the version of business $1's ledger, with what its last changes were about (migration 0044).
SELECT slot, version, changes FROM report_versions WHERE business_id = $1

-- name: figures
-- The report as columns. The table `figures` has one row for each customer of the business, in no order.
-- Its columns are the fields of the answer for the period from start to end (dates, inclusive), with
-- amounts in units of 0.0001; the days and the number of documents of which average_payment_terms is the
-- mean (days, paid_in_full); and three finished pieces of JSON: report_head, report_category and
-- report_middle. A query that reads `figures` pays only for the columns that it names.
--
-- Reads kept figures only (migrations 0004 to 0009 and 0025 to 0027), by index lookups for each year,
-- quarter, month and day that make up the period, some of which are taken away; OFFSET 0 forces the
-- planner to do so. `paid` says by which dates amount_paid, online_amount_paid and total_paid are summed.
-- of_customer may restrict the figures. Units are numeric and added up by sum; or bigint and added up by
-- sum_units, which is faster and fails before the first row if one is out of bounds. asyncpg turns the
-- first and the last date of Python into infinities.
WITH within AS MATERIALIZED (
    SELECT period, sign FROM periods_covering({business}, {start}, {end})
), sums AS (
    SELECT
        k.customer_id,
        units_bounded({sum}(k.billed)) AS due,
        sum(k.invoices) AS invoices,
        CASE WHEN sum(k.manual_count) > 0 THEN
            units_bounded({sum}(k.manual))
        END AS manual,
        CASE WHEN sum(k.online_count) > 0 THEN
            units_bounded({sum}(k.online))
        END AS online,
        CASE WHEN sum(k.received_manual_count) > 0 THEN
            units_bounded({sum}(k.received_manual))
        END AS received_manual,
        CASE WHEN sum(k.received_online_count) > 0 THEN
            units_bounded({sum}(k.received_online))
        END AS received_online,
        sum(k.documents) AS documents,
        sum(k.received_manual_count + k.received_online_count) AS receipts,
        {sum}(k.days) AS days,
        sum(k.paid_in_full) AS paid_in_full,
        average_days({sum}(k.days), sum(k.paid_in_full)) AS average,
        {sum}(k.receivable) AS receivable,
        units_bounded({sum}(k.deposited)) AS deposited
    FROM (
        {periods_added}
        UNION ALL
        {periods_taken}
        UNION ALL
        SELECT
            d.customer_id, (w.sign * 10000 * d.billed)::{units}, w.sign * d.invoices,
            (w.sign * 10000 * d.manual)::{units}, w.sign * d.manual_count,
            (w.sign * 10000 * d.online)::{units}, w.sign * d.online_count, 0::{units}, 0, 0::{units},
            0, w.sign * d.documents, w.sign * d.days::bigint, w.sign * d.paid_in_full, 0::{units},
            0::{units}
        FROM within w
        CROSS JOIN LATERAL (
            SELECT * FROM kept_documents
            WHERE business_id = {business} AND day = w.period {of_customer}
            OFFSET 0
        ) d
        WHERE w.period % 100 > 0
        {paid_on_days}
        UNION ALL
        SELECT
            customer_id, 0::{units}, 0, 0::{units}, 0, 0::{units}, 0, 0::{units}, 0, 0::{units}, 0, 0,
            0::bigint, 0, receivable::{units}, deposited::{units}
        FROM kept_totals
        WHERE business_id = {business} {of_customer}
    ) k
    GROUP BY k.customer_id
), named AS MATERIALIZED (
    SELECT
        id, name, concat(to_json(name), ',"category_id":', id, ',"deposit_amount":') AS report_category
    FROM categories
    WHERE business_id = {business}
), figures AS (
    SELECT
        c.id, c.owner_id, c.business_id, c.first_name, c.last_name, c.phone_number, c.business_name,
        c.business_address, c.business_phone, c.business_location, c.business_email, c.created_at,
        c.updated_at, c.account_id,
        coalesce(n.name, 'Uncategorised') AS category,
        coalesce(n.id, 1) AS category_id,
        coalesce(s.deposited, 0) AS deposit_amount,
        c.deposit_account_id, c.archived,
        coalesce(s.due, 0) AS amount_due,
        coalesce(s.invoices, 0) AS invoice_count,
        units_bounded(c.report_opening::{units} + coalesce(s.receivable, 0)) AS balance,
        s.{paid}manual AS amount_paid,
        s.{paid}online AS online_amount_paid,
        least(greatest({start}, '0001-01-01'), '9999-12-31') AS date_from,
        least(greatest({end}, '0001-01-01'), '9999-12-31') AS date_to,
        coalesce(s.average, 0) AS average_payment_terms,
        coalesce(s.due, 0) - coalesce(s.manual, 0) - coalesce(s.online, 0) AS owing,
        coalesce(s.{paid}manual, 0) + coalesce(s.{paid}online, 0) AS total_paid,
        coalesce(s.invoices, 0) AS invoices,
        coalesce(s.days, 0) AS days,
        coalesce(s.paid_in_full, 0) AS paid_in_full,
        {activity}
        c.report_head,
        coalesce(
            n.report_category, '"Uncategorised","category_id":1,"deposit_amount":'
        ) AS report_category,
        c.report_middle
    FROM customers c
    LEFT JOIN named n ON n.id = c.category_id
    LEFT JOIN sums s ON s.customer_id = c.id
    WHERE c.business_id = {business}
)

-- name: of_periods
-- What is added from kept periods or taken away (if `sign` is -).
SELECT
    p.customer_id, ({sign}p.billed)::{units} AS billed, {sign}p.invoices AS invoices,
    ({sign}p.manual)::{units} AS manual, {sign}p.manual_count AS manual_count,
    ({sign}p.online)::{units} AS online, {sign}p.online_count AS online_count,
    ({sign}p.received_manual)::{units} AS received_manual,
    {sign}p.received_manual_count AS received_manual_count,
    ({sign}p.received_online)::{units} AS received_online,
    {sign}p.received_online_count AS received_online_count,
    {sign}p.documents AS documents, {sign}p.days AS days, {sign}p.paid_in_full AS paid_in_full,
    0::{units} AS receivable, 0::{units} AS deposited
FROM within w
CROSS JOIN LATERAL (
    SELECT * FROM kept_periods
    WHERE business_id = {business} AND period = w.period {of_customer}
    OFFSET 0
) p
WHERE w.sign = {sign}1 {only_longer}

-- name: longer_than_a_day
-- Days have only what was received on them for documents that are paid on several days.
AND w.period % 100 = 0

-- name: paid_on_days
-- What was received on the days of the period for documents that are paid on one day.
UNION ALL
SELECT
    d.customer_id, 0::{units}, 0, 0::{units}, 0, 0::{units}, 0, (w.sign * 10000 * d.manual)::{units},
    w.sign * d.manual_count, (w.sign * 10000 * d.online)::{units}, w.sign * d.online_count, 0, 0::bigint,
    0, 0::{units}, 0::{units}
FROM within w
CROSS JOIN LATERAL (
    SELECT * FROM kept_documents
    WHERE business_id = {business} AND paid_day = w.period {of_customer}
    OFFSET 0
) d
WHERE w.period % 100 > 0

-- name: activity
-- The number of documents, and that of payments by their dates: columns of `figures`, if asked for.
coalesce(s.documents, 0) AS documents, coalesce(s.receipts, 0) AS receipts,

-- name: of_customer
-- Restricts the figures to one customer.
AND customer_id = {customer}

-- name: of_customers
-- Restricts the figures to customers in a range of ids. The others have rows too, without figures.
AND customer_id BETWEEN {customers}

-- name: json
-- A row of `figures` as one line of JSON.
concat(
    report_head, report_category, units_number(deposit_amount), report_middle,
    units_number(amount_due), ',"invoice_count":', invoice_count,
    ',"balance":', units_number(balance),
    ',"amount_paid":', CASE WHEN amount_paid IS NULL THEN 'null' END, units_number(amount_paid),
    ',"online_amount_paid":', CASE WHEN online_amount_paid IS NULL THEN 'null' END,
    units_number(online_amount_paid),
    (SELECT concat(
        ',"dateFrom":"', least(greatest({start}, '0001-01-01'), '9999-12-31'),
        '","dateTo":"', least(greatest({end}, '0001-01-01'), '9999-12-31')
    )),
    '","average_payment_terms":', average_payment_terms,
    ',"owing":', units_number(owing), ',"total_paid":', units_number(total_paid),
    ',"invoices":', invoice_count, '}'
)

-- name: all_customers
-- The rows of all customers as JSON, in the report's order. They are sorted before they are written, so
-- that the first rows are sent while the last are still to be written. The sorted rows have only the columns
-- that `json` needs, those of fixed length first, because they are found fastest.
{figures}
SELECT {json} AS row
FROM (
    SELECT
        id, balance, deposit_amount, amount_due, invoice_count, average_payment_terms, owing,
        total_paid, amount_paid, online_amount_paid, report_head, report_category, report_middle
    FROM figures
    ORDER BY balance DESC, id
) ordered
ORDER BY balance DESC, id

-- name: one_customer
-- The row of one customer as JSON, if the business has such a customer.
{figures}
SELECT {json} AS row FROM figures WHERE id = {customer}

-- name: customer_contains
-- Whether one of a customer's names or its address contains a text, in upper or lower case. First all of them
-- are searched as one text, because lower() of each takes longer; then each of them, because the text may
-- have been found across two. The space between two does not change the lower case of other letters. The
-- text itself is written in lower case by a SELECT, so that Postgres does it once, and not for each customer.
(
    strpos(lower(concat_ws(' ', business_name, first_name, last_name, business_email) COLLATE "und-x-icu"),
           (SELECT lower({text} COLLATE "und-x-icu"))) > 0
    AND EXISTS (
        SELECT FROM (VALUES (business_name), (first_name), (last_name), (business_email)) of_customer (name)
        WHERE strpos(lower(of_customer.name COLLATE "und-x-icu"),
                     (SELECT lower({text} COLLATE "und-x-icu"))) > 0
    )
)
