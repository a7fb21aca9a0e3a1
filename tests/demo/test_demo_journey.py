import asyncio
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import up
from demo.client import ask
from demo.failure import DemoFailed
from demo.journey import SINCE, UNTIL
from demo.system import backgrounds

ROOT = Path(__file__).parents[2]
_GONE = "gone@example.com"


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

    api = re.search(r"^  API +(\S+)$", first, re.MULTILINE)
    assert api is not None
    await asyncio.to_thread(_comes_back, api[1], key.read_text().strip())

    before = key.read_text()
    await asyncio.to_thread(up, folder, environ)
    assert "ready already" in capsys.readouterr().out
    assert [each.process for each in backgrounds(folder)] == processes
    assert key.read_text() == before
    assert len(list((folder / "inbox").iterdir())) == 20


def _comes_back(api: str, key: str) -> None:
    """A mail to a mailbox that does not exist is `bounced`, and its address suppressed."""
    period = f"from={SINCE}&to={UNTIL}"
    url, body = f"{api}/api/v3/clients/1/transactions/send?{period}", {"other_emails": [_GONE]}
    status, send = ask(url, key=key, body=body)
    assert status == 202, send
    deadline = time.monotonic() + 180
    states: dict[str, str] = {}
    while states.get(_GONE) != "bounced":
        assert time.monotonic() < deadline, states
        time.sleep(0.1)
        shown = ask(f"{api}/api/v3/sends/{send['id']}", key=key)[1]
        states = {each["email"]: each["state"] for each in shown["recipients"]}
    [found] = ask(f"{api}/api/v3/returns", key=key)[1]["data"]
    assert (found["kind"], found["effect"]) == ("bounce", ["bounced", "suppressed"])
    [suppressed] = ask(f"{api}/api/v3/suppressions", key=key)[1]["data"]
    assert (suppressed["email"], suppressed["reason_code"]) == (_GONE, "suppressed_bounced")


@pytest.mark.long
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
