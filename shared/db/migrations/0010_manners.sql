-- before the code
-- Good manners towards those who receive mail, and a bound on what a stolen key can do.

-- A business's list is read newest first.
CREATE INDEX suppressions_newest ON suppressions (business_id, created_at DESC, email_key DESC);

-- How many recipients each business has had accepted on a day, in shares, so that requests at the
-- same time do not wait for each other: what they may add up to is fixed, and each share has a part
-- of that. A share whose day is over counts nothing.
CREATE TABLE daily_recipients (
    business_id bigint NOT NULL,
    share smallint NOT NULL CONSTRAINT daily_recipients_has_32_shares CHECK (share BETWEEN 0 AND 31),
    day date NOT NULL,
    used integer NOT NULL CONSTRAINT daily_recipients_used_is_a_number_of CHECK (used >= 0),
    PRIMARY KEY (business_id, share)
) WITH (fillfactor = 50);

-- Counts recipients that are being accepted today (in UTC), or violates `daily_quota` where they are
-- more than the quota leaves: exactly, however many requests there are at once.
CREATE FUNCTION count_recipients(business bigint, recipients integer, quota integer)
RETURNS boolean LANGUAGE plpgsql AS $$
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
$$;
