"""Consumes messages that request sends, and sends the answers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg
import structlog
from aiormq.abc import DeliveredMessage

from services.api.access.admission import Admission
from services.api.core.problems import Problem
from services.api.core.refusals import InFlight
from services.api.intake import act as intake
from services.api.intake.act import Asked, QueueAnswer
from services.api.intake.dead_letters import dead_letter
from services.api.intake.messages import FIELDS
from services.api.intake.replies import Replies
from services.api.sends.terms import Terms
from shared.amqp import broker, topology
from shared.amqp.breaker import Breaker
from shared.amqp.publisher import Publisher
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
    """Consumes requests for sends, and reconnects after every error.

    A message is acknowledged once its send is stored, or once it is among the dead letters with the
    reason (up to a number per business and day). The answer also goes to `reply_to`.
    """

    def __init__(
        self,
        url: str,
        pool: asyncpg.Pool,
        publisher: Publisher,
        replies: Replies,
        admission: Admission,
        terms: Terms,
        health: Health,
        answered: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._publisher = publisher
        self._replies = replies
        self._admission = admission
        self._terms = terms
        self._answered = answered
        self._burying = asyncio.Lock()
        self._waiting = Trouble("request waits")
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
                self._answered()
                await self._replies.tell(message, answer)
        except _Stopped:
            return
        except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
            _log.exception("request not settled")
            # RabbitMQ then puts it among the dead letters.
            await reject(message)
            return
        await accept(message)

    async def _answer(self, message: DeliveredMessage) -> QueueAnswer | None:
        """Return the answer, or None if an unexpected error, a bug, prevented one."""
        asked = Asked(
            message.body, _texts(message, "authorization"), _texts(message, "traceparent")
        )
        try:
            async with self._pool.acquire() as conn:
                answer = await intake.answer(conn, asked, self._terms, self._admission)
        except _LATER as obstacle:
            self._hold(obstacle)
            raise
        except Exception:  # noqa: BLE001 - the message must be settled, or it blocks a place
            _log.exception("request not handled")
            return None
        self._waiting.over()
        _log.info(
            "request accepted" if answer.problem is None else "request refused",
            business_id=answer.business_id,
            send=answer.send_id and str(answer.send_id),
            status=answer.problem and answer.problem.status,
            fields=answer.problem and _known(answer.problem),
            buried=answer.problem and answer.is_buried,
            trace_id=answer.trace.trace_id,
        )
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
        async with self._burying:
            letter = dead_letter(message, reason, is_known=is_known)
            if not all(await self._publisher.publish([letter])):
                raise ConnectionError("the broker did not take the dead letter")

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
        await check_postgres(self._pool)

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


def _known(problem: Problem) -> list[str]:
    """Return the known names of invalid fields, because a caller may invent any others."""
    named = (each.field.partition(".")[0] for each in problem.errors)
    return sorted({name if name in FIELDS else "unknown" for name in named})
