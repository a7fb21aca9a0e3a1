"""Figures are read back from every form of a statement, and are those of an independent model.

READ_BACK is the number of random ledgers; the default is what a run of all tests has time for.
"""

import hashlib
import os
from datetime import date
from decimal import Decimal
from random import Random
from typing import get_args

import asyncpg
import pytest

from services.api.statements.store import snapshot
from shared.period import Period
from shared.statements.model import Kind
from shared.statements.render import Renderer
from tests.services.api.conftest import Serve
from tests.services.api.ledgers import new_key
from tests.services.api.statements.expected import Expected
from tests.services.api.statements.read_back import check_csv, check_form, check_programs
from tests.services.api.views.case import Case
from tests.services.api.views.random_ledgers import HUGE, Writer
from tests.services.api.views.wire import read as read_json
from tests.services.api.views.wire import wire
from tests.shared.statements.notation import NOTATIONS
from tests.shared.statements.reading import embedded, page, pdf_stream

LEDGERS = int(os.environ.get("READ_BACK", "2"))
_CURRENCIES = ("JPY", "EUR", "KWD")
_EACH = 5  # statements of a ledger before it is edited
# The yen has no decimals, so that a small whole number could be a day or a year.
_AMOUNTS = ("0", "0.0001", "1.005", "33.3333", "50000", "100000", "100000", "2500000.5")
_DAYS = [
    date(2024, 1, 1),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(2024, 3, 31),
    date(2025, 2, 28),
]
# Many payments are of one transfer. Few days late have the separator of a figure.
_MARK = """
UPDATE invoices SET number = 'Doc' || translate(id::text, '0123456789', 'abcdefghij'),
    due_date = CASE WHEN due_date > '2023-01-01' THEN due_date END;
UPDATE payments SET paid_on = '2024-03-31', channel = 'manual', method = 'cash',
    reference = 'Transfer' WHERE id % 3 = 0 AND amount > 0
"""
_BRANDING = """
INSERT INTO branding (business_id, attach_csv, pay_link)
    VALUES (1, true, 'https://pay.example/?amount={amount}&currency={currency}')
"""


async def check(
    case: Case, renderer: Renderer, expected: Expected, form: tuple[Kind, str, str], place: str
) -> None:
    """Read the figures of one statement back from all its forms."""
    kind, locale, currency = form
    customer, period = expected.account.customer.id, Period(expected.start, expected.end)
    content = (await snapshot(case.conn, 1, customer, period, kind, locale)).content
    rendered = renderer.render(content)
    assert rendered.pdf is not None, f"{place}: {rendered.flaws}"
    assert rendered.csv is not None
    read = pdf_stream(rendered.pdf)
    assert embedded(rendered.pdf) == {"statement.json": content}
    assert hashlib.sha256(content).hexdigest() in "".join(read.split())
    await check_api(case, expected, content, kind)
    check_csv(expected, kind, rendered.csv)
    check_programs(expected, rendered.html, currency)
    shown = {"text": rendered.text, "html": heard(rendered.html), "pdf": read}
    for name, text in shown.items():
        check_form(expected, kind, text, NOTATIONS[locale], f"{name} of {place}")


def heard(html: str) -> str:
    """The words of a page, and then those of its pictures."""
    read = page(html)
    labels = (each.get("aria-label") for _, each in read.tags)
    return "".join([*read.words, *(f" {label} " for label in labels if label)])


async def check_api(case: Case, expected: Expected, content: bytes, kind: Kind) -> None:
    """Compare a snapshot with what the API answers about the same customer and days."""
    customer, frozen = expected.account.customer.id, read_json(content)
    path = f"client/{customer}/{expected.start}/{expected.end}"
    assert frozen["report"] == read_json((await case.get(path)).text)
    account = read_json((await case.get(f"{path}/transactions")).text)
    for name in ("opening_balance", "closing_balance"):
        assert frozen[name] == account[name] == wire(expected.sums[name])
    if kind != "open-items":
        names = ("date", "kind", "number", "charge", "credit", "balance")
        shown, asked = (
            [[each[name] for name in names] for each in rows]
            for rows in (frozen["transactions"], account["data"])
        )
        assert shown == asked
    ages = read_json((await case.get(f"aging?as_of={expected.end}&id={customer}")).text)
    [age] = ages["data"]
    assert frozen["aging"] == {name: age[name] for name in frozen["aging"]} == wire(expected.ages)


def forms(random: Random) -> list[tuple[Kind, str, str]]:
    """Every kind in every locale, each with every currency as often, in a random order."""
    first = random.randrange(len(_CURRENCIES))
    found = [
        (kind, locale, _CURRENCIES[(first + row + column) % len(_CURRENCIES)])
        for row, kind in enumerate(get_args(Kind))
        for column, locale in enumerate(NOTATIONS)
    ]
    random.shuffle(found)
    return found


def random_statement(case: Case) -> Expected:
    """A statement of one of the accounts in which most happened."""
    accounts = sorted(case.accounts, key=lambda each: -len(each.payments) - len(each.documents))
    start, end = sorted(case.random.choices(_DAYS, k=2))
    return Expected(case.random.choice(accounts[:3]), start, end)


@pytest.mark.timeout(120 + 60 * LEDGERS)
async def test_every_form_shows_what_the_contract_says(database: str, serve: Serve) -> None:
    conn = await asyncpg.connect(database)
    renderer = Renderer()
    try:
        api = await serve(database)
        for seed in range(LEDGERS):
            random = Random(seed)
            writer = Writer(conn, seed)
            writer.amounts = [*map(Decimal, _AMOUNTS), *[HUGE] * (seed % 2)]
            await writer.begin()
            await conn.execute(_BRANDING)
            api.key = await new_key(database)
            for number, form in enumerate(forms(random)):
                if number % _EACH == 0:
                    await writer.edit(40)
                    await conn.execute(_MARK)
                await conn.execute("UPDATE businesses SET currency = $1 WHERE id = 1", form[2])
                case = await Case.of(api, conn, 1, random)
                expected = random_statement(case)
                place = f"{seed} {expected.account.customer.id} {expected.start} {form}"
                await check(case, renderer, expected, form, place)
    finally:
        await conn.close()
