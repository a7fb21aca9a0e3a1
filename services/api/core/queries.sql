-- name: has_business
-- Whether this database has business $1.
SELECT EXISTS (SELECT FROM businesses WHERE id = $1)
