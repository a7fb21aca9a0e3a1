"""Understands a returned mail again, by the rules of today."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.core.refusals import Busy, Conflict, NotFound
from shared.db import sql
from shared.db.postgres import Connection
from shared.deliveries.states import State
from shared.mail.return_path import ReturnPaths, unsigned_delivery
from shared.returns import intake
from shared.returns.intake import Match
from shared.returns.noted_recipient import noted_recipient
from shared.returns.understand import understand
from shared.returns.verdict import Kind, Scope, Verdict

_QUERIES = sql.load("services.api.returns", "reprocess.sql")
_SETTLED_IN = timedelta(seconds=10)
_PAGE = 500
_NOTES_MAX = 20
_FIRST = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)


@dataclass(frozen=True)
class Asked:
    """Who asks for it and why; of which business (None: of all), and what reads return paths."""

    by: str
    why: str | None
    business_id: int | None
    paths: ReturnPaths | None


@dataclass(frozen=True)
class Result:
    """What a returned mail was before and is now, and what that has changed."""

    before: str
    now: str
    delivery_id: UUID | None
    effect: tuple[str, ...]
    is_other: bool


async def reprocess(conn: Connection, return_id: UUID, asked: Asked) -> Result:
    """Understand a returned mail again; carry out what the new result changes, never twice.

    What the former result did stays. Raises NotFound, Conflict if the mail is no longer kept, and
    Busy if the mail that came back is being handed over at this moment.
    """
    async with conn.transaction():
        row = await conn.fetchrow(_QUERIES.kept, return_id, asked.business_id)
        if row is None:
            raise NotFound("returned mail")
        if row["raw"] is None:
            raise Conflict("The mail is no longer kept, so it cannot be understood again.")
        found, recipient = await _found(conn, row, asked.paths)
        if found is not None and found.state == State.COMMITTING:
            raise Busy(
                "The mail that this is about is being handed over at this moment.",
                retry_after=_SETTLED_IN,
            )
        email = found.email if found else None
        verdict = await asyncio.to_thread(understand, row["raw"], email)
        effect: list[str] = []
        if found is not None and _strength(verdict) > _former_strength(row):
            effect = await intake.carry_out(conn, found, verdict)
        about = found.delivery_id if found else row["delivery_id"]
        before, now = _words(row), _words_of(verdict)
        is_other = before != now or about != row["delivery_id"]
        place = {
            "id": return_id,
            "business": found.business_id if found else row["business_id"],
            "delivery": about,
            "recipient": recipient,
            "effect": [*row["effect"], *(each for each in effect if each not in row["effect"])],
        }
        await conn.execute(*sql.call(_QUERIES.change, **place, **_said(verdict)))
        if is_other:
            await conn.execute(*sql.call(_QUERIES.note, **_note(return_id, asked, row, effect)))
    return Result(before, now, about, tuple(effect), is_other)


async def notes(conn: Connection, return_id: UUID) -> list[asyncpg.Record]:
    """Return the newest notes about a returned mail that was understood again, newest first."""
    found: list[asyncpg.Record] = await conn.fetch(_QUERIES.notes, return_id, _NOTES_MAX)
    return found


async def candidates(conn: Connection, *, unknown: bool, unmatched: bool) -> AsyncIterator[UUID]:
    """Yield the kept mails of kind unknown, or those that match no delivery, oldest first."""
    place = _FIRST
    while True:
        rows = await conn.fetch(_QUERIES.candidates, unknown, unmatched, *place, _PAGE)
        for row in rows:
            yield row["id"]
        if len(rows) < _PAGE:
            return
        place = rows[-1]["received_at"], rows[-1]["id"]


async def _found(
    conn: Connection, row: asyncpg.Record, paths: ReturnPaths | None
) -> tuple[Match | None, str | None]:
    """Return the delivery that the mail is about, and the recipient of its envelope."""
    recipient = row["recipient"]
    if row["delivery_id"] is not None:
        if row["state"] is None:
            return None, recipient
        # It was matched, so that its address was proven then, unless it has the old form.
        is_signed = recipient is not None and unsigned_delivery(recipient) is None
        found = row["delivery_id"], row["business_id"], row["email"], State(row["state"])
        return Match(*found, is_signed), recipient
    if paths is None:
        return None, recipient
    is_posted = row["source"] == "api"
    address = recipient or noted_recipient(row["raw"], paths, is_unsigned_read=not is_posted)
    matched = await intake.match(conn, address, paths) if address else None
    if matched is None or row["business_id"] not in {None, matched.business_id}:
        return None, recipient
    if await conn.fetchval(_QUERIES.has_copy, matched.delivery_id, row["sha256"]):
        return None, recipient
    return matched, address


def _former_strength(row: asyncpg.Record) -> int:
    # As long as it matched no delivery it changed nothing.
    if row["delivery_id"] is None:
        return 0
    scope = Scope(row["scope"]) if row["scope"] else None
    return _strength(Verdict(Kind(row["kind"]), scope, row["is_permanent"]))


def _strength(verdict: Verdict) -> int:
    """Return how much a result changes: nothing, the delivery, or its address as well."""
    if verdict.kind is Kind.COMPLAINT or (
        verdict.scope is Scope.RECIPIENT and verdict.is_permanent
    ):
        return 2
    return 1 if verdict.kind is Kind.BOUNCE else 0


def _said(verdict: Verdict) -> dict[str, Any]:
    return {
        "kind": verdict.kind,
        "scope": verdict.scope,
        "is_permanent": verdict.is_permanent,
        "status": verdict.status,
        "diagnostic": verdict.diagnostic,
        "remote_mta": verdict.remote_mta,
        "form": verdict.form,
    }


def _note(return_id: UUID, asked: Asked, row: asyncpg.Record, effect: list[str]) -> dict[str, Any]:
    return {
        "id": return_id,
        "by": asked.by,
        "why": asked.why,
        "former_kind": row["kind"],
        "former_scope": row["scope"],
        "former_delivery": row["delivery_id"],
        "effect": effect,
    }


def _words(row: asyncpg.Record) -> str:
    return " ".join(filter(None, (row["kind"], row["scope"], "permanent" * row["is_permanent"])))


def _words_of(verdict: Verdict) -> str:
    words = (verdict.kind, verdict.scope, "permanent" * verdict.is_permanent)
    return " ".join(filter(None, words))
