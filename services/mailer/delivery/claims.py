"""The claims of this worker: made, gated and recorded many at a time."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from shared.db import postgres
from shared.deliveries import worker
from shared.deliveries.reasons import ReasonCode
from shared.deliveries.worker import Claim, Verdict
from shared.group_commit import GroupCommit
from shared.process.trouble import Trouble

_log = structlog.get_logger("ledgerpost.mailer")
_RETRY_S: Final = 1.0  # between tries to record
_REFUSALS_MAX: Final = 5  # tries to record what Postgres, being there, refuses


class Claims:
    """Claims deliveries, commits gates, records verdicts, and renews the leases of all claims."""

    def __init__(self, pool: asyncpg.Pool, lease: timedelta, foreign: Callable[[], None]) -> None:
        """Call `foreign` for each wake-up whose delivery the database does not have."""
        self._pool = pool
        self._lease = lease
        self._foreign = foreign
        self._claims: dict[UUID, Claim] = {}
        self._unrecorded = Trouble("result_not_recorded")
        self._unrenewed = Trouble("leases_not_renewed")
        self._claiming = GroupCommit(self._claim_all, postgres.UNAVAILABLE)
        self._finding = GroupCommit(self._find_all, postgres.UNAVAILABLE)
        self._reading = GroupCommit(self._read_all, postgres.UNAVAILABLE)
        self._showing = GroupCommit(self._logos_of_all, postgres.UNAVAILABLE)
        self._gating = GroupCommit(self._gate_all, postgres.UNAVAILABLE)
        self._recording = GroupCommit(self._record_all, postgres.UNAVAILABLE)

    async def claim(self, delivery_id: UUID) -> Claim | None:
        """Claim a delivery for one attempt; return None if it is not waiting to be sent."""
        claim = await self._claiming.submit(delivery_id)
        if claim is not None:
            self._claims[claim.id] = claim
        # A query of its own: if it failed after a claim, the claimed row would wait for its lease.
        elif not await self._finding.submit(delivery_id):
            self._foreign()
        return claim

    async def gate(self, claim: Claim) -> bool:
        """Commit the hand-over; the dot may follow only if this returns True."""
        return await self._gating.submit(claim)

    async def record(self, verdict: Verdict) -> bool:
        """Record the outcome of an attempt, however long Postgres is away or conflicts occur.

        Returns False if the claim no longer decides. Until the caller releases it, the lease of the
        claim is renewed.
        """
        refused = 0
        while True:
            try:
                decided = await self._recording.submit(verdict)
            except Exception as error:
                refused += not isinstance(error, (*postgres.UNAVAILABLE, *postgres.CONFLICTS))
                if refused > _REFUSALS_MAX:
                    raise
                self._unrecorded.met(error)
                await asyncio.sleep(_RETRY_S)
            else:
                self._unrecorded.over()
                return decided

    def release(self, claim: Claim) -> None:
        """Renew the lease of a claim no longer."""
        # The same delivery may have been claimed here again meanwhile.
        if self._claims.get(claim.id) is claim:
            del self._claims[claim.id]

    async def postpone(
        self, delivery_id: UUID, delay: timedelta, reason: str, code: ReasonCode
    ) -> None:
        """Let a queued delivery wait in Postgres instead of the queue."""
        async with self._pool.acquire() as conn:
            await worker.postpone(conn, [delivery_id], delay, reason, code)

    async def content(self, claim: Claim) -> str:
        """Return the frozen statement of a claim, as canonical JSON."""
        return await self._reading.submit(claim)

    async def logo(self, business_id: int, sha256: bytes) -> bytes | None:
        """Return a logo as PNG; None if the business has none of this hash."""
        return await self._showing.submit((business_id, sha256))

    async def renew(self) -> None:
        """Renew the leases of all claims until cancelled."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            if not self._claims:
                continue
            try:
                await self._renew_all()
            except Exception as error:  # noqa: BLE001 - a worker that renews no more loses its claims
                self._unrenewed.met(error)
            else:
                self._unrenewed.over()

    async def _renew_all(self) -> None:
        limit = self._lease.total_seconds() / 6
        async with self._pool.acquire(timeout=limit) as conn:
            try:
                async with asyncio.timeout(limit):
                    await worker.renew(conn, list(self._claims.values()), self._lease)
            except TimeoutError:
                conn.terminate()
                raise

    async def _claim_all(self, ids: Sequence[UUID]) -> Sequence[Claim | None]:
        async with self._pool.acquire() as conn:
            claimed = await worker.claim(conn, ids, self._lease)
        # One delivery may be wanted by many messages at once: one of them gets the claim.
        return [claimed.pop(delivery_id, None) for delivery_id in ids]

    async def _find_all(self, ids: Sequence[UUID]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            unknown = await worker.unknown(conn, ids)
        return [delivery_id not in unknown for delivery_id in ids]

    async def _read_all(self, claims: Sequence[Claim]) -> Sequence[str]:
        async with self._pool.acquire() as conn:
            return await worker.statements(conn, claims)

    async def _logos_of_all(self, keys: Sequence[tuple[int, bytes]]) -> Sequence[bytes | None]:
        async with self._pool.acquire() as conn:
            return await worker.logos(conn, keys)

    async def _gate_all(self, claims: Sequence[Claim]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            try:
                passed = await worker.gate(conn, claims, self._lease)
            except TimeoutError:
                # If the peer is gone, a release would wait for its answer, and so would all gates.
                conn.terminate()
                raise
        return [claim.key in passed for claim in claims]

    async def _record_all(self, verdicts: Sequence[Verdict]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            decided = await worker.record(conn, verdicts)
        return [verdict.claim.key in decided for verdict in verdicts]
