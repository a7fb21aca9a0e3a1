"""Compares answers of the list, with whatever options, with the model."""

from datetime import date
from typing import Any

from tests.services.api.views import asks, rows
from tests.services.api.views.case import Case, walked
from tests.services.api.views.formats_check import (
    check_csv,
    check_ndjson,
    check_page,
    check_workbook,
)
from tests.services.api.views.intervals import previous_period, previous_year
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json

PREVIOUS = {"previous-period": previous_period, "previous-year": previous_year}


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
        assert list(read_json((await case.get(f"{start}/{end}")).text)[0]) == list(expected[0])
        row = case.random.choice(expected)
        one = await case.get(f"client/{row['id']}/{start}/{end}")
        assert_same(read_json(one.text), row, f"client/{row['id']}/{start}/{end}")


async def check(case: Case) -> None:
    """Ask for a list at random, whole and in pages."""
    period, asked = asks.period(case.random), asks.options(case.random)
    path = f"{period[0]}/{period[1]}?{asks.query(asked)}"
    # What is remembered of another list must not be taken for this one.
    await case.get(f"{period[0]}/{period[1]}?sort={asked.sort}&basis={asked.basis}&per_page=2")
    answer = await case.get(f"{path}&meta=1")
    found = read_json(answer.text)
    expected = wire(expected_rows(case, period, asked))
    assert_same(found["data"], expected, path)
    chosen = rows.selected(case.accounts, *period, asked)
    sums = wire(rows.totals(chosen, *period, asked.basis))
    assert_same({name: found["totals"][name] for name in sums}, sums, f"{path} totals")
    _check_meta(case, found["meta"], period, asked)
    assert_same(read_json((await case.get(path)).text), expected, f"{path} as array")
    await _check_pages(case, path, expected)
    chance = case.random.random()
    if chance < 0.3:
        await _check_strings(case, path, expected)
    if chance < 0.6:
        await check_csv(case, path, expected)
        await check_ndjson(case, path, expected)
    if chance < 0.2:
        await check_page(case, path, expected, sums)
        await check_workbook(case, path, expected, sums)


def _check_meta(
    case: Case, meta: dict[str, Any], period: tuple[date, date], asked: rows.Options
) -> None:
    expected = {
        "basis": asked.basis,
        "date_field": "paid_on" if asked.basis == "cash" else "issue_date",
        "from": str(period[0]),
        "to": str(period[1]),
        "inclusive": True,
        "excluded": {"documents": ["draft", "void"], "payments": ["pending", "failed"]},
        "timezone": case.books.business.timezone,
        "currency": case.books.business.currency,
        "definition": "2026-11",
    }
    assert {name: meta[name] for name in expected} == expected
    assert meta.keys() - expected.keys() >= {"generated_at", "ledger_version", "filters"}
    given = {
        name
        for name in ("q", "archived", "min_balance", "max_balance", "min_owing")
        if getattr(asked, name) is not None
    }
    given |= {name for name in ("category_id", "id", "active") if getattr(asked, name)}
    assert set(meta["filters"]) == given


async def _check_pages(case: Case, path: str, expected: list[Any]) -> None:
    size = case.random.randint(1, len(expected) + 2)
    seen = await walked(case, f"{path}&per_page={size}", len(expected))
    assert_same(seen, expected, f"{path} by cursor, {size} a page")
    number = case.random.randint(1, max(1, -(-len(expected) // size)))
    answer = await case.get(f"{path}&per_page={size}&page={number}")
    wanted = expected[(number - 1) * size : number * size]
    assert_same(read_json(answer.text), wanted, f"{path} page {number} of {size}")


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
