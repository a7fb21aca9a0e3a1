import hashlib
import subprocess
import sys
import time
from pathlib import Path

from provision import amqp
from provision.images import Image
from provision.place import place
from provision.program import Unavailable
from provision.record import Record

_START_SECONDS = 90
_PULL_SECONDS = 600


def engine_runs() -> bool:
    """Whether a Docker engine answers."""
    return _docker("info").returncode == 0


class Container:
    """A server in a container, published on 127.0.0.1, with its data in a volume."""

    def __init__(self, root: Path, name: str, image: Image) -> None:
        digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
        self.name = f"ledgerpost-{digest}-{name}-{image.scheme}"
        self._label = f"ledgerpost.checkout={root.resolve()}"
        self._image = image
        self._record = place(root, name) / f"{image.scheme}.container.json"

    @property
    def running(self) -> bool:
        """Whether the container runs; False without calling Docker if none was ever started."""
        if not self._record.exists():
            return False
        state = _docker("inspect", "--format", "{{.State.Running}}", self.name)
        return state.stdout.strip() == "true"

    @property
    def url(self) -> str:
        """The address for the server's administrator, password included."""
        port = self._recorded.ports[next(iter(self._image.ports))]
        secret = f"ledgerpost:{self._recorded.password}"
        return f"{self._image.scheme}://{secret}@127.0.0.1:{port}/{self._image.path}"

    @property
    def management_url(self) -> str | None:
        """The address of RabbitMQ's HTTP API, user and password included."""
        record = self._recorded
        if port := record.ports.get("management"):
            return f"http://ledgerpost:{record.password}@127.0.0.1:{port}"
        return None

    def start(self) -> None:
        """Start it unless it runs, and return once it answers.

        Raises Unavailable if Docker refuses.
        """
        if self.running and self._answers():
            return
        self._pull()
        _docker("rm", "--force", self.name)
        if not self._record.exists():  # a leftover of a deleted checkout
            _docker("volume", "rm", "--force", self.name)
        record = Record.settle(self._record, *self._image.ports)
        options = [word.format(password=record.password) for word in self._image.options]
        for name, inside in self._image.ports.items():
            options += ["--publish", f"127.0.0.1:{record.ports[name]}:{inside}"]
        ran = _docker(
            *("run", "--detach", "--rm", "--name", self.name, "--label", self._label),
            *("--volume", f"{self.name}:{self._image.data}", *options),
            *(self._image.name, *self._image.command),
        )
        if ran.returncode:
            raise Unavailable(f"docker run {self._image.name}: {ran.stderr.strip()}")
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                self.stop()
                raise Unavailable(f"{self._image.name} did not start")
            time.sleep(0.2)

    def stop(self) -> None:
        """Shut it down cleanly; its data stays in the volume."""
        if self.running:
            _docker("stop", "--time", "30", self.name)

    def wipe(self) -> None:
        """Kill it and delete its data."""
        if self._record.exists():
            _docker("rm", "--force", self.name)
            _docker("volume", "rm", "--force", self.name)
            self._record.unlink()

    @property
    def _recorded(self) -> Record:
        record = Record.load(self._record)
        if record is None:
            raise RuntimeError("this container was never started")
        return record

    def _answers(self) -> bool:
        if "amqp" in self._image.ports:
            return amqp.answers(self._recorded.ports["amqp"])
        # Over TCP: during its preparations the image listens on a Unix socket only.
        return not _docker("exec", self.name, "pg_isready", "-q", "-h", "127.0.0.1").returncode

    def _pull(self) -> None:
        if _docker("image", "inspect", self._image.name).returncode == 0:
            return
        print(f"Pulling {self._image.name} ...", file=sys.stderr)
        pulled = _docker("pull", "--quiet", self._image.name, seconds=_PULL_SECONDS)
        if pulled.returncode:
            raise Unavailable(f"docker pull {self._image.name}: {pulled.stderr.strip()}")


def _docker(*arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run the Docker command; a missing or hanging command counts as failed."""
    command = ["env", "docker", *arguments]
    try:
        return subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"no end after {seconds:.0f} s")
