"""Readiness needs no key, and shows only the kind of trouble."""

import asyncio
from urllib.parse import urlsplit

import aiohttp

from tests.services.api.command import served


async def test_strangers_read_kinds_and_operators_all_of_it(database: str, broker: str) -> None:
    postgres, rabbitmq = urlsplit(database), urlsplit(broker)
    settings = {
        "DATABASE_URL": postgres._replace(
            netloc=f"mallory2:wrong@{postgres.hostname}:{postgres.port}"
        ).geturl(),
        "AMQP_URL": rabbitmq._replace(
            netloc=f"bob:wrong@{rabbitmq.hostname}:{rabbitmq.port}"
        ).geturl(),
    }
    async with (
        served("--with-relay", as_given=True, **settings) as (_, url, lines),
        aiohttp.ClientSession() as session,
    ):
        while True:
            async with session.get(f"{url}/health/ready") as response:
                assert response.status == 503
                text, checks = await response.text(), (await response.json())["checks"]
            if "ok" not in checks.values() and "not connected yet" not in text:
                break
            await asyncio.sleep(0.1)
    unknown = "InvalidPasswordError"
    refused = (
        "RabbitMQ refused the connection: ACCESS_REFUSED - Login was refused using authentication"
        " mechanism PLAIN. For details see the broker logfile."
    )
    assert checks == {
        "postgres": f"cannot be asked: {unknown}",
        "rabbitmq": refused,
        "dispatcher": refused,
        "sweeper": unknown,
        "expander": unknown,
        "scheduler": unknown,
        "pruner": unknown,
        "backlog": unknown,
        "outbox": refused,
        "answers": refused,
        "intake": refused,
    }
    assert 'user \\"mallory2\\"' in "".join(lines)
