"""What goes on during an upgrade: sends, reports, and a system that writes the ledger by SQL."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import aiohttp
import asyncpg

from tests.steps import Step
from tests.upgrade.system import System

_SENDS = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
_CUSTOMER = "esi@customers.example.com"
_READS = (
    "/api/v3/reports/customers/2024-11-01/2024-11-30",
    "/api/v3/reports/customers/client/4/2020-01-01/2029-12-31",
    "/api/v3/sends?limit=20",
)
_WAITING = 60  # mails that were accepted and have not gone out
_LATER = timedelta(seconds=15)  # so that what an older process accepts, a newer one mails
_INVOICE = """
INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date, due_date,
                      total)
VALUES (1, $1, 4, 'U-' || $1::bigint, 'invoice', 'issued', '2024-11-12', '2024-11-30', 100.25)
"""
_PAYMENT = """
INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
VALUES (1, $1, $1, '2024-11-20', 40.10, 'manual', 'settled')
"""
_CHANGE = (
    "UPDATE invoices SET total = total + 0.05, customer_id = 5 WHERE business_id = 1 AND id = $1"
)


class Traffic:
    """Callers that never retry, and writers of the ledger."""

    def __init__(self, system: System) -> None:
        self.accepted: list[tuple[str, str]] = []
        self.steps: list[Step] = []
        self._system = system
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        callers = [*(self._send(number) for number in range(4)), self._read(), self._write()]
        self._tasks = [asyncio.create_task(caller) for caller in callers]

    async def stop(self) -> None:
        """Ask for no more, and wait for the last answers."""
        self._stop.set()
        await asyncio.gather(*self._tasks)
        self._end()

    def step(self, name: str) -> None:
        """Count what follows as another step of the upgrade."""
        self._end()
        self.steps.append(Step(name))

    def _end(self) -> None:
        if self.steps:
            self.steps[-1].end()

    async def _send(self, caller: int) -> None:
        for number in count():
            other = f"r{number}@c{caller}.example"
            body: dict[str, object] = {"other_emails": [other]}
            if number % 4 == 3:
                body["send_at"] = (datetime.now(UTC) + _LATER).isoformat()

            async def ask(body: dict[str, object] = body, other: str = other) -> str | None:
                status, answer = await self._system.balancer.post(_SENDS, body)
                if status != 202:
                    return f"{status} {answer}"
                self.accepted += [(answer["id"], email) for email in (_CUSTOMER, other)]
                return None

            await self._timed(ask)
            while len(self.accepted) - len(self._system.judge.accepted) > _WAITING:
                if await self._is_over(0.1):
                    return
            if await self._is_over(0.25):
                return

    async def _read(self) -> None:
        for number in count():

            async def ask(path: str = _READS[number % len(_READS)]) -> str | None:
                status, answer = await self._system.balancer.get(path)
                return None if status == 200 and answer else f"{status} {answer}"

            await self._timed(ask)
            if await self._is_over(0.1):
                return

    async def _write(self) -> None:
        conn = await self._system.connect()
        try:
            for number in count(1_000_000):

                async def ask(number: int = number) -> str | None:
                    async with conn.transaction():
                        await conn.execute(_INVOICE, number)
                        await conn.execute(_PAYMENT, number)
                    if number % 3 == 0:
                        await conn.execute(_CHANGE, number)
                    return None

                await self._timed(ask)
                if await self._is_over(0.1):
                    return
        finally:
            await conn.close()

    async def _timed(self, ask: Callable[[], Awaitable[str | None]]) -> None:
        step, began = self.steps[-1], time.monotonic()
        try:
            fault = await ask()
        except (aiohttp.ClientError, OSError, asyncpg.PostgresError) as error:
            fault = repr(error)
        step.count(began, fault)

    async def _is_over(self, pause: float) -> bool:
        await asyncio.sleep(pause)
        return self._stop.is_set()
