"""Requests for schedules over HTTP."""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession as Client

PATH = "/api/v3/schedules"
MONTHLY: Mapping[str, Any] = {
    "name": "Statements of the month",
    "rule": {"every": "month", "day": "last"},
    "time": "09:00",
    "timezone": "Europe/Berlin",
    "period": "this-month",
}


async def ask(api: Client, method: str, path: str, **given: Any) -> tuple[int, Any]:
    """Return the status of an answer, and its JSON."""
    async with api.request(method, path, **given) as response:
        return response.status, await response.json() if response.status != 204 else None


async def create(api: Client, **changed: Any) -> Any:
    """Create a schedule that is monthly unless something is changed; None leaves a field out."""
    body = {name: value for name, value in {**MONTHLY, **changed}.items() if value is not None}
    status, made = await ask(api, "POST", PATH, json=body)
    assert status == 201, made
    return made


async def act(api: Client, schedule: Any, what: str, **given: Any) -> Any:
    """Pause, resume, skip or run a schedule."""
    status, answer = await ask(api, "POST", f"{PATH}/{schedule['id']}/{what}", **given)
    assert status in (200, 202), answer
    return answer


async def show(api: Client, schedule: Any) -> Any:
    status, answer = await ask(api, "GET", f"{PATH}/{schedule['id']}")
    assert status == 200, answer
    return answer


async def refused(
    api: Client, method: str = "POST", path: str = PATH, **given: Any
) -> dict[str, str]:
    """Return what is wrong with each field of a request that is a 422."""
    status, problem = await ask(api, method, path, **given)
    assert status == 422, problem
    return {each["field"]: each["message"] for each in problem["errors"]}
