-- before the code
-- The trace (W3C Trace Context) of the request that asked for a send: its wake-ups, its attempts and
-- its events carry it on.
ALTER TABLE sends ADD COLUMN traceparent text CONSTRAINT sends_traceparent_has_its_form
    CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
