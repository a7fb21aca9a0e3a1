-- The database after 0045_customers_noted.sql, read from Postgres's catalogue by `make contract`.
-- To be read, not to be run: `migrate` makes a database. Rights stand in shared/db/grants.py.

-- Domains

CREATE DOMAIN calendar_date AS date
    CONSTRAINT calendar_date_has_a_four_digit_year CHECK (((VALUE >= '0001-01-01'::date) AND (VALUE <= '9999-12-31'::date)));

CREATE DOMAIN ledger_time AS timestamp without time zone
    CONSTRAINT ledger_time_has_a_four_digit_year CHECK (((VALUE >= '0001-01-01 00:00:00'::timestamp without time zone) AND (VALUE < '10000-01-01 00:00:00'::timestamp without time zone)));

CREATE DOMAIN money_amount AS numeric
    CONSTRAINT money_amount_has_at_most_4_decimals CHECK ((scale(trim_scale(VALUE)) <= 4))
    CONSTRAINT money_amount_is_below_100_trillion CHECK ((abs(VALUE) < ('100000000000000'::bigint)::numeric));

-- Types

CREATE TYPE kept_place AS (
    customer_id bigint,
    period integer,
    issued integer,
    received integer
);

CREATE TYPE receipt AS (
    day integer,
    manual numeric,
    online numeric,
    manual_count integer,
    online_count integer
);

-- Tables

CREATE TABLE api_keys (
    id uuid NOT NULL,
    business_id bigint NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    sha256 bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    revoked_at timestamp with time zone,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_sha256_key UNIQUE (sha256),
    CONSTRAINT api_keys_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id),
    CONSTRAINT api_keys_scopes_are_known CHECK ((scopes <@ ARRAY['reports:read'::text, 'transactions:send'::text, 'branding:write'::text, 'returns:write'::text])),
    CONSTRAINT api_keys_sha256_is_a_digest CHECK ((length(sha256) = 32))
);

CREATE TABLE batch_customers (
    batch_id uuid NOT NULL,
    customer_id bigint NOT NULL,
    recipients text[],
    send_id uuid,
    reason text,
    reason_code text,
    charged integer,
    CONSTRAINT batch_customers_pkey PRIMARY KEY (batch_id, customer_id),
    CONSTRAINT batch_customers_skipped_have_a_reason CHECK (((reason IS NULL) = (reason_code IS NULL))),
    CONSTRAINT batch_customers_skipped_have_no_send CHECK (((send_id IS NULL) OR (reason_code IS NULL)))
);
CREATE INDEX batch_customers_skipped ON batch_customers USING btree (batch_id, customer_id) INCLUDE (reason_code) WHERE (reason_code IS NOT NULL);
CREATE INDEX batch_customers_waiting ON batch_customers USING btree (batch_id, customer_id) WHERE ((send_id IS NULL) AND (reason_code IS NULL));

