"""The callers of a drill: sends without a pause, each recipient named once in the whole drill."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import aiohttp

from tests.drill.system import System

_PERIOD = {"from": "2024-11-01", "to": "2024-11-30"}
_CUSTOMERS = (4, 5, 7)
_WAITING = 40  # mails that callers have asked for and that have not gone out


@dataclass(frozen=True)
class Asked:
    """A send that the API accepted, with the moment of its answer."""

    id: str
    at: datetime
    is_later: bool


class Refused(RuntimeError):
    """The API has not accepted a send."""


class Traffic:
    """Asks for sends until it is stopped; every fourth is due in an hour."""

    def __init__(self, system: System, recipients: int) -> None:
        self.asked: list[Asked] = []
        self._system, self._recipients = system, recipients
        self._numbers = count()
        self._task: asyncio.Task[None] | None = None
        self._due = 0

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run())

    async def until(self, more: int) -> None:
        """Wait until so many more sends are accepted, and so many of their mails are out."""
        known = len(self.asked)

        async def is_reached() -> bool:
            assert self._task is not None
            assert not self._task.done(), "the API accepts nothing more"
            new = {each.id for each in self.asked[known:]}
            out = sum(mail.send in new for mail in self._system.judge.accepted)
            return min(len(new), out) >= more

        await self._system.until(is_reached, f"{more} more sends, and {more} of their mails")

    async def stop(self) -> None:
        """Ask for no more. A request on its way may have been accepted, and nobody was told so."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def ask_now(self) -> Asked:
        """Ask until a send is due at once, and return it."""
        while (asked := await self.ask()).is_later:
            pass
        return asked

    async def ask(self) -> Asked:
        """Ask for one send, and return it once the API has accepted it."""
        number = next(self._numbers)
        is_later = number % 4 == 3
        body: dict[str, object] = {"other_emails": [
            f"r{number}-{each}@x.example" for each in range(self._recipients)
        ]}  # fmt: skip
        if is_later:
            body["send_at"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        status, answer = await self._system.request(
            "POST",
            f"/clients/{_CUSTOMERS[number % len(_CUSTOMERS)]}/transactions/send",
            params=_PERIOD,
            json=body,
            headers={"Idempotency-Key": str(uuid4())},
        )
        if status != 202:
            raise Refused(answer)
        made = Asked(str(answer["id"]), datetime.now(UTC), is_later)
        self.asked.append(made)
        self._due += 0 if is_later else len(answer["recipients"])
        return made

    async def _run(self) -> None:
        judge = self._system.judge
        try:
            while True:
                await self.ask()
                await judge.until(lambda judge: self._due - len(judge.accepted) < _WAITING, 240)
        except (aiohttp.ClientError, Refused):
            return  # the database is lost
