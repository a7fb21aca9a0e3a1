"""Walks through the pages of a list by the links of its answers."""

import re
from collections.abc import AsyncIterator
from typing import Any

from tests.services.api.api_client import Answer, Api

_LINK = re.compile(r'<([^>]*)>; rel="(\w+)"')


def links(answer: Answer) -> dict[str, str]:
    return {name: target for target, name in _LINK.findall(answer.headers["Link"])}


async def pages(api: Api, path: str, direction: str = "next") -> AsyncIterator[Answer]:
    """Yield a page and those that its links lead to."""
    to: str | None = path
    while to is not None:
        answer = await api.get(to)
        assert answer.status == 200, answer.text
        yield answer
        to = links(answer).get(direction)


async def last(api: Api, path: str) -> str:
    return links(await api.get(path))["last"]


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]
