"""Prepares the servers and the database of the demo."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from demo import database, roles
from demo.system import System, plan
from provision import servers

ROOT = Path(__file__).resolve().parents[1]


def prepared(
    name: str, folder: Path, environ: Mapping[str, str], say: Callable[[str], None]
) -> System:
    """Return the planned system of this name, its servers started and its database migrated.

    Raises DemoFailed if the database holds a business that is not the demo's.
    """
    given = servers.start(ROOT, name, environ)
    say("Postgres and RabbitMQ answer")
    own = not environ.get("DATABASE_URL")
    logins = asyncio.run(roles.make(given.database_url)) if own else {}
    system = plan(ROOT, folder, given, environ, logins)
    system.run("migrate")
    asyncio.run(database.refuse_foreign(system.settings["DATABASE_URL"]))
    return system
