-- Understanding returned mails again.

-- name: kept
-- The returned mail $1 of business $2 (NULL: whoever it belongs to), locked, with its octets if they are kept and the
-- delivery that it is about. One that is erased is none.
SELECT r.business_id, r.delivery_id, r.source, r.recipient, r.sha256, r.kind, r.scope, r.is_permanent, r.effect, m.raw,
       d.email, d.state
FROM returns r LEFT JOIN returned_mails m ON m.return_id = r.id
    LEFT JOIN deliveries d ON d.id = r.delivery_id AND d.email_key NOT LIKE 'erased-%@erased.invalid'
WHERE r.id = $1 AND ($2::bigint IS NULL OR r.business_id = $2)
FOR UPDATE OF r

-- name: change
-- Records how the return $id is understood now, the delivery and business that it is about, and what it has changed.
UPDATE returns SET
    business_id = $business, delivery_id = $delivery, recipient = $recipient, kind = $kind, scope = $scope,
    is_permanent = $is_permanent, status = $status, diagnostic = $diagnostic, remote_mta = $remote_mta, form = $form,
    effect = $effect::text[]
WHERE id = $id

-- name: note
-- Notes that $by had the return $id understood again, why, what it was before, and what that has changed.
INSERT INTO reprocessed_returns (return_id, reprocessed_by, why, former_kind, former_scope, former_delivery_id, effect)
VALUES ($id, $by, $why, $former_kind, $former_scope, $former_delivery, $effect::text[])

-- name: notes
-- The newest $2 notes of the return $1, newest first.
SELECT reprocessed_at, reprocessed_by, why, former_kind, former_scope, former_delivery_id, effect
FROM reprocessed_returns WHERE return_id = $1 ORDER BY id DESC LIMIT $2

-- name: has_copy
-- Whether a return about the delivery $1 has the hash $2.
SELECT EXISTS (SELECT FROM returns WHERE delivery_id = $1 AND sha256 = $2)

-- name: candidates
-- At most $5 returns whose mails are kept, oldest first, after the time $3 and the id $4: those of kind unknown if $1,
-- and those that match no delivery if $2.
SELECT r.id, r.received_at FROM returns r JOIN returned_mails m ON m.return_id = r.id
WHERE (($1::boolean AND r.kind = 'unknown') OR ($2::boolean AND r.delivery_id IS NULL))
  AND (r.received_at, r.id) > ($3::timestamptz, $4::uuid)
ORDER BY r.received_at, r.id
LIMIT $5
