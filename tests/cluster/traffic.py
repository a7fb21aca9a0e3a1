"""Callers of the cluster who never stop, and an inbox that is watched."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Self

import aiohttp

from tests.steps import Step

_SENDS = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
_READS = (
    "/api/v3/reports/customers/2024-11-01/2024-11-30",
    "/api/v3/reports/customers/client/4/2020-01-01/2029-12-31",
    "/api/v3/sends?limit=20",
)
_SENDERS, _PAUSE = 2, 0.5  # how many ask for mails, and the seconds that each waits in between
_PATIENCE = aiohttp.ClientTimeout(60)
_LOOK = 0.25  # seconds between two looks into the inbox


@dataclass
class Disturbance(Step):
    """A step in which requests may fail or not, and mails may pause."""

    may_fail: bool = False
    silence: float = 0
    """The longest time without a new mail, in seconds."""


class Traffic:
    """Asks for mails and reports all the time; a request that failed is repeated with its key."""

    def __init__(self, api: str, inbox: str, key: str) -> None:
        self.accepted = 0
        self.steps: list[Disturbance] = []
        self._inbox = inbox
        self._http = aiohttp.ClientSession(
            api, headers={"Authorization": f"Bearer {key}"}, timeout=_PATIENCE
        )
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Begin."""
        self.step("nothing")
        callers = [*(self._send(number) for number in range(_SENDERS)), self._read(), self._watch()]
        self._tasks = [asyncio.create_task(caller) for caller in callers]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        """Ask for no more, and wait for the last answers; after an error for none."""
        self._stop.set()
        for task in self._tasks if kind else ():
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=kind is not None)
        await self._http.close()
        self._end()

    def step(self, name: str, *, may_fail: bool = False) -> Disturbance:
        """Count what follows as another step."""
        self._end()
        self.steps.append(Disturbance(name, may_fail=may_fail))
        return self.steps[-1]

    async def mails(self) -> Counter[str]:
        """How many mails each delivery has become: its id is in the Message-ID."""
        url = f"{self._inbox}/api/v1/messages?limit=1000000"
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            listed = (await response.json())["messages"]
        return Counter(mail["MessageID"].partition("@")[0] for mail in listed)

    def _end(self) -> None:
        if self.steps:
            self.steps[-1].end()

    async def _send(self, caller: int) -> None:
        for number in count():
            body = {"other_emails": [f"r{number}@c{caller}.example"]}
            unique = {"Idempotency-Key": f"{caller}-{number}"}
            while not await self._ask(_SENDS, body, unique):
                await asyncio.sleep(_PAUSE)
            self.accepted += 1
            if await self._is_over(_PAUSE):
                return

    async def _read(self) -> None:
        for number in count():
            await self._ask(_READS[number % len(_READS)])
            if await self._is_over(0.2):
                return

    async def _ask(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> bool:
        """Return whether the request was answered as it should; it is counted in any case."""
        step, began, fault = self.steps[-1], time.monotonic(), None
        method = "GET" if body is None else "POST"
        try:
            async with self._http.request(method, path, json=body, headers=headers) as response:
                answer = await response.json(content_type=None)
                if response.status not in {200, 202}:
                    fault = f"{method} {response.status} {answer}"[:300]
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            fault = f"{method} {error!r}"
        step.count(began, fault)
        return fault is None

    async def _watch(self) -> None:
        """Note the longest time in which no mail came."""
        seen, last = -1, time.monotonic()
        url = f"{self._inbox}/api/v1/messages?limit=1"
        async with aiohttp.ClientSession(timeout=_PATIENCE) as http:
            while not self._stop.is_set():
                try:
                    async with http.get(url) as response:
                        total = (await response.json())["total"]
                except aiohttp.ClientError:
                    total = seen
                now, step = time.monotonic(), self.steps[-1]
                step.silence = max(step.silence, now - max(last, step.began))
                if total != seen:
                    seen, last = total, now
                await asyncio.sleep(_LOOK)

    async def _is_over(self, pause: float) -> bool:
        await asyncio.sleep(pause)
        return self._stop.is_set()
