-- before the code
-- Browsers that are signed in by a key. Only the hash of what the cookie holds is stored.
CREATE TABLE sessions (
    sha256 bytea PRIMARY KEY CONSTRAINT sessions_sha256_is_a_digest CHECK (length(sha256) = 32),
    key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_end_later CHECK (expires_at > created_at)
);
CREATE INDEX sessions_of_key ON sessions (key_id, created_at);
