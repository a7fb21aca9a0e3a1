-- What an UPDATE changed is found by joining the rows before with the rows after. A session plans that
-- join when its first UPDATE of deliveries runs, mostly of one row, for which a nested loop is best; with
-- that plan 8,000 mails cancelled at once by the same session were compared each with each, in 9 seconds.
ALTER FUNCTION log_delivery_states() SET enable_nestloop = off;

CREATE OR REPLACE FUNCTION keep_send_status() RETURNS trigger LANGUAGE plpgsql AS $$
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
ALTER FUNCTION keep_send_status() SET enable_nestloop = off;
