-- before the code
-- A summary adds up by category, and took each customer apart for it, past all texts: 6 of its 26 milliseconds
-- for 10,000 customers. The index that has their opening balances (migration 0042) has their categories, too.
CREATE INDEX customers_summed ON customers (business_id) INCLUDE (id, report_opening, category_id);
DROP INDEX customers_opening;
