-- before the code
-- Bearer keys, each bound to one business. Only the hash of a key is kept.

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    business_id bigint NOT NULL REFERENCES businesses,
    name text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL UNIQUE CONSTRAINT api_keys_sha256_is_a_digest CHECK (length(sha256) = 32),
    scopes text[] NOT NULL CONSTRAINT api_keys_scopes_are_known
        CHECK (scopes <@ ARRAY['reports:read', 'transactions:send']),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
