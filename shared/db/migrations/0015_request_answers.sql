-- before the code
-- What requests for a send that came over the queue were answered with: written in the transaction
-- of the send, published from here by the relay, and found again by a request that comes twice.
CREATE TABLE request_answers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL UNIQUE,
    business_id bigint NOT NULL,
    -- Of an accepted request; a refused one made nothing.
    send_id uuid REFERENCES sends ON DELETE CASCADE,
    fingerprint bytea,
    event text NOT NULL,
    traceparent text,
    taken_until timestamptz NOT NULL DEFAULT '-infinity',
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    CONSTRAINT request_answers_accepted_ones_know_the_request
        CHECK ((send_id IS NULL) = (fingerprint IS NULL))
);
CREATE INDEX request_answers_unpublished ON request_answers (id) WHERE published_at IS NULL;
CREATE INDEX request_answers_of_send ON request_answers (send_id) WHERE send_id IS NOT NULL;
