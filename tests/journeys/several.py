"""A system over two databases on real neighbours; each is reached by a proxy that can be cut."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from services.api.access import store as access
from services.api.app import create_app
from services.api.core.refusals import SCOPES
from services.api.relay.app import relaying
from services.mailer import app as mailer
from shared.process.health import Health
from shared.process.settings import ApiSettings, MailerSettings, RelaySettings
from tests.app_runner import running
from tests.journeys.conftest import MAIL_FROM
from tests.judge.server import Judge
from tests.roles import acting
from tests.services.api.api_client import Api
from tests.services.api.ledgers import GOLDEN, TABLES
from tests.services.api.tcp_proxy import Proxy, between

SECRET = "a secret of more than thirty-two characters"
#: Added to the ids of the golden businesses in the second database; all other ids are the same.
APART = 100


@dataclass
class Place:
    """One of the databases: its proxy, a session past it, and a key of its first business."""

    name: str
    business: int
    proxy: Proxy
    db: asyncpg.Connection
    key: str


@dataclass
class TwoDatabases:
    """A system whose API runs; relay and mailer are started by the test."""

    main: Place
    east: Place
    amqp: str
    judge: Judge
    api: Api

    def urls(self, process: str) -> dict[str, str]:
        return {each.name: acting(each.proxy.dsn, process) for each in (self.main, self.east)}

    @asynccontextmanager
    async def relay(self, **settings: Any) -> AsyncIterator[Health]:
        """Run a relay within the block."""
        health = Health()
        chosen = {"poll_interval": "1s", "sweep_interval": "1s", "amqp_url": self.amqp} | settings
        async with relaying(RelaySettings(database_urls=self.urls("relay"), **chosen), health):
            yield health

    @asynccontextmanager
    async def mailer(self) -> AsyncIterator[None]:
        """Run a mailer within the block; it finishes its mails at the end."""
        stop = asyncio.Event()
        settings = MailerSettings(
            database_urls=self.urls("mailer"),
            amqp_url=self.amqp,
            smtp_url=f"smtp://127.0.0.1:{self.judge.port}",
            mail_from=MAIL_FROM,
            mailer_ops_port=0,
            retry_delay="1s",
            attach_pdf="off",
            unsubscribe_secret=SECRET,
            public_url="https://ledgerpost.example",
            list_unsubscribe="on",
        )
        running_mailer = asyncio.create_task(mailer.run(settings, stop))
        try:
            yield
        finally:
            stop.set()
            await running_mailer

    async def send(self, place: Place, **body: Any) -> str:
        """Request a send of customer 4's statement, who is in both databases; return its id."""
        path = "/api/v3/clients/4/transactions/send?from=2024-11-01&to=2024-11-30"
        answer = await self.api.post(path, key=place.key, json=body)
        assert answer.status == 202, answer.text
        return str(answer.json["id"])

    async def settled(self, place: Place, send: str) -> dict[str, Any]:
        """Follow a send until it is finished."""
        async with asyncio.timeout(180):
            while True:
                answer = await self.api.get(f"/api/v3/sends/{send}", key=place.key)
                if answer.status == 200 and answer.json["status"] not in {"scheduled", "sending"}:
                    return dict(answer.json)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def two_databases(main: str, east: str, amqp: str) -> AsyncIterator[TwoDatabases]:
    """Yield the API over two databases: the golden ledger, and the same of other businesses."""
    async with AsyncExitStack() as stack:
        judge = await stack.enter_async_context(Judge())
        places = [
            await _place(stack, "main", main, 0),
            await _place(stack, "east", east, APART),
        ]
        settings = ApiSettings(
            database_urls={each.name: acting(each.proxy.dsn, "api") for each in places},
            mail_from=MAIL_FROM,
            unsubscribe_secret=SECRET,
            public_url="https://ledgerpost.example",
        )
        app = create_app(settings)
        url = await stack.enter_async_context(running(app))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield TwoDatabases(*places, amqp, judge, Api(app, int(url.rpartition(":")[2]), http))


async def _place(stack: AsyncExitStack, name: str, dsn: str, apart: int) -> Place:
    db = await asyncpg.connect(dsn)
    stack.push_async_callback(db.close)
    await load(db, apart)
    key = await access.create(db, business_id=1 + apart, name=name, scopes=SCOPES)
    proxy = await stack.enter_async_context(between(dsn))
    return Place(name, 1 + apart, proxy, db, key.text)


async def load(db: asyncpg.Connection, apart: int) -> None:
    """Load the golden ledger, with `apart` added to the ids of its businesses."""
    for table in TABLES:
        with (GOLDEN / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            columns, *rows = csv.reader(file)
        business = columns.index("id" if table == "businesses" else "business_id")
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        for row in rows:
            row[business] = str(int(row[business]) + apart)
            if table == "businesses" and apart:
                row[columns.index("name")] += " East"
            writer.writerow(row)
        source = io.BytesIO(text.getvalue().encode())
        await db.copy_to_table(table, source=source, columns=columns, format="csv")
