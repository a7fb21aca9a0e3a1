-- before the code
-- Keys that end by themselves, when each was last used, and how much it may still ask in its minute.

-- To the minute: written at most that often for one key.
ALTER TABLE api_keys ADD COLUMN expires_at timestamptz, ADD COLUMN last_used_at timestamptz;

-- A key's running window: what of its requests the API's processes have taken, and the slice that
-- was taken last. A crash of Postgres empties it, which only begins new windows.
CREATE UNLOGGED TABLE key_windows (
    key_id uuid PRIMARY KEY REFERENCES api_keys ON DELETE CASCADE,
    ends_at timestamptz NOT NULL,
    taken integer NOT NULL,
    slice integer NOT NULL CONSTRAINT key_windows_slice_is_a_number_of CHECK (slice >= 0)
) WITH (fillfactor = 50);
