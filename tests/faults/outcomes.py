"""The outcome of a case: compares the deliveries in Postgres with the judge's log."""

from collections import Counter
from dataclasses import dataclass, field

import asyncpg

from shared.deliveries.states import MEANINGS, SETTLED
from tests.judge.server import Judge

# Where a mail that the judge did not take may end, because the API says so.
_ACCOUNTED_FOR = {state for state in SETTLED if MEANINGS[state].was_taken is not True}
# Where a mail that the judge took may end.
_TRUE_OF_TAKEN = {state for state in SETTLED if MEANINGS[state].was_taken is not False}

# Batches of which a customer has no send although it is not skipped, or the other way round, or two
# sends, or the send of another; and those whose numbers are not those of their customers.
_WRONG_BATCHES = """
    SELECT b.id, b.phase, b.customers, b.recipients, b.charged, c.customers AS stored, c.waiting,
           c.sends AS named, s.sends AS made, s.customers AS mailed, s.mails
    FROM batches b
    CROSS JOIN LATERAL (
        SELECT count(*) AS customers, count(c.send_id) AS sends,
               count(*) FILTER (WHERE c.send_id IS NULL AND c.reason_code IS NULL) AS waiting,
               count(*) FILTER (WHERE c.send_id IS NOT NULL AND NOT EXISTS (
                   SELECT FROM sends s WHERE s.id = c.send_id AND s.batch_id = b.id
                                         AND s.customer_id = c.customer_id)) AS strange
        FROM batch_customers c WHERE c.batch_id = b.id
    ) c
    CROSS JOIN LATERAL (
        SELECT count(*) AS sends, count(DISTINCT s.customer_id) AS customers,
               coalesce(sum((SELECT count(*) FROM deliveries WHERE send_id = s.id)), 0) AS mails
        FROM sends s WHERE s.batch_id = b.id
    ) s
    WHERE c.customers <> b.customers OR c.strange > 0
       OR s.sends <> c.sends OR s.customers <> s.sends OR s.mails <> b.recipients
       OR b.phase IN ('sending', 'done') AND c.waiting > 0
       OR b.phase IN ('done', 'cancelled', 'failed') AND b.charged <> b.recipients
"""


@dataclass
class Outcome:
    """Mails by outcome; `injected` is the number of doubts that the case caused."""

    due: int = 0
    accepted: int = 0
    injected: int = 0
    in_doubt: int = 0
    duplicated: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def broken(self) -> list[str]:
        """Return the broken promises."""
        found = list(self.wrong)
        if self.duplicated:
            found.append(f"{self.duplicated} mails were accepted again")
        if self.lost:
            found.append(f"{self.lost} mails were lost")
        if self.in_doubt > self.injected:
            found.append(f"{self.in_doubt} mails in doubt where {self.injected} were injected")
        return found

    def add(self, other: "Outcome") -> None:
        """Count another run of the same case."""
        self.due += other.due
        self.accepted += other.accepted
        self.injected += other.injected
        self.in_doubt += other.in_doubt
        self.duplicated += other.duplicated
        self.lost += other.lost
        self.wrong += other.wrong


async def audit(conn: asyncpg.Connection, judge: Judge, injected: int) -> Outcome:
    """Compare every delivery with the judge's log, after all processes have ended."""
    rows = await conn.fetch("SELECT id, state, email FROM deliveries")
    taken = Counter(mail.delivery for mail in judge.accepted)
    states = {str(row["id"]): row["state"] for row in rows}
    outcome = Outcome(
        due=len(rows),
        accepted=len(taken),
        injected=injected,
        in_doubt=sum(state == "in_doubt" for state in states.values()),
        duplicated=sum(count - 1 for count in judge.counts().values()),
        lost=sum(s not in _ACCOUNTED_FOR for key, s in states.items() if key not in taken),
    )
    for row in rows:
        delivery = str(row["id"])
        if delivery in taken and row["state"] not in _TRUE_OF_TAKEN:
            outcome.wrong.append(f"{row['email']} was accepted and is shown as {row['state']}")
        if delivery not in taken and row["state"] not in _ACCOUNTED_FOR:
            outcome.wrong.append(f"{row['email']} was not accepted and is shown as {row['state']}")
    outcome.wrong += [f"batch {dict(row)}" for row in await conn.fetch(_WRONG_BATCHES)]
    outcome.wrong += [f"nobody asked for a mail {key}" for key in taken.keys() - states.keys()]
    return outcome
