"""Compares answers of the list, with whatever options, with the model."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import asyncpg

from tests.services.api.api_client import REPORTS, Answer, Api
from tests.services.api.views import asks, rows
from tests.services.api.views.books import Account, Books, read
from tests.services.api.views.intervals import previous_period, previous_year
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json

PREVIOUS = {"previous-period": previous_period, "previous-year": previous_year}


@dataclass
class Case:
    """A ledger at a moment when nobody writes, and a client with a key of one business."""

    api: Api
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
        return cls(api, books, books.accounts(), random, places)

    async def get(self, path: str, **options: Any) -> Answer:
        answer = await self.api.get(f"{REPORTS}/{path}", **options)
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return answer


def expected_rows(case: Case, period: tuple[date, date], asked: rows.Options) -> list[rows.Row]:
    """The rows of the list with these options, in order."""
    found = []
    for each in rows.selected(case.accounts, *period, asked):
        row = rows.row(each, case.books.business.id, *period, asked.basis)
        if asked.compare:
            row |= rows.compared(each, row, PREVIOUS[asked.compare](*period), asked.basis)
        found.append(row)
    return rows.in_order(found, asked.sort, lambda text: case.places.get(text, text))


async def check_bare(case: Case) -> None:
    """Ask for the list as it was published, and for one of its rows."""
    start, end = asks.period(case.random)
    expected = wire(expected_rows(case, (start, end), rows.Options()))
    assert_same(read_json((await case.get(f"{start}/{end}")).text), expected, f"{start}/{end}")
    if expected:
        row = case.random.choice(expected)
        one = await case.get(f"client/{row['id']}/{start}/{end}")
        assert_same(read_json(one.text), row, f"client/{row['id']}/{start}/{end}")


async def check(case: Case) -> None:
    """Ask for a list at random, whole and in pages."""
    period, asked = asks.period(case.random), asks.options(case.random)
    path = f"{period[0]}/{period[1]}?{asks.query(asked)}"
    answer = await case.get(f"{path}&meta=1")
    found = read_json(answer.text)
    expected = wire(expected_rows(case, period, asked))
    assert_same(found["data"], expected, path)
    chosen = rows.selected(case.accounts, *period, asked)
    sums = wire(rows.totals(chosen, *period, asked.basis))
    assert_same({name: found["totals"][name] for name in sums}, sums, f"{path} totals")
    assert_same(read_json((await case.get(path)).text), expected, f"{path} as array")
    await _check_pages(case, path, expected)
    if case.random.random() < 0.3:
        await _check_strings(case, path, expected)


async def _check_pages(case: Case, path: str, expected: list[Any]) -> None:
    size = case.random.randint(1, len(expected) + 2)
    seen = await walked(case, f"{path}&per_page={size}", len(expected))
    assert_same(seen, expected, f"{path} by cursor, {size} a page")
    number = case.random.randint(1, max(1, -(-len(expected) // size)))
    answer = await case.get(f"{path}&per_page={size}&page={number}")
    wanted = expected[(number - 1) * size : number * size]
    assert_same(read_json(answer.text), wanted, f"{path} page {number} of {size}")


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


async def _check_strings(case: Case, path: str, expected: list[Any]) -> None:
    found = read_json((await case.get(f"{path}&amounts=string")).text)
    for shown, row in zip(found, expected, strict=True):
        for name in rows.MONEY:
            text = shown[name]
            assert text is None or type(text) is str, f"{path}: {name} is {text!r}"
            assert text == row[name], f"{path}: {name}"
        others = {
            name: row[name] for name in row if name not in (*rows.MONEY, "previous", "change")
        }
        assert_same({name: shown[name] for name in others}, others, path)
