"""The hash of the figures: another one after each change of what is shown, and only then."""

import asyncio
import json
from datetime import date
from typing import Any, get_args

import asyncpg
import pytest

from services.api.statements.store import Snapshot, snapshot
from shared.period import Period
from shared.statements.model import Kind
from tests.services.api.sends.conftest import LEDGER

NOVEMBER = Period(date(2024, 11, 1), date(2024, 11, 30))
_DOCUMENTS = """
INSERT INTO invoices
    (business_id, id, customer_id, number, kind, status, issue_date, due_date, total)
VALUES (1, 1, 4, 'A1', 'invoice', 'issued', '2024-10-05', '2024-10-20', 100),
       (1, 2, 4, 'A2', 'invoice', 'issued', '2024-11-05', '2024-12-05', 50.5),
       (1, 3, 4, 'C3', 'credit_note', 'issued', '2024-11-06', NULL, 20),
       (1, 4, 4, 'A4', 'invoice', 'issued', '2024-09-05', '2024-10-01', 10),
       (1, 5, 4, 'A5', 'invoice', 'issued', '2024-11-20', '2024-12-01', 7);
INSERT INTO payments
    (business_id, id, invoice_id, paid_on, amount, channel, method, reference, status)
VALUES (1, 1, 1, '2024-11-07', 30, 'manual', 'Cash', 'R1', 'settled'),
       (1, 2, 5, '2024-11-21', 7, 'manual', 'Cash', 'R2', 'settled');
INSERT INTO deposits (business_id, id, customer_id, entry_date, amount, type)
VALUES (1, 1, 4, '2024-11-09', 5, 'credit');
INSERT INTO logos (business_id, sha256, png, width, height) VALUES (1, sha256('x'), 'x', 30, 10);
INSERT INTO branding (business_id) VALUES (1);
"""
# Each changes something that a statement of any kind shows.
_CHANGES = [
    *(f"UPDATE businesses SET {change} WHERE id = 1"
      for change in ("name = 'K'", "email = 'x@y.example'", "phone = '1'", "address = 'Osu'",
                     "currency = 'EUR'", "timezone = 'UTC'", "locale = 'de'")),
    *(f"UPDATE customers SET {change} WHERE business_id = 1 AND id = 4"
      for change in ("first_name = 'E'", "last_name = 'O'", "business_name = 'B'", "locale = 'fr'",
                     "business_address = 'A'", "business_phone = '2'", "business_location = 'L'",
                     "business_email = 'e@y.example'", "phone_number = '3'",
                     "opening_balance = 1")),
    *(f"UPDATE branding SET {change}"
      for change in ("accent = '#112233'", "sender_name = 'S'", "reply_to = 'r@y.example'",
                     "how_to_pay = 'H'", "pay_link = 'https://p.example/'", "paper = 'letter'",
                     "statement_kind = 'activity-with-open-items'", "attach_csv = true",
                     "logo_sha256 = sha256('x')")),
    "UPDATE invoices SET total = 100.0001 WHERE id = 1",
    "UPDATE invoices SET due_date = '2024-07-01' WHERE id = 1",
    "UPDATE invoices SET status = 'void' WHERE id = 3",
    "UPDATE invoices SET issue_date = '2024-12-01' WHERE id = 2",
    "UPDATE payments SET amount = 30.01 WHERE id = 1",
    "UPDATE payments SET status = 'pending' WHERE id = 1",
    "UPDATE deposits SET amount = 6",
]  # fmt: skip
# What only one of the two lists shows.
_OF_ONE_KIND = [
    ("activity", "UPDATE payments SET method = 'Card' WHERE id = 1"),
    ("activity", "UPDATE payments SET reference = 'R9' WHERE id = 1"),
    ("activity", "UPDATE payments SET channel = 'online' WHERE id = 1"),
    ("activity", "UPDATE invoices SET number = 'A9' WHERE id = 5"),
    ("activity", "UPDATE payments SET paid_on = '2024-11-08' WHERE id = 1"),
    ("open-items", "UPDATE invoices SET number = 'A9' WHERE id = 4"),
    ("open-items", "UPDATE invoices SET due_date = '2024-10-02' WHERE id = 4"),
]
# What no statement of November shows.
_INTO = (
    "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date, total)"
)
_ELSEWHERE = [
    "UPDATE invoices SET number = 'A0' WHERE id = 4",
    f"{_INTO} VALUES (1, 6, 4, 'D6', 'invoice', 'draft', '2024-11-05', 1)",
    f"{_INTO} VALUES (1, 6, 5, 'X6', 'invoice', 'issued', '2024-11-05', 1)",
    "UPDATE businesses SET name = 'Other' WHERE id = 2",
]


@pytest.fixture
async def conn(database: str) -> Any:
    connection = await asyncpg.connect(database)
    await connection.execute(LEDGER + _DOCUMENTS)
    yield connection
    await connection.close()


async def look(conn: asyncpg.Connection, kind: Kind | None = None) -> Snapshot:
    return await snapshot(conn, 1, 4, NOVEMBER, kind, None)


async def after(conn: asyncpg.Connection, change: str, kind: Kind | None = None) -> str:
    """The hash as it would be after a change, which is taken back."""
    change_and_back = conn.transaction()
    await change_and_back.start()
    assert await conn.execute(change) != "UPDATE 0"
    made = await look(conn, kind)
    await change_and_back.rollback()
    return made.figures_sha256


async def test_any_change_of_what_is_shown_gives_another_hash(conn: asyncpg.Connection) -> None:
    before = (await look(conn)).figures_sha256
    seen = {before: "no change"}
    for change in _CHANGES:
        found = await after(conn, change)
        assert found not in seen, f"{change} is {seen[found]}"
        seen[found] = change
    assert (await look(conn)).figures_sha256 == before


@pytest.mark.parametrize(("kind", "change"), _OF_ONE_KIND)
async def test_what_only_one_list_shows_counts_for_it_alone(
    conn: asyncpg.Connection, kind: Kind, change: str
) -> None:
    for each in get_args(Kind):
        shows = kind in each
        assert (await after(conn, change, each) != (await look(conn, each)).figures_sha256) == shows


@pytest.mark.parametrize("change", _ELSEWHERE)
async def test_what_is_not_shown_leaves_the_hash(conn: asyncpg.Connection, change: str) -> None:
    assert await after(conn, change) == (await look(conn)).figures_sha256


async def test_time_alone_changes_the_statement_but_not_its_figures(
    conn: asyncpg.Connection,
) -> None:
    first = await look(conn)
    await asyncio.sleep(1.1)  # its time has seconds
    second = await look(conn)
    assert first.sha256 != second.sha256
    assert first.figures_sha256 == second.figures_sha256
    times = [json.loads(each.content)["generated_at"] for each in (first, second)]
    assert times[0] < times[1]


async def test_kind_and_language_are_figures_too(conn: asyncpg.Connection) -> None:
    hashes = [
        (await snapshot(conn, 1, 4, NOVEMBER, kind, locale)).figures_sha256
        for kind in get_args(Kind)
        for locale in ("en", "fr")
    ]
    assert len(set(hashes)) == len(hashes)
    same = [await snapshot(conn, 1, 4, NOVEMBER, "activity", locale) for locale in (None, "en")]
    assert len({each.figures_sha256 for each in same}) == 1
