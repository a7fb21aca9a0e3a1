-- before the code
-- What operators do by hand to the queue, and what retention looks for.

-- Whose mail waits until somebody says `resume`: one business's, or everybody's (NULL).
CREATE TABLE pauses (
    business_id bigint UNIQUE NULLS NOT DISTINCT,
    paused_at timestamptz NOT NULL DEFAULT now()
);

-- The send whose statement and recipients this one repeats. No foreign key: the older one may reach
-- the end of its retention first.
ALTER TABLE sends ADD COLUMN resend_of uuid;

-- Finds what is old, for retention: sends are stored in the order of their time, so this stays tiny.
CREATE INDEX sends_by_age ON sends USING brin (created_at);
