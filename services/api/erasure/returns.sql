-- Personal data in returned mail.

-- name: erase_returns
-- Deletes the returns about the mails $2, and those of business $1, or of nobody, that match no mail and name one of
-- the addresses $3. Their mails go with them. The octets of a mail are searched as text, without the soft line
-- breaks of quoted-printable.
DELETE FROM returns r
WHERE r.delivery_id = ANY($2::uuid[])
   OR (r.delivery_id IS NULL AND (r.business_id = $1 OR r.business_id IS NULL)
       AND EXISTS (
           SELECT FROM unnest($3::text[]) a
           WHERE strpos(lower(concat_ws(' ', r.recipient, r.diagnostic)), a) > 0
              OR EXISTS (
                  SELECT FROM returned_mails m
                  WHERE m.return_id = r.id
                    AND strpos(lower(regexp_replace(encode(m.raw, 'escape'), '=\r?\n', '', 'g')),
                               encode(convert_to(a, 'UTF8'), 'escape')) > 0)))

-- name: erase_mails
-- Deletes the mails of business $1 about other deliveries that name one of the addresses $2: a notification may
-- be about several recipients.
DELETE FROM returned_mails m USING returns r
WHERE r.id = m.return_id AND r.business_id = $1
  AND EXISTS (
      SELECT FROM unnest($2::text[]) a
      WHERE strpos(lower(regexp_replace(encode(m.raw, 'escape'), '=\r?\n', '', 'g')),
                   encode(convert_to(a, 'UTF8'), 'escape')) > 0)

-- name: erase_words
-- Removes the recipients and the words of mail servers that name one of the addresses $2 from the returns of
-- business $1.
UPDATE returns r SET recipient = NULL, diagnostic = NULL
WHERE r.business_id = $1
  AND EXISTS (SELECT FROM unnest($2::text[]) a
              WHERE strpos(lower(concat_ws(' ', r.recipient, r.diagnostic)), a) > 0)

-- name: erase_lifted
-- Deletes what is known of lifted suppressions of the addresses $2 by business $1.
DELETE FROM lifted_suppressions WHERE business_id = $1 AND email_key = ANY($2::text[])

-- name: erase_notes
-- Removes why a return of business $1 was understood again, if that names one of the addresses $2.
UPDATE reprocessed_returns n SET why = NULL FROM returns r
WHERE r.id = n.return_id AND r.business_id = $1
  AND EXISTS (SELECT FROM unnest($2::text[]) a WHERE strpos(lower(n.why), a) > 0)

-- name: erase_whys
-- Removes why a suppression of another address was lifted by business $1, if that names one of the addresses $2.
UPDATE lifted_suppressions SET why = NULL
WHERE business_id = $1 AND EXISTS (SELECT FROM unnest($2::text[]) a WHERE strpos(lower(why), a) > 0)
