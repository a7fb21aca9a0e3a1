import asyncpg
import pytest

from tests.services.api.sends.conftest import api, key, ledger

__all__ = ["api", "key", "ledger"]


@pytest.fixture
async def owing(ledger: asyncpg.Connection) -> None:
    """Every customer owes something."""
    await ledger.execute("UPDATE customers SET opening_balance = 10")
