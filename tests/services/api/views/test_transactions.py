"""A customer's account, over HTTP on the golden ledger."""

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from services.api.statements.store import snapshot
from services.api.views.transactions.openapi import EXAMPLE
from shared.period import Period
from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ONE = f"{REPORTS}/client/4/{NOVEMBER}/transactions"
ALL_TIME = "0001-01-01/9999-12-31"
CHANGING = ("generated_at", "ledger_version")


def _fixed(shown: dict[str, Any]) -> Any:
    """An answer with amounts as floats, as the document's examples have them."""
    meta = {name: value for name, value in shown["meta"].items() if name not in CHANGING}
    return json.loads(json.dumps({**shown, "meta": meta}, default=float))


async def test_the_example_of_the_document_is_an_answer(reader: Api) -> None:
    shown = (await reader.get(ONE)).json
    assert _fixed(shown) == _fixed(EXAMPLE)
    assert list(shown) == list(EXAMPLE)
    assert [list(line) for line in shown["data"]] == [list(line) for line in EXAMPLE["data"]]


@pytest.mark.parametrize("customer", [1, 4, 5, 6, 7])
@pytest.mark.parametrize("period", [NOVEMBER, ALL_TIME, "2024-11-11/2024-11-16"])
async def test_pages_have_each_line_once_with_the_balance_of_the_whole(
    reader: Api, customer: int, period: str
) -> None:
    path = f"{REPORTS}/client/{customer}/{period}/transactions"
    whole = (await reader.get(path)).json
    for rows in (1, 2, 3):
        found, cursor = [], ""
        while True:
            page = (await reader.get(f"{path}?per_page={rows}{cursor}")).json
            assert page["reconciliation"] == whole["reconciliation"]
            found += page["data"]
            if page["next_cursor"] is None:
                break
            assert len(page["data"]) == rows
            cursor = f"&cursor={page['next_cursor']}"
        assert found == whole["data"]
    balance = whole["opening_balance"]
    for line in whole["data"]:
        balance += (line["charge"] or 0) - (line["credit"] or 0)
        assert line["balance"] == balance
    assert balance == whole["closing_balance"]
    assert whole["reconciliation"]["holds"] is True


async def test_an_unknown_customer_is_missing(reader: Api) -> None:
    assert (await reader.get(f"{REPORTS}/client/99/{NOVEMBER}/transactions")).status == 404


async def test_a_cursor_is_good_for_its_account_only(reader: Api, other_key: str) -> None:
    cursor = (await reader.get(f"{ONE}?per_page=2")).json["next_cursor"]
    for other in (
        f"{REPORTS}/client/5/{NOVEMBER}/transactions?cursor={cursor}",
        f"{REPORTS}/client/4/2024-11-01/2024-11-29/transactions?cursor={cursor}",
    ):
        assert (await reader.get(other)).fields == ["cursor"]
    assert (await reader.get(f"{ONE}?cursor={cursor}", key=other_key)).fields == ["cursor"]


async def test_a_file_has_all_lines(reader: Api) -> None:
    whole = (await reader.get(ONE)).json["data"]
    answer = await reader.get(f"{ONE}?format=csv")
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert [Decimal(row["balance"]) for row in found] == [line["balance"] for line in whole]
    assert [row["payment_id"] for row in found] == [str(line["payment_id"] or "") for line in whole]
    assert "transactions-of-customer-4_" in answer.headers["Content-Disposition"]


async def test_the_lines_are_those_of_the_statement_that_is_mailed(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    try:
        for customer in (1, 4, 5, 6, 7):
            for start, end in (
                (date(2024, 11, 1), date(2024, 11, 30)),
                (date(1, 1, 2), date(9999, 12, 30)),
            ):
                mailed = await _frozen(conn, customer, start, end)
                shown = (
                    await api.get(f"{REPORTS}/client/{customer}/{start}/{end}/transactions")
                ).json
                for name in ("opening_balance", "closing_balance"):
                    assert shown[name] == mailed[name]
                sums = {name: shown["reconciliation"][name] for name in mailed["totals"]}
                assert sums == mailed["totals"]
                assert [_mailed(line) for line in shown["data"]] == [
                    {name: line[name] for name in _mailed(line)} for line in mailed["transactions"]
                ]
    finally:
        await conn.close()


def _mailed(line: dict[str, Any]) -> dict[str, Any]:
    """A line with the names that it has in a statement."""
    identity = line.get("payment_id") or line.get("document_id") or line.get("id")
    names = ("date", "kind", "number", "charge", "credit", "balance")
    return {"id": identity, **{name: line[name] for name in names}}


async def _frozen(conn: asyncpg.Connection, customer: int, start: date, end: date) -> Any:
    mailed = await snapshot(conn, 1, customer, Period(start, end), None, None)
    return json.loads(mailed.content, parse_float=Decimal)
