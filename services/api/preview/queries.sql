-- name: logo
-- The PNG of logo $2 of business $1.
SELECT png FROM logos WHERE business_id = $1 AND sha256 = $2
