-- before the code
-- What a history asks for by status is found in an index: a send keeps the status that follows from
-- the states of its mails.

-- One exception saves each send a write: `scheduled` means `sending` once `send_at` is past.
ALTER TABLE sends ADD COLUMN status text NOT NULL DEFAULT 'scheduled'
    CONSTRAINT sends_status_is_known
    CHECK (status IN ('scheduled', 'sending', 'sent', 'partly_failed', 'failed', 'cancelled'));

-- The status that follows from the states of all mails of each of these sends. The database's time
-- plays no part in it.
CREATE FUNCTION statuses_of_sends(ids uuid[]) RETURNS TABLE (send_id uuid, status text)
LANGUAGE sql STABLE AS $$
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
$$;

-- Most changes keep a send's status and cost one look at what changed. The others lock the send
-- before they look at its mails: of two at once, the second sees what the first did.
--
-- What an UPDATE changed is found by joining the rows before with the rows after. A session plans that
-- join when its first UPDATE of deliveries runs, mostly of one row, for which a nested loop is best; with
-- that plan 8,000 mails cancelled at once by the same session were compared each with each, in 9 seconds.
ALTER FUNCTION log_delivery_states() SET enable_nestloop = off;
CREATE FUNCTION keep_send_status() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
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
$$;
DO $do$
BEGIN
    EXECUTE format('ALTER FUNCTION keep_send_status() SET search_path = pg_catalog, %s, pg_temp',
                   (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'sends'::regclass));
END
$do$;
CREATE TRIGGER deliveries_keep_first_status AFTER INSERT ON deliveries
    REFERENCING NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_send_status();
CREATE TRIGGER deliveries_keep_status AFTER UPDATE ON deliveries
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION keep_send_status();

-- About 20 seconds for a million sends.
UPDATE sends s SET status = came.status
FROM sends each CROSS JOIN LATERAL statuses_of_sends(ARRAY[each.id]) came
WHERE s.id = each.id AND came.status <> 'scheduled';

CREATE INDEX sends_open ON sends (business_id, created_at DESC, id DESC)
    WHERE status IN ('scheduled', 'sending');
CREATE INDEX sends_ended ON sends (business_id, status, created_at DESC, id DESC)
    WHERE status NOT IN ('scheduled', 'sending');

-- The quota counts the recipients that a business has due on a day (in UTC), in shares like
-- `daily_recipients`, which from now on bounds what is accepted on a day. A day that few mails are
-- scheduled for has few shares. `used` holds until the day is over.
CREATE TABLE due_recipients (
    business_id bigint NOT NULL,
    day date NOT NULL,
    share smallint NOT NULL CONSTRAINT due_recipients_has_32_shares CHECK (share BETWEEN 0 AND 31),
    used integer NOT NULL CONSTRAINT due_recipients_used_is_a_number_of CHECK (used >= 0),
    PRIMARY KEY (business_id, day, share)
) WITH (fillfactor = 50);

-- Evenly, so that no share has more than its part.
INSERT INTO due_recipients (business_id, day, share, used)
SELECT t.business_id, t.day, n, t.used / 32 + (n < t.used % 32)::integer
FROM (SELECT s.business_id, (s.send_at AT TIME ZONE 'UTC')::date AS day, count(*)::integer AS used
      FROM sends s JOIN deliveries d ON d.send_id = s.id
      WHERE s.send_at >= date_trunc('day', now(), 'UTC')
      GROUP BY 1, 2) t, generate_series(0, 31) n;

-- Counts recipients that are due on a day, or violates `due_quota` where they are more than the quota
-- leaves: exactly, however many requests there are at once. See `count_recipients`.
CREATE FUNCTION count_due_recipients(business bigint, due date, recipients integer, quota integer)
RETURNS boolean LANGUAGE plpgsql AS $$
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
$$;

-- Moves recipients from one day's count to another's; a day that is over has nothing to give back. The
-- earlier day comes first, so that opposite moves at the same time do not wait for each other.
CREATE FUNCTION move_due_recipients(
    business bigint, day_before date, due date, recipients integer, quota integer
) RETURNS boolean LANGUAGE plpgsql AS $$
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
$$;
