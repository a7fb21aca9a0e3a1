-- Returned mail: the delivery that each is about, and how it was understood.

-- name: deliveries
-- Those of the deliveries $1 that exist: whose each is, its recipient and its state, and whether it was handed over
-- before return paths were signed. One that is erased matches nothing: what comes back of it would bring the address
-- back. is_full is whether $2 returns of it are stored.
SELECT d.id, d.business_id, d.email, d.state,
       coalesce(d.sent_at, d.updated_at) < (SELECT signed_since FROM return_paths) AS is_older,
       (SELECT count(*) FROM (SELECT FROM returns r WHERE r.delivery_id = d.id LIMIT $2) AS stored) >= $2 AS is_full
FROM unnest($1::uuid[]) AS asked (id)
CROSS JOIN LATERAL (
    SELECT id, business_id, email, email_key, state, sent_at, updated_at FROM deliveries WHERE id = asked.id OFFSET 0
) AS d
WHERE d.email_key NOT LIKE 'erased-%@erased.invalid'

-- name: free_delivery
-- Waits until no other transaction changes the delivery $1, and locks it.
SELECT FROM deliveries WHERE id = $1 FOR NO KEY UPDATE

-- name: add
-- Stores returned mails and their octets. Returns of each whether it is new, or a copy of one that is stored; no row
-- comes back if it cannot be stored now: its delivery is gone or erased, is being handed over, or another
-- transaction changes it. No delivery has two of these mails.
WITH mails AS (
    SELECT * FROM unnest($ids::uuid[], $businesses::bigint[], $deliveries::uuid[], $sources::text[], $recipients::text[],
                         $hashes::bytea[], $raws::bytea[], $sizes::integer[], $kinds::text[], $scopes::text[],
                         $are_permanent::boolean[], $statuses::text[], $diagnostics::text[], $remote_mtas::text[],
                         $forms::text[])
        AS m (id, business_id, delivery_id, source, recipient, sha256, raw, size, kind, scope, is_permanent, status,
              diagnostic, remote_mta, form)
), about AS MATERIALIZED (
    SELECT d.id, d.business_id
    FROM (SELECT delivery_id FROM mails WHERE delivery_id IS NOT NULL ORDER BY delivery_id) AS m
    CROSS JOIN LATERAL (
        SELECT id, business_id, email_key, state FROM deliveries WHERE id = m.delivery_id
        OFFSET 0 FOR NO KEY UPDATE SKIP LOCKED
    ) AS d
    WHERE d.state <> 'committing' AND d.email_key NOT LIKE 'erased-%@erased.invalid'
), storable AS MATERIALIZED (
    SELECT m.id, coalesce(d.business_id, m.business_id) AS business_id
    FROM mails m LEFT JOIN about d ON d.id = m.delivery_id
    WHERE m.delivery_id IS NULL OR d.id IS NOT NULL
), added AS (
    INSERT INTO returns (id, business_id, delivery_id, received_at, source, recipient, sha256, size, kind, scope,
                         is_permanent, status, diagnostic, remote_mta, form)
    SELECT m.id, s.business_id, m.delivery_id, clock_timestamp(), m.source, m.recipient, m.sha256, m.size, m.kind,
           m.scope, m.is_permanent, m.status, m.diagnostic, m.remote_mta, m.form
    FROM mails m JOIN storable s USING (id)
    ORDER BY m.delivery_id, m.sha256
    ON CONFLICT DO NOTHING
    RETURNING id
), kept AS (
    INSERT INTO returned_mails (return_id, raw, received_at)
    SELECT a.id, m.raw, clock_timestamp() FROM added a JOIN mails m USING (id)
)
SELECT s.id, a.id IS NOT NULL AS is_new FROM storable s LEFT JOIN added a USING (id)

-- name: tell_effects
-- Records what each return of $1 has changed: the words of $2, with a space between them.
UPDATE returns r SET effect = string_to_array(changed.effect, ' ')
FROM unnest($1::uuid[], $2::text[]) AS changed (id, effect) WHERE r.id = changed.id

-- name: first_of_deliveries
-- The returns of which mails with the hashes $2 about the deliveries $1 are copies.
SELECT r.id, r.delivery_id
FROM unnest($1::uuid[], $2::bytea[]) AS copy (delivery_id, sha256)
CROSS JOIN LATERAL (
    SELECT id, delivery_id FROM returns
    WHERE delivery_id = copy.delivery_id AND sha256 = copy.sha256 OFFSET 0
) AS r

-- name: first_unmatched
-- The return of which a mail with the hash $2 to the recipient $3 is a copy, among those of business $1 that match
-- no delivery.
SELECT id FROM returns
WHERE delivery_id IS NULL AND coalesce(business_id, -1) = coalesce($1::bigint, -1) AND sha256 = $2
  AND coalesce(recipient, '') = coalesce($3::text, '')

-- name: about_us
-- The bounces since $1 ago whose scope says something about the sender or the servers, by scope, if there are at
-- least $2 of one; $3 if there are more. Those that match no delivery do not count: anybody can write one.
SELECT scope.name AS scope, found.mails
FROM unnest(ARRAY['infrastructure', 'policy']) AS scope (name), LATERAL (
    SELECT count(*) AS mails FROM (
        SELECT FROM returns
        WHERE received_at > now() - $1::interval AND kind = 'bounce' AND scope = scope.name
          AND delivery_id IS NOT NULL
        LIMIT $3
    ) AS bounce
) AS found
WHERE found.mails >= $2
