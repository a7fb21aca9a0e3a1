-- before the code
-- Returned mail: the form that decided, and indexes of what was lifted.

-- Null: no form fits, or the mail came before forms were noted.
ALTER TABLE returns ADD COLUMN form text, ADD CONSTRAINT returns_form_is_known CHECK (
    form IN ('delivery-status', 'feedback-report', 'ses-notification', 'notice', 'automatic-reply', 'list-mail',
             'receipt'));

-- Returned mails that were understood again to another result: who asked, why, and what they were before.
CREATE TABLE reprocessed_returns (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    return_id uuid NOT NULL REFERENCES returns (id) ON DELETE CASCADE,
    reprocessed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- `key` and the id of the key, or `command`.
    reprocessed_by text NOT NULL,
    why text,
    former_kind text NOT NULL,
    former_scope text,
    former_delivery_id uuid,
    -- What the new result has changed, beside what the former one did.
    effect text[] NOT NULL
);
CREATE INDEX reprocessed_returns_of_return ON reprocessed_returns (return_id, id);

-- Notes about lifted suppressions are listed by business, and pruned by their age, whoever's they are.
DROP INDEX lifted_suppressions_of_business;
CREATE INDEX lifted_suppressions_history ON lifted_suppressions (business_id, lifted_at DESC, email_key DESC);
CREATE INDEX lifted_suppressions_by_age ON lifted_suppressions (lifted_at);
