"""A worker's transitions: claim, renew, gate, record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.states import State

_QUERIES = sql.load("shared.deliveries", "worker.sql")
ClaimKey = tuple[UUID, int]
_GATE_TIMEOUT = 5.0  # seconds; past it the outcome of the commit is unknown and no dot may follow


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's claim on one delivery for one attempt, fenced by its token."""

    id: UUID
    token: int
    send_id: UUID
    business_id: int
    email: str
    attempts: int
    created_at: datetime
    personal_message: str | None
    statement_sha256: bytes

    @property
    def key(self) -> ClaimKey:
        """The claim's delivery and token: a worker may have an expired claim on a delivery, too."""
        return self.id, self.token


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one attempt; `delay` is the time until the next one if it is deferred."""

    claim: Claim
    state: State
    reply: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    delay: timedelta = timedelta(0)
    counts: bool = True
    suppress: bool = False


async def claim(conn: Connection, ids: Iterable[UUID], lease: timedelta) -> dict[UUID, Claim]:
    """Claim the queued ones of `ids` for one attempt each; the others must not be sent."""
    asked = set(ids)
    rows = await conn.fetch(_QUERIES.claim, list(asked), lease)
    return {row["id"]: Claim(**row) for row in rows if row["id"] in asked}


async def unknown(conn: Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Return those of `ids` that do not exist."""
    return {row["id"] for row in await conn.fetch(_QUERIES.unknown, list(ids))}


async def renew(conn: Connection, claims: Sequence[Claim], lease: timedelta) -> set[ClaimKey]:
    """Renew the leases of `claims`, and return the keys of the claims that are still valid."""
    rows = await conn.fetch(_QUERIES.renew, *_columns(claims), lease)
    return {claim.key for claim in claims} & {(row["id"], row["token"]) for row in rows}


async def gate(conn: Connection, claims: Sequence[Claim], lease: timedelta) -> set[ClaimKey]:
    """Commit the hand-over of `claims`, and return the keys of those whose dot may follow.

    A claim passes only if the row, read back, is `committing` with the claim's token. Raises if the
    outcome of the commit is unknown; then no dot may follow either.
    """
    rows = await conn.fetch(_QUERIES.gate, *_columns(claims), lease, timeout=_GATE_TIMEOUT)
    passed = _read_back(rows)
    return {each.key for each in claims if (*each.key, State.COMMITTING) in passed}


async def record(conn: Connection, verdicts: Sequence[Verdict]) -> set[ClaimKey]:
    """Record the outcomes of attempts, and return the keys of the claims that were still valid."""
    ids, tokens = _columns([verdict.claim for verdict in verdicts])
    query = sql.call(
        _QUERIES.record,
        ids=ids,
        tokens=tokens,
        states=[verdict.state for verdict in verdicts],
        delays=[verdict.delay for verdict in verdicts],
        counts=[verdict.counts for verdict in verdicts],
        replies=[verdict.reply for verdict in verdicts],
        reasons=[verdict.reason for verdict in verdicts],
        reason_codes=[verdict.reason_code for verdict in verdicts],
        suppress=[verdict.suppress for verdict in verdicts],
    )
    decided = _read_back(await conn.fetch(*query))
    return {each.claim.key for each in verdicts if (*each.claim.key, each.state) in decided}


async def statements(conn: Connection, claims: Sequence[Claim]) -> list[str]:
    """Return the frozen statement of each claim, as canonical JSON."""
    keys = [(each.business_id, each.statement_sha256) for each in claims]
    businesses, hashes = zip(*set(keys), strict=True)
    rows = await conn.fetch(_QUERIES.statements, businesses, hashes)
    found: dict[tuple[int, bytes], str] = {(row[0], row[1]): row[2] for row in rows}
    return [found[key] for key in keys]


async def logos(conn: Connection, keys: Sequence[tuple[int, bytes]]) -> list[bytes | None]:
    """Return the PNG of each logo, given by its business and hash; None if there is none."""
    businesses, hashes = zip(*set(keys), strict=True)
    rows = await conn.fetch(_QUERIES.logos, businesses, hashes)
    found: dict[tuple[int, bytes], bytes] = {(row[0], row[1]): row[2] for row in rows}
    return [found.get(key) for key in keys]


async def postpone(
    conn: Connection, ids: Iterable[UUID], delay: timedelta, reason: str, code: ReasonCode
) -> None:
    """Defer queued rows for `delay`, without a claim or an attempt."""
    await conn.execute(_QUERIES.postpone, list(ids), delay, reason, code)


def _columns(claims: Sequence[Claim]) -> tuple[list[UUID], list[int]]:
    """Return the ids and the tokens of `claims`, as two arrays for Postgres."""
    return [each.id for each in claims], [each.token for each in claims]


def _read_back(rows: list[asyncpg.Record]) -> set[tuple[UUID, int, str]]:
    """Return the current state and token of each row."""
    return {(row["id"], row["token"], row["state"]) for row in rows}
