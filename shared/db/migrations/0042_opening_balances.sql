-- before the code
-- A ranking by balance reads the opening balances of a business, and nothing else of its customers. Before, it
-- took each customer apart, past all texts, for one number: four of the ten milliseconds for 10,000 customers.
-- The id is beside the key, so that customers are still looked up by their primary key.
CREATE INDEX customers_opening ON customers (business_id) INCLUDE (id, report_opening);
