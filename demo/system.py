"""Plans, starts and stops the processes of the demo."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from demo.client import ask
from demo.failure import DemoFailed
from demo.processes import Background
from provision.ports import free_ports, is_free
from provision.servers import Servers

_BIN = Path(sys.executable).parent
_READY_WITHIN = 60
_PROCESSES = ("inbox", "api", "relay", "mailer", "returns")
_PORTS = {
    "API_PORT": 8080,
    "RELAY_OPS_PORT": 8081,
    "MAILER_OPS_PORT": 8082,
    "RETURNS_OPS_PORT": 8083,
    "INBOX_PORT": 2525,
    "LISTENER_PORT": 2526,
}
# Everybody may know it: the listener of the demo has only the address 127.0.0.1.
_RETURN_SECRET = "the secret of the demo, which everybody knows"
_OK = 200


@dataclass(frozen=True)
class System:
    """The demo's processes with the settings that they run under."""

    root: Path
    folder: Path
    settings: dict[str, str]
    # The address of the database for each process that has a role of its own.
    logins: Mapping[str, str]

    @property
    def url(self) -> str:
        """The URL of the API."""
        return self.settings["PUBLIC_URL"]

    @property
    def inbox(self) -> Path:
        """The folder of the mails that arrived."""
        return self.folder / "inbox"

    def runs(self) -> bool:
        """Whether every process runs with these settings."""
        started = _started(self.folder) == self.settings
        return started and all(each.process for each in backgrounds(self.folder))

    def start(self) -> None:
        """Restart every process on an up-to-date database; wait() comes next."""
        record = self.folder / "run" / "settings.json"
        record.parent.mkdir(parents=True, exist_ok=True)
        record.unlink(missing_ok=True)
        commands = self._commands()
        for each in backgrounds(self.folder):
            each.start(commands[each.name], self._environment(each.name))
        with os.fdopen(os.open(record, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self.settings, file)

    def restart(self, name: str) -> None:
        """Restart one process; it may not be ready yet."""
        background = next(each for each in backgrounds(self.folder) if each.name == name)
        background.start(self._commands()[name], self._environment(name))

    def wait(self) -> None:
        """Return once every process is ready. Raises DemoFailed that names the one that is not."""
        deadline = time.monotonic() + _READY_WITHIN
        for each in backgrounds(self.folder):
            while problem := self._problem(each.name):
                if not each.process:
                    raise DemoFailed(f"{each.name} ended by itself", each.log)
                if time.monotonic() > deadline:
                    raise DemoFailed(f"{each.name} did not become ready: {problem}", each.log)
                time.sleep(0.1)

    def run(self, *arguments: str | Path) -> str:
        """Run a `ledgerpost-api` command to its end and return what it prints."""
        done = subprocess.run(
            [_BIN / "ledgerpost-api", *arguments],
            env=self._environment(),
            cwd=self.root,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            output = (done.stderr or done.stdout).strip()
            raise DemoFailed(f"ledgerpost-api {arguments[0]} failed:\n{output}")
        return done.stdout

    def _commands(self) -> dict[str, list[str | Path]]:
        ports = (self.settings["INBOX_PORT"], self.settings["LISTENER_PORT"])
        return {
            "inbox": [sys.executable, "-m", "demo.inbox", self.inbox, *ports],
            "api": [_BIN / "ledgerpost-api", "serve"],
            "relay": [_BIN / "ledgerpost-api", "relay"],
            "mailer": [_BIN / "ledgerpost-mailer", "run"],
            "returns": [_BIN / "ledgerpost-mailer", "returns"],
        }

    def _environment(self, process: str = "") -> dict[str, str]:
        # A setting that is given as NAME_FILE must not be given as NAME, too.
        kept = {name: text for name, text in os.environ.items() if not name.endswith("_FILE")}
        given = kept | {"PYTHONPATH": str(self.root)} | self.settings
        login = self.logins.get("mailer" if process == "returns" else process)
        return given | {"DATABASE_URL": login} if login else given

    def _problem(self, name: str) -> str:
        if name == "inbox":
            with socket.socket() as probe:
                refused = probe.connect_ex(("127.0.0.1", int(self.settings["INBOX_PORT"])))
            return os.strerror(refused) if refused else ""
        port = self.settings["API_PORT" if name == "api" else f"{name.upper()}_OPS_PORT"]
        try:
            status, answer = ask(f"http://127.0.0.1:{port}/health/ready")
        except DemoFailed as failure:
            return str(failure)
        return "" if status == _OK else str(answer)


def plan(
    root: Path,
    folder: Path,
    servers: Servers,
    environ: Mapping[str, str],
    logins: Mapping[str, str],
) -> System:
    """Return the running system, or one that can run: on the usual ports if they are free."""
    ports = _ports(folder, environ)
    settings = {
        **{name: str(port) for name, port in ports.items()},
        "DATABASE_URL": logins.get("owner", servers.database_url),
        "AMQP_URL": servers.amqp_url,
        "SMTP_URL": f"smtp://127.0.0.1:{ports['INBOX_PORT']}",
        "MAIL_FROM": "statements@ledgerpost.example",
        "RETURN_SECRET": _RETURN_SECRET,
        "RETURNS_LISTEN": f"smtp://127.0.0.1:{ports['LISTENER_PORT']}",
        "API_HOST": "127.0.0.1",
        "API_WORKERS": "1",
        "DRAIN_DELAY": "0s",
        "PUBLIC_URL": f"http://127.0.0.1:{ports['API_PORT']}",
        "LOG_FORMAT": "console",
    }
    return System(root, folder, settings, logins)


def backgrounds(folder: Path) -> list[Background]:
    """Return the demo's processes in the order of their start."""
    return [Background(name, folder) for name in _PROCESSES]


def _ports(folder: Path, environ: Mapping[str, str]) -> dict[str, int]:
    before = _started(folder)
    # A demo that an older version started lacks some of them.
    if before.keys() >= _PORTS.keys() and any(each.process for each in backgrounds(folder)):
        return {name: int(before[name]) for name in _PORTS}
    wanted = {name: int(environ.get(name) or usual) for name, usual in _PORTS.items()}
    others = free_ports(len(wanted))
    return {
        name: port if is_free(port) else other
        for (name, port), other in zip(wanted.items(), others, strict=True)
    }


def _started(folder: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        settings: dict[str, str] = json.loads((folder / "run" / "settings.json").read_text())
        return settings
    return {}
