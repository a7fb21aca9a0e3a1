-- before the code
-- How a business's statements look, in which language they are written, and of which kind they are.

-- A language tag (BCP 47) such as en, pt-BR or zh-Hant; null: that of the business, else English.
ALTER TABLE businesses ADD COLUMN locale text
    CONSTRAINT businesses_locale_is_a_language_tag CHECK (locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$');
ALTER TABLE customers ADD COLUMN locale text
    CONSTRAINT customers_locale_is_a_language_tag CHECK (locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$');

-- The logos of a business as statements show them: re-encoded PNG without metadata. A logo stays as long as
-- a statement that was frozen with it may be mailed again.
CREATE TABLE logos (
    business_id bigint NOT NULL REFERENCES businesses (id) ON DELETE CASCADE,
    sha256 bytea NOT NULL CONSTRAINT logos_sha256_is_a_digest CHECK (length(sha256) = 32),
    png bytea NOT NULL CONSTRAINT logos_png_is_bounded CHECK (length(png) BETWEEN 1 AND 1048576),
    width integer NOT NULL,
    height integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (business_id, sha256),
    CONSTRAINT logos_sides_are_bounded CHECK (width BETWEEN 1 AND 2000 AND height BETWEEN 1 AND 2000)
);

CREATE TABLE branding (
    business_id bigint PRIMARY KEY REFERENCES businesses (id) ON DELETE CASCADE,
    accent text CONSTRAINT branding_accent_is_a_colour CHECK (accent ~ '^#[0-9a-f]{6}$'),
    sender_name text,
    reply_to text,
    how_to_pay text,
    pay_link text,
    paper text NOT NULL DEFAULT 'a4' CONSTRAINT branding_paper_is_known CHECK (paper IN ('a4', 'letter')),
    statement_kind text NOT NULL DEFAULT 'activity' CONSTRAINT branding_statement_kind_is_known
        CHECK (statement_kind IN ('activity', 'open-items', 'activity-with-open-items')),
    attach_csv boolean NOT NULL DEFAULT false,
    logo_sha256 bytea,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT branding_has_its_logo FOREIGN KEY (business_id, logo_sha256) REFERENCES logos (business_id, sha256)
);

-- What a send asks for; null: what the branding and the customer say when its statement is frozen.
ALTER TABLE sends
    ADD COLUMN statement_kind text CONSTRAINT sends_statement_kind_is_known
        CHECK (statement_kind IN ('activity', 'open-items', 'activity-with-open-items')),
    ADD COLUMN locale text
        CONSTRAINT sends_locale_is_a_language_tag CHECK (locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'),
    -- SHA-256 of the frozen snapshot without generated_at: equal for equal figures.
    ADD COLUMN figures_sha256 bytea CONSTRAINT sends_figures_sha256_is_a_digest CHECK (length(figures_sha256) = 32);

-- The logo that a statement was frozen with: as long as the statement is kept, its logo is.
ALTER TABLE statements
    ADD COLUMN logo_sha256 bytea CONSTRAINT statements_logo_sha256_is_a_digest CHECK (length(logo_sha256) = 32);
CREATE INDEX statements_by_logo ON statements (business_id, logo_sha256) WHERE logo_sha256 IS NOT NULL;

-- A statement is looked up by its printed hash alone (/verify).
CREATE INDEX statements_by_sha256 ON statements (sha256);

-- Keys that exist do not get the new scope.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_are_known, ADD CONSTRAINT api_keys_scopes_are_known
    CHECK (scopes <@ ARRAY['reports:read', 'transactions:send', 'branding:write']);
