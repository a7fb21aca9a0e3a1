-- before the code
-- The history by recipient and by the text of messages. Each page is read from an index, in its order.
CREATE INDEX deliveries_of_recipient ON deliveries (business_id, email_key, created_at DESC, send_id DESC);
CREATE INDEX sends_with_message ON sends (business_id, created_at DESC, id DESC)
    WHERE personal_message IS NOT NULL;
