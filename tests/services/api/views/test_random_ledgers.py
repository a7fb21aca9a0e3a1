"""Every view over HTTP against the independent model, on random ledgers with edits and deletes.

VIEWS_LEDGERS is the number of ledgers; the default is what a run of all tests has time for.
"""

import os
from collections.abc import Awaitable, Callable
from random import Random

import asyncpg
import pytest

from tests.services.api.conftest import Serve
from tests.services.api.ledgers import new_key
from tests.services.api.views import (
    aging_check,
    customers_check,
    list_check,
    one_customer_check,
    series_check,
    summary_check,
)
from tests.services.api.views.case import Case
from tests.services.api.views.random_ledgers import Writer

LEDGERS = int(os.environ.get("VIEWS_LEDGERS", "2"))
ROUNDS = 3
CHECKS: dict[str, Callable[[Case], Awaitable[None]]] = {
    "bare list": list_check.check_bare,
    "customers": customers_check.check,
    "list": list_check.check,
    "summary": summary_check.check,
    "aging": aging_check.check,
    "series": series_check.check,
    "transactions": one_customer_check.check_transactions,
    "explain": one_customer_check.check_explain,
}


@pytest.mark.timeout(60 + 30 * LEDGERS)
@pytest.mark.parametrize("view", CHECKS)
async def test_a_view_shows_what_the_contract_says(view: str, database: str, serve: Serve) -> None:
    conn = await asyncpg.connect(database)
    try:
        api = await serve(database)
        for seed in range(LEDGERS):
            writer = Writer(conn, seed, far=seed % 2 == 1)
            await writer.begin()
            keys = {business: await new_key(database, business) for business in (1, 2)}
            for turn in range(ROUNDS):
                for place, business in enumerate((1, 1, 2)):
                    api.key = keys[business]
                    random = Random(f"{view} {seed} {turn} {place}")
                    case = await Case.of(api, conn, business, random)
                    await CHECKS[view](case)
                await writer.edit()
    finally:
        await conn.close()
