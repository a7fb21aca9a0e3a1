"""The worker's side of the delivery rows: claimed, gated and recorded many at a time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import structlog

from services.mailer.delivery.group_commit import Batches
from shared.db import postgres
from shared.deliveries import worker
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.worker import Claim, Verdict
from shared.process.trouble import Trouble

_log = structlog.get_logger("ledgerpost.mailer")
_RETRY = 1.0  # seconds between tries to record while Postgres is away
_MOST_REFUSALS = 5  # tries to record what Postgres, being there, refuses


class Rows:
    """Claims and settles delivery rows, and renews the leases of all that it holds."""

    def __init__(self, pool: asyncpg.Pool, lease: timedelta, unknown: Callable[[], None]) -> None:
        """Have `unknown` called for each wake-up whose delivery the database does not have."""
        self._pool = pool
        self._lease = lease
        self._unknown = unknown
        self._held: dict[UUID, Claim] = {}
        self._unrecorded = Trouble("result not recorded yet")
        self._unrenewed = Trouble("leases not renewed")
        self._claims = Batches(self._claim_all, postgres.UNAVAILABLE)
        self._found = Batches(self._find_all, postgres.UNAVAILABLE)
        self._statements = Batches(self._read_all, postgres.UNAVAILABLE)
        self._gates = Batches(self._gate_all, postgres.UNAVAILABLE)
        self._verdicts = Batches(self._record_all, postgres.UNAVAILABLE)

    async def claim(self, delivery_id: UUID) -> Claim | None:
        """Take a delivery for one attempt; None where it is not ours to send."""
        claim = await self._claims.ask(delivery_id)
        if claim is not None:
            self._held[claim.id] = claim
        # Asked for by itself: if it failed after a claim, the claimed row would wait for its lease.
        elif not await self._found.ask(delivery_id):
            self._unknown()
        return claim

    async def gate(self, claim: Claim) -> bool:
        """Commit the hand-over; only on True may the dot follow."""
        return await self._gates.ask(claim)

    async def record(self, verdict: Verdict) -> bool:
        """Record what an attempt came to, however long Postgres is away; False when too late.

        The claim stays held meanwhile, and is the caller's to release.
        """
        refused = 0
        while True:
            try:
                decided = await self._verdicts.ask(verdict)
            except Exception as error:
                refused += not isinstance(error, postgres.UNAVAILABLE)
                if refused > _MOST_REFUSALS:
                    raise
                self._unrecorded.met(error)
                await asyncio.sleep(_RETRY)
            else:
                self._unrecorded.over()
                return decided

    def release(self, claim: Claim) -> None:
        """Stop renewing a claim that was lost to somebody else, or came to no outcome."""
        # The same row may have been claimed here again meanwhile.
        if self._held.get(claim.id) is claim:
            del self._held[claim.id]

    async def postpone(
        self, delivery_id: UUID, delay: timedelta, reason: str, code: ReasonCode
    ) -> None:
        """Let a queued delivery wait in Postgres instead of the queue."""
        async with self._pool.acquire() as conn:
            await worker.postpone(conn, [delivery_id], delay, reason, code)

    async def content(self, claim: Claim) -> str:
        """Return the frozen statement of a claim, as canonical JSON."""
        return await self._statements.ask(claim)

    async def renew(self) -> None:
        """Prolong the leases of all held rows, for ever."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            if not self._held:
                continue
            try:
                await self._renew_all()
            except Exception as error:  # noqa: BLE001 - a worker that no longer renews loses its rows
                self._unrenewed.met(error)
            else:
                self._unrenewed.over()

    async def _renew_all(self) -> None:
        patience = self._lease.total_seconds() / 6
        async with self._pool.acquire(timeout=patience) as conn:
            try:
                async with asyncio.timeout(patience):
                    await worker.renew(conn, list(self._held.values()), self._lease)
            except TimeoutError:
                conn.terminate()
                raise

    async def _claim_all(self, ids: Sequence[UUID]) -> Sequence[Claim | None]:
        async with self._pool.acquire() as conn:
            claimed = await worker.claim(conn, ids, self._lease)
        # The same message many times at once: one of them gets the row.
        return [claimed.pop(delivery_id, None) for delivery_id in ids]

    async def _find_all(self, ids: Sequence[UUID]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            unknown = await worker.unknown(conn, ids)
        return [delivery_id not in unknown for delivery_id in ids]

    async def _read_all(self, claims: Sequence[Claim]) -> Sequence[str]:
        async with self._pool.acquire() as conn:
            return await worker.statements(conn, claims)

    async def _gate_all(self, claims: Sequence[Claim]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            try:
                passed = await worker.gate(conn, claims, self._lease)
            except TimeoutError:
                # Its peer may be gone: giving it back would wait for an answer, and all gates too.
                conn.terminate()
                raise
        return [claim.id in passed for claim in claims]

    async def _record_all(self, verdicts: Sequence[Verdict]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            decided = await worker.record(conn, verdicts)
        return [verdict.claim.id in decided for verdict in verdicts]
