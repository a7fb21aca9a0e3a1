"""What is left of the files in the making if the API is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.shared.rendering.requests import alive, cmdline, content, told

_API = """
import asyncio
from dataclasses import replace
from services.api.formats.page.navigation import Navigation, View
from services.api.formats.pdf.typesetting import Typesetting
from services.api.formats.xlsx.process import workbook
from tests.services.api.formats.reports import report_of, rows_of

async def rows():
    yield rows_of(["a"])
    print("ready", flush=True)
    await asyncio.Event().wait()

async def pdf():
    async with Typesetting() as made:
        await made.pdf(report_of(rows_of(["a"])), Navigation(view=View.LIST, path="/"))
        print("ready", flush=True)
        await asyncio.Event().wait()

async def xlsx():
    await workbook(replace(report_of([]), rows=rows))

"""


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_neither_a_process_nor_a_file_outlives_an_api_that_is_killed(
    form: str, tmp_path: Path
) -> None:
    program = f"{_API}asyncio.run({form}())"
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment
    ) as api:
        try:
            assert api.stdout is not None
            assert b"ready\n" in api.stdout  # after what is logged
            [process] = _makers(api.pid)
            _until(lambda: told(process, "oom_score_adj") == b"1000\n")
            os.kill(process, signal.SIGTERM)
            time.sleep(0.2)
            assert alive(process), "SIGTERM is not its to heed"
        finally:
            api.kill()
    _until(lambda: not alive(process))
    assert list(tmp_path.iterdir()) == []


def _makers(pid: int) -> list[int]:
    tasks = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
    children = [int(child) for task in tasks for child in content(task).split()]
    return [child for child in children if b"services.api.formats" in content(cmdline(child))]


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
