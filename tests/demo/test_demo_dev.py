import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.request import urlopen

import pytest

from demo.reload import Code, Tail, concerned
from demo.system import backgrounds
from provision.place import place
from provision.ports import free_ports, is_free
from tests.servers import ROOT

CODE = ("services", "shared", "demo", "provision", "docker")


@pytest.fixture
async def dev(database: str, broker: str, tmp_path: Path) -> AsyncIterator[tuple[Path, list[str]]]:
    """Runs `make dev` on a copy of the code, and collects its output."""
    for name in CODE:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    names = (
        "API_PORT",
        "RELAY_OPS_PORT",
        "MAILER_OPS_PORT",
        "RETURNS_OPS_PORT",
        "INBOX_PORT",
        "LISTENER_PORT",
    )
    ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo.dev", cwd=tmp_path,
        env={**os.environ, **ports, "DATABASE_URL": database, "AMQP_URL": broker,
             "PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    lines: list[str] = []
    reading = asyncio.create_task(_read(running, lines))
    await _until(lambda: any("Ctrl-C ends all" in line for line in lines), lines)
    yield tmp_path, lines
    running.send_signal(signal.SIGINT)
    assert await running.wait() == 0, lines
    await reading
    assert lines[-1] == "all stopped"
    assert [port for port in ports.values() if not is_free(int(port))] == []


async def test_a_changed_file_is_served_by_a_new_process(dev: tuple[Path, list[str]]) -> None:
    root, lines = dev
    url = next(line.split()[1] for line in lines if line.split()[:1] == ["API"])
    before = [each.process for each in backgrounds(place(root, "dev"))]
    assert await _is_live(url)
    changed = root / "services" / "api" / "__init__.py"
    changed.write_text(changed.read_text("utf-8") + 'print("the new code", flush=True)\n', "utf-8")
    await _until(lambda: {"api    | the new code", "relay  | the new code"} <= set(lines), lines)
    await _until_live(url, lines)
    assert [line for line in lines if ": restarting " in line] == [
        "services/api/__init__.py: restarting api, relay"
    ]
    after = [each.process for each in backgrounds(place(root, "dev"))]
    assert [one == other for one, other in zip(before, after, strict=True)] == [
        True, False, False, True, True,
    ]  # fmt: skip


def test_each_process_is_concerned_by_what_it_imports(tmp_path: Path) -> None:
    assert concerned([Path("services/mailer/app.py")]) == ["mailer", "returns"]
    assert concerned([Path("shared/db/sql.py")]) == ["api", "relay", "mailer", "returns"]
    (tmp_path / "shared" / "db").mkdir(parents=True)
    query = tmp_path / "shared" / "db" / "queries.sql"
    query.write_text("SELECT 1")
    code = Code(tmp_path)
    assert code.changed() == []
    query.write_text("SELECT 22")
    os.utime(query, ns=(1, 1))
    assert code.changed() == [Path("shared/db/queries.sql")]
    query.unlink()
    assert code.changed() == [Path("shared/db/queries.sql")]
    assert code.changed() == []


def test_a_log_is_followed_by_whole_lines_and_past_a_new_begin(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    tail = Tail(log)
    assert tail.lines() == []
    log.write_text("one\ntw")
    assert tail.lines() == ["one"]
    log.write_text("one\ntwo\n")
    assert tail.lines() == ["two"]
    log.unlink()
    (tmp_path / "new").write_text("three\n")
    (tmp_path / "new").rename(log)
    assert tail.lines() == ["three"]


async def _read(running: asyncio.subprocess.Process, lines: list[str]) -> None:
    assert running.stdout is not None
    while line := await running.stdout.readline():
        lines.append(line.decode().rstrip())


async def _until(condition: Callable[[], bool], lines: list[str]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, lines
        await asyncio.sleep(0.1)


async def _is_live(url: str) -> bool:
    def get() -> int:
        with urlopen(f"{url}/health/live", timeout=5) as answer:
            return int(answer.status)

    try:
        return await asyncio.to_thread(get) == 200
    except OSError:
        return False


async def _until_live(url: str, lines: list[str]) -> None:
    end = time.monotonic() + 60
    while not await _is_live(url):
        assert time.monotonic() < end, lines
        await asyncio.sleep(0.1)
