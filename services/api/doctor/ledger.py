"""Checks the kept figures of some businesses, as `verify` does for all of them."""

import asyncpg

from services.api.ledger import verification
from shared.doctor.finding import Said, failure, ok, skipped

_BUSINESSES_MAX = 3


async def check(conn: asyncpg.Connection) -> Said:
    """Verify a sample; it is skipped if the role may not, or if it takes too long."""
    try:
        businesses, proofs = await verification.sample(conn, _BUSINESSES_MAX)
    except asyncpg.InsufficientPrivilegeError:
        return skipped(
            "only the owner of the tables may verify figures",
            "run `ledgerpost-api doctor --process commands` with the owner's DATABASE_URL",
        )
    except (asyncpg.QueryCanceledError, TimeoutError):
        return skipped("a sample takes too long", "run `ledgerpost-api verify` at a quiet time")
    except asyncpg.UndefinedTableError:
        return skipped("there are no tables yet")
    wrong = [each for each in proofs if each.differences]
    if wrong:
        # The differences themselves are figures of customers.
        number = sum(len(each.differences) for each in wrong)
        return failure(
            f"of {businesses} businesses, {number} kept figures differ from the ledger",
            "run `ledgerpost-api verify` to see them, and `ledgerpost-api rebuild` to correct them",
        )
    return ok(f"the kept figures of {businesses} businesses, chosen by chance, are exact")
