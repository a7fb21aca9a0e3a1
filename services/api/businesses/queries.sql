-- name: business
-- What reports have to know of business $1.
SELECT id, name, currency, timezone, fiscal_year_start FROM businesses WHERE id = $1
