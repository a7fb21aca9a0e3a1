-- Makes `invoices` a table with 16 partitions by the hash of the business. docs/scaling.md says when, how and what then
-- differs. The owner of the table runs it once, in one transaction:
--   psql "$OWNER_URL" --single-transaction -v ON_ERROR_STOP=1 -f deploy/postgres/partition_invoices.sql
-- Everybody else waits meanwhile, also whoever reads reports.

SET LOCAL search_path TO public;
LOCK TABLE invoices, payments IN ACCESS EXCLUSIVE MODE;

-- What is bound to the table, and not to its name.
CREATE TEMP TABLE bound ON COMMIT DROP AS
SELECT 1 AS turn, 'views' AS kind, format('CREATE OR REPLACE VIEW %s AS %s', v.oid::regclass, pg_get_viewdef(v.oid)) AS made
FROM pg_class v
WHERE v.relkind = 'v' AND EXISTS (
    SELECT FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE r.ev_class = v.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = 'invoices'::regclass)
UNION ALL
SELECT 2, 'foreign keys', format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint
WHERE contype = 'f' AND 'invoices'::regclass IN (conrelid, confrelid)
UNION ALL
SELECT 3, 'triggers', pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid = 'invoices'::regclass AND NOT tgisinternal
UNION ALL
SELECT 4, 'rights', format('GRANT %s ON invoices TO %s', privilege_type,
                           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(grantee::regrole::text) END)
FROM pg_class, aclexplode(relacl)
WHERE oid = 'invoices'::regclass AND grantee <> relowner;

CREATE TABLE invoices_parted (LIKE invoices INCLUDING ALL) PARTITION BY HASH (business_id);
DO $$
BEGIN
    FOR part IN 0 .. 15 LOOP
        EXECUTE format('CREATE TABLE invoices_%s PARTITION OF invoices_parted'
                       ' FOR VALUES WITH (MODULUS 16, REMAINDER %s)', part, part);
    END LOOP;
END
$$;
INSERT INTO invoices_parted SELECT * FROM invoices;

DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT conrelid::regclass AS relation, conname FROM pg_constraint
                WHERE contype = 'f' AND confrelid = 'invoices'::regclass AND conparentid = 0 LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', each.relation, each.conname);
    END LOOP;
    ALTER TABLE invoices RENAME TO invoices_before;
    ALTER TABLE invoices_parted RENAME TO invoices;
    FOR each IN SELECT made FROM bound ORDER BY turn LOOP
        EXECUTE each.made;
    END LOOP;
    -- So that a write to a partition by its name, which the figures would miss, fails.
    FOR each IN SELECT replace(made, ' ON public.invoices ', format(' ON public.invoices_%s ', part)) AS made
                FROM bound, generate_series(0, 15) AS part WHERE kind = 'triggers' LOOP
        EXECUTE each.made;
    END LOOP;
END
$$;

-- Fails if anything else is bound to the former table. Migrations name the indexes.
DROP TABLE invoices_before;
ALTER INDEX invoices_parted_pkey RENAME TO invoices_pkey;
ALTER INDEX invoices_parted_business_id_customer_id_issue_date_idx RENAME TO invoices_by_customer;
ANALYZE invoices;
