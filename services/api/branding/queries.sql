-- How the statements of a business look.

-- name: branding
-- The branding of business $1, with its logo's sides; no row if it has none.
SELECT b.accent, b.sender_name, b.reply_to, b.how_to_pay, b.pay_link, b.paper, b.statement_kind, b.attach_csv,
       b.updated_at, b.logo_sha256, l.width, l.height
FROM branding b LEFT JOIN logos l ON l.business_id = b.business_id AND l.sha256 = b.logo_sha256
WHERE b.business_id = $1

-- name: replace
-- Writes the branding of a business, apart from its logo.
INSERT INTO branding (business_id, accent, sender_name, reply_to, how_to_pay, pay_link, paper, statement_kind, attach_csv)
VALUES ($business, $accent, $sender_name, $reply_to, $how_to_pay, $pay_link, $paper, $statement_kind, $attach_csv)
ON CONFLICT (business_id) DO UPDATE SET
    accent = excluded.accent, sender_name = excluded.sender_name, reply_to = excluded.reply_to,
    how_to_pay = excluded.how_to_pay, pay_link = excluded.pay_link, paper = excluded.paper,
    statement_kind = excluded.statement_kind, attach_csv = excluded.attach_csv, updated_at = now()

-- name: keep_logo
-- Stores the logo $2 (its SHA-256), $3 (PNG), $4 by $5 pixels of business $1; returns whether it is a new one.
INSERT INTO logos AS stored (business_id, sha256, png, width, height) VALUES ($1, $2, $3, $4, $5)
-- So that one that is there is not deleted as an old one before the branding names it.
ON CONFLICT (business_id, sha256) DO UPDATE SET created_at = now()
RETURNING stored.xmax = 0

-- name: use_logo
-- Makes $2 the logo of business $1; null: it has none.
INSERT INTO branding (business_id, logo_sha256) VALUES ($1, $2)
ON CONFLICT (business_id) DO UPDATE SET logo_sha256 = excluded.logo_sha256, updated_at = now()

-- name: logo
-- The logo of business $1; no row if it has none.
SELECT l.sha256, l.png FROM branding b JOIN logos l ON l.business_id = b.business_id AND l.sha256 = b.logo_sha256
WHERE b.business_id = $1
