"""Makes the snapshots of statements, and freezes them."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from services.api.core.refusals import Busy, Invalid, NotFound
from services.api.reports.query import NAMED, one_customer
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.relay import Unfrozen
from shared.period import Period
from shared.statements import TEMPLATE_VERSION
from shared.statements.model import Kind

_QUERIES = sql.load("services.api.statements")
_FREEZE_S_MAX = 10.0  # seconds for one statement; others wait meanwhile
# Transactions and open items: more than a person reads or a mail contains; typesetting more would
# take gigabytes.
LINES_MAX = 5_000


class NoStatement(LookupError):
    """The statement cannot be made, now or later; the message gives the reason, `code` its code."""

    def __init__(self, reason: str, code: ReasonCode) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, repr=False)
class Snapshot:
    """A statement as it would be frozen now.

    `content` is what the renderer takes and `sha256` its hash. `figures_sha256` is the hash of the
    content without its first member, `generated_at`: equal for equal figures. Both are hexadecimal.
    """

    content: bytes
    sha256: str
    figures_sha256: str
    kind: Kind
    locale: str


@cache
def freeze_text() -> str:
    """Return the query that freezes a statement, with named parameters."""
    return sql.filled(_QUERIES.freeze, snapshot=_snapshot_text())


@cache
def look_text() -> str:
    """Return the query of the snapshot that would be frozen now, with named parameters."""
    return sql.filled(_QUERIES.look, snapshot=_snapshot_text())


def lines_text() -> str:
    """Return the tables of a WITH list that has a statement's lines, with named parameters.

    Whatever shows a customer's account has the lines of the statement that is mailed.
    """
    return _QUERIES.lines


async def snapshot(
    conn: Connection,
    business_id: int,
    customer_id: int,
    period: Period,
    kind: Kind | None,
    locale: str | None,
) -> Snapshot:
    """Return the statement that would be frozen now; nothing is stored.

    Without a kind or a locale it has those that a send without them gets. Raises NotFound if there
    is no such customer, Invalid if the statement has too many lines, and Busy if making it takes
    too long.
    """
    given = _arguments(business_id, customer_id, period, kind, locale)
    try:
        row = await conn.fetchrow(*sql.call(look_text(), **given), timeout=_FREEZE_S_MAX)
    except TimeoutError:
        raise Busy(
            f"Making this statement took more than {_FREEZE_S_MAX:g} seconds and was stopped.",
            retry_after=timedelta(seconds=5),
        ) from None
    if row is not None:
        return Snapshot(
            row["content"],
            row["sha256"].hex(),
            row["figures_sha256"].hex(),
            kind=row["kind"],
            locale=row["locale"],
        )
    if not await _has_customer(conn, business_id, customer_id):
        raise NotFound("customer")
    raise too_long()


def too_long() -> Invalid:
    """Return the refusal of a statement that has too many lines."""
    return Invalid("period", f"leads to a statement of more than {LINES_MAX} lines")


async def freeze(conn: Connection, send: Unfrozen) -> None:
    """Store the statement of a send from the current ledger, unless it is frozen already.

    Raises NoStatement if the customer does not exist any more, or if the statement has too many
    lines.
    """
    given = _arguments(send.business_id, send.customer_id, send.period, send.kind, send.locale)
    query = sql.call(freeze_text(), send=send.send_id, **given)
    if await conn.fetchval(*query, timeout=_FREEZE_S_MAX) is not None:
        return
    if not await _has_customer(conn, send.business_id, send.customer_id):
        raise NoStatement(
            f"customer {send.customer_id} is not in the ledger any more",
            ReasonCode.CUSTOMER_DELETED,
        )
    if not await conn.fetchval(_QUERIES.is_frozen, send.send_id):
        raise NoStatement(
            f"the statement has more than {LINES_MAX} lines", ReasonCode.STATEMENT_TOO_LONG
        )


def _arguments(
    business_id: int, customer_id: int, period: Period, kind: Kind | None, locale: str | None
) -> dict[str, Any]:
    return {
        "business": business_id,
        "customer": customer_id,
        "start": period.start,
        "end": period.end,
        "kind": kind,
        "locale": locale,
        "template_version": TEMPLATE_VERSION,
        "most_lines": LINES_MAX,
    }


async def _has_customer(conn: Connection, business_id: int, customer_id: int) -> bool:
    found: bool = await conn.fetchval(_QUERIES.has_customer, business_id, customer_id)
    return found


@cache
def _snapshot_text() -> str:
    return sql.filled(_QUERIES.snapshot, report=one_customer(NAMED), lines=lines_text())
