-- before the code
-- How many recipients of a customer the quota is charged with: NULL for customers of batches that were accepted before.
-- The column takes no time, however many rows there are.

ALTER TABLE batch_customers ADD COLUMN charged integer;
