"""A send that is due now is refused at once if its statement would have too many lines."""

import json
from datetime import date, timedelta
from typing import Any, get_args

import asyncpg
import pytest

from services.api.core.refusals import Invalid
from services.api.statements import store
from services.api.statements.length import refuse_too_long
from services.api.statements.store import snapshot
from shared.period import Period
from shared.statements.model import Kind
from tests.services.api.sends.calls import PATHS, Client, post

_MOST = 110
_LINES = """
INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date, total)
SELECT 1, n, 4, 'X' || n, CASE n % 5 WHEN 0 THEN 'credit_note' ELSE 'invoice' END,
       CASE n % 7 WHEN 0 THEN 'void' ELSE 'issued' END, date '2024-10-20' + n % 60, n % 3
FROM generate_series(1, 150) n;
INSERT INTO payments (business_id, id, invoice_id, channel, status, paid_on, amount)
SELECT 1, n, 1 + n % 150, 'manual', CASE n % 6 WHEN 0 THEN 'pending' ELSE 'settled' END,
       date '2024-10-20' + (1 + n % 150) % 60 + n % 20, 1 - n % 4
FROM generate_series(1, 200) n;
"""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LINES_MAX", _MOST)


async def invoices(ledger: asyncpg.Connection, count: int) -> None:
    await ledger.execute(
        "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date,"
        " total) SELECT 1, n, 4, 'X' || n, 'invoice', 'issued', '2024-11-05', 1"
        " FROM generate_series(1, $1::int) n",
        count,
    )


@pytest.mark.parametrize("path", PATHS)
async def test_it_names_the_field_and_stores_nothing(
    api: Client, ledger: asyncpg.Connection, path: str
) -> None:
    await invoices(ledger, _MOST + 1)
    response, problem = await post(api, path=path, headers={"Idempotency-Key": "long"})
    assert (response.status, response.content_type) == (422, "application/problem+json")
    assert problem["errors"] == [
        {"field": "period", "message": "leads to a statement of more than 110 lines"}
    ]
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 0
    await ledger.execute("DELETE FROM invoices WHERE id = 1")
    response, _ = await post(api, path=path, headers={"Idempotency-Key": "long"})
    assert response.status == 202, "the refused request has not used its key"


async def test_the_default_kind_of_the_business_counts(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await invoices(ledger, _MOST)
    assert (await post(api))[0].status == 202
    await ledger.execute(
        "INSERT INTO branding (business_id, statement_kind) VALUES (1, 'activity-with-open-items')"
    )
    assert (await post(api))[0].status == 422
    assert (await post(api, json={"statement_kind": "open-items"}))[0].status == 202


async def test_a_later_send_and_a_repetition_are_not_refused(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await invoices(ledger, _MOST)
    headers = {"Idempotency-Key": "once"}
    first, answer = await post(api, headers=headers)
    assert first.status == 202
    await ledger.execute("UPDATE invoices SET id = id + 1000")
    await invoices(ledger, 1)
    again, same = await post(api, headers=headers)
    assert (again.status, same) == (202, answer)
    assert (await post(api))[0].status == 422
    assert (await post(api, json={"send_at": "2099-01-01"}))[0].status == 202


@pytest.mark.parametrize("kind", get_args(Kind))
async def test_what_can_be_made_is_never_refused_and_what_cannot_always(
    ledger: asyncpg.Connection, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ledger.execute(_LINES)
    for begin, end in ((0, 79), (20, 79), (45, 79), (0, 30), (25, 50), (10, 10)):
        monkeypatch.setattr(store, "LINES_MAX", 5000)
        first = date(2024, 10, 20)
        period = Period(first + timedelta(begin), first + timedelta(end))
        content: dict[str, Any] = json.loads(
            (await snapshot(ledger, 1, 4, period, kind, None)).content
        )
        lines = len(content["transactions"]) + len(content["open_items"] or ())
        monkeypatch.setattr(store, "LINES_MAX", lines)
        await refuse_too_long(ledger, 1, 4, period, kind)
        monkeypatch.setattr(store, "LINES_MAX", lines - 1)
        with pytest.raises(Invalid, match="period: leads to a statement of more than"):
            await snapshot(ledger, 1, 4, period, kind, None)
        with pytest.raises(Invalid, match="period: leads to a statement of more than"):
            await refuse_too_long(ledger, 1, 4, period, kind)
