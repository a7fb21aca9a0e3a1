-- before the code
-- Which relay publishes events at the moment: one at a time, so that subscribers hear of the changes
-- of a delivery in their order. It is a lease and no lock, because a relay that stands still in the
-- middle of a batch would hold a lock for as long.
CREATE TABLE outbox (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT outbox_has_one_row CHECK (one),
    turn bigint NOT NULL DEFAULT 0,
    lease_until timestamptz NOT NULL DEFAULT now()
);
INSERT INTO outbox DEFAULT VALUES;