CREATE TABLE batches (
    id uuid NOT NULL,
    business_id bigint NOT NULL,
    phase text NOT NULL,
    date_from date NOT NULL,
    date_to date NOT NULL,
    filter jsonb NOT NULL DEFAULT '{}'::jsonb,
    personal_message text,
    other_emails text[] NOT NULL DEFAULT '{}'::text[],
    copy_to_me boolean NOT NULL DEFAULT false,
    statement_kind text,
    locale text,
    skip_empty boolean NOT NULL DEFAULT true,
    min_balance numeric(18,4),
    frozen_list uuid,
    schedule_id uuid,
    occurrence date,
    send_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    customers integer NOT NULL DEFAULT 0,
    charged integer NOT NULL DEFAULT 0,
    recipients integer NOT NULL DEFAULT 0,
    expanded_to bigint NOT NULL DEFAULT '-1'::integer,
    tries smallint NOT NULL DEFAULT 0,
    try_at timestamp with time zone,
    reason text,
    reason_code text,
    traceparent text,
    is_cancelling boolean NOT NULL DEFAULT false,
    CONSTRAINT batches_pkey PRIMARY KEY (id),
    CONSTRAINT batches_schedule_id_occurrence_key UNIQUE (schedule_id, occurrence),
    CONSTRAINT batches_counts_are_numbers_of CHECK (((customers >= 0) AND (charged >= 0) AND (recipients >= 0) AND (tries >= 0))),
    CONSTRAINT batches_expire_after_they_are_due CHECK ((expires_at > send_at)),
    CONSTRAINT batches_locale_is_a_language_tag CHECK ((locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'::text)),
    CONSTRAINT batches_only_schedules_have_occurrences CHECK (((schedule_id IS NOT NULL) OR (occurrence IS NULL))),
    CONSTRAINT batches_period_runs_forward CHECK ((date_from <= date_to)),
    CONSTRAINT batches_phase_is_known CHECK ((phase = ANY (ARRAY['scheduled'::text, 'waiting'::text, 'expanding'::text, 'sending'::text, 'done'::text, 'cancelled'::text, 'failed'::text]))),
    CONSTRAINT batches_statement_kind_is_known CHECK ((statement_kind = ANY (ARRAY['activity'::text, 'open-items'::text, 'activity-with-open-items'::text]))),
    CONSTRAINT batches_traceparent_has_its_form CHECK ((traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'::text))
);
CREATE INDEX batches_cancelling ON batches USING btree (updated_at, id) WHERE is_cancelling;
CREATE INDEX batches_history ON batches USING btree (business_id, created_at DESC, id DESC);
CREATE INDEX batches_of_schedule ON batches USING btree (schedule_id, created_at DESC, id DESC) WHERE (schedule_id IS NOT NULL);
CREATE INDEX batches_open ON batches USING btree (phase, send_at, id) WHERE (phase = ANY (ARRAY['scheduled'::text, 'waiting'::text, 'expanding'::text, 'sending'::text]));
CREATE INDEX batches_open_of_business ON batches USING btree (business_id) WHERE (phase = ANY (ARRAY['scheduled'::text, 'waiting'::text, 'expanding'::text, 'sending'::text]));
CREATE TRIGGER batches_log_phase AFTER INSERT OR UPDATE OF phase ON batches FOR EACH ROW EXECUTE FUNCTION log_batch_phase();
CREATE TRIGGER batches_take_customers_along AFTER DELETE ON batches REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION drop_batch_customers();

CREATE TABLE branding (
    business_id bigint NOT NULL,
    accent text,
    sender_name text,
    reply_to text,
    how_to_pay text,
    pay_link text,
    paper text NOT NULL DEFAULT 'a4'::text,
    statement_kind text NOT NULL DEFAULT 'activity'::text,
    attach_csv boolean NOT NULL DEFAULT false,
    logo_sha256 bytea,
    updated_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT branding_pkey PRIMARY KEY (business_id),
    CONSTRAINT branding_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id) ON DELETE CASCADE,
    CONSTRAINT branding_has_its_logo FOREIGN KEY (business_id, logo_sha256) REFERENCES logos(business_id, sha256),
    CONSTRAINT branding_accent_is_a_colour CHECK ((accent ~ '^#[0-9a-f]{6}$'::text)),
    CONSTRAINT branding_paper_is_known CHECK ((paper = ANY (ARRAY['a4'::text, 'letter'::text]))),
    CONSTRAINT branding_statement_kind_is_known CHECK ((statement_kind = ANY (ARRAY['activity'::text, 'open-items'::text, 'activity-with-open-items'::text])))
);

CREATE TABLE bulk_loads (
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    businesses bigint[],
    invoices bigint[],
    CONSTRAINT bulk_loads_pkey PRIMARY KEY (transaction, id)
);
CREATE CONSTRAINT TRIGGER count_bulk_load AFTER INSERT ON bulk_loads DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION bulk_load_ended();

CREATE TABLE business_events (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    business_id bigint NOT NULL,
    type text NOT NULL,
    batch_id uuid,
    schedule_id uuid,
    occurrence date,
    reason text,
    reason_code text,
    traceparent text,
    occurred_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    published_at timestamp with time zone,
    CONSTRAINT business_events_pkey PRIMARY KEY (id),
    CONSTRAINT business_events_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(id) ON DELETE CASCADE,
    CONSTRAINT business_events_are_about_something CHECK ((
CASE
    WHEN (type ~~ 'batch.%'::text) THEN batch_id
    ELSE schedule_id
END IS NOT NULL)),
    CONSTRAINT business_events_type_is_known CHECK ((type = ANY (ARRAY['batch.scheduled'::text, 'batch.waiting'::text, 'batch.expanding'::text, 'batch.sending'::text, 'batch.done'::text, 'batch.cancelled'::text, 'batch.failed'::text, 'schedule.created'::text, 'schedule.changed'::text, 'schedule.paused'::text, 'schedule.resumed'::text, 'schedule.deleted'::text, 'schedule.skipped'::text, 'schedule.missed'::text, 'schedule.ended'::text])))
);
CREATE INDEX business_events_of_batch ON business_events USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX business_events_unpublished ON business_events USING btree (id) WHERE (published_at IS NULL);

CREATE TABLE businesses (
    id bigint NOT NULL,
    owner_id bigint NOT NULL,
    name text NOT NULL,
    email text,
    phone text,
    address text,
    currency text NOT NULL,
    timezone text NOT NULL,
    fiscal_year_start text NOT NULL DEFAULT '01-01'::text,
    locale text,
    CONSTRAINT businesses_pkey PRIMARY KEY (id),
    CONSTRAINT businesses_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT businesses_fiscal_year_start_is_a_day CHECK ((fiscal_year_start ~ '^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$'::text)),
    CONSTRAINT businesses_id_is_not_negative CHECK ((id >= 0)),
    CONSTRAINT businesses_locale_is_a_language_tag CHECK ((locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'::text)),
    CONSTRAINT businesses_timezone_is_iana CHECK (is_timezone(timezone))
);
CREATE TRIGGER businesses_have_uncategorised AFTER INSERT ON businesses FOR EACH ROW EXECUTE FUNCTION add_uncategorised();
CREATE TRIGGER businesses_take_uncategorised_along BEFORE DELETE ON businesses FOR EACH ROW EXECUTE FUNCTION drop_uncategorised();

CREATE TABLE categories (
    id bigint NOT NULL,
    business_id bigint NOT NULL,
    name text NOT NULL,
    CONSTRAINT categories_pkey PRIMARY KEY (business_id, id),
    CONSTRAINT categories_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id),
    CONSTRAINT categories_id_is_not_negative CHECK ((id >= 0))
);
CREATE TRIGGER note_delete AFTER DELETE ON categories REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_insert AFTER INSERT ON categories REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_truncated AFTER TRUNCATE ON categories FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_update AFTER UPDATE ON categories REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();

CREATE TABLE customers (
    id bigint NOT NULL,
    business_id bigint NOT NULL,
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
    archived smallint NOT NULL DEFAULT 0,
    created_at ledger_time NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'::text),
    updated_at ledger_time NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'::text),
    report_head text NOT NULL GENERATED ALWAYS AS (report_head(id, owner_id, business_id, first_name, last_name, phone_number, business_name, business_address, business_phone, business_location, business_email, (created_at)::timestamp without time zone, (updated_at)::timestamp without time zone, account_id)) STORED,
    report_middle text NOT NULL GENERATED ALWAYS AS (((((',"deposit_account_id":'::text || COALESCE((deposit_account_id)::text, 'null'::text)) || ',"archived":'::text) || (archived)::text) || ',"amount_due":'::text)) STORED,
    report_opening bigint NOT NULL GENERATED ALWAYS AS ((((opening_balance)::numeric * (10000)::numeric))::bigint) STORED,
    locale text,
    CONSTRAINT customers_pkey PRIMARY KEY (business_id, id),
    CONSTRAINT customers_business_id_category_id_fkey FOREIGN KEY (business_id, category_id) REFERENCES categories(business_id, id),
    CONSTRAINT customers_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id),
    CONSTRAINT customers_archived_is_0_or_1 CHECK ((archived = ANY (ARRAY[0, 1]))),
    CONSTRAINT customers_id_is_not_negative CHECK ((id >= 0)),
    CONSTRAINT customers_locale_is_a_language_tag CHECK ((locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'::text))
);
CREATE INDEX customers_by_category ON customers USING btree (business_id, category_id) WHERE (category_id IS NOT NULL);
CREATE INDEX customers_summed ON customers USING btree (business_id) INCLUDE (id, report_opening, category_id);
CREATE TRIGGER note_delete AFTER DELETE ON customers REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_insert AFTER INSERT ON customers REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_truncated AFTER TRUNCATE ON customers FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();
CREATE TRIGGER note_update AFTER UPDATE ON customers REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger_rows_changed();

CREATE TABLE daily_counts (
    business_id bigint NOT NULL,
    kind text NOT NULL,
    day date NOT NULL,
    used integer NOT NULL,
    CONSTRAINT daily_counts_pkey PRIMARY KEY (business_id, kind),
    CONSTRAINT daily_counts_used_is_a_number_of CHECK ((used >= 0))
) WITH (fillfactor=50);

CREATE TABLE daily_recipients (
    business_id bigint NOT NULL,
    share smallint NOT NULL,
    day date NOT NULL,
    used integer NOT NULL,
    CONSTRAINT daily_recipients_pkey PRIMARY KEY (business_id, share),
    CONSTRAINT daily_recipients_has_32_shares CHECK (((share >= 0) AND (share <= 31))),
    CONSTRAINT daily_recipients_used_is_a_number_of CHECK ((used >= 0))
) WITH (fillfactor=50);

CREATE TABLE deliveries (
    id uuid NOT NULL,
    send_id uuid NOT NULL,
    business_id bigint NOT NULL,
    "position" smallint NOT NULL,
    email text NOT NULL,
    email_key text NOT NULL,
    state text NOT NULL DEFAULT 'scheduled'::text,
    due_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    token bigint NOT NULL DEFAULT 0,
    claims smallint NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    emissions integer NOT NULL DEFAULT 0,
    published_at timestamp with time zone,
    lease_until timestamp with time zone,
    reply text,
    reason text,
    sent_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    reason_code text,
    batch_id uuid,
    CONSTRAINT deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT deliveries_send_id_email_key_key UNIQUE (send_id, email_key),
    CONSTRAINT deliveries_send_id_fkey FOREIGN KEY (send_id) REFERENCES sends(id) ON DELETE CASCADE,
    CONSTRAINT deliveries_email_key_is_folded CHECK ((email_key = lower(email_key))),
    CONSTRAINT deliveries_held_ones_have_a_lease CHECK (((state <> ALL (ARRAY['queued'::text, 'sending'::text, 'committing'::text])) OR (lease_until IS NOT NULL))),
    CONSTRAINT deliveries_sent_ones_say_when CHECK (
CASE
    WHEN (state = ANY (ARRAY['bounced'::text, 'complained'::text])) THEN true
    ELSE ((state = 'sent'::text) = (sent_at IS NOT NULL))
END),
    CONSTRAINT deliveries_state_is_known CHECK ((state = ANY (ARRAY['scheduled'::text, 'queued'::text, 'sending'::text, 'committing'::text, 'deferred'::text, 'sent'::text, 'failed'::text, 'in_doubt'::text, 'cancelled'::text, 'expired'::text, 'suppressed'::text, 'bounced'::text, 'complained'::text])))
) WITH (fillfactor=80);
CREATE INDEX deliveries_due ON deliveries USING btree (due_at, id) WHERE (state = ANY (ARRAY['scheduled'::text, 'deferred'::text]));
CREATE INDEX deliveries_due_of_business ON deliveries USING btree (business_id, due_at, id) WHERE (state = ANY (ARRAY['scheduled'::text, 'deferred'::text]));
CREATE INDEX deliveries_held ON deliveries USING btree (state, lease_until, id) WHERE (state = ANY (ARRAY['queued'::text, 'sending'::text, 'committing'::text]));
CREATE INDEX deliveries_in_doubt ON deliveries USING btree (business_id, updated_at, id) WHERE (state = 'in_doubt'::text);
CREATE INDEX deliveries_of_batch ON deliveries USING btree (batch_id, state, id) WHERE (batch_id IS NOT NULL);
CREATE INDEX deliveries_of_recipient ON deliveries USING btree (business_id, email_key, created_at DESC, send_id DESC);
CREATE INDEX deliveries_queued_expiry ON deliveries USING btree (expires_at) WHERE (state = 'queued'::text);
CREATE INDEX deliveries_unconfirmed ON deliveries USING btree (lease_until, id) WHERE ((state = 'queued'::text) AND (published_at IS NULL));
CREATE TRIGGER deliveries_keep_first_status AFTER INSERT ON deliveries REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_send_status();
CREATE TRIGGER deliveries_keep_status AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION keep_send_status();
CREATE TRIGGER deliveries_log_first_state AFTER INSERT ON deliveries REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION log_delivery_states();
CREATE TRIGGER deliveries_log_state AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION log_delivery_states();

CREATE TABLE delivery_events (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    delivery_id uuid NOT NULL,
    state text NOT NULL,
    attempts integer NOT NULL,
    reply text,
    reason text,
    due_at timestamp with time zone NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    reason_code text,
    CONSTRAINT delivery_events_pkey PRIMARY KEY (id),
    CONSTRAINT delivery_events_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(id) ON DELETE CASCADE
);
CREATE INDEX delivery_events_of_delivery ON delivery_events USING btree (delivery_id, id);
CREATE INDEX delivery_events_unpublished ON delivery_events USING btree (id) WHERE (published_at IS NULL);

CREATE TABLE deposits (
    id bigint NOT NULL,
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    entry_date calendar_date NOT NULL,
    amount money_amount NOT NULL,
    type text NOT NULL,
    CONSTRAINT deposits_pkey PRIMARY KEY (business_id, id),
    CONSTRAINT deposits_business_id_customer_id_fkey FOREIGN KEY (business_id, customer_id) REFERENCES customers(business_id, id),
    CONSTRAINT deposits_amount_is_not_negative CHECK (((amount)::numeric >= (0)::numeric)),
    CONSTRAINT deposits_id_is_not_negative CHECK ((id >= 0)),
    CONSTRAINT deposits_type_is_known CHECK ((type = ANY (ARRAY['credit'::text, 'debit'::text])))
);
CREATE INDEX deposits_by_customer ON deposits USING btree (business_id, customer_id);
CREATE TRIGGER keep_delete AFTER DELETE ON deposits REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION deposits_changed();
CREATE TRIGGER keep_insert AFTER INSERT ON deposits REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deposits_changed();
CREATE TRIGGER keep_truncated AFTER TRUNCATE ON deposits FOR EACH STATEMENT EXECUTE FUNCTION deposits_truncated();
CREATE TRIGGER keep_update AFTER UPDATE ON deposits REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION deposits_changed();

CREATE TABLE due_recipients (
    business_id bigint NOT NULL,
    day date NOT NULL,
    share smallint NOT NULL,
    used integer NOT NULL,
    CONSTRAINT due_recipients_pkey PRIMARY KEY (business_id, day, share),
    CONSTRAINT due_recipients_has_32_shares CHECK (((share >= 0) AND (share <= 31))),
    CONSTRAINT due_recipients_used_is_a_number_of CHECK ((used >= 0))
) WITH (fillfactor=50);

CREATE TABLE frozen_list_customers (
    list_id uuid NOT NULL,
    customer_id bigint NOT NULL,
    recipients text[] NOT NULL,
    CONSTRAINT frozen_list_customers_pkey PRIMARY KEY (list_id, customer_id),
    CONSTRAINT frozen_list_customers_list_id_fkey FOREIGN KEY (list_id) REFERENCES frozen_lists(id) ON DELETE CASCADE
);

CREATE TABLE frozen_lists (
    id uuid NOT NULL,
    business_id bigint NOT NULL,
    asked jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT frozen_lists_pkey PRIMARY KEY (id),
    CONSTRAINT frozen_lists_expire_later CHECK ((expires_at > created_at))
);
CREATE INDEX frozen_lists_by_expiry ON frozen_lists USING btree (expires_at);
CREATE INDEX frozen_lists_of_business ON frozen_lists USING btree (business_id, created_at DESC, id DESC);

CREATE TABLE idempotency_keys (
    business_id bigint NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    send_id uuid,
    answer text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    status smallint NOT NULL DEFAULT 202,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (business_id, key),
    CONSTRAINT idempotency_keys_send_id_fkey FOREIGN KEY (send_id) REFERENCES sends(id) ON DELETE CASCADE,
    CONSTRAINT idempotency_keys_are_short CHECK (((length(key) >= 1) AND (length(key) <= 255))),
    CONSTRAINT idempotency_keys_keep_successes CHECK (((status >= 200) AND (status <= 299)))
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys USING btree (created_at);
CREATE INDEX idempotency_keys_of_send ON idempotency_keys USING btree (send_id);

CREATE TABLE invoices (
    id bigint NOT NULL,
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    issue_date calendar_date NOT NULL,
    due_date calendar_date,
    total money_amount NOT NULL,
    CONSTRAINT invoices_pkey PRIMARY KEY (business_id, id),
    CONSTRAINT invoices_business_id_customer_id_fkey FOREIGN KEY (business_id, customer_id) REFERENCES customers(business_id, id),
    CONSTRAINT invoices_id_is_not_negative CHECK ((id >= 0)),
    CONSTRAINT invoices_kind_is_known CHECK ((kind = ANY (ARRAY['invoice'::text, 'credit_note'::text]))),
    CONSTRAINT invoices_status_is_known CHECK ((status = ANY (ARRAY['draft'::text, 'issued'::text, 'void'::text]))),
    CONSTRAINT invoices_total_is_not_negative CHECK (((total)::numeric >= (0)::numeric))
);
CREATE INDEX invoices_by_customer ON invoices USING btree (business_id, customer_id, issue_date);
CREATE TRIGGER keep_delete AFTER DELETE ON invoices REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();
CREATE TRIGGER keep_insert AFTER INSERT ON invoices REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();
CREATE TRIGGER keep_truncated AFTER TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION invoices_truncated();
CREATE TRIGGER keep_update AFTER UPDATE ON invoices REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION invoices_changed();

CREATE TABLE kept_documents (
    business_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    day integer NOT NULL,
    invoices integer NOT NULL,
    manual_count integer NOT NULL,
    online_count integer NOT NULL,
    days integer NOT NULL,
    paid_in_full integer NOT NULL,
    billed numeric NOT NULL,
    manual numeric NOT NULL,
    online numeric NOT NULL,
    documents integer NOT NULL DEFAULT 0,
    paid_day integer,
    receipts receipt[],
    due_date date,
    CONSTRAINT kept_documents_pkey PRIMARY KEY (business_id, invoice_id)
) WITH (fillfactor=85);
CREATE INDEX kept_documents_by_day ON kept_documents USING btree (business_id, day, customer_id);
CREATE INDEX kept_documents_by_paid_day ON kept_documents USING btree (business_id, paid_day, customer_id) INCLUDE (manual, online, manual_count, online_count) WHERE (paid_day IS NOT NULL);

CREATE TABLE kept_open_parts (
    business_id bigint NOT NULL,
    span smallint NOT NULL,
    opens date NOT NULL,
    invoice_id bigint NOT NULL,
    slice smallint NOT NULL,
    closes date NOT NULL,
    due_date date,
    customer_id bigint NOT NULL,
    units bigint NOT NULL,
    CONSTRAINT kept_open_parts_pkey PRIMARY KEY (business_id, span, opens, invoice_id, slice) INCLUDE (closes, due_date, customer_id, units)
);

CREATE TABLE kept_periods (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    slot bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    billed bigint NOT NULL,
    manual bigint NOT NULL,
    online bigint NOT NULL,
    days bigint NOT NULL,
    period integer NOT NULL,
    invoices integer NOT NULL,
    manual_count integer NOT NULL,
    online_count integer NOT NULL,
    paid_in_full integer NOT NULL,
    documents integer NOT NULL DEFAULT 0,
    received_manual bigint NOT NULL DEFAULT 0,
    received_online bigint NOT NULL DEFAULT 0,
    received_manual_count integer NOT NULL DEFAULT 0,
    received_online_count integer NOT NULL DEFAULT 0,
    CONSTRAINT kept_periods_pkey PRIMARY KEY (business_id, period, customer_id, slot)
) WITH (fillfactor=85);

CREATE TABLE kept_totals (
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    slot bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    receivable bigint NOT NULL,
    deposited bigint NOT NULL,
    CONSTRAINT kept_totals_pkey PRIMARY KEY (business_id, customer_id, slot)
) WITH (fillfactor=85);

CREATE UNLOGGED TABLE key_windows (
    key_id uuid NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    taken integer NOT NULL,
    slice integer NOT NULL,
    CONSTRAINT key_windows_pkey PRIMARY KEY (key_id),
    CONSTRAINT key_windows_key_id_fkey FOREIGN KEY (key_id) REFERENCES api_keys(id) ON DELETE CASCADE,
    CONSTRAINT key_windows_slice_is_a_number_of CHECK ((slice >= 0))
) WITH (fillfactor=50);

CREATE TABLE lifted_suppressions (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    business_id bigint NOT NULL,
    email_key text NOT NULL,
    reason text NOT NULL,
    reason_code text NOT NULL,
    suppressed_at timestamp with time zone NOT NULL,
    lifted_at timestamp with time zone NOT NULL DEFAULT now(),
    lifted_by text NOT NULL,
    why text,
    CONSTRAINT lifted_suppressions_pkey PRIMARY KEY (id),
    CONSTRAINT lifted_suppressions_email_key_is_folded CHECK ((email_key = lower(email_key)))
);
CREATE INDEX lifted_suppressions_by_age ON lifted_suppressions USING btree (lifted_at);
CREATE INDEX lifted_suppressions_history ON lifted_suppressions USING btree (business_id, lifted_at DESC, email_key DESC);

CREATE TABLE logos (
    business_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    png bytea NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT logos_pkey PRIMARY KEY (business_id, sha256),
    CONSTRAINT logos_business_id_fkey FOREIGN KEY (business_id) REFERENCES businesses(id) ON DELETE CASCADE,
    CONSTRAINT logos_png_is_bounded CHECK (((length(png) >= 1) AND (length(png) <= 1048576))),
    CONSTRAINT logos_sha256_is_a_digest CHECK ((length(sha256) = 32)),
    CONSTRAINT logos_sides_are_bounded CHECK ((((width >= 1) AND (width <= 2000)) AND ((height >= 1) AND (height <= 2000))))
);

CREATE TABLE outbox (
    one boolean NOT NULL DEFAULT true,
    turn bigint NOT NULL DEFAULT 0,
    lease_until timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT outbox_pkey PRIMARY KEY (one),
    CONSTRAINT outbox_has_one_row CHECK (one)
);

CREATE TABLE pauses (
    business_id bigint,
    paused_at timestamp with time zone NOT NULL DEFAULT now(),
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT pauses_pkey PRIMARY KEY (id),
    CONSTRAINT pauses_business_id_key UNIQUE NULLS NOT DISTINCT (business_id)
);

CREATE TABLE payments (
    id bigint NOT NULL,
    business_id bigint NOT NULL,
    invoice_id bigint NOT NULL,
    paid_on calendar_date NOT NULL,
    amount money_amount NOT NULL,
    channel text NOT NULL,
    method text,
    reference text,
    status text NOT NULL,
    CONSTRAINT payments_pkey PRIMARY KEY (business_id, id),
    CONSTRAINT payments_business_id_invoice_id_fkey FOREIGN KEY (business_id, invoice_id) REFERENCES invoices(business_id, id),
    CONSTRAINT payments_channel_is_known CHECK ((channel = ANY (ARRAY['manual'::text, 'online'::text]))),
    CONSTRAINT payments_id_is_not_negative CHECK ((id >= 0)),
    CONSTRAINT payments_status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'settled'::text, 'failed'::text])))
);
CREATE INDEX payments_by_invoice ON payments USING btree (business_id, invoice_id);
CREATE TRIGGER keep_delete AFTER DELETE ON payments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER keep_insert AFTER INSERT ON payments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER keep_truncated AFTER TRUNCATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();
CREATE TRIGGER keep_update AFTER UPDATE ON payments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION payments_changed();

CREATE TABLE report_versions (
    business_id bigint NOT NULL,
    slot bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    version bigint NOT NULL,
    changed_by xid8 NOT NULL,
    changes bigint[] NOT NULL DEFAULT '{}'::bigint[],
    CONSTRAINT report_versions_pkey PRIMARY KEY (business_id, slot)
) WITH (fillfactor=50);

CREATE TABLE reprocessed_returns (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    return_id uuid NOT NULL,
    reprocessed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
    reprocessed_by text NOT NULL,
    why text,
    former_kind text NOT NULL,
    former_scope text,
    former_delivery_id uuid,
    effect text[] NOT NULL,
    CONSTRAINT reprocessed_returns_pkey PRIMARY KEY (id),
    CONSTRAINT reprocessed_returns_return_id_fkey FOREIGN KEY (return_id) REFERENCES returns(id) ON DELETE CASCADE
);
CREATE INDEX reprocessed_returns_of_return ON reprocessed_returns USING btree (return_id, id);

CREATE TABLE request_answers (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_id text NOT NULL,
    business_id bigint NOT NULL,
    send_id uuid,
    fingerprint bytea,
    event text NOT NULL,
    traceparent text,
    taken_until timestamp with time zone NOT NULL DEFAULT '-infinity'::timestamp with time zone,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    published_at timestamp with time zone,
    batch_id uuid,
    CONSTRAINT request_answers_pkey PRIMARY KEY (id),
    CONSTRAINT request_answers_event_id_key UNIQUE (event_id),
    CONSTRAINT request_answers_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(id) ON DELETE CASCADE,
    CONSTRAINT request_answers_send_id_fkey FOREIGN KEY (send_id) REFERENCES sends(id) ON DELETE CASCADE,
    CONSTRAINT request_answers_accepted_ones_know_the_request CHECK ((((send_id IS NULL) AND (batch_id IS NULL)) = (fingerprint IS NULL))),
    CONSTRAINT request_answers_are_about_one_thing CHECK (((send_id IS NULL) OR (batch_id IS NULL)))
);
CREATE INDEX request_answers_of_batch ON request_answers USING btree (batch_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX request_answers_of_send ON request_answers USING btree (send_id) WHERE (send_id IS NOT NULL);
CREATE INDEX request_answers_unpublished ON request_answers USING btree (id) WHERE (published_at IS NULL);

CREATE TABLE return_paths (
    one boolean NOT NULL DEFAULT true,
    signed_since timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT return_paths_pkey PRIMARY KEY (one),
    CONSTRAINT return_paths_has_one_row CHECK (one)
);

CREATE TABLE returned_mails (
    return_id uuid NOT NULL,
    raw bytea NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT returned_mails_pkey PRIMARY KEY (return_id),
    CONSTRAINT returned_mails_return_id_fkey FOREIGN KEY (return_id) REFERENCES returns(id) ON DELETE CASCADE
);
CREATE INDEX returned_mails_by_age ON returned_mails USING btree (received_at);

CREATE TABLE returns (
    id uuid NOT NULL,
    business_id bigint,
    delivery_id uuid,
    received_at timestamp with time zone NOT NULL,
    source text NOT NULL,
    recipient text,
    sha256 bytea NOT NULL,
    size integer NOT NULL,
    kind text NOT NULL,
    scope text,
    is_permanent boolean NOT NULL DEFAULT false,
    status text,
    diagnostic text,
    remote_mta text,
    effect text[] NOT NULL DEFAULT '{}'::text[],
    form text,
    CONSTRAINT returns_pkey PRIMARY KEY (id),
    CONSTRAINT returns_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES deliveries(id) ON DELETE CASCADE,
    CONSTRAINT returns_effect_is_known CHECK ((effect <@ ARRAY['bounced'::text, 'complained'::text, 'suppressed'::text])),
    CONSTRAINT returns_form_is_known CHECK ((form = ANY (ARRAY['delivery-status'::text, 'feedback-report'::text, 'ses-notification'::text, 'notice'::text, 'automatic-reply'::text, 'list-mail'::text, 'receipt'::text]))),
    CONSTRAINT returns_kind_is_known CHECK ((kind = ANY (ARRAY['bounce'::text, 'delay'::text, 'complaint'::text, 'auto-reply'::text, 'unknown'::text]))),
    CONSTRAINT returns_scope_is_known CHECK ((scope = ANY (ARRAY['recipient'::text, 'policy'::text, 'infrastructure'::text, 'content'::text, 'transient'::text]))),
    CONSTRAINT returns_sha256_is_a_digest CHECK ((length(sha256) = 32)),
    CONSTRAINT returns_size_is_a_number_of CHECK ((size >= 0)),
    CONSTRAINT returns_source_is_known CHECK ((source = ANY (ARRAY['smtp'::text, 'lmtp'::text, 'maildir'::text, 'api'::text, 'command'::text]))),
    CONSTRAINT returns_status_has_its_form CHECK ((status ~ '^[245]\.[0-9]{1,3}\.[0-9]{1,3}$'::text))
);
CREATE INDEX returns_by_age ON returns USING brin (received_at);
CREATE INDEX returns_history ON returns USING btree (business_id, received_at DESC, id DESC);
CREATE UNIQUE INDEX returns_of_delivery ON returns USING btree (delivery_id, sha256) WHERE (delivery_id IS NOT NULL);
CREATE UNIQUE INDEX returns_unmatched ON returns USING btree (COALESCE(business_id, ('-1'::integer)::bigint), sha256, COALESCE(recipient, ''::text)) WHERE (delivery_id IS NULL);

CREATE TABLE schedule_occurrences (
    schedule_id uuid NOT NULL,
    occurrence date NOT NULL,
    outcome text NOT NULL,
    batch_id uuid,
    reason text,
    reason_code text,
    CONSTRAINT schedule_occurrences_pkey PRIMARY KEY (schedule_id, occurrence),
    CONSTRAINT schedule_occurrences_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES schedules(id) ON DELETE CASCADE,
    CONSTRAINT schedule_occurrences_made_ones_have_a_batch CHECK (((outcome = 'made'::text) = (batch_id IS NOT NULL))),
    CONSTRAINT schedule_occurrences_missed_ones_have_a_reason CHECK ((((outcome <> 'missed'::text) OR (reason IS NOT NULL)) AND ((reason IS NULL) OR (outcome = ANY (ARRAY['skipped'::text, 'missed'::text]))) AND ((reason IS NULL) = (reason_code IS NULL)))),
    CONSTRAINT schedule_occurrences_outcome_is_known CHECK ((outcome = ANY (ARRAY['made'::text, 'skipped'::text, 'paused'::text, 'missed'::text])))
);

CREATE TABLE schedules (
    id uuid NOT NULL,
    business_id bigint NOT NULL,
    name text NOT NULL,
    rule jsonb NOT NULL,
    at_time time without time zone NOT NULL,
    timezone text NOT NULL,
    period text NOT NULL,
    filter jsonb NOT NULL DEFAULT '{}'::jsonb,
    personal_message text,
    other_emails text[] NOT NULL DEFAULT '{}'::text[],
    copy_to_me boolean NOT NULL DEFAULT false,
    statement_kind text,
    locale text,
    skip_empty boolean NOT NULL DEFAULT true,
    min_balance numeric(18,4),
    catch_up text NOT NULL DEFAULT 'send-late'::text,
    starts_on date NOT NULL,
    ends_on date,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    paused_at timestamp with time zone,
    next_on date,
    next_at timestamp with time zone,
    due_at timestamp with time zone,
    failures integer NOT NULL DEFAULT 0,
    reason text,
    reason_code text,
    traceparent text,
    CONSTRAINT schedules_pkey PRIMARY KEY (id),
    CONSTRAINT schedules_catch_up_is_known CHECK ((catch_up = ANY (ARRAY['send-late'::text, 'skip'::text]))),
    CONSTRAINT schedules_locale_is_a_language_tag CHECK ((locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'::text)),
    CONSTRAINT schedules_next_is_whole CHECK ((num_nulls(next_on, next_at, due_at) = ANY (ARRAY[0, 3]))),
    CONSTRAINT schedules_run_forward CHECK (((ends_on IS NULL) OR (starts_on <= ends_on))),
    CONSTRAINT schedules_statement_kind_is_known CHECK ((statement_kind = ANY (ARRAY['activity'::text, 'open-items'::text, 'activity-with-open-items'::text]))),
    CONSTRAINT schedules_traceparent_has_its_form CHECK ((traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'::text)),
    CONSTRAINT schedules_wait_for_a_reason CHECK ((((failures > 0) = (reason IS NOT NULL)) AND ((reason IS NULL) = (reason_code IS NULL))))
);
CREATE INDEX schedules_due ON schedules USING btree (due_at, id) WHERE ((paused_at IS NULL) AND (due_at IS NOT NULL));
CREATE INDEX schedules_of_business ON schedules USING btree (business_id, created_at DESC, id DESC);

CREATE TABLE schema_migrations (
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone NOT NULL DEFAULT now(),
    CONSTRAINT schema_migrations_pkey PRIMARY KEY (name)
);

CREATE TABLE sends (
    id uuid NOT NULL,
    business_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    date_from date NOT NULL,
    date_to date NOT NULL,
    personal_message text,
    copy_to_me boolean NOT NULL,
    skipped jsonb NOT NULL DEFAULT '[]'::jsonb,
    send_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    statement_sha256 bytea,
    resend_of uuid,
    traceparent text,
    status text NOT NULL DEFAULT 'scheduled'::text,
    statement_kind text,
    locale text,
    figures_sha256 bytea,
    batch_id uuid,
    CONSTRAINT sends_pkey PRIMARY KEY (id),
    CONSTRAINT sends_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches(id),
    CONSTRAINT sends_business_id_statement_sha256_fkey FOREIGN KEY (business_id, statement_sha256) REFERENCES statements(business_id, sha256),
    CONSTRAINT sends_expire_after_they_are_due CHECK ((expires_at > send_at)),
    CONSTRAINT sends_figures_sha256_is_a_digest CHECK ((length(figures_sha256) = 32)),
    CONSTRAINT sends_locale_is_a_language_tag CHECK ((locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'::text)),
    CONSTRAINT sends_period_runs_forward CHECK ((date_from <= date_to)),
    CONSTRAINT sends_statement_kind_is_known CHECK ((statement_kind = ANY (ARRAY['activity'::text, 'open-items'::text, 'activity-with-open-items'::text]))),
    CONSTRAINT sends_status_is_known CHECK ((status = ANY (ARRAY['scheduled'::text, 'sending'::text, 'sent'::text, 'partly_failed'::text, 'failed'::text, 'cancelled'::text]))),
    CONSTRAINT sends_traceparent_has_its_form CHECK ((traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'::text))
);
CREATE INDEX sends_by_age ON sends USING brin (created_at);
CREATE INDEX sends_by_batch ON sends USING btree (batch_id, created_at DESC, id DESC) INCLUDE (status) WHERE (batch_id IS NOT NULL);
CREATE INDEX sends_by_statement ON sends USING btree (business_id, statement_sha256);
CREATE INDEX sends_ended ON sends USING btree (business_id, status, created_at DESC, id DESC) WHERE (status <> ALL (ARRAY['scheduled'::text, 'sending'::text]));
CREATE INDEX sends_history ON sends USING btree (business_id, created_at DESC, id DESC);
CREATE UNIQUE INDEX sends_of_batch ON sends USING btree (batch_id, customer_id) WHERE (batch_id IS NOT NULL);
CREATE INDEX sends_of_batch_open ON sends USING btree (batch_id) WHERE ((batch_id IS NOT NULL) AND (status = ANY (ARRAY['scheduled'::text, 'sending'::text])));
CREATE INDEX sends_of_customer ON sends USING btree (business_id, customer_id, created_at DESC, id DESC);
CREATE INDEX sends_open ON sends USING btree (business_id, created_at DESC, id DESC) WHERE (status = ANY (ARRAY['scheduled'::text, 'sending'::text]));
CREATE INDEX sends_with_message ON sends USING btree (business_id, created_at DESC, id DESC) WHERE (personal_message IS NOT NULL);

CREATE TABLE sessions (
    sha256 bytea NOT NULL,
    key_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (sha256),
    CONSTRAINT sessions_key_id_fkey FOREIGN KEY (key_id) REFERENCES api_keys(id) ON DELETE CASCADE,
    CONSTRAINT sessions_end_later CHECK ((expires_at > created_at)),
    CONSTRAINT sessions_sha256_is_a_digest CHECK ((length(sha256) = 32))
);
CREATE INDEX sessions_of_key ON sessions USING btree (key_id, created_at);

CREATE TABLE statements (
    business_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    content text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    logo_sha256 bytea,
    CONSTRAINT statements_pkey PRIMARY KEY (business_id, sha256),
    CONSTRAINT statements_logo_sha256_is_a_digest CHECK ((length(logo_sha256) = 32)),
    CONSTRAINT statements_sha256_is_a_digest CHECK ((length(sha256) = 32))
);
CREATE INDEX statements_by_logo ON statements USING btree (business_id, logo_sha256) WHERE (logo_sha256 IS NOT NULL);
CREATE INDEX statements_by_sha256 ON statements USING btree (sha256);

CREATE TABLE suppressions (
    business_id bigint NOT NULL,
    email_key text NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL DEFAULT now(),
    reason_code text NOT NULL,
    CONSTRAINT suppressions_pkey PRIMARY KEY (business_id, email_key),
    CONSTRAINT suppressions_email_key_is_folded CHECK ((email_key = lower(email_key)))
);
CREATE INDEX suppressions_newest ON suppressions USING btree (business_id, created_at DESC, email_key DESC);
CREATE TRIGGER suppressions_have_a_code BEFORE INSERT ON suppressions FOR EACH ROW WHEN ((new.reason_code IS NULL)) EXECUTE FUNCTION code_suppression();

-- Views

CREATE VIEW counted_documents AS
 SELECT i.business_id,
    i.id AS invoice_id,
    i.customer_id,
    day_number((i.issue_date)::date) AS day,
    (
        CASE
            WHEN (i.kind = 'invoice'::text) THEN 1
            ELSE 0
        END * c.counts) AS invoices,
    ((COALESCE(p.manual_count, (0)::bigint))::integer * c.counts) AS manual_count,
    ((COALESCE(p.online_count, (0)::bigint))::integer * c.counts) AS online_count,
        CASE
            WHEN t.full_paid THEN (p.last_paid_on - (i.issue_date)::date)
            ELSE 0
        END AS days,
        CASE
            WHEN t.full_paid THEN 1
            ELSE 0
        END AS paid_in_full,
    (
        CASE i.kind
            WHEN 'invoice'::text THEN (i.total)::numeric
            ELSE (- (i.total)::numeric)
        END * (c.counts)::numeric) AS billed,
    (COALESCE(p.manual, (0)::numeric) * (c.counts)::numeric) AS manual,
    (COALESCE(p.online, (0)::numeric) * (c.counts)::numeric) AS online,
    c.counts AS documents,
        CASE
            WHEN ((c.counts = 1) AND (p.first_on = p.last_on)) THEN day_number(p.first_on)
            ELSE NULL::integer
        END AS paid_day,
        CASE
            WHEN ((c.counts = 1) AND (p.first_on < p.last_on)) THEN counted_receipts(i.business_id, i.id)
            ELSE NULL::receipt[]
        END AS receipts,
    (i.due_date)::date AS due_date
   FROM (((( SELECT d.business_id,
            d.id,
            d.id AS invoice_id,
            d.customer_id,
            d.kind,
            d.status,
            d.issue_date,
            d.due_date,
            d.total
           FROM invoices d) i
     LEFT JOIN LATERAL ( SELECT p_1.business_id,
            p_1.invoice_id,
            sum((p_1.amount)::numeric) FILTER (WHERE (p_1.channel = 'manual'::text)) AS manual,
            count(*) FILTER (WHERE (p_1.channel = 'manual'::text)) AS manual_count,
            sum((p_1.amount)::numeric) FILTER (WHERE (p_1.channel = 'online'::text)) AS online,
            count(*) FILTER (WHERE (p_1.channel = 'online'::text)) AS online_count,
            sum((p_1.amount)::numeric) AS paid,
            min((p_1.paid_on)::date) AS first_on,
            max((p_1.paid_on)::date) AS last_on,
            max((p_1.paid_on)::date) FILTER (WHERE ((p_1.amount)::numeric > (0)::numeric)) AS last_paid_on
           FROM payments p_1
          WHERE (p_1.status = 'settled'::text)
          GROUP BY p_1.business_id, p_1.invoice_id) p ON (((p.business_id = i.business_id) AND (p.invoice_id = i.id))))
     CROSS JOIN LATERAL ( SELECT ((i.status = 'issued'::text))::integer AS int4) c(counts))
     CROSS JOIN LATERAL ( SELECT ((c.counts = 1) AND (i.kind = 'invoice'::text) AND ((i.total)::numeric > (0)::numeric) AND COALESCE((p.paid >= (i.total)::numeric), false)) AS "?column?") t(full_paid));

CREATE VIEW counted_open_parts AS
 SELECT part.business_id,
    span_of(part.opens, part.closes) AS span,
    part.opens,
    part.invoice_id,
    (slice.slice)::smallint AS slice,
    part.closes,
    part.due_date,
    part.customer_id,
    in_parts(part.units, slice.slice, needed.slices) AS units
   FROM ((( SELECT moves.business_id,
            moves.invoice_id,
            moves.customer_id,
            moves.due_date,
            moves.day AS opens,
            lead(moves.day, 1, 'infinity'::date) OVER days AS closes,
            (sum(moves.amount) OVER days * (10000)::numeric) AS units
           FROM ( SELECT d.business_id,
                    d.invoice_id,
                    d.customer_id,
                    d.due_date,
                    date_of(m.day) AS day,
                    m.amount
                   FROM (kept_documents d
                     CROSS JOIN LATERAL ( SELECT d.day,
                            d.billed AS amount
                        UNION ALL
                         SELECT d.paid_day,
                            ((- d.manual) - d.online)
                          WHERE (d.paid_day IS NOT NULL)
                        UNION ALL
                         SELECT r.day,
                            ((- r.manual) - r.online)
                           FROM unnest(d.receipts) r(day, manual, online, manual_count, online_count)) m)
                  WHERE (d.documents <> 0)) moves
          WINDOW days AS (PARTITION BY moves.business_id, moves.invoice_id, moves.customer_id, moves.due_date ORDER BY moves.day)) part
     CROSS JOIN LATERAL ( SELECT parts_of(abs(part.units)) AS slices
         OFFSET 0) needed)
     CROSS JOIN LATERAL generate_series(1, needed.slices) slice(slice))
  WHERE ((part.units <> (0)::numeric) AND (part.closes > part.opens));

CREATE VIEW counted_periods AS
 WITH changed AS NOT MATERIALIZED (
         SELECT kept_documents.business_id,
            kept_documents.invoice_id,
            kept_documents.customer_id,
            kept_documents.day,
            kept_documents.invoices,
            kept_documents.manual_count,
            kept_documents.online_count,
            kept_documents.days,
            kept_documents.paid_in_full,
            kept_documents.billed,
            kept_documents.manual,
            kept_documents.online,
            kept_documents.documents,
            kept_documents.paid_day,
            kept_documents.receipts,
            kept_documents.due_date,
            1 AS sign
           FROM kept_documents
        ), split AS NOT MATERIALIZED (
         SELECT c.sign,
            c.business_id,
            c.customer_id,
            r.day,
            r.manual,
            r.online,
            r.manual_count,
            r.online_count
           FROM (changed c
             CROSS JOIN LATERAL unnest(c.receipts) r(day, manual, online, manual_count, online_count))
          WHERE (c.receipts IS NOT NULL)
        ), moves AS NOT MATERIALIZED (
         SELECT changed.business_id,
            changed.customer_id,
            changed.day,
            ((changed.day / 100) * 100) AS month,
            (((changed.sign * 10000))::numeric * changed.billed) AS billed,
            (((changed.sign * 10000))::numeric * changed.manual) AS manual,
            (((changed.sign * 10000))::numeric * changed.online) AS online,
            (changed.sign * changed.days) AS days,
            (changed.sign * changed.invoices) AS invoices,
            (changed.sign * changed.manual_count) AS manual_count,
            (changed.sign * changed.online_count) AS online_count,
            (changed.sign * changed.paid_in_full) AS paid_in_full,
            (changed.sign * changed.documents) AS documents,
            (0)::numeric AS received_manual,
            (0)::numeric AS received_online,
            0 AS received_manual_count,
            0 AS received_online_count
           FROM changed
          WHERE ((changed.documents <> 0) OR ((changed.billed <> (0)::numeric) OR (changed.manual <> (0)::numeric) OR (changed.online <> (0)::numeric) OR (changed.days <> 0) OR (changed.invoices <> 0) OR (changed.manual_count <> 0) OR (changed.online_count <> 0) OR (changed.paid_in_full <> 0)))
        UNION ALL
         SELECT received.business_id,
            received.customer_id,
            received.day,
            ((received.day / 100) * 100),
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            (((received.sign * 10000))::numeric * received.manual),
            (((received.sign * 10000))::numeric * received.online),
            (received.sign * received.manual_count),
            (received.sign * received.online_count)
           FROM ( SELECT changed.sign,
                    changed.business_id,
                    changed.customer_id,
                    changed.paid_day AS day,
                    changed.manual,
                    changed.online,
                    changed.manual_count,
                    changed.online_count
                   FROM changed
                  WHERE (changed.paid_day IS NOT NULL)
                UNION ALL
                 SELECT split.sign,
                    split.business_id,
                    split.customer_id,
                    split.day,
                    split.manual,
                    split.online,
                    split.manual_count,
                    split.online_count
                   FROM split) received
        ), of_month_or_day AS MATERIALIZED (
         SELECT moves.business_id,
            moves.month,
            moves.customer_id,
            moves.day,
            sum(moves.billed) AS billed,
            sum(moves.manual) AS manual,
            sum(moves.online) AS online,
            sum(moves.days) AS days,
            (sum(moves.invoices))::integer AS invoices,
            (sum(moves.manual_count))::integer AS manual_count,
            (sum(moves.online_count))::integer AS online_count,
            (sum(moves.paid_in_full))::integer AS paid_in_full,
            (sum(moves.documents))::integer AS documents,
            sum(moves.received_manual) AS received_manual,
            sum(moves.received_online) AS received_online,
            (sum(moves.received_manual_count))::integer AS received_manual_count,
            (sum(moves.received_online_count))::integer AS received_online_count
           FROM moves
          GROUP BY GROUPING SETS ((moves.business_id, moves.month, moves.customer_id), (moves.business_id, moves.day))
        ), of_month AS NOT MATERIALIZED (
         SELECT of_month_or_day.business_id,
            of_month_or_day.month AS period,
            of_month_or_day.customer_id,
            of_month_or_day.billed,
            of_month_or_day.manual,
            of_month_or_day.online,
            of_month_or_day.days,
            of_month_or_day.invoices,
            of_month_or_day.manual_count,
            of_month_or_day.online_count,
            of_month_or_day.paid_in_full,
            of_month_or_day.documents,
            of_month_or_day.received_manual,
            of_month_or_day.received_online,
            of_month_or_day.received_manual_count,
            of_month_or_day.received_online_count
           FROM of_month_or_day
          WHERE (of_month_or_day.month IS NOT NULL)
        ), of_quarter AS MATERIALIZED (
         SELECT of_month.business_id,
            quarter_of(of_month.period) AS period,
            of_month.customer_id,
            sum(of_month.billed) AS billed,
            sum(of_month.manual) AS manual,
            sum(of_month.online) AS online,
            sum(of_month.days) AS days,
            (sum(of_month.invoices))::integer AS invoices,
            (sum(of_month.manual_count))::integer AS manual_count,
            (sum(of_month.online_count))::integer AS online_count,
            (sum(of_month.paid_in_full))::integer AS paid_in_full,
            (sum(of_month.documents))::integer AS documents,
            sum(of_month.received_manual) AS received_manual,
            sum(of_month.received_online) AS received_online,
            (sum(of_month.received_manual_count))::integer AS received_manual_count,
            (sum(of_month.received_online_count))::integer AS received_online_count
           FROM of_month
          GROUP BY of_month.business_id, (quarter_of(of_month.period)), of_month.customer_id
        ), of_year AS MATERIALIZED (
         SELECT of_quarter.business_id,
            ((of_quarter.period / 10000) * 10000) AS period,
            of_quarter.customer_id,
            sum(of_quarter.billed) AS billed,
            sum(of_quarter.manual) AS manual,
            sum(of_quarter.online) AS online,
            sum(of_quarter.days) AS days,
            (sum(of_quarter.invoices))::integer AS invoices,
            (sum(of_quarter.manual_count))::integer AS manual_count,
            (sum(of_quarter.online_count))::integer AS online_count,
            (sum(of_quarter.paid_in_full))::integer AS paid_in_full,
            (sum(of_quarter.documents))::integer AS documents,
            sum(of_quarter.received_manual) AS received_manual,
            sum(of_quarter.received_online) AS received_online,
            (sum(of_quarter.received_manual_count))::integer AS received_manual_count,
            (sum(of_quarter.received_online_count))::integer AS received_online_count
           FROM of_quarter
          GROUP BY of_quarter.business_id, ((of_quarter.period / 10000) * 10000), of_quarter.customer_id
        ), due_kept_periods AS MATERIALIZED (
         SELECT due.business_id,
            due.period,
            due.customer_id,
            due.billed,
            due.manual,
            due.online,
            due.days,
            due.invoices,
            due.manual_count,
            due.online_count,
            due.paid_in_full,
            due.documents,
            due.received_manual,
            due.received_online,
            due.received_manual_count,
            due.received_online_count
           FROM ( SELECT of_month.business_id,
                    of_month.period,
                    of_month.customer_id,
                    of_month.billed,
                    of_month.manual,
                    of_month.online,
                    of_month.days,
                    of_month.invoices,
                    of_month.manual_count,
                    of_month.online_count,
                    of_month.paid_in_full,
                    of_month.documents,
                    of_month.received_manual,
                    of_month.received_online,
                    of_month.received_manual_count,
                    of_month.received_online_count
                   FROM of_month
                UNION ALL
                 SELECT of_quarter.business_id,
                    of_quarter.period,
                    of_quarter.customer_id,
                    of_quarter.billed,
                    of_quarter.manual,
                    of_quarter.online,
                    of_quarter.days,
                    of_quarter.invoices,
                    of_quarter.manual_count,
                    of_quarter.online_count,
                    of_quarter.paid_in_full,
                    of_quarter.documents,
                    of_quarter.received_manual,
                    of_quarter.received_online,
                    of_quarter.received_manual_count,
                    of_quarter.received_online_count
                   FROM of_quarter
                UNION ALL
                 SELECT of_year.business_id,
                    of_year.period,
                    of_year.customer_id,
                    of_year.billed,
                    of_year.manual,
                    of_year.online,
                    of_year.days,
                    of_year.invoices,
                    of_year.manual_count,
                    of_year.online_count,
                    of_year.paid_in_full,
                    of_year.documents,
                    of_year.received_manual,
                    of_year.received_online,
                    of_year.received_manual_count,
                    of_year.received_online_count
                   FROM of_year
                UNION ALL
                 SELECT of_month_or_day.business_id,
                    of_month_or_day.day,
                    '-1'::integer,
                    of_month_or_day.billed,
                    of_month_or_day.manual,
                    of_month_or_day.online,
                    of_month_or_day.days,
                    of_month_or_day.invoices,
                    of_month_or_day.manual_count,
                    of_month_or_day.online_count,
                    of_month_or_day.paid_in_full,
                    of_month_or_day.documents,
                    of_month_or_day.received_manual,
                    of_month_or_day.received_online,
                    of_month_or_day.received_manual_count,
                    of_month_or_day.received_online_count
                   FROM of_month_or_day
                  WHERE (of_month_or_day.day IS NOT NULL)
                UNION ALL
                 SELECT split.business_id,
                    split.day,
                    split.customer_id,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    sum((((split.sign * 10000))::numeric * split.manual)) AS sum,
                    sum((((split.sign * 10000))::numeric * split.online)) AS sum,
                    (sum((split.sign * split.manual_count)))::integer AS sum,
                    (sum((split.sign * split.online_count)))::integer AS sum
                   FROM split
                  GROUP BY split.business_id, split.day, split.customer_id) due
          WHERE ((due.billed <> (0)::numeric) OR (due.manual <> (0)::numeric) OR (due.online <> (0)::numeric) OR (due.days <> (0)::numeric) OR (due.invoices <> 0) OR (due.manual_count <> 0) OR (due.online_count <> 0) OR (due.paid_in_full <> 0) OR (due.documents <> 0) OR (due.received_manual <> (0)::numeric) OR (due.received_online <> (0)::numeric) OR (due.received_manual_count <> 0) OR (due.received_online_count <> 0))
        )
 SELECT due_kept_periods.business_id,
    due_kept_periods.period,
    due_kept_periods.customer_id,
    due_kept_periods.billed,
    due_kept_periods.manual,
    due_kept_periods.online,
    due_kept_periods.days,
    due_kept_periods.invoices,
    due_kept_periods.manual_count,
    due_kept_periods.online_count,
    due_kept_periods.paid_in_full,
    due_kept_periods.documents,
    due_kept_periods.received_manual,
    due_kept_periods.received_online,
    due_kept_periods.received_manual_count,
    due_kept_periods.received_online_count
   FROM due_kept_periods;

CREATE VIEW counted_totals AS
 SELECT moves.business_id,
    moves.customer_id,
    (sum(moves.receivable) * (10000)::numeric) AS receivable,
    (sum(moves.deposited) * (10000)::numeric) AS deposited
   FROM ( SELECT kept_documents.business_id,
            kept_documents.customer_id,
            ((kept_documents.billed - kept_documents.manual) - kept_documents.online) AS receivable,
            0 AS deposited
           FROM kept_documents
        UNION ALL
         SELECT deposits.business_id,
            deposits.customer_id,
            0,
                CASE deposits.type
                    WHEN 'credit'::text THEN (deposits.amount)::numeric
                    ELSE (- (deposits.amount)::numeric)
                END AS "case"
           FROM deposits) moves
  GROUP BY moves.business_id, moves.customer_id;

CREATE VIEW summed_periods AS
 SELECT kept_periods.business_id,
    kept_periods.period,
    kept_periods.customer_id,
    sum(kept_periods.billed) AS billed,
    sum(kept_periods.manual) AS manual,
    sum(kept_periods.online) AS online,
    sum(kept_periods.days) AS days,
    sum(kept_periods.invoices) AS invoices,
    sum(kept_periods.manual_count) AS manual_count,
    sum(kept_periods.online_count) AS online_count,
    sum(kept_periods.paid_in_full) AS paid_in_full,
    sum(kept_periods.documents) AS documents,
    sum(kept_periods.received_manual) AS received_manual,
    sum(kept_periods.received_online) AS received_online,
    sum(kept_periods.received_manual_count) AS received_manual_count,
    sum(kept_periods.received_online_count) AS received_online_count
   FROM kept_periods
  GROUP BY kept_periods.business_id, kept_periods.period, kept_periods.customer_id;

CREATE VIEW summed_totals AS
 SELECT kept_totals.business_id,
    kept_totals.customer_id,
    sum(kept_totals.receivable) AS receivable,
    sum(kept_totals.deposited) AS deposited
   FROM kept_totals
  GROUP BY kept_totals.business_id, kept_totals.customer_id;

-- Functions

CREATE OR REPLACE FUNCTION add_document(d kept_documents, sign integer, split receipt[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    due kept_periods;
    total kept_totals;
    receipt record;
    businesses bigint[];
BEGIN
    IF d.invoice_id IS NULL OR d.receipts IS NULL AND split IS NULL AND (d.billed, d.manual, d.online, d.days,
        d.invoices, d.manual_count, d.online_count, d.paid_in_full, d.documents) = (0, 0, 0, 0, 0, 0, 0, 0, 0) THEN
        RETURN;
    END IF;
    IF is_large(d) THEN
        EXECUTE adding_documents('changed AS (SELECT ($1).*, $2 AS sign)') INTO businesses USING d, sign;
        RETURN;
    END IF;
    due.business_id := d.business_id;
    due.customer_id := d.customer_id;
    due.billed := sign * d.billed * 10000;
    due.manual := sign * d.manual * 10000;
    due.online := sign * d.online * 10000;
    due.days := sign * d.days;
    due.invoices := sign * d.invoices;
    due.manual_count := sign * d.manual_count;
    due.online_count := sign * d.online_count;
    due.paid_in_full := sign * d.paid_in_full;
    due.documents := sign * d.documents;
    due.received_manual := due.manual;
    due.received_online := due.online;
    due.received_manual_count := due.manual_count;
    due.received_online_count := due.online_count;
    PERFORM add_to_kept_periods(due, d.day, d.paid_day, NULL);
    total.business_id := d.business_id;
    total.customer_id := d.customer_id;
    total.receivable := due.billed - due.manual - due.online;
    total.deposited := 0;
    PERFORM add_to_kept_totals(total);
    IF num_nonnulls(d.receipts, split) > 0 THEN
        FOR receipt IN
            SELECT false AS is_split, r.* FROM unnest(d.receipts) r
            UNION ALL SELECT true, r.* FROM unnest(split) r
        LOOP
            due.received_manual := sign * receipt.manual * 10000;
            due.received_online := sign * receipt.online * 10000;
            due.received_manual_count := sign * receipt.manual_count;
            due.received_online_count := sign * receipt.online_count;
            PERFORM add_to_kept_periods(due, NULL, CASE WHEN NOT receipt.is_split THEN receipt.day END,
                CASE WHEN receipt.is_split THEN receipt.day END);
        END LOOP;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION add_to_kept_periods(due kept_periods, issue_day integer, paid_day integer, split_day integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    places kept_place[];
    found bigint[];
BEGIN
    places := ARRAY(
        SELECT ROW(customer_id, period, max(issued), max(received))::kept_place
        FROM (VALUES
            (due.customer_id, issue_day / 10000 * 10000, 1, 0),
            (due.customer_id, quarter_of(issue_day), 1, 0),
            (due.customer_id, issue_day / 100 * 100, 1, 0),
            (-1, issue_day, 1, 0),
            (due.customer_id, paid_day / 10000 * 10000, 0, 1),
            (due.customer_id, quarter_of(paid_day), 0, 1),
            (due.customer_id, paid_day / 100 * 100, 0, 1),
            (-1, paid_day, 0, 1),
            (due.customer_id, split_day, 0, 1)
        ) place (customer_id, period, issued, received)
        WHERE period IS NOT NULL
        GROUP BY customer_id, period
    );
    -- Locked once, before the first is updated: to look again would pass over a slot that this statement
    -- has updated. By ctid, which cannot change while we hold the lock, it is found in any plan.
    WITH free AS MATERIALIZED (
        SELECT p.*, f.ctid
        FROM unnest(places) WITH ORDINALITY p (customer_id, period, issued, received, place)
        CROSS JOIN LATERAL (
            SELECT f.ctid FROM kept_periods f
            WHERE f.business_id = due.business_id AND f.period = p.period AND f.customer_id = p.customer_id
                AND has_room(f) AND (read_committed OR f.xmin = pg_current_xact_id()::xid)
            LIMIT 1 FOR UPDATE SKIP LOCKED
        ) f
    ), added AS (
        UPDATE kept_periods k SET
            billed = k.billed + p.issued * due.billed,
            manual = k.manual + p.issued * due.manual,
            online = k.online + p.issued * due.online,
            days = k.days + p.issued * due.days,
            invoices = k.invoices + p.issued * due.invoices,
            manual_count = k.manual_count + p.issued * due.manual_count,
            online_count = k.online_count + p.issued * due.online_count,
            paid_in_full = k.paid_in_full + p.issued * due.paid_in_full,
            documents = k.documents + p.issued * due.documents,
            received_manual = k.received_manual + p.received * due.received_manual,
            received_online = k.received_online + p.received * due.received_online,
            received_manual_count = k.received_manual_count + p.received * due.received_manual_count,
            received_online_count = k.received_online_count + p.received * due.received_online_count
        FROM free p
        WHERE k.ctid = p.ctid
        RETURNING p.place
    )
    SELECT array_agg(place) INTO found FROM added;
    IF cardinality(places) > coalesce(cardinality(found), 0) THEN
        INSERT INTO kept_periods (business_id, period, customer_id, billed, manual, online, days, invoices,
            manual_count, online_count, paid_in_full, documents, received_manual, received_online,
            received_manual_count, received_online_count)
        SELECT due.business_id, p.period, p.customer_id, p.issued * due.billed, p.issued * due.manual,
            p.issued * due.online, p.issued * due.days, p.issued * due.invoices,
            p.issued * due.manual_count, p.issued * due.online_count, p.issued * due.paid_in_full,
            p.issued * due.documents, p.received * due.received_manual, p.received * due.received_online,
            p.received * due.received_manual_count, p.received * due.received_online_count
        FROM unnest(places) WITH ORDINALITY p (customer_id, period, issued, received, place)
        WHERE found IS NULL OR p.place <> ALL (found);
    END IF;
    IF read_committed AND random() < 0.1 THEN
        PERFORM join_slots(due.business_id, places);
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION add_to_kept_totals(due kept_totals)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    mine bigint;
    crowded boolean;
BEGIN
    LOOP
        UPDATE kept_totals k SET receivable = k.receivable + due.receivable, deposited = k.deposited + due.deposited
        WHERE k.business_id = due.business_id AND k.customer_id = due.customer_id AND k.slot = (
            SELECT f.slot FROM kept_totals f
            WHERE f.business_id = due.business_id AND f.customer_id = due.customer_id AND greatest(abs(f.receivable), abs(f.deposited)) < slot_limit()
                AND (read_committed OR f.xmin = pg_current_xact_id()::xid)
            LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING k.slot, EXISTS (SELECT FROM kept_totals f WHERE f.business_id = due.business_id AND f.customer_id = due.customer_id AND f.slot <> k.slot)
        INTO mine, crowded;
        IF mine IS NULL THEN
            INSERT INTO kept_totals (business_id, customer_id, receivable, deposited) VALUES (due.business_id, due.customer_id, due.receivable, due.deposited);
        END IF;
        EXIT WHEN mine IS NULL OR NOT crowded OR NOT read_committed;
        DELETE FROM kept_totals k
        WHERE k.business_id = due.business_id AND k.customer_id = due.customer_id AND k.slot = (
            SELECT f.slot FROM kept_totals f
            WHERE f.business_id = due.business_id AND f.customer_id = due.customer_id AND f.slot <> mine AND greatest(abs(f.receivable), abs(f.deposited)) < slot_limit()
            LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING k.* INTO due;
        EXIT WHEN NOT FOUND;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION add_uncategorised()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    INSERT INTO categories (id, business_id, name) VALUES (1, NEW.id, 'Uncategorised');
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION adding(kept regclass)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
SELECT format($query$
free_%1$s AS MATERIALIZED (
    SELECT k.* FROM due_%1$s JOIN %1$s k USING (%2$s)
    WHERE greatest(%3$s) < slot_limit() AND (
        current_setting('transaction_isolation') = 'read committed'
        OR k.xmin = pg_current_xact_id()::xid
    )
    FOR UPDATE OF k SKIP LOCKED
), sum_%1$s AS (
    SELECT %2$s, min(slot) AS slot, %4$s
    FROM (
        SELECT %2$s, NULL::bigint AS slot, %6$s FROM due_%1$s
        UNION ALL SELECT %2$s, slot, %6$s FROM free_%1$s
    ) both_sides
    GROUP BY %2$s
), part_%1$s AS MATERIALIZED (
    SELECT %2$s, CASE part WHEN 1 THEN slot END AS slot, %5$s
    FROM (SELECT *, parts_of(greatest(%7$s)) AS parts FROM sum_%1$s OFFSET 0) sums
    CROSS JOIN LATERAL generate_series(1, parts) part
), added_%1$s AS (
    UPDATE %1$s k SET %8$s FROM part_%1$s p WHERE %9$s AND k.slot = p.slot
), merged_%1$s AS (
    DELETE FROM %1$s k
    USING (
        SELECT *, row_number() OVER (PARTITION BY %2$s ORDER BY slot) AS place FROM free_%1$s
    ) p
    WHERE %9$s AND k.slot = p.slot AND p.place > 1
), opened_%1$s AS (
    INSERT INTO %1$s (%2$s, %6$s)
    SELECT %2$s, %6$s FROM part_%1$s WHERE slot IS NULL ORDER BY %2$s
)
$query$,
    kept,
    each_column(kept, true, '%I'),
    each_column(kept, false, 'abs(k.%I)'),
    each_column(kept, false, 'sum(%1$I) AS %1$I'),
    each_column(kept, false, 'in_parts(%1$I, part, parts) AS %1$I'),
    each_column(kept, false, '%I'),
    each_column(kept, false, 'abs(%I)'),
    each_column(kept, false, '%1$I = p.%1$I'),
    each_column(kept, true, 'k.%1$I = p.%1$I', ' AND ')
)
$function$;

CREATE OR REPLACE FUNCTION adding_documents(changed text, moved text DEFAULT 'changed'::text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
SELECT format($query$
WITH %1$s, due_kept_totals AS MATERIALIZED (
    SELECT business_id, customer_id, sum(billed - manual - online) AS receivable,
        0::numeric AS deposited
    FROM of_year
    GROUP BY business_id, customer_id
    HAVING sum(billed - manual - online) <> 0
), %2$s, %3$s
SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM of_year
$query$, summing(changed, moved), adding('kept_periods'), adding('kept_totals'))
$function$;

CREATE OR REPLACE FUNCTION adding_new_documents(changed text, units regtype)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
SELECT format($query$
WITH %1$s, opened_parts AS (
    INSERT INTO kept_open_parts %2$s ORDER BY business_id, span, opens, invoice_id, slice
), first_kept_periods AS (
    INSERT INTO kept_periods (%3$s, %4$s)
    SELECT %3$s, %4$s FROM sum_of_period s
    WHERE %5$s AND NOT EXISTS (SELECT FROM kept_periods k WHERE %6$s)
    ORDER BY %3$s
), due_kept_periods AS MATERIALIZED (
    SELECT * FROM sum_of_period s WHERE EXISTS (SELECT FROM kept_periods k WHERE %6$s)
    UNION ALL
    SELECT * FROM sum_of_period s WHERE NOT (%5$s) AND NOT EXISTS (SELECT FROM kept_periods k WHERE %6$s)
), due_kept_totals AS MATERIALIZED (
    SELECT business_id, customer_id, sum(billed::numeric - manual - online) AS receivable, 0::numeric AS deposited
    FROM of_year
    GROUP BY business_id, customer_id
    HAVING sum(billed::numeric - manual - online) <> 0
), %7$s, %8$s
SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM of_year
$query$,
    summing(changed, 'changed', 'sum_of_period', units),
    counting_open_parts('changed'),
    each_column('kept_periods', true, '%I'),
    each_column('kept_periods', false, '%I'),
    'greatest(' || each_column('kept_periods', false, 'abs(s.%I)') || ') < slot_limit()',
    each_column('kept_periods', true, 'k.%1$I = s.%1$I', ' AND '),
    adding('kept_periods'),
    adding('kept_totals'))
$function$;

CREATE OR REPLACE FUNCTION are_a_good_part(rows_changed bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$SELECT rows_changed * 2000 > pg_relation_size('kept_documents')$function$;

CREATE OR REPLACE FUNCTION are_few(rows_changed bigint)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT rows_changed <= 20$function$;

CREATE OR REPLACE FUNCTION are_most(rows_changed bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$SELECT rows_changed * 100 > pg_relation_size('kept_documents')$function$;

CREATE OR REPLACE FUNCTION average_days(days bigint, documents bigint)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE WHEN documents > 0 THEN
        (200 * days + CASE WHEN days < 0 THEN -documents ELSE documents END) / (2 * documents)
        / 100.0::double precision
    ELSE 0 END
$function$;

CREATE OR REPLACE FUNCTION average_days(days numeric, documents numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT CASE WHEN documents > 0 THEN trim_scale(round(days / documents, 2)) ELSE 0 END$function$;

CREATE OR REPLACE FUNCTION bulk_load_ended()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'on'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    uncounted text := '(
        SELECT * FROM invoices v WHERE NOT EXISTS (
            SELECT FROM kept_documents k WHERE k.business_id = v.business_id AND k.invoice_id = v.id
        )
    )';
    key text := 'JOIN unnest($1, $2) key (business_id, invoice_id) USING (business_id, invoice_id)';
    paid text := 'AND p.business_id = i.business_id AND p.invoice_id = i.id';
    changed text;
    changed_businesses bigint[];
BEGIN
    IF TG_RELID <> 'bulk_loads'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'bulk_load_ended serves bulk_loads only';
    END IF;
    DELETE FROM bulk_loads WHERE transaction = NEW.transaction AND id = NEW.id;
    IF NEW.invoices IS NULL THEN
        RETURN NULL;
    END IF;
    IF are_a_good_part(cardinality(NEW.invoices)) THEN
        SET LOCAL enable_nestloop = off;
        SET LOCAL enable_seqscan = on;
        paid := 'AND (business_id, invoice_id) IN (SELECT * FROM unnest($1, $2))';
    END IF;
    IF are_most(cardinality(NEW.invoices)) THEN
        key := '';
        paid := '';
    END IF;
    changed := format('changed AS (INSERT INTO kept_documents %s ORDER BY 1, 2 RETURNING *, 1 AS sign)',
        counting(uncounted, key, paid));
    BEGIN
        EXECUTE adding_new_documents(changed, 'bigint') INTO changed_businesses USING NEW.businesses, NEW.invoices;
    EXCEPTION WHEN numeric_value_out_of_range THEN
        EXECUTE adding_new_documents(changed, 'numeric') INTO changed_businesses USING NEW.businesses, NEW.invoices;
    END;
    PERFORM note_change(coalesce(changed_businesses, '{}'));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION code_suppression()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    NEW.reason_code := reason_code_of(NEW.reason, NULL, 'suppressed');
    RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION count_due_recipients(business bigint, due date, recipients integer, quota integer)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
DECLARE
    shares CONSTANT integer := 32;
    another CONSTANT integer := floor(random() * shares);
BEGIN
    BEGIN
        WITH roomy AS MATERIALIZED (
            SELECT d.share FROM due_recipients d
            WHERE d.business_id = business AND d.day = due
              AND d.used + recipients <= quota / shares + (d.share < quota % shares)::integer
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE due_recipients d SET used = d.used + recipients
        FROM roomy WHERE d.business_id = business AND d.day = due AND d.share = roomy.share;
        IF FOUND THEN
            RETURN true;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'LP001';
    EXCEPTION WHEN SQLSTATE 'LP001' THEN
        NULL;
    END;
    IF recipients <= quota / shares THEN
        INSERT INTO due_recipients (business_id, day, share, used) VALUES (business, due, another, recipients)
        ON CONFLICT DO NOTHING;
        IF FOUND THEN
            RETURN true;
        END IF;
    END IF;
    -- More than any share has left, or very many at once: all shares together, one after the other.
    INSERT INTO due_recipients (business_id, day, share, used)
    SELECT business, due, s, 0 FROM generate_series(0, shares - 1) AS s
    ON CONFLICT DO NOTHING;
    WITH held AS MATERIALIZED (
        SELECT d.share, d.used FROM due_recipients d
        WHERE d.business_id = business AND d.day = due
        ORDER BY d.share
        FOR UPDATE
    ), rooms AS (
        SELECT h.share, h.used, greatest(0, quota / shares + (h.share < quota % shares)::integer - h.used) AS room
        FROM held h
    ), filled AS (
        SELECT r.share, r.used, r.room, sum(r.room) OVER (ORDER BY r.share) - r.room AS before,
               sum(r.room) OVER () AS all_room, sum(r.used) OVER () AS all_used
        FROM rooms r
    )
    UPDATE due_recipients d SET used = f.used + least(f.room, greatest(0, recipients - f.before))
    FROM filled f
    WHERE d.business_id = business AND d.day = due AND d.share = f.share
      AND f.all_used + recipients <= quota AND f.all_room >= recipients;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'due_quota',
            MESSAGE = 'more recipients than the quota leaves for the day';
    END IF;
    RETURN true;
END
$function$;

CREATE OR REPLACE FUNCTION count_recipients(business bigint, recipients integer, quota integer)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
DECLARE
    shares CONSTANT integer := 32;
    today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
BEGIN
    -- Whichever share has room and is not in use. The inner block is there to let go of the shares
    -- that were tried in vain: keeping those would end in a deadlock below.
    BEGIN
        WITH roomy AS MATERIALIZED (
            SELECT d.share FROM daily_recipients d
            WHERE d.business_id = business
              AND CASE WHEN d.day < today THEN 0 ELSE d.used END + recipients
                  <= quota / shares + (d.share < quota % shares)::integer
            LIMIT 1
            FOR UPDATE SKIP LOCKED
        )
        UPDATE daily_recipients d SET
            used = CASE WHEN d.day < today THEN 0 ELSE d.used END + recipients,
            day = greatest(d.day, today)
        FROM roomy WHERE d.business_id = business AND d.share = roomy.share;
        IF FOUND THEN
            RETURN true;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'LP001';
    EXCEPTION WHEN SQLSTATE 'LP001' THEN
        NULL;
    END;
    -- The first request of all, one for more than any share has left, or very many at once: all
    -- shares together, filled one after the other.
    INSERT INTO daily_recipients (business_id, share, day, used)
    SELECT business, s, today, 0 FROM generate_series(0, shares - 1) AS s
    ON CONFLICT DO NOTHING;
    WITH held AS MATERIALIZED (
        SELECT d.share, CASE WHEN d.day < today THEN 0 ELSE d.used END AS used
        FROM daily_recipients d WHERE d.business_id = business
        ORDER BY d.share
        FOR UPDATE
    ), rooms AS (
        SELECT h.share, h.used, greatest(0, quota / shares + (h.share < quota % shares)::integer - h.used) AS room
        FROM held h
    ), filled AS (
        SELECT r.share, r.used, r.room, sum(r.room) OVER (ORDER BY r.share) - r.room AS before,
               sum(r.room) OVER () AS all_room, sum(r.used) OVER () AS all_used
        FROM rooms r
    )
    UPDATE daily_recipients d SET
        used = f.used + least(f.room, greatest(0, recipients - f.before)),
        day = greatest(d.day, today)
    FROM filled f
    WHERE d.business_id = business AND d.share = f.share
      AND f.all_used + recipients <= quota AND f.all_room >= recipients;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'daily_quota',
            MESSAGE = 'more recipients than the daily quota leaves';
    END IF;
    RETURN true;
END
$function$;

CREATE OR REPLACE FUNCTION counted_receipts(business bigint, invoice bigint)
 RETURNS receipt[]
 LANGUAGE sql
 STABLE
AS $function$
    SELECT array_agg(ROW(day, manual, online, manual_count, online_count)::receipt ORDER BY day)
    FROM (
        SELECT
            day_number(paid_on) AS day,
            trim_scale(coalesce(sum(amount) FILTER (WHERE channel = 'manual'), 0)) AS manual,
            trim_scale(coalesce(sum(amount) FILTER (WHERE channel = 'online'), 0)) AS online,
            count(*) FILTER (WHERE channel = 'manual') AS manual_count,
            count(*) FILTER (WHERE channel = 'online') AS online_count
        FROM payments
        WHERE business_id = business AND invoice_id = invoice AND status = 'settled'
        GROUP BY paid_on
    ) of_day
$function$;

CREATE OR REPLACE FUNCTION counting(documents text, keys text, paid text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($query$
SELECT
    i.business_id,
    i.id AS invoice_id,
    i.customer_id,
    day_number(i.issue_date) AS day,
    CASE WHEN i.kind = 'invoice' THEN 1 ELSE 0 END * c.counts AS invoices,
    coalesce(p.manual_count, 0)::int * c.counts AS manual_count,
    coalesce(p.online_count, 0)::int * c.counts AS online_count,
    CASE WHEN t.full_paid THEN p.last_paid_on - i.issue_date ELSE 0 END AS days,
    CASE WHEN t.full_paid THEN 1 ELSE 0 END AS paid_in_full,
    CASE i.kind WHEN 'invoice' THEN i.total ELSE -i.total END * c.counts AS billed,
    coalesce(p.manual, 0) * c.counts AS manual,
    coalesce(p.online, 0) * c.counts AS online,
    c.counts AS documents,
    CASE WHEN c.counts = 1 AND p.first_on = p.last_on THEN day_number(p.first_on) END AS paid_day,
    CASE WHEN c.counts = 1 AND p.first_on < p.last_on THEN counted_receipts(i.business_id, i.id) END AS receipts,
    i.due_date::date AS due_date
FROM (
    SELECT business_id, id, id AS invoice_id, customer_id, kind, status, issue_date, due_date, total
    FROM %1$s d
) i
%2$s
LEFT JOIN LATERAL (
    SELECT
        business_id,
        invoice_id,
        sum(amount) FILTER (WHERE channel = 'manual') AS manual,
        count(*) FILTER (WHERE channel = 'manual') AS manual_count,
        sum(amount) FILTER (WHERE channel = 'online') AS online,
        count(*) FILTER (WHERE channel = 'online') AS online_count,
        sum(amount) AS paid,
        min(paid_on) AS first_on,
        max(paid_on) AS last_on,
        max(paid_on) FILTER (WHERE amount > 0) AS last_paid_on
    FROM payments p
    WHERE status = 'settled' %3$s
    GROUP BY business_id, invoice_id
) p ON p.business_id = i.business_id AND p.invoice_id = i.id
CROSS JOIN LATERAL (SELECT (i.status = 'issued')::int) c (counts)
CROSS JOIN LATERAL (
    SELECT c.counts = 1 AND i.kind = 'invoice' AND i.total > 0 AND coalesce(p.paid >= i.total, false)
) t (full_paid)
$query$, documents, keys, paid)
$function$;

CREATE OR REPLACE FUNCTION counting_open_parts(kept text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
SELECT format($query$
SELECT business_id, span_of(opens, closes) AS span, opens, invoice_id, slice::smallint AS slice, closes,
    due_date, customer_id, in_parts(units, slice, slices) AS units
FROM (
    SELECT business_id, invoice_id, customer_id, due_date, day AS opens,
        lead(day, 1, 'infinity') OVER days AS closes, sum(amount) OVER days * 10000 AS units
    FROM (
        SELECT d.business_id, d.invoice_id, d.customer_id, d.due_date, date_of(m.day) AS day, m.amount
        FROM %1$s d
        CROSS JOIN LATERAL (
            SELECT d.day, d.billed AS amount
            UNION ALL SELECT d.paid_day, -d.manual - d.online WHERE d.paid_day IS NOT NULL
            UNION ALL SELECT r.day, -r.manual - r.online FROM unnest(d.receipts) r
        ) m
        WHERE d.documents <> 0
    ) moves
    WINDOW days AS (PARTITION BY business_id, invoice_id, customer_id, due_date ORDER BY day)
) part
CROSS JOIN LATERAL (SELECT parts_of(abs(units)) AS slices OFFSET 0) needed
CROSS JOIN LATERAL generate_series(1, slices) slice
WHERE units <> 0 AND closes > opens
$query$, kept)
$function$;

CREATE OR REPLACE FUNCTION counts(d kept_documents)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT d.documents <> 0$function$;

CREATE OR REPLACE FUNCTION csv_text(value text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE
        WHEN value IS NULL THEN ''
        WHEN ascii(value) IN (9, 13, 43, 45, 61, 64, 65291, 65293, 65309, 65312)
            THEN '"''' || replace(value, '"', '""') || '"'
        ELSE '"' || replace(value, '"', '""') || '"'
    END
$function$;

CREATE OR REPLACE FUNCTION date_of(day integer)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT CASE WHEN day > 0 THEN make_date(day / 10000, day / 100 % 100, day % 100) END$function$;

CREATE OR REPLACE FUNCTION day_number(day date)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT (date_part('year', day) * 10000 + date_part('month', day) * 100 + date_part('day', day))::int$function$;

CREATE OR REPLACE FUNCTION deposits_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'on'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    moves text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT *, 1 AS sign FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT *, -1 AS sign FROM old_rows'
        ELSE 'SELECT *, 1 AS sign FROM new_rows UNION ALL SELECT *, -1 FROM old_rows'
    END;
    businesses bigint[];
    due kept_totals;
    few boolean;
BEGIN
    IF TG_RELID <> 'deposits'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'deposits_changed serves deposits only';
    END IF;
    IF TG_OP = 'INSERT' THEN
        few := are_few((SELECT count(*) FROM (SELECT FROM new_rows LIMIT 21) first_rows));
    ELSE
        few := are_few((SELECT count(*) FROM (SELECT FROM old_rows LIMIT 21) first_rows));
    END IF;
    IF few AND TG_OP <> 'DELETE' THEN
        FOR due IN
            SELECT business_id, customer_id, NULL, 0,
                CASE type WHEN 'credit' THEN amount ELSE -amount END * 10000
            FROM new_rows
        LOOP
            PERFORM note_customer(due.business_id, due.customer_id);
            PERFORM add_to_kept_totals(due);
        END LOOP;
    END IF;
    IF few AND TG_OP <> 'INSERT' THEN
        FOR due IN
            SELECT business_id, customer_id, NULL, 0,
                CASE type WHEN 'credit' THEN -amount ELSE amount END * 10000
            FROM old_rows
        LOOP
            PERFORM note_customer(due.business_id, due.customer_id);
            PERFORM add_to_kept_totals(due);
        END LOOP;
    END IF;
    IF few THEN
        RETURN NULL;
    END IF;
    EXECUTE format($query$
        WITH due_kept_totals AS MATERIALIZED (
            SELECT business_id, customer_id, 0::numeric AS receivable,
                sum(CASE type WHEN 'credit' THEN sign * amount ELSE -sign * amount END) * 10000
                    AS deposited
            FROM (%s) moves
            GROUP BY business_id, customer_id
            HAVING sum(CASE type WHEN 'credit' THEN sign * amount ELSE -sign * amount END) <> 0
        ), %s
        SELECT array_agg(DISTINCT business_id ORDER BY business_id) FROM due_kept_totals
    $query$, moves, adding('kept_totals')) INTO businesses;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION deposits_truncated()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF TG_RELID <> 'deposits'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'deposits_truncated serves deposits only';
    END IF;
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_totals ORDER BY 1));
    UPDATE kept_totals SET deposited = 0 WHERE deposited <> 0;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION drop_batch_customers()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    DELETE FROM batch_customers WHERE batch_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION drop_uncategorised()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    DELETE FROM categories WHERE business_id = OLD.id AND id = 1;
    RETURN OLD;
END
$function$;

CREATE OR REPLACE FUNCTION due_businesses()
 RETURNS TABLE(business_id bigint, due_at timestamp with time zone)
 LANGUAGE sql
 STABLE
AS $function$
    WITH RECURSIVE longest AS MATERIALIZED (
        SELECT d.business_id FROM deliveries d
        WHERE d.state IN ('scheduled', 'deferred') AND d.due_at <= now()
        ORDER BY d.due_at, d.id
        LIMIT 501
    ), found (business_id) AS (
        (SELECT d.business_id FROM deliveries d
         WHERE d.state IN ('scheduled', 'deferred') AND (SELECT count(*) FROM longest) > 500
         ORDER BY d.business_id, d.due_at, d.id
         LIMIT 1)
        UNION ALL
        SELECT next.business_id FROM found CROSS JOIN LATERAL (
            SELECT d.business_id FROM deliveries d
            WHERE d.state IN ('scheduled', 'deferred') AND d.business_id > found.business_id
            ORDER BY d.business_id, d.due_at, d.id
            LIMIT 1) next
    )
    SELECT each.business_id, first.due_at
    FROM (SELECT found.business_id FROM found
          UNION
          SELECT longest.business_id FROM longest WHERE (SELECT count(*) FROM longest) <= 500) each
    CROSS JOIN LATERAL (
        SELECT d.due_at FROM deliveries d
        WHERE d.business_id = each.business_id AND d.state IN ('scheduled', 'deferred') AND d.due_at <= now()
        ORDER BY d.business_id, d.due_at, d.id
        LIMIT 1) first
    WHERE NOT EXISTS (SELECT FROM pauses WHERE pauses.business_id IS NULL)
      AND NOT EXISTS (SELECT FROM pauses p WHERE p.business_id = each.business_id OFFSET 0)
$function$;

CREATE OR REPLACE FUNCTION each_column(kept regclass, are_keys boolean, form text, between_them text DEFAULT ', '::text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
    SELECT string_agg(format(form, a.attname), between_them
        ORDER BY array_position(i.indkey::int2[], a.attnum), a.attnum)
    FROM pg_attribute a JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = kept AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'slot'
        AND (a.attnum = ANY (i.indkey)) = are_keys
$function$;

CREATE OR REPLACE FUNCTION end_of_late(attempts integer, last_reason text)
 RETURNS TABLE(state text, reason text, reason_code text)
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE attempts WHEN 0 THEN 'expired' ELSE 'failed' END,
           CASE attempts WHEN 0 THEN 'not sent before it expired'
                ELSE 'gave up when it expired: ' || coalesce(last_reason, 'no reason recorded') END,
           CASE attempts WHEN 0 THEN 'expired' ELSE 'attempts_exhausted' END
$function$;

CREATE OR REPLACE FUNCTION give_back_due_recipients(business bigint, due date, recipients integer)
 RETURNS void
 LANGUAGE sql
AS $function$
    WITH held AS MATERIALIZED (
        SELECT d.share, d.used FROM due_recipients d
        WHERE d.business_id = business AND d.day = due AND due >= (clock_timestamp() AT TIME ZONE 'UTC')::date
        ORDER BY d.share
        FOR UPDATE
    ), emptied AS (
        SELECT h.share, h.used,
               least(h.used, greatest(0, recipients - (sum(h.used) OVER (ORDER BY h.share) - h.used))) AS less
        FROM held h
    )
    UPDATE due_recipients d SET used = e.used - e.less
    FROM emptied e WHERE d.business_id = business AND d.day = due AND d.share = e.share AND e.less > 0
$function$;

CREATE OR REPLACE FUNCTION give_back_recipients(business bigint, accepted date, recipients integer)
 RETURNS void
 LANGUAGE sql
AS $function$
    WITH held AS MATERIALIZED (
        SELECT d.share, CASE WHEN d.day = accepted THEN d.used ELSE 0 END AS used FROM daily_recipients d
        WHERE d.business_id = business AND accepted = (clock_timestamp() AT TIME ZONE 'UTC')::date
        ORDER BY d.share
        FOR UPDATE
    ), emptied AS (
        SELECT h.share, h.used,
               least(h.used, greatest(0, recipients - (sum(h.used) OVER (ORDER BY h.share) - h.used))) AS less
        FROM held h
    )
    UPDATE daily_recipients d SET used = e.used - e.less
    FROM emptied e WHERE d.business_id = business AND d.share = e.share AND e.less > 0
$function$;

CREATE OR REPLACE FUNCTION has_large_receipts(receipts receipt[])
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    SELECT EXISTS (
        SELECT FROM unnest(receipts) r WHERE greatest(abs(r.manual), abs(r.online)) > 50000000000000
    )
$function$;

CREATE OR REPLACE FUNCTION has_many_parts(receipts receipt[], billed numeric, manual numeric, online numeric)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT receipts IS NOT NULL OR greatest(abs(billed), abs(manual), abs(online)) > 50000000000000
$function$;

CREATE OR REPLACE FUNCTION has_room(k kept_periods)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    SELECT greatest(abs(k.billed), abs(k.manual), abs(k.online), abs(k.days), abs(k.received_manual),
        abs(k.received_online)) < slot_limit()
$function$;

CREATE OR REPLACE FUNCTION in_parts(amount numeric, part integer, parts integer)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT (CASE WHEN parts = 1 THEN amount
        WHEN part = 1 THEN amount - (parts - 1) * div(amount, parts)
        ELSE div(amount, parts) END)::bigint$function$;

CREATE OR REPLACE FUNCTION invoices_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    document kept_documents;
    businesses bigint[];
    ids bigint[];
BEGIN
    IF TG_RELID <> 'invoices'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'invoices_changed serves invoices only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        -- Nothing can have been paid on a new document, unless the same statement paid it and was
        -- counted before: then its row is there already.
        IF are_few((SELECT count(*) FROM (SELECT FROM new_rows LIMIT 21) first_rows)) THEN
            FOR document IN
                INSERT INTO kept_documents (business_id, invoice_id, customer_id, day, invoices, manual_count,
                    online_count, days, paid_in_full, billed, manual, online, documents, due_date)
                SELECT business_id, id, customer_id, day_number(issue_date), (kind = 'invoice')::int * counts,
                    0, 0, 0, 0, CASE kind WHEN 'invoice' THEN total ELSE -total END * counts, 0, 0, counts, due_date
                FROM new_rows CROSS JOIN LATERAL (SELECT (status = 'issued')::int) c (counts)
                ON CONFLICT DO NOTHING
                RETURNING *
            LOOP
                IF counts(document) THEN
                    PERFORM note_customer(document.business_id, document.customer_id);
                    PERFORM add_document(document, 1, NULL);
                    PERFORM keep_open_parts(NULL, document);
                END IF;
            END LOOP;
            RETURN NULL;
        END IF;
        IF is_in_bulk_load() THEN
            INSERT INTO bulk_loads (businesses, invoices)
            SELECT array_agg(business_id), array_agg(id) FROM new_rows;
            RETURN NULL;
        END IF;
        SET LOCAL enable_seqscan = on;
        SET LOCAL enable_hashjoin = on;
        EXECUTE adding_documents(format($$
            changed AS (
                INSERT INTO kept_documents %s ORDER BY 1, 2 ON CONFLICT DO NOTHING
                RETURNING *, 1 AS sign
            ), %s
        $$, counting('new_rows', '', 'AND false'), keeping_open_parts())) INTO businesses;
        PERFORM note_change(coalesce(businesses, '{}'));
        RETURN NULL;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (
            SELECT business_id, id FROM new_rows UNION SELECT business_id, id FROM old_rows
            ORDER BY 1, 2
        ) k;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id ORDER BY business_id, id), array_agg(id ORDER BY business_id, id)
        INTO businesses, ids FROM old_rows;
    END CASE;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION invoices_truncated()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF TG_RELID <> 'invoices'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'invoices_truncated serves invoices only';
    END IF;
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM kept_documents ORDER BY 1));
    TRUNCATE kept_documents, kept_periods, kept_open_parts;
    UPDATE kept_totals SET receivable = 0 WHERE receivable <> 0;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION is_in_bulk_load()
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$SELECT EXISTS (SELECT FROM bulk_loads WHERE transaction = pg_current_xact_id())$function$;

CREATE OR REPLACE FUNCTION is_large(d kept_documents)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
    SELECT greatest(abs(d.billed), abs(d.manual), abs(d.online)) > 50000000000000
        OR d.receipts IS NOT NULL AND has_large_receipts(d.receipts)
$function$;

CREATE OR REPLACE FUNCTION is_timezone(name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE STRICT
AS $function$
BEGIN
    PERFORM timestamp '2000-01-01' AT TIME ZONE name;
    RETURN name ~ ('^(Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe'
                   '|Indian|Mexico|Pacific|US)/[A-Za-z0-9_+/-]+$')
        OR name = ANY (ARRAY['CET', 'CST6CDT', 'Cuba', 'EET', 'EST', 'EST5EDT', 'Egypt', 'Eire', 'GB', 'GB-Eire',
            'GMT', 'GMT+0', 'GMT-0', 'GMT0', 'Greenwich', 'HST', 'Hongkong', 'Iceland', 'Iran', 'Israel',
            'Jamaica', 'Japan', 'Kwajalein', 'Libya', 'MET', 'MST', 'MST7MDT', 'NZ', 'NZ-CHAT', 'Navajo', 'PRC',
            'PST8PDT', 'Poland', 'Portugal', 'ROC', 'ROK', 'Singapore', 'Turkey', 'UCT', 'UTC', 'Universal',
            'W-SU', 'WET', 'Zulu']);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$function$;

CREATE OR REPLACE FUNCTION join_slots(business bigint, places kept_place[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    place record;
    slots bigint[];
    spare kept_periods;
BEGIN
    FOR place IN
        SELECT p.customer_id, p.period FROM unnest(places) p
        WHERE 1 < (
            SELECT count(*) FROM kept_periods k
            WHERE k.business_id = business AND k.period = p.period AND k.customer_id = p.customer_id
        )
    LOOP
        slots := ARRAY(
            SELECT f.slot FROM kept_periods f
            WHERE f.business_id = business AND f.period = place.period
                AND f.customer_id = place.customer_id AND has_room(f)
            LIMIT 2 FOR UPDATE SKIP LOCKED
        );
        CONTINUE WHEN cardinality(slots) < 2;
        DELETE FROM kept_periods k
        WHERE k.business_id = business AND k.period = place.period
            AND k.customer_id = place.customer_id AND k.slot = slots[2]
        RETURNING k.* INTO spare;
        UPDATE kept_periods k SET
            billed = k.billed + spare.billed, manual = k.manual + spare.manual,
            online = k.online + spare.online, days = k.days + spare.days,
            invoices = k.invoices + spare.invoices, manual_count = k.manual_count + spare.manual_count,
            online_count = k.online_count + spare.online_count,
            paid_in_full = k.paid_in_full + spare.paid_in_full,
            documents = k.documents + spare.documents,
            received_manual = k.received_manual + spare.received_manual,
            received_online = k.received_online + spare.received_online,
            received_manual_count = k.received_manual_count + spare.received_manual_count,
            received_online_count = k.received_online_count + spare.received_online_count
        WHERE k.business_id = business AND k.period = place.period
            AND k.customer_id = place.customer_id AND k.slot = slots[1];
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION keep_document(business bigint, id bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    kept kept_documents;
    counted kept_documents;
    change kept_documents;
    split receipt[];
BEGIN
    LOOP
        SELECT * INTO kept FROM kept_documents k
        WHERE k.business_id = business AND k.invoice_id = id FOR UPDATE;
        SELECT * INTO counted FROM counted_documents c
        WHERE c.business_id = business AND c.invoice_id = id;
        EXIT WHEN kept.invoice_id IS NOT NULL OR counted.invoice_id IS NULL;
        INSERT INTO kept_documents VALUES (business, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        ON CONFLICT DO NOTHING;
    END LOOP;
    IF kept IS NOT DISTINCT FROM counted THEN
        RETURN;
    ELSIF counted.invoice_id IS NULL THEN
        DELETE FROM kept_documents k WHERE k.business_id = business AND k.invoice_id = id;
    ELSE
        UPDATE kept_documents k SET
            customer_id = counted.customer_id, day = counted.day, invoices = counted.invoices,
            manual_count = counted.manual_count, online_count = counted.online_count, days = counted.days,
            paid_in_full = counted.paid_in_full, billed = counted.billed, manual = counted.manual,
            online = counted.online, documents = counted.documents, paid_day = counted.paid_day,
            receipts = counted.receipts, due_date = counted.due_date
        WHERE k.business_id = business AND k.invoice_id = id;
    END IF;
    IF counts(kept) OR counts(counted) THEN
        PERFORM note_customer(business, coalesce(counted.customer_id, kept.customer_id));
        IF counts(kept) AND kept.customer_id <> counted.customer_id THEN
            PERFORM note_customer(business, kept.customer_id);
        END IF;
        PERFORM keep_open_parts(kept, counted);
    END IF;
    IF (kept.customer_id, kept.day) = (counted.customer_id, counted.day) THEN
        change := counted;
        change.invoices := counted.invoices - kept.invoices;
        change.manual_count := counted.manual_count - kept.manual_count;
        change.online_count := counted.online_count - kept.online_count;
        change.days := counted.days - kept.days;
        change.paid_in_full := counted.paid_in_full - kept.paid_in_full;
        change.billed := counted.billed - kept.billed;
        change.manual := counted.manual - kept.manual;
        change.online := counted.online - kept.online;
        change.documents := counted.documents - kept.documents;
        change.paid_day := coalesce(counted.paid_day, kept.paid_day);
        IF change.paid_day <> kept.paid_day OR num_nonnulls(kept.receipts, counted.receipts) > 0 THEN
            change.paid_day := NULL;
            change.receipts := receipts_changed(receipts_of(kept), receipts_of(counted));
            split := receipts_changed(kept.receipts, counted.receipts);
        END IF;
        IF NOT (is_large(kept) OR is_large(counted) OR is_large(change)) THEN
            PERFORM add_document(change, 1, split);
            RETURN;
        END IF;
    END IF;
    PERFORM add_document(kept, -1, kept.receipts);
    PERFORM add_document(counted, 1, counted.receipts);
END
$function$;

CREATE OR REPLACE FUNCTION keep_documents(businesses bigint[], ids bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    paid text := 'AND p.business_id = i.business_id AND p.invoice_id = i.id';
    -- What is summed by the day of issue.
    figures text[] := '{billed,manual,online,days,invoices,manual_count,online_count,paid_in_full,documents}';
    found bigint;
    changed_businesses bigint[];
BEGIN
    IF are_few(cardinality(ids)) THEN
        FOR place IN 1 .. cardinality(ids) LOOP
            PERFORM keep_document(businesses[place], ids[place]);
        END LOOP;
        RETURN;
    END IF;
    IF are_a_good_part(cardinality(ids)) THEN
        SET LOCAL enable_nestloop = off;
        SET LOCAL enable_seqscan = on;
        SET LOCAL enable_hashjoin = on;
        SET LOCAL enable_mergejoin = on;
        paid := 'AND (business_id, invoice_id) IN (SELECT business_id, invoice_id FROM key)';
    END IF;
    LOOP
        EXECUTE $$
            SELECT count(*) FROM (
                SELECT FROM kept_documents k
                JOIN unnest($1, $2) key (business_id, invoice_id) USING (business_id, invoice_id)
                ORDER BY business_id, invoice_id FOR UPDATE OF k
            ) locked
        $$ INTO found USING businesses, ids;
        EXIT WHEN found = cardinality(ids);
        EXECUTE $$
            INSERT INTO kept_documents
            SELECT business_id, id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
            FROM invoices i JOIN unnest($1, $2) key (business_id, id) USING (business_id, id)
            WHERE NOT EXISTS (
                SELECT FROM kept_documents k
                WHERE k.business_id = i.business_id AND k.invoice_id = i.id
            )
            ORDER BY business_id, id
            ON CONFLICT DO NOTHING
        $$ USING businesses, ids;
        GET DIAGNOSTICS found = ROW_COUNT;
        EXIT WHEN found = 0;
    END LOOP;
    EXECUTE adding_documents(format($$
        key AS MATERIALIZED (
            SELECT * FROM unnest($1, $2) key (business_id, invoice_id)
        ), pair AS MATERIALIZED (
            SELECT business_id, invoice_id, %2$s,
                (c.customer_id, c.day) = (k.customer_id, k.day) AS is_in_place
            FROM (%1$s) c JOIN kept_documents k USING (business_id, invoice_id)
            WHERE %3$s
        ), gone AS MATERIALIZED (
            DELETE FROM kept_documents k USING key
            WHERE k.business_id = key.business_id AND k.invoice_id = key.invoice_id AND NOT EXISTS (
                SELECT FROM invoices i WHERE i.business_id = key.business_id AND i.id = key.invoice_id
            )
            RETURNING k.*
        ), updated AS (
            UPDATE kept_documents k SET %4$s FROM pair p
            WHERE k.business_id = p.business_id AND k.invoice_id = p.invoice_id
        ), changed AS NOT MATERIALIZED (
            SELECT business_id, invoice_id, %5$s, 1 AS sign, is_in_place FROM pair
            UNION ALL SELECT business_id, invoice_id, %6$s, -1, is_in_place FROM pair
            UNION ALL SELECT business_id, invoice_id, %7$s, -1, false FROM gone
        ), moved AS NOT MATERIALIZED (
            SELECT business_id, now_customer_id AS customer_id, now_day AS day, 1 AS sign, %9$s
            FROM pair WHERE is_in_place
            UNION ALL
            SELECT business_id, customer_id, day, sign, %10$s FROM changed WHERE NOT is_in_place
        ), %8$s
    $$,
        counting('invoices', 'JOIN key USING (business_id, invoice_id)', paid),
        each_column('kept_documents', false, 'c.%1$I AS now_%1$I, k.%1$I AS was_%1$I'),
        each_column('kept_documents', false, 'c.%1$I IS DISTINCT FROM k.%1$I', ' OR '),
        each_column('kept_documents', false, '%1$I = p.now_%1$I'),
        each_column('kept_documents', false, 'now_%1$I AS %1$I'),
        each_column('kept_documents', false, 'was_%1$I AS %1$I'),
        each_column('kept_documents', false, '%I'),
        keeping_open_parts(),
        (SELECT string_agg(format('now_%1$I - was_%1$I AS %1$I', each), ', ') FROM unnest(figures) each),
        array_to_string(figures, ', ')
    ), 'moved') INTO changed_businesses USING businesses, ids;
    PERFORM note_change(coalesce(changed_businesses, '{}'));
END
$function$;

CREATE OR REPLACE FUNCTION keep_open_parts(was kept_documents, now kept_documents)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    lost kept_open_parts[] := open_parts(was);
    gained kept_open_parts[] := open_parts(now);
BEGIN
    IF lost = gained THEN
        RETURN;
    ELSIF cardinality(lost) = 1 AND cardinality(gained) > 0 THEN
        UPDATE kept_open_parts k SET
            span = gained[1].span, opens = gained[1].opens, closes = gained[1].closes,
            due_date = gained[1].due_date, customer_id = gained[1].customer_id, units = gained[1].units
        WHERE k.business_id = lost[1].business_id AND k.span = lost[1].span AND k.opens = lost[1].opens
            AND k.invoice_id = lost[1].invoice_id AND k.slice = lost[1].slice;
        IF FOUND THEN
            gained := gained[2:];
        END IF;
    ELSIF cardinality(lost) > 0 THEN
        DELETE FROM kept_open_parts k USING unnest(lost) p
        WHERE k.business_id = p.business_id AND k.span = p.span AND k.opens = p.opens
            AND k.invoice_id = p.invoice_id AND k.slice = p.slice;
    END IF;
    IF cardinality(gained) > 0 THEN
        INSERT INTO kept_open_parts SELECT * FROM unnest(gained)
        ON CONFLICT (business_id, span, opens, invoice_id, slice) DO UPDATE SET
            closes = excluded.closes, due_date = excluded.due_date, customer_id = excluded.customer_id,
            units = excluded.units;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION keep_send_status()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    begun uuid[];
    changed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT a.send_id) INTO changed FROM after_rows a WHERE a.state <> 'scheduled';
    ELSE
        SELECT array_agg(DISTINCT m.send_id) FILTER (WHERE m.is_begun),
               array_agg(DISTINCT m.send_id) FILTER (WHERE NOT m.is_begun)
        INTO begun, changed
        FROM (SELECT a.send_id,
                     b.state = 'scheduled' AND a.state IN ('queued', 'sending', 'committing', 'deferred')
                         AS is_begun
              FROM after_rows a JOIN before_rows b USING (id)
              WHERE a.state <> b.state
                AND ('scheduled' IN (a.state, b.state)
                     OR a.state NOT IN ('queued', 'sending', 'committing', 'deferred')
                     OR b.state NOT IN ('queued', 'sending', 'committing', 'deferred'))
                 -- Rescheduled: `send_at` may be ahead again.
                 OR a.due_at <> b.due_at AND a.state IN ('scheduled', 'deferred')
                    AND b.state IN ('scheduled', 'queued', 'deferred')) m;
    END IF;
    IF begun IS NOT NULL THEN
        UPDATE sends SET status = 'sending'
        WHERE id = ANY(begun) AND status = 'scheduled' AND send_at > now();
    END IF;
    IF changed IS NOT NULL THEN
        PERFORM FROM sends WHERE id = ANY(changed) ORDER BY id FOR NO KEY UPDATE;
        -- Both sides are found by the ids: without nested loops neither finds the other's.
        UPDATE sends s SET status = came.status
        FROM statuses_of_sends(changed) came
        WHERE s.id = ANY(changed) AND s.id = came.send_id AND s.status <> came.status
          AND NOT (s.status = 'scheduled' AND came.status = 'sending' AND s.send_at <= now());
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION keeping_open_parts()
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
SELECT format($query$
open_part AS MATERIALIZED (
    SELECT sign, business_id, span_of(opens, closes) AS span, opens, invoice_id, 1::smallint AS slice, closes,
        due_date, customer_id, units
    FROM changed
    CROSS JOIN LATERAL (
        SELECT date_of(day) AS issued, date_of(paid_day) AS paid, (billed * 10000)::bigint AS owed,
            ((manual + online) * 10000)::bigint AS received
        OFFSET 0
    ) document
    CROSS JOIN LATERAL (VALUES
        (
            least(issued, paid),
            CASE WHEN paid <> issued THEN greatest(issued, paid) ELSE 'infinity' END,
            CASE WHEN paid < issued THEN -received WHEN paid = issued THEN owed - received ELSE owed END
        ),
        (CASE WHEN paid <> issued THEN greatest(issued, paid) END, 'infinity', owed - received)
    ) part (opens, closes, units)
    WHERE documents <> 0 AND NOT has_many_parts(receipts, billed, manual, online)
        AND opens IS NOT NULL AND units <> 0
    UNION ALL
    SELECT sign, p.*
    FROM changed c
    CROSS JOIN LATERAL open_parts_by_day(ROW(c.business_id, c.invoice_id, %1$s)::kept_documents) p
    WHERE has_many_parts(receipts, billed, manual, online)
), lost_part AS (
    DELETE FROM kept_open_parts k USING (
        SELECT business_id, span, opens, invoice_id, slice FROM open_part WHERE sign < 0
        EXCEPT SELECT business_id, span, opens, invoice_id, slice FROM open_part WHERE sign > 0
    ) p
    WHERE k.business_id = p.business_id AND k.span = p.span AND k.opens = p.opens
        AND k.invoice_id = p.invoice_id AND k.slice = p.slice
), gained_part AS (
    INSERT INTO kept_open_parts
    SELECT business_id, span, opens, invoice_id, slice, closes, due_date, customer_id, units
    FROM open_part WHERE sign > 0
    EXCEPT SELECT business_id, span, opens, invoice_id, slice, closes, due_date, customer_id, units
    FROM open_part WHERE sign < 0
    ORDER BY business_id, span, opens, invoice_id
    ON CONFLICT (business_id, span, opens, invoice_id, slice) DO UPDATE SET
        closes = excluded.closes, due_date = excluded.due_date, customer_id = excluded.customer_id,
        units = excluded.units
)
$query$, each_column('kept_documents', false, 'c.%I'))
$function$;

CREATE OR REPLACE FUNCTION ledger_rows_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_seqscan TO 'off'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    IF TG_RELID NOT IN ('customers'::regclass, 'categories'::regclass) THEN
        RAISE insufficient_privilege USING MESSAGE = 'ledger_rows_changed serves customers and categories only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM new_rows LIMIT 21) first_rows;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM new_rows UNION SELECT business_id, id FROM old_rows LIMIT 21) first_rows;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id), array_agg(id) INTO businesses, ids
        FROM (SELECT business_id, id FROM old_rows LIMIT 21) first_rows;
    WHEN 'TRUNCATE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM report_versions ORDER BY 1);
    END CASE;
    IF TG_RELID = 'customers'::regclass AND ids IS NOT NULL AND are_few(cardinality(ids)) THEN
        FOR place IN 1 .. cardinality(ids) LOOP
            PERFORM note_customer(businesses[place], ids[place]);
        END LOOP;
        RETURN NULL;
    END IF;
    IF TG_OP = 'INSERT' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM new_rows ORDER BY 1);
    ELSIF TG_OP = 'UPDATE' THEN
        businesses := ARRAY(
            SELECT business_id FROM new_rows UNION SELECT business_id FROM old_rows ORDER BY 1
        );
    ELSIF TG_OP = 'DELETE' THEN
        businesses := ARRAY(SELECT DISTINCT business_id FROM old_rows ORDER BY 1);
    END IF;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION log_batch_phase()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.phase <> OLD.phase THEN
        INSERT INTO business_events (business_id, type, batch_id, schedule_id, occurrence, reason, reason_code, traceparent)
        VALUES (NEW.business_id, 'batch.' || NEW.phase, NEW.id, NEW.schedule_id, NEW.occurrence, NEW.reason,
                NEW.reason_code, NEW.traceparent);
        -- For the relays: there is something to expand, and an event to publish.
        PERFORM pg_notify('ledgerpost_batches', '');
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION log_delivery_states()
 RETURNS trigger
 LANGUAGE plpgsql
 SET enable_nestloop TO 'off'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    uncoded uuid[] := '{}';
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO delivery_events (delivery_id, state, attempts, reply, reason, reason_code, due_at, occurred_at)
        SELECT id, state, attempts, reply, reason, reason_code, due_at, clock_timestamp() FROM after_rows;
        RETURN NULL;
    END IF;
    IF current_setting('ledgerpost.reason_codes', true) IS DISTINCT FROM 'on' THEN
        uncoded := ARRAY(
            SELECT a.id FROM after_rows a JOIN before_rows b USING (id)
            WHERE (a.reason, a.reply) IS DISTINCT FROM (b.reason, b.reply)
              AND a.reason_code IS NOT DISTINCT FROM b.reason_code);
        IF uncoded <> '{}' THEN
            UPDATE deliveries SET reason_code = reason_code_of(reason, reply, state) WHERE id = ANY(uncoded);
        END IF;
    END IF;
    INSERT INTO delivery_events (delivery_id, state, attempts, reply, reason, reason_code, due_at, occurred_at)
    SELECT a.id, a.state, a.attempts, a.reply, a.reason,
           CASE WHEN a.id = ANY(uncoded) THEN reason_code_of(a.reason, a.reply, a.state) ELSE a.reason_code END,
           a.due_at, clock_timestamp()
    FROM after_rows a JOIN before_rows b USING (id)
    WHERE a.state <> b.state AND a.state <> 'committing';
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION mend_documents()
 RETURNS bigint
 LANGUAGE plpgsql
 SET jit TO 'off'
AS $function$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
    FROM (
        SELECT business_id, invoice_id
        FROM counted_documents c FULL JOIN kept_documents k USING (business_id, invoice_id)
        WHERE c IS DISTINCT FROM k
        ORDER BY business_id, invoice_id
    ) differing;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN coalesce(cardinality(ids), 0);
END
$function$;

CREATE OR REPLACE FUNCTION mend_open_parts()
 RETURNS bigint
 LANGUAGE plpgsql
 SET jit TO 'off'
AS $function$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
    FROM (
        SELECT DISTINCT business_id, invoice_id
        FROM (
            (TABLE counted_open_parts EXCEPT TABLE kept_open_parts)
            UNION ALL (TABLE kept_open_parts EXCEPT TABLE counted_open_parts)
        ) differing
    ) document;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM FROM kept_documents k JOIN unnest(businesses, ids) key (business_id, invoice_id)
        USING (business_id, invoice_id)
    ORDER BY business_id, invoice_id FOR UPDATE OF k;
    DELETE FROM kept_open_parts k USING unnest(businesses, ids) key (business_id, invoice_id)
    WHERE k.business_id = key.business_id AND k.invoice_id = key.invoice_id;
    INSERT INTO kept_open_parts
    SELECT c.* FROM counted_open_parts c JOIN unnest(businesses, ids) key (business_id, invoice_id)
        USING (business_id, invoice_id);
    PERFORM note_change(ARRAY(SELECT DISTINCT business_id FROM unnest(businesses) business_id ORDER BY 1));
    RETURN cardinality(ids);
END
$function$;

CREATE OR REPLACE FUNCTION mend_periods()
 RETURNS bigint
 LANGUAGE sql
AS $function$SELECT mend_sums('kept_periods', 'counted_periods', 'summed_periods')$function$;

CREATE OR REPLACE FUNCTION mend_sums(kept regclass, counted regclass, summed regclass)
 RETURNS bigint
 LANGUAGE plpgsql
 SET jit TO 'off'
AS $function$
DECLARE
    businesses bigint[];
    mended bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(2020173442117122);
    EXECUTE format($$
        WITH due_%1$s AS MATERIALIZED (
            SELECT * FROM (
                SELECT %4$s, %5$s FROM %2$s c FULL JOIN %3$s s USING (%4$s)
            ) lacking
            WHERE %6$s
        ), %7$s
        SELECT count(*), array_agg(DISTINCT business_id ORDER BY business_id) FROM due_%1$s
    $$,
        kept, counted, summed,
        each_column(kept, true, '%I'),
        each_column(kept, false, 'coalesce(c.%1$I, 0)::numeric - coalesce(s.%1$I, 0) AS %1$I'),
        each_column(kept, false, '%I <> 0', ' OR '),
        adding(kept)
    ) INTO mended, businesses;
    PERFORM note_change(coalesce(businesses, '{}'));
    RETURN mended;
END
$function$;

CREATE OR REPLACE FUNCTION mend_totals()
 RETURNS bigint
 LANGUAGE sql
AS $function$SELECT mend_sums('kept_totals', 'counted_totals', 'summed_totals')$function$;

CREATE OR REPLACE FUNCTION move_due_recipients(business bigint, day_before date, due date, recipients integer, quota integer)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
BEGIN
    IF due = day_before THEN
        RETURN true;
    END IF;
    IF due < day_before THEN
        PERFORM count_due_recipients(business, due, recipients, quota);
    END IF;
    WITH held AS MATERIALIZED (
        SELECT d.share, d.used FROM due_recipients d
        WHERE d.business_id = business AND d.day = day_before
        ORDER BY d.share
        FOR UPDATE
    ), emptied AS (
        SELECT h.share, h.used,
               least(h.used, greatest(0, recipients - (sum(h.used) OVER (ORDER BY h.share) - h.used))) AS less
        FROM held h
    )
    UPDATE due_recipients d SET used = e.used - e.less
    FROM emptied e WHERE d.business_id = business AND d.day = day_before AND d.share = e.share AND e.less > 0;
    IF due > day_before THEN
        PERFORM count_due_recipients(business, due, recipients, quota);
    END IF;
    RETURN true;
END
$function$;

CREATE OR REPLACE FUNCTION note_change(businesses bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    business bigint;
BEGIN
    FOREACH business IN ARRAY businesses LOOP
        PERFORM note_customer(business, NULL);
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION note_customer(business bigint, customer bigint)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
    read_committed boolean := current_setting('transaction_isolation') = 'read committed';
    writer xid8 := pg_current_xact_id();
    fresh bigint := extract(epoch FROM clock_timestamp()) * 1000000;
    mine bigint;
BEGIN
    -- The first change of a transaction takes a version. A transaction that changes many customers notes that
    -- anything may have changed, and then nothing more.
    UPDATE report_versions v SET
        version = CASE WHEN v.changed_by = writer THEN v.version ELSE greatest(v.version + 1, fresh) END,
        changed_by = writer,
        changes = CASE
            WHEN customer IS NULL THEN '{}'
            WHEN v.changed_by = writer AND v.changes[cardinality(v.changes) - 1] <> v.version
                OR v.changed_by = writer AND cardinality(v.changes) > 32 AND v.changes[2] = v.version THEN '{}'
            WHEN v.changes = '{}' OR v.changes[cardinality(v.changes) - 1] <> v.version
                THEN ARRAY[v.version, greatest(v.version + 1, fresh), customer]
            ELSE
                CASE WHEN cardinality(v.changes) > 32 THEN v.changes[2:2] || v.changes[4:] ELSE v.changes END
                || CASE WHEN v.changed_by = writer THEN v.version ELSE greatest(v.version + 1, fresh) END
                || customer
        END
    WHERE v.business_id = business AND v.slot = (
        SELECT f.slot FROM report_versions f
        WHERE f.business_id = business AND (read_committed OR f.changed_by = writer)
        ORDER BY f.changed_by = writer DESC LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AND (v.changed_by <> writer OR v.changes <> '{}'
        AND v.changes[cardinality(v.changes) - 1:] IS DISTINCT FROM ARRAY[v.version, customer])
    RETURNING v.slot INTO mine;
    IF mine IS NULL THEN
        INSERT INTO report_versions (business_id, version, changed_by, changes)
        SELECT business, fresh, writer, CASE WHEN customer IS NULL THEN '{}' ELSE ARRAY[0, fresh, customer] END
        WHERE NOT EXISTS (
            SELECT FROM report_versions v WHERE v.business_id = business AND v.changed_by = writer
        );
    END IF;
    -- Slots that many writers at once, or writers in REPEATABLE READ, left behind. What they say is lost.
    IF fresh % 16 = 0 AND mine IS NOT NULL AND read_committed THEN
        DELETE FROM report_versions v USING (
            SELECT f.slot FROM report_versions f WHERE f.business_id = business AND f.slot <> mine
            OFFSET 15 FOR UPDATE SKIP LOCKED
        ) spare
        WHERE v.business_id = business AND v.slot = spare.slot;
        IF FOUND THEN
            UPDATE report_versions v SET changes = '{}' WHERE v.business_id = business AND v.slot = mine;
        END IF;
    END IF;
END
$function$;

CREATE OR REPLACE FUNCTION open_part(d kept_documents, opens date, closes date, units bigint)
 RETURNS kept_open_parts
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT ROW(
        d.business_id, span_of(opens, closes), opens, d.invoice_id, 1, closes, d.due_date, d.customer_id, units
    )::kept_open_parts
$function$;

CREATE OR REPLACE FUNCTION open_parts(d kept_documents)
 RETURNS kept_open_parts[]
 LANGUAGE plpgsql
 STABLE
AS $function$
DECLARE
    issued date := date_of(d.day);
    paid date := date_of(d.paid_day);
    owed bigint;
    remaining bigint;
    parts kept_open_parts[] := '{}';
BEGIN
    IF d.documents IS DISTINCT FROM 1 THEN
        RETURN parts;
    ELSIF has_many_parts(d.receipts, d.billed, d.manual, d.online) THEN
        RETURN ARRAY(SELECT p FROM open_parts_by_day(d) p);
    END IF;
    owed := d.billed * 10000;
    remaining := owed - (d.manual + d.online) * 10000;
    IF paid > issued AND owed <> 0 THEN
        parts := parts || open_part(d, issued, paid, owed);
    ELSIF paid < issued AND remaining <> owed THEN
        parts := parts || open_part(d, paid, issued, remaining - owed);
    END IF;
    IF remaining <> 0 THEN
        parts := parts || open_part(d, greatest(issued, paid), 'infinity', remaining);
    END IF;
    RETURN parts;
END
$function$;

CREATE OR REPLACE FUNCTION open_parts_by_day(d kept_documents)
 RETURNS SETOF kept_open_parts
 LANGUAGE sql
 ROWS 3
AS $function$
SELECT business_id, span_of(opens, closes) AS span, opens, invoice_id, slice::smallint AS slice, closes,
    due_date, customer_id, in_parts(units, slice, slices) AS units
FROM (
    SELECT business_id, invoice_id, customer_id, due_date, day AS opens,
        lead(day, 1, 'infinity') OVER days AS closes, sum(amount) OVER days * 10000 AS units
    FROM (
        SELECT d.business_id, d.invoice_id, d.customer_id, d.due_date, date_of(m.day) AS day, m.amount
        FROM (SELECT (d).*) d
        CROSS JOIN LATERAL (
            SELECT d.day, d.billed AS amount
            UNION ALL SELECT d.paid_day, -d.manual - d.online WHERE d.paid_day IS NOT NULL
            UNION ALL SELECT r.day, -r.manual - r.online FROM unnest(d.receipts) r
        ) m
        WHERE d.documents <> 0
    ) moves
    WINDOW days AS (PARTITION BY business_id, invoice_id, customer_id, due_date ORDER BY day)
) part
CROSS JOIN LATERAL (SELECT parts_of(abs(units)) AS slices OFFSET 0) needed
CROSS JOIN LATERAL generate_series(1, slices) slice
WHERE units <> 0 AND closes > opens
$function$;

CREATE OR REPLACE FUNCTION opened_after(span integer, day date)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE WHEN 1 << span < day - date '0001-01-01' THEN day - (1 << span) ELSE '-infinity' END
$function$;

CREATE OR REPLACE FUNCTION parts_of(amount numeric)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT (1 + div(amount, slot_limit()))::int$function$;

CREATE OR REPLACE FUNCTION payments_changed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET enable_nestloop TO 'on'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET search_path TO 'pg_catalog', 'public', 'pg_temp'
AS $function$
DECLARE
    businesses bigint[];
    ids bigint[];
BEGIN
    IF TG_RELID <> 'payments'::regclass THEN
        RAISE insufficient_privilege USING MESSAGE = 'payments_changed serves payments only';
    END IF;
    CASE TG_OP
    WHEN 'INSERT' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT DISTINCT business_id, invoice_id FROM new_rows WHERE status = 'settled'
            ORDER BY 1, 2
        ) k;
    WHEN 'UPDATE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id FROM new_rows WHERE status = 'settled'
            UNION SELECT business_id, invoice_id FROM old_rows WHERE status = 'settled'
            ORDER BY 1, 2
        ) k;
    WHEN 'DELETE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT DISTINCT business_id, invoice_id FROM old_rows WHERE status = 'settled'
            ORDER BY 1, 2
        ) k;
    WHEN 'TRUNCATE' THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id FROM kept_documents
            WHERE manual_count > 0 OR online_count > 0
            ORDER BY 1, 2
        ) k;
    END CASE;
    IF NOT are_few(cardinality(ids)) AND is_in_bulk_load() THEN
        SELECT array_agg(business_id), array_agg(invoice_id) INTO businesses, ids
        FROM (
            SELECT business_id, invoice_id
            FROM unnest(businesses, ids) key (business_id, invoice_id)
            JOIN kept_documents USING (business_id, invoice_id)
            ORDER BY 1, 2
        ) k;
    END IF;
    IF ids IS NOT NULL THEN
        PERFORM keep_documents(businesses, ids);
    END IF;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION periods_covering(business bigint, first date, last date)
 RETURNS TABLE(period integer, sign integer)
 LANGUAGE plpgsql
 STABLE ROWS 20
AS $function$
DECLARE
    epoch CONSTANT date := '0001-01-01';
    oldest int;
    newest int;
    -- The two ends: days since the epoch, and months since year 0.
    day int;
    until int;
    month int;
    until_month int;
    month_day int;
    until_month_day int;
    cost int;
    least_cost int;
    -- For each part of the way: where it begins and ends, and how far one step goes.
    starts int[];
    ends int[];
    sizes CONSTANT int[] := '{1,1,1,1,3,3,12}';
BEGIN
    SELECT
        (SELECT k.period FROM kept_periods k WHERE k.business_id = business
            ORDER BY k.business_id, k.period LIMIT 1) / 10000,
        (SELECT k.period FROM kept_periods k WHERE k.business_id = business
            ORDER BY k.business_id DESC, k.period DESC LIMIT 1) / 10000
    INTO oldest, newest;
    first := greatest(first, make_date(oldest, 1, 1));
    last := least(last, make_date(newest, 12, 31)) + 1;
    IF oldest IS NULL OR first >= last THEN
        RETURN;
    END IF;
    day := first - epoch;
    until := last - epoch;
    month := date_part('year', first) * 12 + date_part('month', first) - 1;
    until_month := date_part('year', last) * 12 + date_part('month', last) - 1;
    FOR m IN month .. month + (date_part('day', first) > 1)::int LOOP
        month_day := make_date(m / 12, m % 12 + 1, 1) - epoch;
        FOR um IN until_month .. until_month + (date_part('day', last) > 1)::int LOOP
            until_month_day := make_date(um / 12, um % 12 + 1, 1) - epoch;
            FOR q IN m / 3 * 3 .. (m + 2) / 3 * 3 BY 3 LOOP
                FOR uq IN um / 3 * 3 .. (um + 2) / 3 * 3 BY 3 LOOP
                    FOR y IN q / 12 * 12 .. (q + 11) / 12 * 12 BY 12 LOOP
                        FOR uy IN uq / 12 * 12 .. (uq + 11) / 12 * 12 BY 12 LOOP
                            cost := CASE WHEN m = um THEN until - day
                                    ELSE abs(month_day - day) + abs(until - until_month_day) END
                                + CASE WHEN q = uq THEN abs(um - m) ELSE abs(q - m) + abs(um - uq) END * 7
                                + CASE WHEN y = uy THEN abs(uq - q) ELSE abs(y - q) + abs(uq - uy) END / 3 * 8
                                + abs(uy - y) / 12 * 8;
                            CONTINUE WHEN cost >= least_cost;
                            least_cost := cost;
                            starts := ARRAY[
                                day, CASE WHEN m = um THEN until ELSE until_month_day END,
                                m, CASE WHEN q = uq THEN um ELSE uq END,
                                q, CASE WHEN y = uy THEN uq ELSE uy END, y];
                            ends := ARRAY[
                                CASE WHEN m = um THEN until ELSE month_day END, until,
                                CASE WHEN q = uq THEN um ELSE q END, um,
                                CASE WHEN y = uy THEN uq ELSE y END, uq, uy];
                        END LOOP;
                    END LOOP;
                END LOOP;
            END LOOP;
        END LOOP;
    END LOOP;
    FOR part IN 1 .. 7 LOOP
        sign := pg_catalog.sign(ends[part] - starts[part]);
        CONTINUE WHEN sign = 0;
        FOR step IN least(starts[part], ends[part]) .. greatest(starts[part], ends[part]) - sizes[part]
            BY sizes[part]
        LOOP
            period := CASE
                WHEN part <= 2 THEN day_number(epoch + step)
                WHEN part <= 4 THEN step / 12 * 10000 + (step % 12 + 1) * 100
                WHEN part <= 6 THEN step / 12 * 10000 + 1300 + step % 12 / 3 * 100
                ELSE step / 12 * 10000
            END;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION periods_within(business bigint, first date, last date)
 RETURNS SETOF integer
 LANGUAGE plpgsql
 STABLE ROWS 20
AS $function$
DECLARE
    oldest int;
    newest int;
    day date;
    until date;
    year int;
    month date;
BEGIN
    SELECT
        (SELECT period FROM kept_periods WHERE business_id = business
            ORDER BY business_id, period LIMIT 1) / 10000,
        (SELECT period FROM kept_periods WHERE business_id = business
            ORDER BY business_id DESC, period DESC LIMIT 1) / 10000
    INTO oldest, newest;
    day := greatest(first, make_date(oldest, 1, 1));
    until := least(last, make_date(newest, 12, 31));
    WHILE oldest IS NOT NULL AND day <= until LOOP
        year := extract(year FROM day);
        IF day = make_date(year, 1, 1) AND until >= make_date(year, 12, 31) THEN
            RETURN NEXT year * 10000;
            EXIT WHEN year = 9999;
            day := make_date(year + 1, 1, 1);
        ELSE
            month := date_trunc('month', day::timestamp) + interval '1 month';
            IF extract(day FROM day) = 1 AND until >= month - 1 THEN
                RETURN NEXT year * 10000 + extract(month FROM day)::int * 100;
                day := month;
            ELSE
                RETURN NEXT year * 10000 + extract(month FROM day)::int * 100
                    + extract(day FROM day)::int;
                day := day + 1;
            END IF;
        END IF;
    END LOOP;
END
$function$;

CREATE OR REPLACE FUNCTION quarter_of(period integer)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT period / 10000 * 10000 + 1300 + (period / 100 % 100 - 1) / 3 * 100$function$;

CREATE OR REPLACE FUNCTION reason_code_of(reason text, reply text DEFAULT NULL::text, state text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE
        WHEN sentence IS NULL THEN NULL
        WHEN sentence ~ '^(refused|put off) at ' THEN CASE
            WHEN status ~ '^.\.(1\.[78]|2\.252)$' THEN 'sender_refused'
            WHEN status ~ '^.\.1\.' THEN 'recipient_unknown'
            WHEN status ~ '^.\.2\.2$' THEN 'mailbox_full'
            WHEN status ~ '^.\.(2\.3|3\.4)$' THEN 'message_too_large'
            WHEN status ~ '^.\.2\.' THEN 'mailbox_unavailable'
            WHEN status ~ '^.\.3\.' THEN 'smarthost_busy'
            WHEN status ~ '^.\.4\.5$' THEN 'sending_limit'
            WHEN status ~ '^.\.4\.' THEN 'recipient_unreachable'
            WHEN status ~ '^.\.5\.' THEN 'smarthost_refused'
            WHEN status ~ '^.\.6\.7$' THEN 'smtputf8_unsupported'
            WHEN status ~ '^.\.6\.' THEN 'message_refused'
            WHEN status ~ '^.\.7\.' THEN 'policy_refused'
            WHEN reply ~ '^421' THEN 'smarthost_busy'
            WHEN reply ~ '^(50[0-4]|521|53[0-9]|555)' THEN 'smarthost_refused'
            WHEN sentence ~ '^(refused|put off) at MAIL' THEN 'sender_refused'
            WHEN sentence ~ '^(refused|put off) at RCPT' THEN 'recipient_refused'
            ELSE 'message_refused' END
        WHEN sentence LIKE 'unexpected reply at %' THEN 'smarthost_protocol_error'
        WHEN sentence = 'unexpected reply to the end of the message' THEN 'reply_unclear'
        WHEN sentence LIKE 'after the end of the message: %' THEN 'reply_missing'
        WHEN sentence ~ '^(before the gate: )?no answer in time$'
          OR sentence ~ '^the (relay|smarthost) did not answer what was sent ahead' THEN 'smarthost_timeout'
        WHEN sentence LIKE 'before the gate: %' THEN 'connection_lost'
        WHEN sentence LIKE 'no connection to port %' THEN 'smarthost_unreachable'
        WHEN sentence LIKE 'TLS handshake failed: %' THEN 'smarthost_tls_failed'
        WHEN sentence LIKE 'another mail is tried first, %' THEN 'smarthost_on_trial'
        WHEN sentence ~ '^the (relay|smarthost) lacks SMTPUTF8' THEN 'smtputf8_unsupported'
        WHEN sentence ~ '^the (relay|smarthost) takes no more than ' THEN 'message_too_large'
        WHEN sentence ~ '^(at )?the gate|^the (relay|smarthost) spoke before the end' THEN 'gate_not_passed'
        WHEN sentence = 'the worker stops' THEN 'worker_stopped'
        WHEN sentence LIKE 'waits for the rate of %' THEN 'rate_limited'
        WHEN sentence = 'paused by the operator' THEN 'paused'
        WHEN sentence = 'not sent before it expired' THEN 'expired'
        WHEN sentence LIKE 'gave up when it expired: %' THEN 'attempts_exhausted'
        WHEN sentence LIKE 'crashed: %' THEN 'worker_crashed'
        WHEN sentence = 'the worker that held it vanished' THEN 'worker_lost'
        WHEN sentence LIKE 'the worker vanished after handing the mail over%' THEN 'worker_lost_after_dot'
        WHEN sentence LIKE 'the database was restored: %' THEN 'database_restored'
        WHEN sentence LIKE 'in doubt, and then said by a person %' THEN 'resolved_as_sent'
        WHEN sentence LIKE 'in doubt, and then sent again %' THEN 'resolved_to_resend'
        WHEN sentence LIKE 'in doubt, and then given up %' THEN 'resolved_as_failed'
        WHEN sentence ~ '^(malformed|the mail cannot be made: the address)' THEN 'recipient_malformed'
        WHEN sentence LIKE 'the mail cannot be made: %' OR sentence LIKE 'unsendable: %' THEN 'mail_not_makeable'
        WHEN sentence LIKE 'the mail could not be made yet: %' THEN 'mail_not_made_yet'
        WHEN sentence LIKE 'customer % is not in the ledger any more' THEN 'customer_deleted'
        WHEN sentence LIKE 'the statement has more than %' THEN 'statement_too_long'
        WHEN sentence LIKE 'the statement could not be made: %' THEN 'statement_not_frozen'
        WHEN sentence LIKE 'sent without its PDF: %' THEN 'pdf_missing'
        WHEN sentence LIKE 'a text is replaced in the PDF: %' THEN 'pdf_text_replaced'
        WHEN sentence LIKE 'letters without a font in the PDF: %' THEN 'pdf_letters_missing'
        WHEN sentence = 'no copy: the business has no e-mail address' THEN 'no_copy_address'
        WHEN sentence LIKE 'suppressed: unsubscribed by the link in a mail' THEN 'suppressed_unsubscribed'
        WHEN sentence ~ '^suppressed: 5[0-9]{2} 5\.1\.' THEN 'suppressed_recipient_unknown'
        WHEN sentence LIKE 'suppressed: %' THEN 'suppressed_by_business'
        ELSE 'unclassified' END
    FROM (SELECT CASE state WHEN 'suppressed' THEN 'suppressed: ' || reason ELSE reason END AS sentence,
                 substring(reply FROM '^[245][0-9]{2} ([245]\.[0-9]{1,3}\.[0-9]{1,3})') AS status) said
$function$;

CREATE OR REPLACE FUNCTION receipts_changed(was receipt[], now receipt[])
 RETURNS receipt[]
 LANGUAGE sql
 STABLE
AS $function$
    SELECT array_agg(ROW(day, manual, online, manual_count, online_count)::receipt)
    FROM (
        SELECT day, sum(sign * manual) AS manual, sum(sign * online) AS online,
            sum(sign * manual_count)::int AS manual_count, sum(sign * online_count)::int AS online_count
        FROM (
            SELECT -1 AS sign, r.* FROM unnest(was) r
            UNION ALL SELECT 1, r.* FROM unnest(now) r
        ) both_sides
        GROUP BY day
    ) changed
    WHERE (manual, online, manual_count, online_count) <> (0, 0, 0, 0)
$function$;

CREATE OR REPLACE FUNCTION receipts_of(d kept_documents)
 RETURNS receipt[]
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE
        WHEN d.paid_day IS NULL THEN d.receipts
        ELSE ARRAY[ROW(d.paid_day, d.manual, d.online, d.manual_count, d.online_count)::receipt]
    END
$function$;

CREATE OR REPLACE FUNCTION report_head(id bigint, owner_id bigint, business_id bigint, first_name text, last_name text, phone_number text, business_name text, business_address text, business_phone text, business_location text, business_email text, created_at timestamp without time zone, updated_at timestamp without time zone, account_id bigint)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
AS $function$
BEGIN
    RETURN concat(
        '{"id":', id, ',"owner_id":', owner_id, ',"business_id":', business_id,
        ',"first_name":', coalesce(to_json(first_name)::text, 'null'),
        ',"last_name":', coalesce(to_json(last_name)::text, 'null'),
        ',"phone_number":', coalesce(to_json(phone_number)::text, 'null'),
        ',"business_name":', coalesce(to_json(business_name)::text, 'null'),
        ',"business_address":', coalesce(to_json(business_address)::text, 'null'),
        ',"business_phone":', coalesce(to_json(business_phone)::text, 'null'),
        ',"business_location":', coalesce(to_json(business_location)::text, 'null'),
        ',"business_email":', coalesce(to_json(business_email)::text, 'null'),
        ',"created_at":"', to_char(created_at, 'YYYY-MM-DD HH24:MI:SS'),
        '","updated_at":"', to_char(updated_at, 'YYYY-MM-DD HH24:MI:SS'),
        '","account_id":', coalesce(account_id::text, 'null'), ',"category":'
    );
END
$function$;

CREATE OR REPLACE FUNCTION report_version(business bigint)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
AS $function$
BEGIN
    RETURN (
        SELECT coalesce(string_agg(slot || '.' || version, '-' ORDER BY slot), '0')
        FROM report_versions WHERE business_id = business
    );
END
$function$;

CREATE OR REPLACE FUNCTION slot_limit()
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT 2000000000000000000$function$;

CREATE OR REPLACE FUNCTION span_of(opens date, closes date)
 RETURNS smallint
 LANGUAGE sql
 IMMUTABLE
AS $function$
    SELECT CASE WHEN closes = 'infinity' THEN 23 ELSE width_bucket(closes - opens - 1, ARRAY[
        1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144,
        524288, 1048576, 2097152, 4194304
    ]) END::smallint
$function$;

CREATE OR REPLACE FUNCTION statuses_of_sends(ids uuid[])
 RETURNS TABLE(send_id uuid, status text)
 LANGUAGE sql
 STABLE
AS $function$
    SELECT d.send_id,
           CASE WHEN bool_and(d.state = 'scheduled') THEN 'scheduled'
                WHEN bool_or(d.state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred'))
                    THEN 'sending'
                WHEN bool_and(d.state = 'sent') THEN 'sent'
                WHEN bool_and(d.state = 'cancelled') THEN 'cancelled'
                WHEN bool_or(d.state IN ('sent', 'in_doubt')) THEN 'partly_failed'
                ELSE 'failed' END
    FROM deliveries d
    WHERE d.send_id = ANY(ids)
    GROUP BY d.send_id
$function$;

CREATE AGGREGATE sum_units(bigint) (SFUNC = int8pl, STYPE = bigint);

CREATE OR REPLACE FUNCTION summed_columns(kept regclass, units regtype)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
    SELECT string_agg(format('sum(%1$I)::%2$s AS %1$I', attname,
        CASE atttypid WHEN 'int'::regtype THEN 'int' ELSE units::text END), ', ' ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = kept AND format('%I', attname) = ANY (string_to_array(each_column(kept, false, '%I'), ', '))
$function$;

CREATE OR REPLACE FUNCTION summing(changed text, moved text DEFAULT 'changed'::text, due text DEFAULT 'due_kept_periods'::text, units regtype DEFAULT 'numeric'::regtype)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
SELECT format($query$
%1$s, split AS NOT MATERIALIZED (
    SELECT c.sign, c.business_id, c.customer_id, r.*
    FROM changed c CROSS JOIN LATERAL unnest(c.receipts) r WHERE c.receipts IS NOT NULL
), moves AS NOT MATERIALIZED (
    SELECT business_id, customer_id, day, day / 100 * 100 AS month, (sign * 10000 * billed)::%7$s AS billed,
        (sign * 10000 * manual)::%7$s AS manual, (sign * 10000 * online)::%7$s AS online, sign * days AS days,
        sign * invoices AS invoices, sign * manual_count AS manual_count, sign * online_count AS online_count,
        sign * paid_in_full AS paid_in_full, sign * documents AS documents, 0::%7$s AS received_manual,
        0::%7$s AS received_online, 0 AS received_manual_count, 0 AS received_online_count
    FROM %2$I
    WHERE documents <> 0 OR (billed, manual, online, days, invoices, manual_count, online_count,
        paid_in_full) <> (0, 0, 0, 0, 0, 0, 0, 0)
    UNION ALL
    SELECT business_id, customer_id, day, day / 100 * 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, (sign * 10000 * manual)::%7$s,
        (sign * 10000 * online)::%7$s, sign * manual_count, sign * online_count
    FROM (
        SELECT sign, business_id, customer_id, paid_day AS day, manual, online, manual_count, online_count
        FROM changed WHERE paid_day IS NOT NULL
        UNION ALL TABLE split
    ) received
), of_month_or_day AS MATERIALIZED (
    SELECT business_id, month, customer_id, day, %3$s
    FROM moves
    GROUP BY GROUPING SETS ((business_id, month, customer_id), (business_id, day))
), of_month AS NOT MATERIALIZED (
    SELECT business_id, month AS period, customer_id, %4$s FROM of_month_or_day WHERE month IS NOT NULL
), of_quarter AS MATERIALIZED (
    SELECT business_id, quarter_of(period) AS period, customer_id, %3$s
    FROM of_month
    GROUP BY business_id, quarter_of(period), customer_id
), of_year AS MATERIALIZED (
    SELECT business_id, period / 10000 * 10000 AS period, customer_id, %3$s
    FROM of_quarter
    GROUP BY business_id, period / 10000 * 10000, customer_id
), %6$I AS MATERIALIZED (
    SELECT * FROM (
        TABLE of_month UNION ALL TABLE of_quarter UNION ALL TABLE of_year
        UNION ALL
        SELECT business_id, day, -1, %4$s FROM of_month_or_day WHERE day IS NOT NULL
        UNION ALL
        SELECT business_id, day, customer_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(sign * 10000 * manual)::%7$s,
            sum(sign * 10000 * online)::%7$s, sum(sign * manual_count)::int, sum(sign * online_count)::int
        FROM split
        GROUP BY business_id, day, customer_id
    ) due
    WHERE %5$s
)
$query$,
    changed,
    moved,
    summed_columns('kept_periods', units),
    each_column('kept_periods', false, '%I'),
    each_column('kept_periods', false, '%I <> 0', ' OR '),
    due,
    units)
$function$;

CREATE OR REPLACE FUNCTION units_bounded(units bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT units * 6000 / 6000$function$;

CREATE OR REPLACE FUNCTION units_bounded(units numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT units$function$;

CREATE OR REPLACE FUNCTION units_number(units bigint)
 RETURNS double precision
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT units / 10000.0::double precision$function$;

CREATE OR REPLACE FUNCTION units_number(units numeric)
 RETURNS numeric
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT trim_scale(units * 0.0001)$function$;

CREATE OR REPLACE FUNCTION units_text(units bigint)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT coalesce(trim_scale(units * 0.0001)::text, '0')$function$;

CREATE OR REPLACE FUNCTION units_text(units numeric)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$SELECT coalesce(trim_scale(units * 0.0001)::text, '0')$function$;
