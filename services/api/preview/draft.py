"""A statement as a send would carry it now, of which nothing is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import orjson

from services.api.sends.recipients import Candidates
from services.api.sends.request import SendRequest
from services.api.statements.store import Snapshot, snapshot
from shared.db import sql
from shared.db.postgres import Connection
from shared.mail.address import Address
from shared.period import Period
from shared.statements.file_name import file_name
from shared.statements.logo import named_logo
from shared.statements.model import Customer
from shared.text import one_line

_QUERIES = sql.load("services.api.preview")


@dataclass(frozen=True, repr=False)
class Draft:
    """A snapshot with what else its mail is made of: a message, a logo, and its recipients."""

    snapshot: Snapshot
    period: Period
    message: str | None
    logo: bytes | None
    recipients: Sequence[Address]
    business_name: str
    customer_name: str

    @property
    def id(self) -> UUID:
        """An id for the mail in place of a send's: the same for the same snapshot."""
        return uuid5(NAMESPACE_OID, self.snapshot.sha256)

    def file_name(self, suffix: str) -> str:
        """Return the name of a file with this content, as the mail names its PDF."""
        return f"{file_name(self.business_name, self.customer_name, self.period)}.{suffix}"


async def draft(conn: Connection, business_id: int, period: Period, request: SendRequest) -> Draft:
    """Return what a send that is requested so would carry now.

    Raises what `snapshot` raises. A request that leaves no recipient is none of its refusals.
    """
    made = await snapshot(
        conn, business_id, request.customer_id, period, request.kind, request.locale
    )
    said: dict[str, Any] = orjson.loads(made.content)
    business, customer = said["business"], Customer.model_validate(said["customer"])
    digest = named_logo(made.content.decode())
    candidates = Candidates.gather(
        customer=customer.business_email,
        others=request.others,
        business=business["email"],
        copy_to_me=request.copy_to_me,
    )
    return Draft(
        snapshot=made,
        period=period,
        message=request.message,
        logo=digest and await conn.fetchval(_QUERIES.logo, business_id, digest),
        recipients=candidates.addresses,
        business_name=one_line(business["name"]),
        customer_name=customer.display_name,
    )
