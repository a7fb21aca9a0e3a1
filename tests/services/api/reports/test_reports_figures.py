"""The figures at their edges, each from a ledger of one customer."""

from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.api.reports import store
from services.api.reports.model import ReportQuery
from shared.period import Period
from tests.services.api.reports.naive_model import Number
from tests.services.api.reports.rows import as_on_the_wire

PERIOD = Period(date(2024, 11, 1), date(2024, 11, 30))
LEDGER = """
INSERT INTO businesses (id, owner_id, name, currency, timezone) VALUES (1, 1, 'One', 'EUR', 'UTC');
INSERT INTO customers (id, business_id, owner_id) VALUES (1, 1, 1)
"""
INVOICE = """
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
SELECT 1 + count(*), 1, 1, 'N', $1, 'issued', $2, $3 FROM invoices
"""
PAYMENT = """
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
SELECT 1 + count(*), 1, $1, $2, $3, 'manual', 'settled' FROM payments
"""
DAY = date(2024, 11, 10)


async def row(database: str, invoices: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Report on invoices of (kind, total, [(paid on, amount)]), all issued on 2024-11-10."""
    conn = await asyncpg.connect(database)
    try:
        await conn.execute(LEDGER)
        for number, (kind, total, payments) in enumerate(invoices, start=1):
            await conn.execute(INVOICE, kind, DAY, Decimal(total))
            for paid_on, amount in payments:
                await conn.execute(PAYMENT, number, date.fromisoformat(paid_on), Decimal(amount))
        text = await store.income_by_customer(conn, ReportQuery(1, PERIOD), 1)
        assert text is not None
        return dict(as_on_the_wire(text))
    finally:
        await conn.close()


PAID_IN_TWO_DAYS = ("invoice", "10", [("2024-11-12", "10")])
TERMS: list[tuple[str, list[tuple[Any, ...]], str]] = [
    ("no invoice", [], "0"),
    ("paid to the cent", [("invoice", "10.01", [("2024-11-13", "10.01")])], "3"),
    ("a cent is missing", [("invoice", "10.01", [("2024-11-13", "10.00")])], "0"),
    ("overpaid", [("invoice", "10", [("2024-11-13", "11")])], "3"),
    ("total of zero", [("invoice", "0", [("2024-11-13", "5")])], "0"),
    ("credit note", [("credit_note", "10", [("2024-11-13", "10")])], "0"),
    ("paid before it was issued", [("invoice", "10", [("2024-11-04", "10")])], "-6"),
    ("paid years later", [("invoice", "10", [("2026-11-10", "10")])], "730"),
    (
        "a refund later is no payment",
        [("invoice", "10", [("2024-11-12", "15"), ("2024-11-20", "-5")])],
        "2",
    ),
    (
        "a refund that leaves it unpaid",
        [("invoice", "10", [("2024-11-12", "10"), ("2024-11-20", "-5")])],
        "0",
    ),
    ("the latest of two", [("invoice", "10", [("2024-11-20", "5"), ("2024-11-12", "5")])], "10"),
    ("half a day", [PAID_IN_TWO_DAYS, ("invoice", "1", [("2024-11-13", "1")])], "2.5"),
    (
        "two thirds of a day",
        [PAID_IN_TWO_DAYS, PAID_IN_TWO_DAYS, ("invoice", "1", [("2024-11-10", "1")])],
        "1.33",
    ),
    (
        "a tie goes up",
        [("invoice", "1", [("2024-11-11", "1")])] + [("invoice", "1", [("2024-11-10", "1")])] * 7,
        "0.13",
    ),
    (
        "a tie below zero goes down",
        [("invoice", "1", [("2024-11-09", "1")])] + [("invoice", "1", [("2024-11-10", "1")])] * 7,
        "-0.13",
    ),
]


@pytest.mark.parametrize(
    ("invoices", "terms"), [case[1:] for case in TERMS], ids=[case[0] for case in TERMS]
)
async def test_average_payment_terms(
    database: str, invoices: list[tuple[Any, ...]], terms: str
) -> None:
    assert (await row(database, invoices))["average_payment_terms"] == terms


async def test_two_payments_never_double_an_invoice(database: str) -> None:
    paid = [("2024-11-12", "10"), ("2024-11-13", "20"), ("2024-11-14", "-5")]
    found = await row(database, [("invoice", "100", paid), ("credit_note", "7", paid)])
    assert found["amount_due"] == "93"
    assert found["amount_paid"] == found["total_paid"] == "50"
    assert found["owing"] == found["balance"] == "43"
    assert found["invoices"] == found["invoice_count"] == "1"


async def test_no_payment_is_null_and_payments_that_cancel_out_are_zero(database: str) -> None:
    out = [("2024-11-12", "10"), ("2024-11-13", "-10")]
    found = await row(database, [("invoice", "100", out)])
    assert found["amount_paid"] == Number("0")
    assert found["online_amount_paid"] is None
    assert found["total_paid"] == Number("0")


async def test_the_largest_and_the_finest_amounts_stay_exact(database: str) -> None:
    found = await row(database, [("invoice", "99999999999999.9999", [("2024-12-01", "0.0001")])])
    assert found["amount_due"] == "99999999999999.9999"
    assert found["owing"] == found["balance"] == "99999999999999.9998"


async def test_amounts_up_to_three_bounds_have_their_own_digits(database: str) -> None:
    conn = await asyncpg.connect(database)
    bound = 2**63 // 6000
    wrong = await conn.fetch(
        """
        SELECT units, units_number(units) FROM (
            SELECT sign * (power(10, digits)::bigint / part + step) AS units
            FROM generate_series(0, 15) digits, generate_series(1, 9) part,
                generate_series(-300, 300) step, (VALUES (1), (-1)) signs (sign)
            UNION ALL
            SELECT 3 * $1::bigint - step FROM generate_series(0, 10000) step
        ) amounts
        WHERE units_number(units)::text <> rtrim(rtrim(
            concat(CASE WHEN units < 0 THEN '-' END, abs(units) / 10000, '.',
                lpad((abs(units) % 10000)::text, 4, '0')), '0'), '.')
        """,
        bound,
    )
    assert not wrong
    assert await conn.fetchval("SELECT units_bounded($1::bigint)", -bound) == -bound
    with pytest.raises(asyncpg.NumericValueOutOfRangeError):
        await conn.fetchval("SELECT units_bounded($1::bigint)", bound + 1)
    await conn.close()


async def test_averages_are_the_same_of_either_type(database: str) -> None:
    conn = await asyncpg.connect(database)
    differing = await conn.fetch(
        """
        SELECT days, documents
        FROM generate_series(-400::bigint, 400) days, generate_series(0::bigint, 200) documents
        WHERE average_days(days, documents)::text
            <> average_days(days::numeric, documents::numeric)::text
        """
    )
    await conn.close()
    assert not differing


@pytest.mark.parametrize("sign", ["", "-"])
async def test_a_list_is_exact_beyond_the_bound(database: str, sign: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(LEDGER)
    for balance in ("153722867280.9129", "153722867280.9131", "99999999999999.9999"):
        await conn.execute("UPDATE customers SET opening_balance = $1", Decimal(sign + balance))
        (found,) = as_on_the_wire(await listed(conn))
        assert dict(found)["balance"] == sign + balance
    await conn.close()


MOST = Decimal("99999999999999.9999")  # no double has its digits
BILLED = """
INSERT INTO invoices (id, business_id, customer_id, number, kind, status, issue_date, total)
SELECT n, 1, 1, 'N', kind, 'issued', '2024-11-10', $1
FROM unnest(ARRAY['invoice', 'credit_note']) WITH ORDINALITY kinds (kind, n)
"""
PAID = """
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
VALUES (1, 1, 1, '2024-11-10', $1, '{channel}', 'settled')
"""
DEPOSITED = """
INSERT INTO deposits (id, business_id, customer_id, entry_date, amount, type)
VALUES (1, 1, 1, '2024-11-10', $1, 'credit')
"""
OPENED = "UPDATE customers SET opening_balance = $1::numeric"
# Ledgers of which only one amount is large: in the others, large amounts cancel out.
ALONE = {
    "deposit_amount": [DEPOSITED],
    "amount_due": [BILLED, "DELETE FROM invoices WHERE id = 2 AND total = $1", f"{OPENED} * -1"],
    "amount_paid": [BILLED, PAID.format(channel="manual"), OPENED],
    "online_amount_paid": [BILLED, PAID.format(channel="online"), OPENED],
}


@pytest.mark.parametrize("field", ALONE)
async def test_a_list_is_exact_if_a_single_amount_is_beyond_the_bound(
    database: str, field: str
) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(LEDGER)
    for statement in ALONE[field]:
        await conn.execute(statement, MOST)
    (found,) = as_on_the_wire(await listed(conn))
    await conn.close()
    assert dict(found)[field] == str(MOST)
    assert dict(found)["balance"] == "0"


async def listed(conn: asyncpg.Connection) -> bytes:
    pieces = bytearray()

    async def write(piece: bytes) -> None:
        pieces.extend(piece)

    await store.income_by_customers(conn, ReportQuery(1, PERIOD), write, timeout=30)
    return bytes(pieces)


async def test_equal_balances_are_ordered_by_id_whatever_the_tables_order(database: str) -> None:
    conn = await asyncpg.connect(database)
    await conn.execute(LEDGER)
    await conn.execute(
        "INSERT INTO customers (id, business_id, owner_id, opening_balance)"
        " SELECT id, 1, 1, CASE WHEN id > 40 THEN 5 ELSE 0 END FROM generate_series(50, 2, -1) id"
    )
    ids = [int(dict(each)["id"]) for each in as_on_the_wire(await listed(conn))]
    await conn.close()
    assert ids == [*range(41, 51), *range(1, 41)]
