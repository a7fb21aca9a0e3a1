-- before the code
-- A send, one delivery per recipient, and what became of each. History outlives the ledger: no
-- foreign key leads into it.

-- What a statement said, frozen once and named by its hash, so that the mail, its PDF, the API and
-- a resend all show the same figures.
CREATE TABLE statements (
    business_id bigint NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT statements_sha256_is_a_digest CHECK (length(sha256) = 32),
    content text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (business_id, sha256)
);

CREATE TABLE sends (
    id uuid PRIMARY KEY,
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    date_from date NOT NULL,
    date_to date NOT NULL,
    personal_message text,
    copy_to_me boolean NOT NULL,
    skipped jsonb NOT NULL DEFAULT '[]',
    send_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    statement_sha256 bytea,
    CONSTRAINT sends_period_runs_forward CHECK (date_from <= date_to),
    CONSTRAINT sends_expire_after_they_are_due CHECK (expires_at > send_at),
    FOREIGN KEY (business_id, statement_sha256) REFERENCES statements
);
CREATE INDEX sends_history ON sends (business_id, created_at DESC, id DESC);
CREATE INDEX sends_of_customer ON sends (business_id, customer_id, created_at DESC, id DESC);
CREATE INDEX sends_by_statement ON sends (business_id, statement_sha256);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    send_id uuid NOT NULL REFERENCES sends ON DELETE CASCADE,
    business_id bigint NOT NULL,
    position smallint NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL CONSTRAINT deliveries_email_key_is_folded CHECK (email_key = lower(email_key)),
    state text NOT NULL DEFAULT 'scheduled' CONSTRAINT deliveries_state_is_known CHECK (state IN (
        'scheduled', 'queued', 'sending', 'committing', 'deferred',
        'sent', 'failed', 'in_doubt', 'cancelled', 'expired', 'suppressed')),
    due_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    token bigint NOT NULL DEFAULT 0,
    claims smallint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    emissions integer NOT NULL DEFAULT 0,
    published_at timestamptz,
    lease_until timestamptz,
    reply text,
    reason text,
    sent_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (send_id, email_key),
    CONSTRAINT deliveries_held_ones_have_a_lease
        CHECK (state NOT IN ('queued', 'sending', 'committing') OR lease_until IS NOT NULL),
    CONSTRAINT deliveries_sent_ones_say_when CHECK ((state = 'sent') = (sent_at IS NOT NULL))
) WITH (fillfactor = 80);
-- The dispatcher's, the sweeper's and the operator's view; each holds only rows that wait for it.
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE state IN ('scheduled', 'deferred');
CREATE INDEX deliveries_held ON deliveries (state, lease_until, id) WHERE state IN ('queued', 'sending', 'committing');
CREATE INDEX deliveries_unconfirmed ON deliveries (lease_until, id) WHERE state = 'queued' AND published_at IS NULL;
CREATE INDEX deliveries_queued_expiry ON deliveries (expires_at) WHERE state = 'queued';
CREATE INDEX deliveries_in_doubt ON deliveries (business_id, updated_at, id) WHERE state = 'in_doubt';

-- The outbox of what became of each delivery: written in the transaction of the change itself.
CREATE TABLE delivery_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    state text NOT NULL,
    attempts integer NOT NULL,
    reply text,
    reason text,
    due_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    published_at timestamptz
);
CREATE INDEX delivery_events_of_delivery ON delivery_events (delivery_id, id);
CREATE INDEX delivery_events_unpublished ON delivery_events (id) WHERE published_at IS NULL;

-- `committing` is inward: what the world sees of it is `sending`, which was logged before.
CREATE FUNCTION log_delivery_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO delivery_events (delivery_id, state, attempts, reply, reason, due_at, occurred_at)
        SELECT id, state, attempts, reply, reason, due_at, clock_timestamp() FROM after_rows;
    ELSE
        INSERT INTO delivery_events (delivery_id, state, attempts, reply, reason, due_at, occurred_at)
        SELECT a.id, a.state, a.attempts, a.reply, a.reason, a.due_at, clock_timestamp()
        FROM after_rows a JOIN before_rows b USING (id)
        WHERE a.state <> b.state AND a.state <> 'committing';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER deliveries_log_first_state AFTER INSERT ON deliveries
    REFERENCING NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_delivery_states();
CREATE TRIGGER deliveries_log_state AFTER UPDATE ON deliveries
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_delivery_states();

-- The first answer to a request with an Idempotency-Key, given again to its repetitions.
CREATE TABLE idempotency_keys (
    business_id bigint NOT NULL,
    key text NOT NULL CONSTRAINT idempotency_keys_are_short CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint bytea NOT NULL,
    send_id uuid NOT NULL REFERENCES sends ON DELETE CASCADE,
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (business_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_of_send ON idempotency_keys (send_id);

-- Addresses a business no longer mails, because a relay said that they do not exist.
CREATE TABLE suppressions (
    business_id bigint NOT NULL,
    email_key text NOT NULL CONSTRAINT suppressions_email_key_is_folded CHECK (email_key = lower(email_key)),
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (business_id, email_key)
);
