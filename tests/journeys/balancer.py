"""A load balancer that polls readiness and keeps connections."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiohttp

_INTERVAL = 0.1  # seconds between two questions


class Balancer:
    """Sends each request to the next ready API, and never retries."""

    def __init__(self, urls: list[str], headers: Mapping[str, str]) -> None:
        self._urls = urls
        self._headers = headers
        self._turn = count()
        self._ready: list[str] = []
        self.handled = dict.fromkeys(urls, 0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Poll and serve within the block."""
        async with aiohttp.ClientSession(headers=self._headers) as self._http:
            watching = asyncio.create_task(self._watch())
            try:
                yield
            finally:
                watching.cancel()

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the status and the answer. Raises any error on the way."""
        return await self._ask("POST", path, json=body)

    async def get(self, path: str) -> tuple[int, Any]:
        """Return the status and the answer. Raises any error on the way."""
        return await self._ask("GET", path)

    async def until_ready(self, url: str) -> None:
        """Wait until an API gets requests again."""
        async with asyncio.timeout(180):
            while url not in self._ready:
                await asyncio.sleep(_INTERVAL)

    async def _ask(self, method: str, path: str, **given: Any) -> tuple[int, Any]:
        ready = self._ready or self._urls  # as nginx does if its probes reach none
        url = ready[next(self._turn) % len(ready)]
        async with self._http.request(method, f"{url}{path}", **given) as response:
            answer = response.status, await response.json(content_type=None)
        self.handled[url] += 1
        return answer

    async def _watch(self) -> None:
        # On connections of its own, as a balancer's probes are.
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as probes:
            while True:
                self._ready = [url for url in self._urls if await _is_ready(probes, url)]
                await asyncio.sleep(_INTERVAL)


async def _is_ready(probes: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with probes.get(f"{url}/health/ready") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
