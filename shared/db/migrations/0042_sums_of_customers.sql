-- before the code
-- A ranking by balance reads the opening balances of a business, and a summary its categories as well, and
-- nothing else of its customers. Before, both took each customer apart, past all texts, for these numbers: four
-- of the ten milliseconds of a ranking of 10,000 customers, six of the 26 of their summary.
-- The id is beside the key, so that customers are still looked up by their primary key.
CREATE INDEX customers_summed ON customers (business_id) INCLUDE (id, report_opening, category_id);
