"""A login with all rights causes one warning; a login with its own rights causes none."""

import asyncio
import signal
from urllib.parse import urlsplit

import asyncpg
import pytest

from services.api.relay import app as relay
from services.mailer import app as mailer
from shared.db import login
from shared.process.settings import MailerSettings, RelaySettings
from tests.logged import Logged
from tests.roles import acting, role
from tests.services.api.command import start

WARNING = "login_owns_tables"


async def test_workers_of_an_api_say_it_once(database: str) -> None:
    process = await start("serve", API_PORT="0", API_WORKERS="2", DATABASE_URL=database)
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(180):
        while not any(WARNING in line for line in lines):
            lines.append((await process.stderr.readline()).decode())
        await asyncio.sleep(1)
        process.send_signal(signal.SIGQUIT)
        lines += (await process.communicate())[1].decode().splitlines()
    [line] = [line for line in lines if WARNING in line]
    parts = urlsplit(database)
    assert f'"role": "{parts.username}"' in line or f'"role":"{parts.username}"' in line
    assert parts.password
    assert parts.password not in line


async def test_relay_and_mailer_say_it(database: str, broker: str, logged: Logged) -> None:
    stop = asyncio.Event()
    where = {"database_url": database, "amqp_url": broker}
    mails = {"smtp_url": "smtp://127.0.0.1:9", "mail_from": "a@b.example", "mailer_ops_port": 0}
    running = [
        asyncio.create_task(relay.run(RelaySettings(**where, relay_ops_port=0), stop)),
        asyncio.create_task(mailer.run(MailerSettings(**where, **mails), stop)),
    ]
    async with asyncio.timeout(180):
        while (said := warnings(logged)) != 2 * [urlsplit(database).username]:
            assert len(said) < 2
            await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*running)


@pytest.mark.parametrize("process", ["api", "relay", "api_with_relay", "mailer"])
async def test_a_login_with_the_rights_of_its_group_hears_nothing(
    database: str, logged: Logged, process: str
) -> None:
    assert await said_to(acting(database, process), logged) == []


async def test_a_member_of_the_owner_is_warned_even_if_it_is_no_superuser(
    database: str, logged: Logged
) -> None:
    async with role(database) as owner, role(database) as member:
        names = [urlsplit(each).username for each in (owner, member)]
        admin = await asyncpg.connect(database)
        await admin.execute(
            f"ALTER TABLE schema_migrations OWNER TO {names[0]}; GRANT {names[0]} TO {names[1]}"
        )
        said = await said_to(member, logged)
        await admin.execute("ALTER TABLE schema_migrations OWNER TO CURRENT_USER")
        await admin.close()
    assert said == [names[1]]


async def said_to(dsn: str, logged: Logged) -> list[str]:
    """Who was warned of once the login has asked."""
    async with asyncio.timeout(180):
        await login._warn(dsn)
    return warnings(logged)


def warnings(logged: Logged) -> list[str]:
    return [line["role"] for line in logged() if line["event"] == WARNING]
