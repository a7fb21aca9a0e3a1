-- before the code
-- The month and day on which a business's fiscal years begin, as MM-DD. Not after the 28th, so that every
-- year has the day, and every quarter that begins on it.
ALTER TABLE businesses ADD COLUMN fiscal_year_start text NOT NULL DEFAULT '01-01'
    CONSTRAINT businesses_fiscal_year_start_is_a_day
    CHECK (fiscal_year_start ~ '^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$');
