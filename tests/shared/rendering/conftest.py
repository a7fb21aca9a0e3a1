from collections.abc import AsyncIterator

import pytest

from shared.rendering import pool
from shared.rendering.pool import RenderPool
from tests.shared.rendering.requests import DEADLY


@pytest.fixture
async def two(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RenderPool]:
    """A pool of at most two processes, which some messages kill or hold up."""
    monkeypatch.setattr(pool, "_PROGRAM", DEADLY)
    async with RenderPool(2, pdf=False) as opened:
        yield opened
