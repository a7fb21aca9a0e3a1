-- before the code
-- Due rows are taken by turns among businesses, of each in the order in which they are due.
CREATE INDEX deliveries_due_of_business ON deliveries (business_id, due_at, id)
    WHERE state IN ('scheduled', 'deferred');

-- The businesses with due rows that are not paused, and since when the longest of each is due. The
-- due rows name them if there are few of those; otherwise one look into the index finds each
-- business, whatever the number of its rows.
CREATE FUNCTION due_businesses() RETURNS TABLE (business_id bigint, due_at timestamptz)
LANGUAGE sql STABLE AS $$
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
$$;
