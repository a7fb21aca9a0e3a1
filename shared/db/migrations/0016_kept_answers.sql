-- before the code
-- Answers to other requests than sends are kept under an Idempotency-Key, too: those make no send.
ALTER TABLE idempotency_keys
    ALTER COLUMN send_id DROP NOT NULL,
    ADD COLUMN status smallint NOT NULL DEFAULT 202
        CONSTRAINT idempotency_keys_keep_successes CHECK (status BETWEEN 200 AND 299);
