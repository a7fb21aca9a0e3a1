"""The API for outside clients: a real port, the golden ledger, a key."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from services.api.access import store as access
from services.api.app import create_app
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory
from shared.process.settings import ApiSettings
from tests.app_runner import running
from tests.roles import acting
from tests.servers import absent

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden"


FOLDERS = [path.parent for path in Path(__file__).parent.glob("*/package.json")]


@dataclass(frozen=True)
class Api:
    """The URL of the API, and a key of business 1."""

    url: str
    key: str


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node, if Node and the packages of its tests are installed."""
    program = shutil.which("node")
    if program is None:
        absent("node is not installed")
    if not all((folder / "node_modules").is_dir() for folder in FOLDERS):
        absent("the packages are not installed: run make node")
    return program


@pytest.fixture
async def api(database: str) -> AsyncIterator[Api]:
    await import_directory(database, GOLDEN)
    conn = await asyncpg.connect(database)
    key = await access.create(conn, business_id=1, name="contract", scopes=SCOPES)
    await conn.close()
    async with running(create_app(ApiSettings(database_url=acting(database, "api")))) as url:
        yield Api(url, key.text)
