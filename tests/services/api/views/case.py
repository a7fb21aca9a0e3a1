"""A ledger at a moment when nobody writes, and a client that asks about it."""

from dataclasses import dataclass
from random import Random
from typing import Any

import asyncpg

from tests.services.api.api_client import REPORTS, Answer, Api
from tests.services.api.views.books import Account, Books, read
from tests.services.api.views.wire import read as read_json


@dataclass
class Case:
    """One business's ledger as it is now, and a client with a key of it."""

    api: Api
    conn: asyncpg.Connection
    books: Books
    accounts: list[Account]
    random: Random
    places: dict[str, int]  # of each name in the order of the Unicode Collation Algorithm

    @classmethod
    async def of(cls, api: Api, conn: asyncpg.Connection, business: int, random: Random) -> "Case":
        books = await read(conn, business)
        names = sorted({each.business_name for each in books.customers} - {None})
        ordered = await conn.fetch(
            'SELECT name FROM unnest($1::text[]) name ORDER BY name COLLATE "und-x-icu"', names
        )
        places = {each["name"]: place for place, each in enumerate(ordered)}
        return cls(api, conn, books, books.accounts(), random, places)

    async def get(self, path: str, **options: Any) -> Answer:
        answer = await self.api.get(f"{REPORTS}/{path}", **options)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer

    async def body(self, path: str) -> bytes:
        """The octets of an answer that is no text."""
        url = f"http://127.0.0.1:{self.api.port}{REPORTS}/{path}"
        headers = {"Authorization": f"Bearer {self.api.key}"}
        async with self.api.session.get(url, headers=headers) as answer:
            assert answer.status == 200, f"{path}: {await answer.text()}"
            return await answer.read()


async def walked(case: Case, path: str, count: int) -> list[Any]:
    """The rows of all pages, from the first one on by the links `next`."""
    seen: list[Any] = []
    url: str | None = f"{REPORTS}/{path}"
    while url:
        answer = await case.api.get(url)
        assert answer.status == 200, f"{url}: {answer.text}"
        assert answer.headers["X-Total-Count"] == str(count)
        found = read_json(answer.text)
        seen += found if isinstance(found, list) else found["data"]
        url = links(answer).get("next")
    return seen


def links(answer: Answer) -> dict[str, str]:
    """The targets of the Link headers, by relation."""
    found = {}
    for value in answer.headers.getall("Link", []):
        for link in value.split(", <"):
            target, _, relation = link.strip("<").partition(">; rel=")
            found[relation.strip('"')] = target
    return found
