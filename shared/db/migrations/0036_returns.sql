-- before the code
-- Returned mail: what came back, how it was understood, and what it changed.

-- From this time on every return path is signed. Returned mails to an unsigned one are accepted for deliveries
-- that were handed over before, and suppress nobody.
CREATE TABLE return_paths (
    one boolean PRIMARY KEY DEFAULT true CONSTRAINT return_paths_has_one_row CHECK (one),
    signed_since timestamptz NOT NULL DEFAULT now()
);
INSERT INTO return_paths DEFAULT VALUES;

CREATE TABLE returns (
    id uuid PRIMARY KEY,
    -- That of the delivery, or of the key that posted the mail; null: nobody's, and shown to operators only.
    business_id bigint,
    -- Null if no delivery matches. What came back of a delivery is deleted from the history with it: as a return of
    -- no delivery it could be the copy of another one.
    delivery_id uuid REFERENCES deliveries (id) ON DELETE CASCADE,
    received_at timestamptz NOT NULL,
    source text NOT NULL,
    -- The recipient of the envelope, if there is one.
    recipient text,
    -- Of the body after the header: relays add fields to the header of a copy.
    sha256 bytea NOT NULL,
    size integer NOT NULL,
    kind text NOT NULL,
    scope text,
    is_permanent boolean NOT NULL DEFAULT false,
    status text,
    diagnostic text,
    remote_mta text,
    -- What the return has changed: nothing, or some of these.
    effect text[] NOT NULL DEFAULT '{}',
    CONSTRAINT returns_source_is_known CHECK (source IN ('smtp', 'lmtp', 'maildir', 'api', 'command')),
    CONSTRAINT returns_sha256_is_a_digest CHECK (length(sha256) = 32),
    CONSTRAINT returns_size_is_a_number_of CHECK (size >= 0),
    CONSTRAINT returns_kind_is_known CHECK (kind IN ('bounce', 'delay', 'complaint', 'auto-reply', 'unknown')),
    CONSTRAINT returns_scope_is_known CHECK (scope IN ('recipient', 'policy', 'infrastructure', 'content', 'transient')),
    CONSTRAINT returns_status_has_its_form CHECK (status ~ '^[245]\.[0-9]{1,3}\.[0-9]{1,3}$'),
    CONSTRAINT returns_effect_is_known CHECK (effect <@ ARRAY['bounced', 'complained', 'suppressed'])
);
-- The same mail that comes again, about the same delivery, is a copy.
CREATE UNIQUE INDEX returns_of_delivery ON returns (delivery_id, sha256) WHERE delivery_id IS NOT NULL;
CREATE UNIQUE INDEX returns_unmatched ON returns (coalesce(business_id, -1), sha256, coalesce(recipient, ''))
    WHERE delivery_id IS NULL;
CREATE INDEX returns_history ON returns (business_id, received_at DESC, id DESC);
CREATE INDEX returns_by_age ON returns USING brin (received_at);

-- The mails as they came, for RETURN_RETENTION.
CREATE TABLE returned_mails (
    return_id uuid PRIMARY KEY REFERENCES returns (id) ON DELETE CASCADE,
    raw bytea NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX returned_mails_by_age ON returned_mails (received_at);

-- Addresses that are mailed again: who lifted the suppression, and why.
CREATE TABLE lifted_suppressions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL,
    email_key text NOT NULL,
    reason text NOT NULL,
    reason_code text NOT NULL,
    suppressed_at timestamptz NOT NULL,
    lifted_at timestamptz NOT NULL DEFAULT now(),
    -- `key`, and the id of the key.
    lifted_by text NOT NULL,
    why text,
    CONSTRAINT lifted_suppressions_email_key_is_folded CHECK (email_key = lower(email_key))
);
CREATE INDEX lifted_suppressions_of_business ON lifted_suppressions (business_id, lifted_at DESC, id DESC);

-- Keys that exist do not get the new scope.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_are_known, ADD CONSTRAINT api_keys_scopes_are_known
    CHECK (scopes <@ ARRAY['reports:read', 'transactions:send', 'branding:write', 'returns:write']);
