-- name: principal
-- The key with hash $1, found by its unique index at every request.
SELECT id, business_id, scopes, expires_at, coalesce(expires_at <= now(), false) AS is_expired
FROM api_keys WHERE sha256 = $1 AND revoked_at IS NULL

-- name: has_key
-- True if this database has the key with hash $1 and it is not revoked; otherwise no row.
SELECT true FROM api_keys WHERE sha256 = $1 AND revoked_at IS NULL

-- name: principal_and_version
-- The key with hash $1 and the version of its business's ledger, so that an unchanged report needs no
-- further round trip.
SELECT id, business_id, scopes, expires_at, coalesce(expires_at <= now(), false) AS is_expired,
    report_version(business_id) AS ledger_version
FROM api_keys WHERE sha256 = $1 AND revoked_at IS NULL

-- name: admit
-- Authenticates key $1 and leases 1/16 (at most 500) of what is left of its $2 requests per window $3;
-- updates last_used_at. Slices shrink with what is left, so that no process keeps many requests that
-- another one could use.
WITH key AS (
    SELECT id, business_id, scopes, expires_at, coalesce(expires_at <= now(), false) AS is_expired
    FROM api_keys WHERE sha256 = $1 AND revoked_at IS NULL
), used AS (
    UPDATE api_keys k SET last_used_at = now()
    FROM key
    WHERE k.id = key.id AND NOT key.is_expired
      AND (k.last_used_at IS NULL OR k.last_used_at <= now() - interval '1 minute')
), leased AS (
    INSERT INTO key_windows AS w (key_id, ends_at, taken, slice)
    SELECT id, now() + $3::interval, least(500, ($2::integer + 15) / 16), least(500, ($2 + 15) / 16)
    FROM key WHERE NOT is_expired
    ON CONFLICT (key_id) DO UPDATE SET (ends_at, taken, slice) = (
        SELECT begun.ends_at, begun.taken + next.slice, next.slice
        FROM (SELECT CASE WHEN w.ends_at > now() THEN w.ends_at ELSE excluded.ends_at END,
                     CASE WHEN w.ends_at > now() THEN w.taken ELSE 0 END) AS begun (ends_at, taken),
             LATERAL (SELECT greatest(0, least(500, ($2 - begun.taken + 15) / 16))) AS next (slice))
    RETURNING taken, slice, ends_at - now() AS lasts
)
SELECT key.*, leased.taken, leased.slice, leased.lasts FROM key LEFT JOIN leased ON true

-- name: create
-- Stores a key, valid until $expires_at (NULL: without end); no row if the business does not exist.
INSERT INTO api_keys (id, business_id, name, prefix, sha256, scopes, expires_at)
SELECT $id, id, $name, $prefix, $sha256, $scopes, $expires_at
FROM businesses WHERE id = $business
RETURNING id

-- name: all_keys
-- Every key without the key itself, oldest first.
SELECT id, business_id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at
FROM api_keys ORDER BY created_at, id

-- name: revoke
-- Revokes the keys whose id or prefix is $1; a key that is revoked already keeps its time.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE id::text = lower($1) OR prefix = $1
RETURNING id

-- name: database_time
-- The time by the clock of Postgres, which also decides which day it is.
SELECT clock_timestamp()

-- name: count_today
-- Counts $4 more of the kind $2 of business $1 today (in UTC); returns no row, and counts nothing, if there would
-- be more than $3.
INSERT INTO daily_counts AS d (business_id, kind, day, used)
VALUES ($1, $2, (now() AT TIME ZONE 'UTC')::date, $4)
ON CONFLICT (business_id, kind) DO UPDATE SET
    used = CASE WHEN d.day < excluded.day THEN excluded.used ELSE d.used + excluded.used END,
    day = greatest(d.day, excluded.day)
WHERE d.day < excluded.day OR d.used + excluded.used <= $3
RETURNING used
