-- before the code
-- Schedules: a rule by which batches are made, again and again.

CREATE TABLE schedules (
    id uuid PRIMARY KEY,
    business_id bigint NOT NULL,
    name text NOT NULL,
    -- As in the body of the request (services/api/schedules/rule.py).
    rule jsonb NOT NULL,
    at_time time NOT NULL,
    timezone text NOT NULL,
    -- A word of the period language, relative to the local date of each occurrence.
    period text NOT NULL,
    filter jsonb NOT NULL DEFAULT '{}',
    personal_message text,
    other_emails text[] NOT NULL DEFAULT '{}',
    copy_to_me boolean NOT NULL DEFAULT false,
    statement_kind text,
    locale text,
    skip_empty boolean NOT NULL DEFAULT true,
    min_balance numeric(18, 4),
    catch_up text NOT NULL DEFAULT 'send-late',
    starts_on date NOT NULL,
    ends_on date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    paused_at timestamptz,
    -- The next occurrence: its local date and its instant. The relay makes it at due_at: that is next_at, or
    -- later if the relay could not make it before. All three are null after the last occurrence.
    next_on date,
    next_at timestamptz,
    due_at timestamptz,
    -- How often the relay tried in vain to make the next occurrence, and why it could not.
    failures integer NOT NULL DEFAULT 0,
    reason text,
    reason_code text,
    traceparent text,
    CONSTRAINT schedules_statement_kind_is_known CHECK (statement_kind IN ('activity', 'open-items', 'activity-with-open-items')),
    CONSTRAINT schedules_locale_is_a_language_tag CHECK (locale ~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$'),
    CONSTRAINT schedules_catch_up_is_known CHECK (catch_up IN ('send-late', 'skip')),
    CONSTRAINT schedules_run_forward CHECK (ends_on IS NULL OR starts_on <= ends_on),
    CONSTRAINT schedules_next_is_whole CHECK (num_nulls(next_on, next_at, due_at) IN (0, 3)),
    CONSTRAINT schedules_wait_for_a_reason CHECK (
        (failures > 0) = (reason IS NOT NULL) AND (reason IS NULL) = (reason_code IS NULL)),
    CONSTRAINT schedules_traceparent_has_its_form CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$')
);
CREATE INDEX schedules_of_business ON schedules (business_id, created_at DESC, id DESC);
CREATE INDEX schedules_due ON schedules (due_at, id) WHERE paused_at IS NULL AND due_at IS NOT NULL;

-- What became of each occurrence that is settled: a batch was made; it was skipped on request; it passed during
-- a pause; or it was missed, and the schedule does not catch up.
CREATE TABLE schedule_occurrences (
    schedule_id uuid NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    occurrence date NOT NULL,
    outcome text NOT NULL,
    batch_id uuid,
    -- Why it was missed.
    reason text,
    reason_code text,
    PRIMARY KEY (schedule_id, occurrence),
    CONSTRAINT schedule_occurrences_outcome_is_known CHECK (outcome IN ('made', 'skipped', 'paused', 'missed')),
    CONSTRAINT schedule_occurrences_missed_ones_have_a_reason CHECK (
        (outcome = 'missed') = (reason IS NOT NULL) AND (reason IS NULL) = (reason_code IS NULL)),
    CONSTRAINT schedule_occurrences_made_ones_have_a_batch CHECK ((outcome = 'made') = (batch_id IS NOT NULL))
);

-- The events of batches and schedules, for the relay to publish. Triggers and the schedules' own statements
-- write them in the transaction of the change; the relay adds what they tell when it publishes them.
CREATE TABLE business_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_id bigint NOT NULL,
    type text NOT NULL,
    batch_id uuid REFERENCES batches (id) ON DELETE CASCADE,
    schedule_id uuid,
    occurrence date,
    reason text,
    reason_code text,
    traceparent text,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at timestamptz,
    CONSTRAINT business_events_type_is_known CHECK (type IN (
        'batch.scheduled', 'batch.waiting', 'batch.expanding', 'batch.sending', 'batch.done', 'batch.cancelled',
        'batch.failed', 'schedule.created', 'schedule.changed', 'schedule.paused', 'schedule.resumed',
        'schedule.deleted', 'schedule.skipped', 'schedule.missed', 'schedule.ended')),
    CONSTRAINT business_events_are_about_something CHECK (
        CASE WHEN type LIKE 'batch.%' THEN batch_id ELSE schedule_id END IS NOT NULL)
);
CREATE INDEX business_events_of_batch ON business_events (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX business_events_unpublished ON business_events (id) WHERE published_at IS NULL;

CREATE FUNCTION log_batch_phase() RETURNS trigger
LANGUAGE plpgsql
AS $$
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
$$;
CREATE TRIGGER batches_log_phase AFTER INSERT OR UPDATE OF phase ON batches
    FOR EACH ROW EXECUTE FUNCTION log_batch_phase();

DO $do$
DECLARE
    ledger text := (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'invoices'::regclass);
BEGIN
    EXECUTE format('ALTER FUNCTION log_batch_phase() SET search_path = pg_catalog, %s, pg_temp', ledger);
END
$do$;
