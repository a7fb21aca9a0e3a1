-- A statement that inserts many documents or deposits joins what it adds to the sums that are there.
-- By nested loops, to which 0007 bound it, it compared each with each: the planner expects one sum in
-- three hundred to be free, and nearly all are. 10,000 customers with a second month took half a minute.
ALTER FUNCTION invoices_changed() SET enable_hashjoin = on;
ALTER FUNCTION deposits_changed() SET enable_hashjoin = on;
