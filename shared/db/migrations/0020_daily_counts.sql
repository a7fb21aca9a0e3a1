-- before the code
-- How much of a kind a business has had stored on a day in UTC, where nothing else bounds it: refused
-- requests over the queue, Idempotency-Keys, suppressions by hand. -1 stands for those whose key is
-- no key, all together.
CREATE TABLE daily_counts (
    business_id bigint NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    used integer NOT NULL CONSTRAINT daily_counts_used_is_a_number_of CHECK (used >= 0),
    PRIMARY KEY (business_id, kind)
) WITH (fillfactor = 50);
