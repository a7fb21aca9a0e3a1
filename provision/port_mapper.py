"""A private port mapper of Erlang (epmd) on 127.0.0.1, by which nodes find each other."""

import signal
import time
from pathlib import Path

from provision.account import Account
from provision.ports import is_free
from provision.processes import Process, spawn
from provision.program import Program

_NAME = "epmd.process"


def start(folder: Path, port: int, program: Program, account: Account) -> None:
    """Start it on this port, and record it in the folder."""
    process = spawn(
        ("epmd", "-port", str(port), "-address", "127.0.0.1"),
        account=account,
        environment=program.environ(),
        log=folder / "epmd.log",
    )
    process.save(folder / _NAME)
    while process.alive and is_free(port):
        time.sleep(0.01)


def kill(folder: Path) -> None:
    """Stop the one that is recorded in the folder."""
    if process := Process.load(folder / _NAME):
        process.signal(signal.SIGKILL)
        process.wait(10)
