-- Showing returned mails.

-- name: page
-- At most $most returned mails of business $business, newest first, after the time $time and the id $id, none
-- older than $since; those that all filters fit which are not NULL.
SELECT id, received_at, delivery_id, kind, scope, is_permanent AS permanent, status, diagnostic, remote_mta, form,
       effect
FROM returns
WHERE business_id = $business AND received_at >= $since AND (received_at, id) < ($time::timestamptz, $id::uuid)
  AND ($kind::text IS NULL OR kind = $kind)
  AND ($scope::text IS NULL OR scope = $scope)
  AND ($delivery::uuid IS NULL OR delivery_id = $delivery)
  AND ($unmatched::boolean IS NULL OR (delivery_id IS NULL) = $unmatched)
ORDER BY received_at DESC, id DESC
LIMIT $most

-- name: one
-- The returned mail $2 of business $1.
SELECT id, received_at, delivery_id, kind, scope, is_permanent AS permanent, status, diagnostic, remote_mta, form,
       effect
FROM returns WHERE business_id = $1 AND id = $2

-- name: newest
-- The newest returned mails, at most $4: of business $1, of the kind $2, and those that match no delivery if $3;
-- whoever they belong to if $1 is NULL.
SELECT business_id, recipient,
       id, received_at, delivery_id, kind, scope, is_permanent AS permanent, status, diagnostic, remote_mta, form,
       effect
FROM returns
WHERE ($1::bigint IS NULL OR business_id = $1) AND ($2::text IS NULL OR kind = $2)
  AND (NOT $3::boolean OR delivery_id IS NULL)
ORDER BY received_at DESC, id DESC
LIMIT $4

-- name: kept
-- The returned mail $1, whoever it belongs to, and its octets if they are kept.
SELECT r.business_id, r.recipient, m.raw,
       r.id, r.received_at, r.delivery_id, r.kind, r.scope, r.is_permanent AS permanent, r.status, r.diagnostic,
       r.remote_mta, r.form, r.effect
FROM returns r LEFT JOIN returned_mails m ON m.return_id = r.id
WHERE r.id = $1
