"""Consumes messages that request sends and batches, and sends the answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiormq.abc import DeliveredMessage

from services.api.access.admission import Admission
from services.api.core.refusals import InFlight
from services.api.intake import act as intake
from services.api.intake.act import Asked
from services.api.intake.answer_log import log_answer
from services.api.intake.databases import Databases, Elsewhere
from services.api.intake.dead_letters import dead_letter
from services.api.intake.moving import to_queue_of
from services.api.intake.queue_answer import QueueAnswer
from services.api.intake.replies import Replies
from services.api.sends.terms import Terms
from shared.amqp import broker, topology
from shared.amqp.breaker import Breaker
from shared.amqp.publisher import Outgoing, Publisher
from shared.amqp.subscription import Subscription, accept, reject
from shared.db import postgres
from shared.db.readiness import check_postgres
from shared.process.health import Health
from shared.process.trouble import Trouble
from shared.text import printable_line

_log = structlog.get_logger("ledgerpost.relay")
# A hostile message may have 16 MiB, and is in memory three times while it is dead-lettered.
_PREFETCH = 4
_RETRY_PAUSE_S = 1.0  # seconds before a temporary failure is tried again
_REASON_CHARS_MAX = 500

_LATER: tuple[type[Exception], ...] = (
    *postgres.UNAVAILABLE,
    *postgres.CONFLICTS,
    InFlight,
)

Result = TypeVar("Result")


class _Stopped(Exception):
    """The relay has to stop; the message is not acknowledged and goes to another relay."""


class Intake:
    """Consumes requests for sends and batches, and reconnects after every error.

    A message is acknowledged once what it requests is stored, or once it is among the dead letters
    with the reason (up to a number per business and day). The answer also goes to `reply_to`.

    With several databases there is one for all requests, and one for each database: requests of a
    database that is away move to the queue of that database, so that those of others go on.
    """

    def __init__(
        self,
        url: str,
        databases: Databases,
        home: str | None,
        publisher: Publisher,
        replies: Replies,
        admission: Admission,
        terms: Terms,
        health: Health,
        answered: Callable[[str], None],
    ) -> None:
        """Consume the requests that wait for the database `home`; those of all if it is None.

        Call `answered` with the name of the database that has an answer.
        """
        alone = len(databases.pools) == 1
        self._databases = databases
        self._home = next(iter(databases.pools)) if alone else home
        self._publisher = publisher
        self._replies = replies
        self._admission = admission
        self._terms = terms
        self._answered = answered
        self._copying = asyncio.Lock()
        self._waiting = Trouble("queue_request_waits")
        self._breaker = Breaker("postgres", self._probe, postgres.UNAVAILABLE)
        self._subscription = Subscription(
            url,
            "ledgerpost-relay-intake",
            topology.SEND_REQUESTS if home is None else topology.requests_of(home),
            self._handle,
            self._breaker,
            prefetch=_PREFETCH,
            databases=tuple(databases.pools),
        )
        health.register("intake" if home is None else f"intake.{home}", self._check)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set, then finish the messages in progress."""
        watch = asyncio.create_task(self._breaker.watch())
        try:
            await self._subscription.run(stop)
        finally:
            watch.cancel()

    async def _handle(self, message: DeliveredMessage) -> None:
        try:
            answer = await self._persist(lambda: self._answer(message), _LATER)
            reason = _reason(answer)
            if reason is not None and (answer is None or answer.is_buried):
                is_known = answer is None or answer.business_id is not None
                await self._persist(
                    lambda: self._bury(message, reason, is_known=is_known), broker.UNAVAILABLE
                )
            if answer is not None:
                await self._replies.tell(message, answer)
        except _Stopped:
            return
        except Elsewhere as waits:
            await self._move(message, waits.database)
            return
        except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
            _log.exception("queue_request_not_settled")
            # RabbitMQ then puts it among the dead letters.
            await reject(message)
            return
        await accept(message)

    async def _answer(self, message: DeliveredMessage) -> QueueAnswer | None:
        """Return the answer, or None if an unexpected error, a bug, prevented one."""
        asked = Asked(
            message.body, _texts(message, "authorization"), _texts(message, "traceparent")
        )
        is_remembered = self._databases.knows(asked.authorization)
        answer = await self._answer_of(asked)
        if is_remembered and answer is not None and answer.business_id is None:
            # The key's business may have moved to another database.
            answer = await self._answer_of(asked)
        if answer is not None:
            log_answer(answer)
        return answer

    async def _answer_of(self, asked: Asked) -> QueueAnswer | None:
        """Return the answer of the key's database; forget the place of a key that is invalid there.

        Returns None after an unexpected error, a bug.
        """
        try:
            database = await self._databases.of(asked.authorization)
            async with self._databases.pools[database].acquire() as conn:
                answer = await intake.answer(conn, asked, self._terms, self._admission)
        except Elsewhere as waits:
            if waits.database != self._home:
                raise
            self._hold(waits.obstacle)
            raise waits.obstacle from None
        except _LATER as obstacle:
            if database != self._home and isinstance(obstacle, postgres.UNAVAILABLE):
                raise Elsewhere(database, obstacle) from None
            self._hold(obstacle)
            raise
        except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
            _log.exception("queue_request_not_handled")
            return None
        self._waiting.over()
        self._answered(database)
        if answer.business_id is None:
            self._databases.forget(asked.authorization)
        return answer

    def _hold(self, obstacle: Exception) -> None:
        """Let the taken requests wait, or all of them while Postgres is unavailable."""
        if isinstance(obstacle, postgres.LACKING):
            # A probe of Postgres would succeed.
            self._waiting.met(obstacle)
        elif isinstance(obstacle, postgres.UNAVAILABLE):
            self._breaker.trip(obstacle)

    async def _bury(self, message: DeliveredMessage, reason: str, *, is_known: bool) -> None:
        # One at a time: copies of several large messages would take too much memory.
        async with self._copying:
            letter = dead_letter(message, reason, is_known=is_known)
            await self._published(letter)

    async def _move(self, message: DeliveredMessage, database: str) -> None:
        """Move a message to the queue of its database, and acknowledge it once it is there."""
        _log.info("queue_request_moved", database=database)
        try:
            async with self._copying:
                moved = to_queue_of(database, message)
                await self._persist(lambda: self._published(moved), broker.UNAVAILABLE)
        except _Stopped:
            return
        await accept(message)

    async def _published(self, message: Outgoing) -> None:
        if not all(await self._publisher.publish([message])):
            raise ConnectionError("the broker did not take the message")

    async def _persist(
        self, act: Callable[[], Awaitable[Result]], later: tuple[type[Exception], ...]
    ) -> Result:
        """Return the result of `act`, which is repeated while it raises one of `later`."""
        while True:
            try:
                return await act()
            except later:
                if self._subscription.stopping:
                    raise _Stopped from None
            await asyncio.sleep(_RETRY_PAUSE_S)

    async def _probe(self) -> None:
        if self._home is not None:
            await check_postgres(self._databases.pools[self._home])

    async def _check(self) -> None:
        await self._breaker.check()
        await self._waiting.check()
        await self._subscription.check()


def _texts(message: DeliveredMessage, header: str) -> tuple[str, ...]:
    return tuple(
        value if isinstance(value, str) else ""
        for name, value in (message.header.properties.headers or {}).items()
        if name.lower() == header
    )


def _reason(answer: QueueAnswer | None) -> str | None:
    """Return the reason of a refusal in one line, or None if the request was accepted."""
    if answer is None:
        return "500 A bug in Ledgerpost; its log has the details."
    if answer.problem is None:
        return None
    return printable_line(f"{answer.problem.status} {answer.problem.detail}", _REASON_CHARS_MAX)
