"""A client of the API over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDictProxy

from services.api.app import create_app
from services.api.http.protocol import IDLE
from shared.process.settings import ApiSettings
from tests.app_runner import running

REPORTS = "/api/v3/reports/customers"
NOVEMBER = "2024-11-01/2024-11-30"


@dataclass
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text, parse_float=Decimal)

    @property
    def fields(self) -> list[str]:
        """The invalid fields in a 422."""
        assert self.status == 422, self.text
        return [each["field"] for each in self.json["errors"]]


@dataclass
class Api:
    app: web.Application
    port: int
    session: aiohttp.ClientSession
    key: str | None = None

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        key = options.pop("key", self.key)
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        async with self.session.request(
            method, f"http://127.0.0.1:{self.port}{path}", headers=headers, **options
        ) as response:
            return Answer(response.status, response.headers, await response.text(errors="replace"))

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self.ask("POST", path, **options)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection whose reader takes little at a time, to speak HTTP by hand."""
        return await asyncio.open_connection("127.0.0.1", self.port, limit=4096)


@asynccontextmanager
async def serving(settings: ApiSettings, *, idle: float = IDLE) -> AsyncIterator[Api]:
    app = create_app(settings)
    async with running(app, idle=idle) as url, aiohttp.ClientSession() as session:
        yield Api(app, int(url.rpartition(":")[2]), session)
