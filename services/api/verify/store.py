from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Final

import orjson

from services.api.verify.model import Verified
from shared.db import sql
from shared.db.postgres import Connection
from shared.statements import pay_link
from shared.statements.wording import local

_QUERIES: Final = sql.load("services.api.verify")
_READ_S_MAX: Final = 5.0  # seconds; the longest statements take a tenth of one


async def statement(conn: Connection, digest: bytes) -> Verified | None:
    """Return what the frozen statement with this hash says; None if there is none."""
    row = await conn.fetchrow(_QUERIES.statement, digest, timeout=_READ_S_MAX)
    if row is None:
        return None
    business, customer = orjson.loads(row["business"]), orjson.loads(row["customer"])
    # Statements of the first version have no branding and no locale.
    branding = orjson.loads(row["branding"] or "{}")
    closing: Decimal = row["closing_balance"]
    return Verified.model_validate(
        {
            "sha256": digest.hex(),
            "business": business["name"],
            "currency": business["currency"],
            "locale": row["locale"] or "en",
            "from": row["from"],
            "to": row["to"],
            "generated_at": local(row["generated_at"], business["timezone"]),
            "closing_balance": closing,
            "how_to_pay": branding.get("how_to_pay"),
            "pay_link": _link(
                branding.get("pay_link"),
                closing,
                currency=business["currency"],
                customer_id=customer["id"],
                end=row["to"],
            ),
        }
    )


def _link(
    template: str | None, closing: Decimal, *, currency: str, customer_id: int, end: date
) -> str | None:
    """Return the link to pay as the statement has it; none if nothing is owed."""
    if template is None or closing <= 0:
        return None
    with suppress(ValueError):
        return pay_link.of_balance(
            template, closing, currency=currency, customer_id=customer_id, end=end
        )
    return None
