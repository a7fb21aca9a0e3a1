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
    outcome.wrong += [f"nobody asked for a mail {key}" for key in taken.keys() - states.keys()]
    return outcome
