"""The programs under test, each a separate process on its own port."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
VENV = ROOT / "var" / "bench" / "venv"
FIELDS = "/api/v3/reports/customers"


@dataclass(frozen=True)
class Served:
    """A running server: its address, its key, and its process."""

    port: int
    key: str
    pid: int

    @property
    def memory(self) -> int:
        """Resident memory in KiB, of the process and its children."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        total = 0
        for pid in (str(self.pid), *children):
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(status.split("VmRSS:")[1].split()[0])
        return total


def install() -> None:
    """Install the packages of the peers into a separate environment."""
    lock, installed = ROOT / "requirements" / "bench.txt", VENV / "requirements.txt"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "pip"), "install", "-q", "--require-hashes", "-r", str(lock)]
        subprocess.run(pip, check=True)
        installed.write_bytes(lock.read_bytes())


@contextmanager
def product(dsn: str, key: str) -> Iterator[Served]:
    """Serve the API as `ledgerpost-api serve` does, with one worker."""
    port = free_port()
    environ = {
        "DATABASE_URL": dsn, "API_HOST": "127.0.0.1", "API_PORT": str(port), "API_WORKERS": "1",
        "LOG_LEVEL": "warning", "RATE_LIMIT": "10000000", "DAILY_QUOTA": "1000000000",
    }  # fmt: skip
    with running([sys.executable, "-m", "services.api", "serve"], environ, port) as pid:
        yield Served(port, key, pid)


@contextmanager
def relay(dsn: str, amqp: str, *, fills: bool = False) -> Iterator[Served]:
    """Run the relay as `ledgerpost-api relay` does; or one that `fills` the queue without bound."""
    port = free_port()
    environ = {
        "DATABASE_URL": dsn, "AMQP_URL": amqp, "RELAY_OPS_PORT": str(port),
        "DAILY_QUOTA": "1000000000",
    }  # fmt: skip
    program = "bench.filling" if fills else "services.api"
    with running([sys.executable, "-m", program, "relay"], environ, port) as pid:
        yield Served(port, "", pid)


@contextmanager
def mailer(dsn: str, amqp: str, smtp_port: int, **settings: str) -> Iterator[Served]:
    """Run a mailer as `ledgerpost-mailer run` does."""
    port = free_port()
    environ = {
        "DATABASE_URL": dsn, "AMQP_URL": amqp, "MAILER_OPS_PORT": str(port),
        "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}?starttls=never",
        "MAIL_FROM": "Ledgerpost <post@ledgerpost.example>",
    }  # fmt: skip
    command = [sys.executable, "-m", "services.mailer", "run"]
    with running(command, environ | settings, port) as pid:
        yield Served(port, "", pid)


@contextmanager
def peer(name: str, dsn: str, key: str, queries: dict[str, str]) -> Iterator[Served]:
    """Serve one of bench/peers/ from its own environment; its key is the hash of ours."""
    port = free_port()
    file = ROOT / "var" / "bench" / "queries.json"
    file.write_text(json.dumps(queries))
    environ = {"PEER_DSN": dsn, "PEER_PORT": str(port), "PEER_QUERIES": str(file)}
    command = [str(VENV / "bin" / "python"), str(ROOT / "bench" / "peers" / f"{name}.py")]
    with running(command, environ, port) as pid:
        yield Served(port, hashlib.sha256(key.encode()).hexdigest(), pid)


@contextmanager
def running(
    command: list[str], environ: dict[str, str], port: int | None, cwd: Path = ROOT
) -> Iterator[int]:
    """Run a program, and yield its process id once it listens on the port."""
    log = (ROOT / "var" / "bench" / "servers.log").open("ab")
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, cwd=cwd, stdout=log, stderr=log
    )
    try:
        if port is not None:
            listens(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def listens(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return once the process listens there. Raises if it ends or takes half a minute."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended; see var/bench/servers.log")
        time.sleep(0.1)
    raise TimeoutError(f"{process.args} does not listen")


def free_port() -> int:
    """Return a free port on 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
