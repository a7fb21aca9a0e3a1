-- before the code
-- The ledger other systems write: businesses, their customers, documents, payments and deposits.
-- Ids repeat across businesses, so everything but a business is keyed by (business_id, id).

CREATE DOMAIN money_amount AS numeric
    CONSTRAINT money_amount_has_at_most_4_decimals CHECK (scale(trim_scale(VALUE)) <= 4)
    CONSTRAINT money_amount_is_below_100_trillion CHECK (abs(VALUE) < 100000000000000);

CREATE DOMAIN calendar_date AS date
    CONSTRAINT calendar_date_has_a_four_digit_year CHECK (VALUE BETWEEN '0001-01-01' AND '9999-12-31');

CREATE DOMAIN ledger_time AS timestamp
    CONSTRAINT ledger_time_has_a_four_digit_year CHECK (VALUE >= '0001-01-01' AND VALUE < '10000-01-01');

CREATE FUNCTION is_timezone(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    PERFORM timestamp '2000-01-01' AT TIME ZONE name;
    RETURN name ~ '^[A-Za-z][A-Za-z0-9_+/-]*$';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;

CREATE TABLE businesses (
    id bigint PRIMARY KEY CONSTRAINT businesses_id_is_not_negative CHECK (id >= 0),
    owner_id bigint NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    address text,
    currency text NOT NULL CONSTRAINT businesses_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    timezone text NOT NULL CONSTRAINT businesses_timezone_is_iana CHECK (is_timezone(timezone))
);

CREATE TABLE categories (
    id bigint NOT NULL CONSTRAINT categories_id_is_not_negative CHECK (id >= 0),
    business_id bigint NOT NULL REFERENCES businesses,
    name text NOT NULL,
    PRIMARY KEY (business_id, id)
);

-- Every business has its category 1 from the start, and takes it along when it goes.
CREATE FUNCTION add_uncategorised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO categories (id, business_id, name) VALUES (1, NEW.id, 'Uncategorised');
    RETURN NULL;
END
$$;
CREATE TRIGGER businesses_have_uncategorised AFTER INSERT ON businesses
    FOR EACH ROW EXECUTE FUNCTION add_uncategorised();

CREATE FUNCTION drop_uncategorised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM categories WHERE business_id = OLD.id AND id = 1;
    RETURN OLD;
END
$$;
CREATE TRIGGER businesses_take_uncategorised_along BEFORE DELETE ON businesses
    FOR EACH ROW EXECUTE FUNCTION drop_uncategorised();

CREATE TABLE customers (
    id bigint NOT NULL CONSTRAINT customers_id_is_not_negative CHECK (id >= 0),
    business_id bigint NOT NULL REFERENCES businesses,
    owner_id bigint NOT NULL,
    first_name text,
    last_name text,
    phone_number text,
    business_name text,
    business_address text,
    business_phone text,
    business_location text,
    business_email text,
    account_id bigint,
    category_id bigint,
    deposit_account_id bigint,
    opening_balance money_amount NOT NULL DEFAULT 0,
    archived smallint NOT NULL DEFAULT 0 CONSTRAINT customers_archived_is_0_or_1 CHECK (archived IN (0, 1)),
    created_at ledger_time NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at ledger_time NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    PRIMARY KEY (business_id, id),
    FOREIGN KEY (business_id, category_id) REFERENCES categories
);
CREATE INDEX customers_by_category ON customers (business_id, category_id) WHERE category_id IS NOT NULL;

CREATE TABLE invoices (
    id bigint NOT NULL CONSTRAINT invoices_id_is_not_negative CHECK (id >= 0),
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    number text NOT NULL,
    kind text NOT NULL CONSTRAINT invoices_kind_is_known CHECK (kind IN ('invoice', 'credit_note')),
    status text NOT NULL CONSTRAINT invoices_status_is_known CHECK (status IN ('draft', 'issued', 'void')),
    issue_date calendar_date NOT NULL,
    due_date calendar_date,
    total money_amount NOT NULL CONSTRAINT invoices_total_is_not_negative CHECK (total >= 0),
    PRIMARY KEY (business_id, id),
    FOREIGN KEY (business_id, customer_id) REFERENCES customers
);
CREATE INDEX invoices_by_customer ON invoices (business_id, customer_id, issue_date);

CREATE TABLE payments (
    id bigint NOT NULL CONSTRAINT payments_id_is_not_negative CHECK (id >= 0),
    business_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    paid_on calendar_date NOT NULL,
    amount money_amount NOT NULL,
    channel text NOT NULL CONSTRAINT payments_channel_is_known CHECK (channel IN ('manual', 'online')),
    method text,
    reference text,
    status text NOT NULL CONSTRAINT payments_status_is_known CHECK (status IN ('pending', 'settled', 'failed')),
    PRIMARY KEY (business_id, id),
    FOREIGN KEY (business_id, invoice_id) REFERENCES invoices
);
CREATE INDEX payments_by_invoice ON payments (business_id, invoice_id);

CREATE TABLE deposits (
    id bigint NOT NULL CONSTRAINT deposits_id_is_not_negative CHECK (id >= 0),
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    entry_date calendar_date NOT NULL,
    amount money_amount NOT NULL CONSTRAINT deposits_amount_is_not_negative CHECK (amount >= 0),
    type text NOT NULL CONSTRAINT deposits_type_is_known CHECK (type IN ('credit', 'debit')),
    PRIMARY KEY (business_id, id),
    FOREIGN KEY (business_id, customer_id) REFERENCES customers
);
CREATE INDEX deposits_by_customer ON deposits (business_id, customer_id);
