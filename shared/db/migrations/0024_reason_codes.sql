-- before the code
-- Every reason has a code: the sentence may change from version to version, the code may not. And two
-- states that mails can be in once returned mail is read: `bounced` and `complained`. Nothing writes them
-- yet, but every reader knows them from now on.

ALTER TABLE deliveries ADD COLUMN reason_code text;
ALTER TABLE delivery_events ADD COLUMN reason_code text;
ALTER TABLE suppressions ADD COLUMN reason_code text;

ALTER TABLE deliveries
    DROP CONSTRAINT deliveries_state_is_known,
    DROP CONSTRAINT deliveries_sent_ones_say_when,
    ADD CONSTRAINT deliveries_state_is_known CHECK (state IN (
        'scheduled', 'queued', 'sending', 'committing', 'deferred', 'sent', 'failed', 'in_doubt',
        'cancelled', 'expired', 'suppressed', 'bounced', 'complained')),
    -- What comes back was sent, or in doubt.
    ADD CONSTRAINT deliveries_sent_ones_say_when CHECK (
        CASE WHEN state IN ('bounced', 'complained') THEN true
             ELSE (state = 'sent') = (sent_at IS NOT NULL) END);

-- The code of a reason that was written without one: before this migration, or by a process of an
-- earlier version that still runs beside it. The RFC 3463 code of the mail server's reply says more than
-- the sentence. The reason of a `suppressed` mail is that of the suppression, which a business may write.
CREATE FUNCTION reason_code_of(reason text, reply text DEFAULT NULL, state text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
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
$$;

-- The triggers have nothing to do: no state changes. About 10 seconds for a million mails with a reason.
ALTER TABLE deliveries DISABLE TRIGGER USER;
UPDATE deliveries SET reason_code = reason_code_of(reason, reply, state) WHERE reason IS NOT NULL;
ALTER TABLE deliveries ENABLE TRIGGER USER;
-- The codes of published events are read by nobody any more.
UPDATE delivery_events SET reason_code = reason_code_of(reason, reply, state)
WHERE reason IS NOT NULL AND published_at IS NULL;
UPDATE suppressions SET reason_code = reason_code_of(reason, NULL, 'suppressed');
UPDATE sends SET skipped = (
    SELECT jsonb_agg(each || jsonb_build_object('reason_code', reason_code_of(each ->> 'reason')))
    FROM jsonb_array_elements(skipped) each)
WHERE skipped <> '[]';

-- A process of an earlier version writes reasons without a code. It does not set
-- `ledgerpost.reason_codes`, so what it writes gets a code from its sentence. These parts can go once no
-- such process runs any more.
CREATE FUNCTION code_suppression() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.reason_code := reason_code_of(NEW.reason, NULL, 'suppressed');
    RETURN NEW;
END
$$;
CREATE TRIGGER suppressions_have_a_code BEFORE INSERT ON suppressions
    FOR EACH ROW WHEN (NEW.reason_code IS NULL) EXECUTE FUNCTION code_suppression();
ALTER TABLE suppressions ALTER COLUMN reason_code SET NOT NULL;

CREATE OR REPLACE FUNCTION log_delivery_states() RETURNS trigger LANGUAGE plpgsql
SET enable_nestloop = off AS $$
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
$$;

-- What ends a mail that is past its expiry: one that was tried has failed.
CREATE FUNCTION end_of_late(attempts integer, last_reason text)
RETURNS TABLE (state text, reason text, reason_code text) LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE attempts WHEN 0 THEN 'expired' ELSE 'failed' END,
           CASE attempts WHEN 0 THEN 'not sent before it expired'
                ELSE 'gave up when it expired: ' || coalesce(last_reason, 'no reason recorded') END,
           CASE attempts WHEN 0 THEN 'expired' ELSE 'attempts_exhausted' END
$$;

DO $do$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['log_delivery_states()', 'code_suppression()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, %s, pg_temp', each,
                       (SELECT relnamespace::regnamespace FROM pg_class WHERE oid = 'deliveries'::regclass));
    END LOOP;
END
$do$;
