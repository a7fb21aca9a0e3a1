-- before the code
-- An occurrence that is too late for a schedule that does not catch up is skipped, with the reason.

ALTER TABLE schedule_occurrences
    DROP CONSTRAINT schedule_occurrences_missed_ones_have_a_reason,
    ADD CONSTRAINT schedule_occurrences_missed_ones_have_a_reason CHECK (
        (outcome <> 'missed' OR reason IS NOT NULL) AND (reason IS NULL OR outcome IN ('skipped', 'missed'))
        AND (reason IS NULL) = (reason_code IS NULL));

UPDATE schedule_occurrences SET outcome = 'skipped' WHERE outcome = 'missed' AND reason_code = 'occurrence_late';
