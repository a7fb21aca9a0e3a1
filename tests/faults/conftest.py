import os
from collections.abc import AsyncIterator

import pytest

from provision.program import Unavailable
from tests.faults.neighbours import Neighbours, sweep_away
from tests.servers import absent


@pytest.fixture(scope="session")
async def neighbours() -> AsyncIterator[Neighbours]:
    """Private Postgres and RabbitMQ for these tests; FAULTS_AMQP_URL names another broker."""
    sweep_away()
    try:
        async with Neighbours(os.environ.get("FAULTS_AMQP_URL")) as started:
            yield started
    except Unavailable as advice:
        absent(str(advice))
