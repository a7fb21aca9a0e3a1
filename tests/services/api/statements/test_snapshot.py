"""Open items, ageing and hashes of a snapshot, against a naive model on random ledgers."""

import hashlib
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import asyncpg
import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from services.api.statements.store import Snapshot, snapshot
from shared.period import Period
from shared.statements.language import language
from shared.statements.model import Kind, Statement
from shared.statements.owed import pay_by
from tests.examples import examples
from tests.services.api.aging.ledgers import CHANGES, DAYS, FIRST_RECORDS, Twin
from tests.services.api.aging.naive_aging import Document, Ledger
from tests.services.api.reports.naive_model import number
from tests.services.api.sends.conftest import LEDGER

_DATES = st.one_of(DAYS, DAYS, DAYS, st.sampled_from([date(1, 1, 1), date(9999, 12, 31)]))
PERIODS = st.tuples(_DATES, _DATES).map(lambda days: Period(min(days), max(days)))
KINDS = st.sampled_from([None, *get_args(Kind)])


def without_time(content: bytes) -> bytes:
    """A snapshot without its time, as docs/statements.md tells everybody to leave it out."""
    return re.sub(rb'^\{"generated_at" : "[^"]*", ', b"{", content)


def open_items(ledger: Ledger, business: int, customer: int, day: date) -> list[dict[str, Any]]:
    """What is open at the end of a day, from the words of the contract."""
    found = [
        _item(key[1], document, ledger.open_part(key, document, day), day)
        for key, document in ledger.invoices.items()
        if key[0] == business and document.customer_id == customer
    ]
    found = [item for item in found if item["open"] != "0"]
    found.sort(key=lambda item: (item["date"], int(item["id"])))
    opening = ledger.customers[business, customer].opening_balance
    if opening:
        found.insert(0, _opening(opening))
    return found


def coming(items: list[dict[str, Any]], end: date) -> dict[str, Any]:
    """What of the open items is due at the end or later: of 31 dates each, of the others a sum."""
    sums: dict[str, Decimal] = {}
    for item in items:
        due, left = item["due_date"], Decimal(item["open"])
        if due is not None and left > 0 and date.fromisoformat(due) >= end:
            sums[due] = sums.get(due, Decimal(0)) + left
    days = sorted(sums, key=date.fromisoformat)
    return {
        "dates": [{"due_date": day, "open": number(sums[day])} for day in days[:31]],
        "later": number(sum((sums[day] for day in days[31:]), Decimal(0))),
    }


def _opening(balance: Decimal) -> dict[str, Any]:
    amount = number(balance)
    nothing = dict.fromkeys(("id", "number", "date", "due_date", "days_overdue"))
    return {"kind": "opening_balance", "total": amount, "open": amount, **nothing}


def _item(key: int, document: Document, left: Decimal, day: date) -> dict[str, Any]:
    due, overdue = document.due_date, None
    if left > 0 and due is not None:
        overdue = number(max((day - due).days, 0))
    return {
        "kind": document.kind,
        "id": number(key),
        "number": "N",
        "date": str(document.issue_date),
        "due_date": due and str(due),
        "total": number(document.total if document.kind == "invoice" else -document.total),
        "open": number(left),
        "days_overdue": overdue,
    }


async def assert_equal(
    twin: Twin, period: Period, kind: Kind | None, business: int, customer: int
) -> Snapshot:
    made = await snapshot(twin.conn, business, customer, period, kind, None)
    assert made.sha256 == hashlib.sha256(made.content).hexdigest()
    assert made.figures_sha256 == hashlib.sha256(without_time(made.content)).hexdigest()
    content = json.loads(made.content, parse_float=str, parse_int=str)
    expected = open_items(twin.model, business, customer, period.end)
    if kind in {None, "activity"}:
        assert content["open_items"] is None
    else:
        assert content["open_items"] == expected
    late = {(item["kind"], item["id"]): item["days_overdue"] for item in expected}
    for line in content["transactions"]:
        assert line["days_overdue"] == late.get((line["kind"], line["id"]))
    [row] = [
        row
        for row in twin.model.aging(business, period.end, (30, 60, 90))
        if row["id"] == number(customer)
    ]
    assert content["aging"] == {name: row[name] for name in content["aging"]}
    assert len(content["aging"]) == len(row) - 2
    assert content["coming"] == coming(expected, period.end)
    statement = Statement.parse(made.content)
    assert statement.reconciles
    assert statement.kind == (kind or "activity")
    assert (statement.start, statement.end) == (period.start, period.end)
    assert number(statement.closing_balance) == row["total"]
    assert (kind == "open-items") <= (not statement.transactions)
    if statement.open_items is not None:
        check_asked(statement)
    return made


