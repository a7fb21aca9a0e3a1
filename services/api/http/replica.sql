-- What requests ask a replica, and a primary that has one.

-- name: has_replayed
-- Whether the replica has replayed everything up to the place $1 of the log. Asked in a statement of its own: what is
-- read afterwards has a snapshot that was taken afterwards.
SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)

-- name: version
-- The version of the ledger of business $1.
SELECT report_version($1)

-- name: replayed
-- How far the replica has replayed the log.
SELECT pg_last_wal_replay_lsn()::text

-- name: written
-- How far the log of the primary goes. Every commit that anybody can see is before it, also one that is not flushed yet.
SELECT pg_current_wal_insert_lsn()::text
