from uuid import UUID

from services.api.account.model import (
    Account,
    AccountBusiness,
    AccountKey,
    AccountLimits,
    Allowance,
)
from services.api.core.refusals import NotFound
from shared.db import sql
from shared.db.postgres import Connection

_queries = sql.load("services.api.account")


async def account(
    conn: Connection, business_id: int, key_id: UUID, *, rate: Allowance | None, daily_quota: int
) -> Account:
    """Return a business and one of its keys, with what is left of `rate` and of `daily_quota`.

    Raises NotFound if the key was deleted.
    """
    row = await conn.fetchrow(_queries.account, business_id, key_id)
    if row is None:
        raise NotFound("key")
    left = max(0, daily_quota - int(row["due_today"]))
    return Account(
        business=AccountBusiness(
            id=row["business_id"],
            name=row["business_name"],
            currency=row["currency"],
            timezone=row["timezone"],
            fiscal_year_start=row["fiscal_year_start"],
            locale=row["locale"],
        ),
        key=AccountKey(
            id=row["key_id"],
            name=row["key_name"],
            scopes=sorted(row["scopes"]),
            expires_at=row["expires_at"],
        ),
        limits=AccountLimits(rate=rate, daily_quota=Allowance(limit=daily_quota, remaining=left)),
    )
