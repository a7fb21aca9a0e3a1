"""Requests for sends over HTTP."""

from typing import Any

from aiohttp import ClientSession as Client

PATHS = (
    "/api/v3/reports/customers/client/transactions/send/{}",
    "/api/v3/clients/{}/transactions/send",
    "/api/v3/client/transactions/send/{}",
)
PERIOD = {"from": "2024-11-01", "to": "2024-11-30"}


async def post(api: Client, customer: object = 4, path: str = PATHS[0], **given: Any) -> Any:
    params = given.pop("params", PERIOD)
    async with api.post(path.format(customer), params=params, **given) as response:
        return response, await response.json()


async def refused(api: Client, **given: Any) -> set[str]:
    response, problem = await post(api, **given)
    assert response.status == 422, problem
    assert response.content_type == "application/problem+json"
    return {each["field"] for each in problem["errors"]}
