"""Requests for batches over HTTP."""

from typing import Any
from uuid import UUID

import asyncpg

from services.api.batches.expand import expand, take
from tests.services.api.batches.requests import TERMS
from tests.services.api.sends.calls import PERIOD, Client

SEND = "/api/v3/reports/customers/transactions/send"
BATCHES = "/api/v3/batches"


async def post(api: Client, body: Any = None, **given: Any) -> Any:
    """Ask for a batch, and return the response with its JSON."""
    options = {"params": PERIOD, "json": body or {}, **given}
    async with api.post(SEND, **options) as response:
        return response, await response.json()


async def refused(api: Client, body: Any, **given: Any) -> dict[str, str]:
    """Ask for a batch that is a 422, and return what it says about each field."""
    response, problem = await post(api, body, **given)
    assert response.status == 422, problem
    assert response.content_type == "application/problem+json"
    return {each["field"]: each["message"] for each in problem["errors"]}


async def get(api: Client, path: str, expected: int = 200, **params: Any) -> Any:
    async with api.get(path, params=params) as response:
        answer = await response.json()
        assert response.status == expected, answer
        return answer


async def cancel(api: Client, batch: object, **given: Any) -> Any:
    async with api.post(f"{BATCHES}/{batch}/cancel", **given) as response:
        return response, await response.json()


async def expanded(conn: asyncpg.Connection, batch: str | UUID) -> None:
    """Make the sends of a batch, as the relay does."""
    while await conn.fetchval("SELECT phase <> 'sending' FROM batches WHERE id = $1", batch):
        async with conn.transaction():
            taken = await take(conn, -1)
            assert taken is not None
            await expand(conn, taken, TERMS)
