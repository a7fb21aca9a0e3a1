from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from provision import docker, images
from provision.amqp import answers
from provision.docker import Container
from provision.program import Unavailable


@pytest.fixture(autouse=True)
def engine() -> None:
    # Containers are one of the ways to get servers: where there is no engine another one is taken.
    if not docker.engine_runs():
        pytest.skip("no Docker engine")


async def test_a_database_in_a_container_keeps_its_rows_until_it_is_wiped(checkout: Path) -> None:
    container = Container(checkout, "own", images.postgres(durable=True))
    container.start()
    url = container.url
    await _run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    container.stop()
    assert not container.running
    container.start()
    assert container.url == url
    assert await _run(url, "SELECT answer FROM kept") == 42
    container.wipe()
    container.start()
    assert await _run(container.url, "SELECT to_regclass('kept')") is None
    container.wipe()


def test_a_broker_in_a_container_answers_until_it_is_stopped(checkout: Path) -> None:
    container = Container(checkout, "own", images.rabbitmq())
    container.start()
    port = int(container.url.rpartition(":")[2].strip("/"))
    assert answers(port)
    container.wipe()
    assert not answers(port)
    assert not container.running


def test_an_image_that_does_not_come_up_is_refused(checkout: Path) -> None:
    broken = replace(images.postgres(durable=True), command=("-c", "max_connections=none"))
    container = Container(checkout, "own", broken)
    with pytest.raises(Unavailable, match="did not start"):
        container.start()
    container.wipe()


async def _run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
