"""Fixtures: a listener for returned mail on a real database."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Literal, Protocol

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from services.mailer.returns.answers import Answers
from services.mailer.returns.limits import Limits
from services.mailer.returns.listener import Listener
from shared.process.listen_addresses import ListenAddress
from shared.process.trouble import Trouble
from shared.returns.metrics import ReturnMetrics
from shared.returns.receiving import Receiver
from tests.services.mailer.returns.mail_server import PATHS

PROTOCOLS: tuple[Literal["smtp", "lmtp"], ...] = ("smtp", "lmtp")


class Listening(Protocol):
    """Opens a listener with these limits, and yields its port."""

    def __call__(
        self,
        protocol: Literal["smtp", "lmtp"] = "smtp",
        tls: ssl.SSLContext | None = None,
        **limits: float,
    ) -> AbstractAsyncContextManager[int]: ...


@pytest.fixture
async def pool(database: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database, min_size=1, max_size=4) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty Maildir."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def counted() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def listening(pool: asyncpg.Pool, counted: CollectorRegistry) -> Listening:
    @asynccontextmanager
    async def opened(
        protocol: Literal["smtp", "lmtp"] = "smtp",
        tls: ssl.SSLContext | None = None,
        **limits: float,
    ) -> AsyncIterator[int]:
        given = Limits(**{"closing_s": 5.0, **limits})  # type: ignore[arg-type]
        receiver = Receiver([pool], PATHS, ReturnMetrics(counted))
        answers = Answers(receiver, given, Trouble("tests"), counted)
        listener = Listener(answers, given, PATHS.domain, tls)
        async with listener.listening((ListenAddress(protocol, "127.0.0.1", 0),)) as [port]:
            yield port

    return opened