def check_asked(statement: Statement) -> None:
    """A statement without its open items asks for the same by the same day."""
    bare = statement.model_copy(update={"open_items": None})
    dates = [item.due_date for item in statement.open_items or () if item.due_date]
    for day in {statement.end, *(due for due in dates if due >= statement.end)}:
        assert pay_by(bare, day, language("en")) == pay_by(statement, day, language("en"))


@settings(
    derandomize=True,
    max_examples=examples(10),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=FIRST_RECORDS, changes=CHANGES, period=PERIODS, kind=KINDS)
async def test_open_items_and_ageing_are_what_the_contract_says(
    database: str, first: Any, changes: Any, period: Period, kind: Kind | None
) -> None:
    conn = await asyncpg.connect(database)
    try:
        twin = Twin(conn)
        await twin.begin()
        for business, key, record in first:
            await twin.change(business, key, record)
        for business, key, change in changes:
            await twin.change(business, key, change)
        for business, customer in twin.model.customers:
            await assert_equal(twin, period, kind, business, customer)
    finally:
        await conn.close()


async def test_each_bucket_begins_and_ends_on_its_days(database: str) -> None:
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(LEDGER)
        days = (-1, 0, 1, 30, 31, 60, 61, 90, 91)
        await conn.execute(
            "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date,"
            " due_date, total) SELECT 1, place, 4, 'N', 'invoice', 'issued', '2024-01-01',"
            " date '2024-11-30' - days, 10 ^ place"
            " FROM unnest($1::int[]) WITH ORDINALITY AS due (days, place)",
            days,
        )
        made = await snapshot(
            conn, 1, 4, Period(date(2024, 11, 1), date(2024, 11, 30)), "open-items", None
        )
    finally:
        await conn.close()
    content = json.loads(made.content)
    assert [item["days_overdue"] for item in content["open_items"]] == [0, *days[1:]]
    assert content["aging"] == {
        "not_due": 110,
        "1-30": 11_000,
        "31-60": 1_100_000,
        "61-90": 110_000_000,
        "over_90": 1_000_000_000,
        "no_due_date": 0,
        "credits": 0,
        "opening": 0,
        "total": 1_111_111_110,
    }


async def test_what_comes_due_is_grouped_by_day_and_bounded(database: str) -> None:
    """Two invoices of 1 and 2 for each of 33 days, the first of which is the last of the period."""
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(LEDGER)
        await conn.execute(
            "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date,"
            " due_date, total) SELECT 1, 100 + 2 * n + half, 4, 'N', 'invoice', 'issued',"
            " '2024-01-01', date '2024-11-30' + n, half"
            " FROM generate_series(-1, 32) n, generate_series(1, 2) half"
        )
        november = Period(date(2024, 11, 1), date(2024, 11, 30))
        made = await snapshot(conn, 1, 4, november, "activity", None)
        again = await snapshot(conn, 1, 4, november, "open-items", None)
    finally:
        await conn.close()
    content = json.loads(made.content)
    days = [date(2024, 11, 30) + timedelta(n) for n in range(31)]
    assert content["coming"] == {
        "dates": [{"due_date": str(day), "open": 3} for day in days],
        "later": 6,
    }
    assert content["aging"]["not_due"] == 33 * 3
    assert json.loads(again.content)["coming"] == content["coming"]
    statement = Statement.parse(made.content)
    asked = [pay_by(statement, day, language("en")) for day in (days[0], days[-1])]
    assert [text.replace("\u00a0", " ") for text in asked] == [
        "Please pay GHS 3.00 by 30 November 2024.",
        "Please pay GHS 3.00 by 30 December 2024.",
    ]
    assert pay_by(statement, days[-1] + timedelta(1), language("en")) == ""
