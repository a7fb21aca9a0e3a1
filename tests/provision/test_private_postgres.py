import os
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from provision import programs, servers
from provision.place import place
from provision.postgres import Postgres


@pytest.fixture(scope="module")
def postgres(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server for all of these tests, running or stopped, because creating one takes long."""
    checkout = tmp_path_factory.mktemp("checkout")
    yield Postgres(place(checkout, "own") / "postgres", lambda: programs.postgres(project))
    servers.clean(checkout)


async def test_committed_rows_survive_a_kill_and_the_port_stays(postgres: Postgres) -> None:
    postgres.start()
    url = postgres.url
    await _run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.kill()
    assert postgres.pid is None
    postgres.start()
    assert postgres.url == url
    assert await _run(url, "SELECT answer FROM kept") == 42


async def test_a_server_that_somebody_killed_is_started_again(postgres: Postgres) -> None:
    postgres.start()
    pid = postgres.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    postgres.kill()
    postgres.start()
    assert postgres.pid != pid
    assert await _run(postgres.url, "SELECT 1") == 1


async def test_a_second_start_finds_the_first(postgres: Postgres, project: Path) -> None:
    postgres.start()
    twin = Postgres(postgres.folder, lambda: programs.postgres(project))
    twin.start()
    assert twin.pid == postgres.pid


async def test_wiping_forgets_the_rows(postgres: Postgres) -> None:
    postgres.start()
    await _run(postgres.url, "CREATE TABLE lost ()")
    postgres.wipe()
    postgres.start()
    assert await _run(postgres.url, "SELECT to_regclass('lost')") is None


async def test_it_wants_its_password_and_listens_on_loopback(postgres: Postgres) -> None:
    postgres.start()
    assert await _run(postgres.url, "SHOW listen_addresses") == "127.0.0.1"
    password = postgres.url.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await _run(postgres.url.replace(password, "guess"), "SELECT 1")


async def test_a_durable_one_flushes_and_a_fast_one_does_not(
    postgres: Postgres, project: Path
) -> None:
    postgres.start()
    assert await _run(postgres.url, "SHOW fsync") == "on"
    fast = Postgres(
        postgres.folder.parent / "fast", lambda: programs.postgres(project), durable=False
    )
    fast.start()
    assert await _run(fast.url, "SHOW fsync") == "off"
    assert await _run(fast.url, "SHOW synchronous_commit") == "on"
    fast.wipe()


def test_a_process_id_that_was_given_to_another_program_is_left_alone(postgres: Postgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.folder / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert postgres.pid is None
    postgres.kill()
    postgres.start()
    assert postgres.pid not in {None, os.getpid()}


async def _run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()
