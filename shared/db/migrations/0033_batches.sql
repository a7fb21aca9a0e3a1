-- before the code
-- Sends to many. A batch is one request; it becomes a send for each of its customers, in small steps of the
-- relay. A frozen list is what a dry run showed, for a request that sends exactly that.

CREATE TABLE batches (
    id uuid PRIMARY KEY,
    business_id bigint NOT NULL,
    phase text NOT NULL,
    date_from date NOT NULL,
    date_to date NOT NULL,
    -- The list's filters in use, by their names.
    filter jsonb NOT NULL DEFAULT '{}',
    personal_message text,
    other_emails text[] NOT NULL DEFAULT '{}',
    copy_to_me boolean NOT NULL DEFAULT false,
    statement_kind text,
    locale text,
    skip_empty boolean NOT NULL DEFAULT true,
    min_balance numeric(18, 4),
    frozen_list uuid,
    schedule_id uuid,
    -- The local date on which the schedule made it; null if somebody ran the schedule.
    occurrence date,
    send_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- The customers that were selected, and the recipients that are charged to the day of send_at: at first
    -- the most that there can be, and in the end those that there are.
    customers integer NOT NULL DEFAULT 0,
    charged integer NOT NULL DEFAULT 0,
    -- The recipients of the sends that it has become so far.
    recipients integer NOT NULL DEFAULT 0,
    -- Customers up to this id do not wait.
    expanded_to bigint NOT NULL DEFAULT -1,
    -- Steps that failed one after the other, and when the next one is tried.
    tries smallint NOT NULL DEFAULT 0,
    try_at timestamptz,
    -- Why it waits or failed.
    reason text,
    reason_code text,
    traceparent text,
    -- It was cancelled, and some of its mails may still have to be.
    is_cancelling boolean NOT NULL DEFAULT false,
    CONSTRAINT batches_phase_is_known CHECK (phase IN (
        'scheduled', 'waiting', 'expanding', 'sending', 'done', 'cancelled', 'failed')),
    CONSTRAINT batches_period_runs_forward CHECK (date_from <= date_to),
    CONSTRAINT batches_expire_after_they_are_due CHECK (expires_at > send_at),
    CONSTRAINT batches_statement_kind_is_known CHECK (statement_kind IN ('activity', 'open-items', 'activity-with-open-items')),
    CONSTRAINT batches_locale_is_a_language_tag CHECK (locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'),
    CONSTRAINT batches_counts_are_numbers_of CHECK (
        customers >= 0 AND charged >= 0 AND recipients >= 0 AND tries >= 0),
    CONSTRAINT batches_only_schedules_have_occurrences CHECK (schedule_id IS NOT NULL OR occurrence IS NULL),
    CONSTRAINT batches_traceparent_has_its_form CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'),
    -- However many relays make an occurrence, one batch comes of it.
    CONSTRAINT batches_schedule_id_occurrence_key UNIQUE (schedule_id, occurrence)
);
CREATE INDEX batches_history ON batches (business_id, created_at DESC, id DESC);
CREATE INDEX batches_of_schedule ON batches (schedule_id, created_at DESC, id DESC) WHERE schedule_id IS NOT NULL;
-- What the relay has to do.
CREATE INDEX batches_open ON batches (phase, send_at, id) WHERE phase IN ('scheduled', 'waiting', 'expanding', 'sending');

CREATE INDEX batches_open_of_business ON batches (business_id)
    WHERE phase IN ('scheduled', 'waiting', 'expanding', 'sending');
CREATE INDEX batches_cancelling ON batches (updated_at, id) WHERE is_cancelling;

-- The customers of a batch: each waits until it has a send or is skipped. They are stored in the transaction of
-- their batch and by a trigger go with it, without a foreign key, which would look the batch up again for each of
-- them: that took 95 ms of the 220 in which a batch of 10,000 was accepted.
CREATE TABLE batch_customers (
    batch_id uuid NOT NULL,
    customer_id bigint NOT NULL,
    -- The folded addresses of a frozen list, until the send is made.
    recipients text[],
    send_id uuid,
    reason text,
    reason_code text,
    PRIMARY KEY (batch_id, customer_id),
    CONSTRAINT batch_customers_skipped_have_no_send CHECK (send_id IS NULL OR reason_code IS NULL),
    CONSTRAINT batch_customers_skipped_have_a_reason CHECK ((reason IS NULL) = (reason_code IS NULL))
);
CREATE FUNCTION drop_batch_customers() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM batch_customers WHERE batch_id IN (SELECT id FROM old_rows);
    RETURN NULL;
END
$$;
CREATE TRIGGER batches_take_customers_along AFTER DELETE ON batches
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION drop_batch_customers();
CREATE INDEX batch_customers_waiting ON batch_customers (batch_id, customer_id)
    WHERE send_id IS NULL AND reason_code IS NULL;
CREATE INDEX batch_customers_skipped ON batch_customers (batch_id, customer_id) INCLUDE (reason_code)
    WHERE reason_code IS NOT NULL;

-- A send of a batch is the only one for its customer, however often a step of the relay is repeated.
ALTER TABLE sends ADD COLUMN batch_id uuid REFERENCES batches (id);
CREATE UNIQUE INDEX sends_of_batch ON sends (batch_id, customer_id) WHERE batch_id IS NOT NULL;
-- Tells at a glance whether a batch still has mails that are not finished.
CREATE INDEX sends_of_batch_open ON sends (batch_id)
    WHERE batch_id IS NOT NULL AND status IN ('scheduled', 'sending');

-- The pages of a batch's sends, of any status.
CREATE INDEX sends_by_batch ON sends (batch_id, created_at DESC, id DESC) INCLUDE (status)
    WHERE batch_id IS NOT NULL;

-- How many mails of a batch are in each state is asked once a second while it runs, and the mails that a cancel
-- has to stop are looked for among very many. So each mail knows its batch, too, and one index answers both
-- without a look at the sends. Mails of single sends are not in it.
ALTER TABLE deliveries ADD COLUMN batch_id uuid;
CREATE INDEX deliveries_of_batch ON deliveries (batch_id, state, id) WHERE batch_id IS NOT NULL;

CREATE TABLE frozen_lists (
    id uuid PRIMARY KEY,
    business_id bigint NOT NULL,
    -- What the dry run asked for: a digest for each field of the request, by its name.
    asked jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT frozen_lists_expire_later CHECK (expires_at > created_at)
);
CREATE INDEX frozen_lists_of_business ON frozen_lists (business_id, created_at DESC, id DESC);
CREATE INDEX frozen_lists_by_expiry ON frozen_lists (expires_at);

-- Who is on a list, with the folded addresses in order. Skipped customers are not on it. A list is good for
-- one batch, to which its customers are copied; then it is deleted.
CREATE TABLE frozen_list_customers (
    list_id uuid NOT NULL REFERENCES frozen_lists (id) ON DELETE CASCADE,
    customer_id bigint NOT NULL,
    recipients text[] NOT NULL,
    PRIMARY KEY (list_id, customer_id)
);

-- Repetitions of a request over RabbitMQ for a batch get the first answer.
ALTER TABLE request_answers
    ADD COLUMN batch_id uuid REFERENCES batches (id) ON DELETE CASCADE,
    DROP CONSTRAINT request_answers_accepted_ones_know_the_request,
    ADD CONSTRAINT request_answers_accepted_ones_know_the_request
        CHECK ((send_id IS NULL AND batch_id IS NULL) = (fingerprint IS NULL)),
    ADD CONSTRAINT request_answers_are_about_one_thing CHECK (send_id IS NULL OR batch_id IS NULL);
CREATE INDEX request_answers_of_batch ON request_answers (batch_id) WHERE batch_id IS NOT NULL;

-- Gives back recipients of a business that were counted for a day and are not mailed. A day that is over takes
-- none back. Locks the shares in the order of count_due_recipients.
CREATE FUNCTION give_back_due_recipients(business bigint, due date, recipients integer) RETURNS void
LANGUAGE sql
AS $$
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
$$;

-- The same for recipients that were accepted on a day.
CREATE FUNCTION give_back_recipients(business bigint, accepted date, recipients integer) RETURNS void
LANGUAGE sql
AS $$
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
$$;

DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
BEGIN
    EXECUTE format('ALTER FUNCTION drop_batch_customers() SET search_path = pg_catalog, %s, pg_temp', ledger);
END
$do$;
