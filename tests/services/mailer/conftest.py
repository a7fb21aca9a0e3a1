from collections.abc import AsyncIterator

import pytest

from tests.judge.server import Judge


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    """An SMTP server that accepts each mail, unless a test gives it a script."""
    async with Judge() as judge:
        yield judge
