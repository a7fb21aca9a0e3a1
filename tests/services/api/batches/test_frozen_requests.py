"""What a frozen list is bound to: a request that asks for the same, however it is written."""

from datetime import date
from typing import Any

import asyncpg
import pytest

from services.api.batches.accept import accept
from services.api.batches.request import BatchBody, BatchRequest
from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput
from shared.period import Period
from tests.services.api.batches.requests import TERMS, accepted
from tests.services.api.batches.trying import frozen, lists, tried

pytestmark = pytest.mark.usefixtures("owing")

BODY = {
    "message": "Thank you",
    "other_emails": ["o@x.com", "p@x.com"],
    "copy_to_me": True,
    "send_at": "2031-05-01",
    "statement_kind": "open-items",
    "locale": "fr",
    "skip_empty": False,
    "min_balance": "1.50",
    "filter": {"id": [4, 5], "archived": False},
}
DIFFERENT: dict[str, Any] = {
    "message": "Thank you!",
    "other_emails": ["p@x.com", "o@x.com"],
    "copy_to_me": False,
    "send_at": "2031-05-02",
    "statement_kind": "activity",
    "locale": "pt",
    "skip_empty": True,
    "min_balance": "1.51",
    "filter": {"id": [4], "archived": False},
}


@pytest.mark.parametrize("field", DIFFERENT)
async def test_a_request_that_asks_for_anything_else_is_told_the_field(
    ledger: asyncpg.Connection, field: str
) -> None:
    listed = await frozen(ledger, **BODY)
    for body in (BODY | {field: DIFFERENT[field]}, {k: v for k, v in BODY.items() if k != field}):
        for attempt in (accepted, tried):
            with pytest.raises(InvalidInput) as refused:
                await attempt(ledger, frozen_list=listed, **body)
            assert [each.field for each in refused.value.errors] == [field]
            assert "differs from the dry run" in str(refused.value)
    await accepted(ledger, frozen_list=listed, **BODY)


async def test_another_way_to_write_the_same_request_is_the_same(
    ledger: asyncpg.Connection,
) -> None:
    listed = await frozen(ledger, **BODY)
    written = {
        "message": "Thank you",
        "other_emails": "O@x.com; p@X.com",
        "send_tome": "2031-05-01",
        "copy_to_me": 1,
        "statement_kind": "open-items",
        "locale": "fr",
        "skip_empty": "0",
        "min_balance": 1.5,
        "filter": {"archived": 0, "id": ["5", 4, 4]},
    }
    await accepted(ledger, frozen_list=listed, **written)


@pytest.mark.parametrize("amount", ["-5.0000", "-5", -5, -5.0])
async def test_another_way_to_write_an_amount_is_the_same(
    ledger: asyncpg.Connection, amount: object
) -> None:
    listed = await frozen(ledger, filter={"min_balance": "-5.0"}, min_balance="-5.0")
    body = {"filter": {"min_balance": amount}, "min_balance": amount}
    await accepted(ledger, frozen_list=listed, **body)


@pytest.mark.parametrize(
    ("period", "fields"),
    [
        (Period(date(2024, 11, 2), date(2024, 11, 30)), ["from"]),
        (Period(date(2024, 11, 1), date(2024, 12, 31)), ["to"]),
        (Period(date(2024, 10, 1), date(2024, 10, 31)), ["from", "to"]),
        ("2024-10", ["period"]),
        ("2024-11", []),
    ],
)
async def test_the_days_are_bound_however_they_are_written(
    ledger: asyncpg.Connection, period: Period | str, fields: list[str]
) -> None:
    listed = await frozen(ledger)
    asked = BatchRequest.of(period, parse(BatchBody, {"frozen_list": listed}))
    if not fields:
        await accept(ledger, 1, asked, TERMS)
        return
    with pytest.raises(InvalidInput) as refused:
        await accept(ledger, 1, asked, TERMS)
    assert [each.field for each in refused.value.errors] == fields
    assert await lists(ledger) == [listed]


async def test_a_list_holds_no_text_of_the_request(ledger: asyncpg.Connection) -> None:
    await frozen(ledger, **BODY)
    stored = await ledger.fetchval("SELECT asked::text FROM frozen_lists")
    assert not [each for each in ("Thank", "o@x.com", "open-items") if each in stored]
