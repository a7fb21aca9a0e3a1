"""Messages that ask for a send, from RabbitMQ to the act itself and back to their askers."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import asyncpg
import structlog
from aiormq.abc import DeliveredMessage

from services.api.relay.publisher import Outgoing, Publisher
from services.api.sends import intake
from services.api.sends.idempotency import InFlight
from services.api.sends.intake import Answer, Asked
from services.api.sends.store import Terms
from shared import broker, postgres, topology
from shared.breaker import Breaker
from shared.health import Health
from shared.subscription import Subscription, accept, reject

_log = structlog.get_logger("ledgerpost.relay")
# A poisonous message may have 16 MiB, and is held three times over while it is buried.
_PREFETCH = 4
_PAUSE = 1.0  # seconds before what is not possible at the moment is tried again
_REASON_LENGTH = 500

_LATER: tuple[type[Exception], ...] = (
    *postgres.UNAVAILABLE,
    *postgres.CONFLICTS,
    # The database is not migrated yet: no fault of the request.
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedFunctionError,
    InFlight,
)

Result = TypeVar("Result")


class _Stopped(Exception):
    """We are told to stop; the message, unacknowledged, comes to another relay."""


class Intake:
    """Consumes requests for a send, reconnecting for ever.

    A message is acknowledged once its send is stored, or once it lies among the dead letters with
    the reason why not. Its asker is told at `reply_to`, too, where there is such a queue.
    """

    def __init__(
        self,
        url: str,
        pool: asyncpg.Pool,
        publisher: Publisher,
        terms: Terms,
        health: Health,
        answered: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._terms = terms
        self._answered = answered
        self._burying = asyncio.Lock()
        self._breaker = Breaker("postgres", self._probe, postgres.UNAVAILABLE)
        self._subscription = Subscription(
            url,
            "ledgerpost-relay-intake",
            topology.SEND_REQUESTS,
            self._handle,
            self._breaker,
            prefetch=_PREFETCH,
        )
        health.register("intake", self._check)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`, then finish what is at work."""
        watch = asyncio.create_task(self._breaker.watch())
        try:
            await self._subscription.run(stop)
        finally:
            watch.cancel()

    async def _handle(self, message: DeliveredMessage) -> None:
        try:
            answer = await self._persist(lambda: self._answer(message), _LATER)
            reason = _reason(answer)
            if reason is not None:
                await self._persist(lambda: self._bury(message, reason), broker.UNAVAILABLE)
            if answer is not None:
                self._answered()
                await self._reply(message, answer)
        except _Stopped:
            return
        except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
            _log.exception("request not settled")
            # RabbitMQ itself puts it among the dead letters then.
            await reject(message)
            return
        await accept(message)

    async def _answer(self, message: DeliveredMessage) -> Answer | None:
        """Return the answer; None where we failed to find one, which is a defect of ours."""
        asked = Asked(
            message.body, _texts(message, "authorization"), _texts(message, "traceparent")
        )
        try:
            async with self._pool.acquire() as conn:
                answer = await intake.answer(conn, asked, self._terms)
        except _LATER as obstacle:
            if isinstance(obstacle, postgres.UNAVAILABLE):
                self._breaker.trip(obstacle)
            raise
        except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
            _log.exception("request not handled")
            return None
        _log.info(
            "request accepted" if answer.problem is None else "request refused",
            business_id=answer.business_id,
            send=answer.send_id and str(answer.send_id),
            status=answer.problem and answer.problem.status,
            fields=answer.problem and [each.field for each in answer.problem.errors],
            trace_id=answer.trace.trace_id,
        )
        return answer

    async def _bury(self, message: DeliveredMessage, reason: str) -> None:
        """Put a copy among the dead letters; the same message has the same name there."""
        # A user_id would have to be ours, and a dead letter does not expire.
        sent = message.header.properties
        letter = Outgoing(
            hashlib.sha256((sent.message_id or "").encode() + message.body).hexdigest(),
            topology.DEAD_LETTERS,
            "",
            message.body,
            headers={
                **topology.senders_headers(sent.headers or {}),
                topology.REASON: reason,
                topology.CAME_FROM: topology.SEND_REQUESTS,
                topology.DIED_AT: datetime.now(UTC).isoformat(timespec="seconds"),
            },
            correlation_id=sent.correlation_id,
            reply_to=sent.reply_to,
            content_type=sent.content_type,
        )
        # One after the other: copies of large ones at once would take too much memory.
        async with self._burying:
            if not all(await self._publisher.publish([letter])):
                raise ConnectionError("the broker did not take the dead letter")

    async def _reply(self, message: DeliveredMessage, answer: Answer) -> None:
        """Tell the asker, too, if it waits: subscribers are told for certain, it is not."""
        asker = message.header.properties
        if not asker.reply_to or asker.reply_to in topology.QUEUES:
            return
        reply = Outgoing(
            answer.event_id,
            "",
            asker.reply_to,
            answer.event.encode(),
            str(answer.trace),
            mandatory=False,
            correlation_id=asker.correlation_id,
        )
        try:
            await self._publisher.publish([reply])
        except broker.UNAVAILABLE as error:
            _log.info("asker not told", error=repr(error))

    async def _persist(
        self, act: Callable[[], Awaitable[Result]], later: tuple[type[Exception], ...]
    ) -> Result:
        """Return what `act` does, trying again for as long as it meets one of `later`."""
        while True:
            try:
                return await act()
            except later as obstacle:
                if self._subscription.stopping:
                    raise _Stopped from None
                _log.info("request waits", reason=repr(obstacle))
            await asyncio.sleep(_PAUSE)

    async def _probe(self) -> None:
        await self._pool.fetchval("SELECT 1")

    async def _check(self) -> None:
        await self._breaker.check()
        await self._subscription.check()


def _texts(message: DeliveredMessage, header: str) -> tuple[str, ...]:
    return tuple(
        value if isinstance(value, str) else ""
        for name, value in (message.header.properties.headers or {}).items()
        if name.lower() == header
    )


def _reason(answer: Answer | None) -> str | None:
    """Return in one line why there is no send; None where there is one."""
    if answer is None:
        return "500 A defect of Ledgerpost; its log says more."
    if answer.problem is None:
        return None
    line = "".join(sign if sign.isprintable() else " " for sign in answer.problem.detail)
    return f"{answer.problem.status} {line}"[:_REASON_LENGTH]
