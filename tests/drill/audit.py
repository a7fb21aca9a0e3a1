"""Compares a restored database with the judge's log: what is lost, doubled or missing."""

from collections import Counter

from tests.drill.system import System
from tests.drill.traffic import Asked
from tests.judge.server import Judge

OPEN = "state IN ('scheduled', 'queued', 'sending', 'committing', 'deferred')"


def mailed(judge: Judge) -> frozenset[str]:
    """Return the deliveries whose mails went out."""
    return frozenset(mail.delivery for mail in judge.accepted if mail.delivery is not None)


async def deliveries(system: System, condition: str = "") -> frozenset[str]:
    """Return the deliveries that the database knows."""
    return frozenset(
        str(row["id"]) for row in await system.fetch(f"SELECT id FROM deliveries {condition}")
    )


async def lost(system: System, asked: list[Asked]) -> list[Asked]:
    """Return the accepted sends that the restored database does not know."""
    known = {str(row["id"]) for row in await system.fetch("SELECT id FROM sends")}
    return [each for each in asked if each.id not in known]


async def due(system: System) -> list[str]:
    """Return what is wrong if mails would go out by themselves that may have gone out before."""
    found = await deliveries(system, f"WHERE {OPEN} AND due_at <= now()")
    return [f"{len(found)} due mails may go out again after the quarantine"] if found else []


async def outcomes(system: System, lost: list[Asked]) -> list[str]:
    """Return the broken promises: mails twice, missing ones, and sends that are not told as lost.

    Every mail that the restored database knows has to be out by now.
    """
    judge = system.judge
    times = Counter(mail.recipient for mail in judge.accepted if mail.recipient.startswith("r"))
    times += Counter(mail.delivery or "" for mail in judge.accepted)
    wrong = [f"{key} went out {number} times" for key, number in times.items() if number > 1]
    for each in lost:
        status, _ = await system.request("GET", f"/sends/{each.id}")
        wrong += [f"the lost send {each.id} is answered with {status}"] if status != 404 else []
    rows = await system.fetch("SELECT state, count(*) FROM deliveries GROUP BY 1")
    wrong += [f"{n} mails are {state}" for state, n in map(tuple, rows) if state != "sent"]
    missing = await deliveries(system) - mailed(judge)
    return wrong + [f"{each} is shown as sent and never went out" for each in missing]
