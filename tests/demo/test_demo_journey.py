import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import up
from demo.failure import DemoFailed
from demo.system import backgrounds

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for each in backgrounds(tmp_path):
        each.stop()


async def test_it_comes_up_works_and_is_found_up_again(
    database: str, broker: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"DATABASE_URL": database, "AMQP_URL": broker}
    await asyncio.to_thread(up, folder, environ)
    first = capsys.readouterr().out
    assert "2 mails arrived, with the API's figures" in first
    assert "2 mails arrived in the languages of their customers" in first
    assert "6 customers, 5 mails, skipped: 1" in first
    assert "5 mails arrived, one for each customer of the list" in first
    assert "All of it worked" in first
    assert database not in first
    assert "For ledgerpost-api:\n  export DATABASE_URL=" in first
    key = folder / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() in first
    processes = [each.process for each in backgrounds(folder)]
    assert all(processes)

    before = key.read_text()
    await asyncio.to_thread(up, folder, environ)
    assert "ready already" in capsys.readouterr().out
    assert [each.process for each in backgrounds(folder)] == processes
    assert key.read_text() == before
    assert len(list((folder / "inbox").iterdir())) == 18


async def test_it_says_which_log_to_read_when_a_process_does_not_start(
    database: str, broker: str, folder: Path
) -> None:
    environ = {"DATABASE_URL": database, "AMQP_URL": broker, "API_PORT": "8080"}
    await asyncio.to_thread(up, folder, environ)
    relay = next(each for each in backgrounds(folder) if each.name == "relay")
    relay.stop()
    relay.log.write_text("")
    os.environ["POLL_INTERVAL"] = "soon"
    try:
        with pytest.raises(DemoFailed, match="relay ended by itself") as failed:
            await asyncio.to_thread(up, folder, environ)
    finally:
        del os.environ["POLL_INTERVAL"]
    assert failed.value.log == relay.log
    assert "POLL_INTERVAL" in failed.value.tail()
