"""What statements would show, against the statements themselves and a naive model, under edits."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import asyncpg
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from services.api.batches.shown import Shown, shown
from services.api.statements.store import snapshot
from shared.period import Period
from shared.statements.model import Kind
from tests.examples import examples
from tests.services.api.aging.ledgers import CHANGES, DAYS, FIRST_RECORDS, Twin
from tests.services.api.aging.naive_aging import Customer, Document, Ledger, Payment
from tests.services.api.reports.test_kept_edits import WAYS

KINDS: tuple[Kind, ...] = get_args(Kind)
BOUNDS = st.one_of(DAYS, DAYS, DAYS, st.sampled_from([date(1, 1, 1), date(9999, 12, 31)]))
PERIODS = st.tuples(BOUNDS, BOUNDS).map(lambda ends: Period(min(ends), max(ends)))

# Ledgers in which amounts cancel each other: documents that are paid, once or in two parts, or
# credited, and opening balances that a document makes up for.
FEW_DAYS = st.integers(1, 6).map(lambda day: date(2024, 3, day))
FEW_PERIODS = st.sampled_from([(3, 3), (3, 4), (2, 4), (3, 6)]).map(
    lambda ends: Period(date(2024, 3, ends[0]), date(2024, 3, ends[1]))
)
PAID = [(2,), (2,), (1, 1), (1, 1), (2, -2, 2)]
STORIES = st.sampled_from([*PAID, *PAID, (), (1,), ("credit note",)])
CUSTOMERS = st.tuples(
    st.sampled_from([0, 0, 0, 2, -2]),
    st.lists(st.tuples(STORIES, st.lists(FEW_DAYS, min_size=4, max_size=4)), max_size=2),
)


async def write(twin: Twin, customer: int, opening: int, stories: list[Any]) -> None:
    """Write a customer with a document of 2 for each story, and what became of it."""
    await twin.change(1, customer, Customer(None, Decimal(opening)))
    for place, (story, days) in enumerate(stories):
        kind = "credit_note" if story == ("credit note",) else "invoice"
        number = 10 * customer + place
        document = Document(customer, kind, "issued", days[0], None, Decimal(2))
        await twin.change(1, number, document)
        for part, amount in enumerate(story if kind == "invoice" else ()):
            payment = Payment(number, days[part + 1], Decimal(amount), "settled")
            await twin.change(1, 10 * number + part, payment)


def by_model(model: Ledger, business: int, customer: int, period: Period, kind: Kind) -> Shown:
    """What the contract's words say, one document at a time."""
    documents = {
        key: each
        for key, each in model.invoices.items()
        if key[0] == business and each.customer_id == customer and each.status == "issued"
    }
    days = [each.issue_date for each in documents.values()]
    days += [
        payment.paid_on
        for of, payment in model.payments.items()
        if (of[0], payment.invoice_id) in documents and payment.status == "settled"
    ]
    parts = [model.open_part(key, each, period.end) for key, each in documents.items()]
    parts.append(model.customers[business, customer].opening_balance)
    lists = kind != "open-items" and any(period.start <= day <= period.end for day in days)
    return Shown(model.receivable(business, customer, period.end), not lists and not any(parts))


async def by_statement(
    conn: asyncpg.Connection, business: int, customer: int, period: Period, kind: Kind
) -> Shown:
    """What the statement that would be frozen now has."""
    made = await snapshot(conn, business, customer, period, kind, None)
    content = json.loads(made.content, parse_float=Decimal)
    shows = content["transactions"] or content["open_items"] or any(content["aging"].values())
    return Shown(Decimal(content["closing_balance"]), not shows)


async def assert_equal(twin: Twin, period: Period) -> None:
    for business in (1, 2):
        customers = [customer for of, customer in twin.model.customers if of == business]
        for kind in KINDS:
            found = await shown(twin.conn, business, customers, period, kind)
            assert found.keys() == set(customers)
            for customer in customers:
                expected = by_model(twin.model, business, customer, period, kind)
                assert found[customer] == expected, (kind, period, twin.model)
                mailed = await by_statement(twin.conn, business, customer, period, kind)
                assert mailed == expected, (kind, period, twin.model)


@pytest.mark.parametrize("way", WAYS)
@settings(
    derandomize=True,
    max_examples=examples(4),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=FIRST_RECORDS, changes=CHANGES, period=PERIODS)
async def test_it_is_what_each_statement_has(
    database: str, way: str, first: Any, changes: Any, period: Period
) -> None:
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(WAYS[way])
        twin = Twin(conn)
        await twin.begin()
        for business, key, record in first:
            await twin.change(business, key, record)
        for place, (business, key, change) in enumerate(changes):
            if place % 5 == 0:
                await assert_equal(twin, period)
            await twin.change(business, key, change)
        await assert_equal(twin, period)
    finally:
        await conn.close()


@settings(
    derandomize=True,
    max_examples=examples(8),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(customers=st.lists(CUSTOMERS, min_size=8, max_size=8), period=FEW_PERIODS)
async def test_amounts_that_cancel_each_other(
    database: str, customers: list[Any], period: Period
) -> None:
    conn = await asyncpg.connect(database)
    try:
        twin = Twin(conn)
        await twin.begin()
        for number, (opening, stories) in enumerate(customers, start=1):
            await write(twin, number, opening, stories)
        await assert_equal(twin, period)
    finally:
        await conn.close()


async def test_a_deposit_alone_shows_nothing(database: str) -> None:
    conn = await asyncpg.connect(database)
    try:
        twin = Twin(conn)
        await twin.begin()
        await conn.execute("""
            INSERT INTO customers (business_id, id, owner_id)
                VALUES (1, 1, 1), (1, 2, 1), (1, 3, 1);
            INSERT INTO deposits (business_id, id, customer_id, entry_date, amount, type)
                VALUES (1, 1, 1, '2024-03-01', 50, 'credit');
            INSERT INTO invoices (business_id, id, customer_id, number, kind, status,
                                  issue_date, total)
                VALUES (1, 1, 2, 'A', 'invoice', 'issued', '2024-01-01', 50),
                       (1, 2, 2, 'B', 'credit_note', 'issued', '2024-01-02', 50);
        """)
        period = Period(date(2024, 3, 1), date(2024, 3, 1) + timedelta(30))
        found = await shown(conn, 1, [1, 2, 3], period, "activity")
        # An invoice and a credit note that cancel each other are two open items.
        assert [found[each].is_empty for each in (1, 2, 3)] == [True, False, True]
    finally:
        await conn.close()
