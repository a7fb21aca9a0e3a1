"""Postfix's smtp-sink and smtp-source, from the machine or from Debian's package unpacked."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.servers import ROOT, free_port, listens
from provision import apt
from provision.place import locked, place
from provision.program import Program

_NEEDED = r"postfix|lib(icu|sasl2-2|sasl2-modules-db|db5|nsl2|ssl3|tirpc).*"
_COUNTER = re.compile(rb"mesg=(\d+)")


def program() -> Program:
    """Return the paths of both programs, without installing a mail server. Raises Unavailable."""
    if found := shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return Program(Path(found).parent)
    folder = place(ROOT, "bench")
    system = folder / "postfix"
    with locked(folder):
        if not (system / "complete").exists():
            for package in apt.download(folder, "postfix", needed=_NEEDED):
                subprocess.run(["dpkg-deb", "--extract", package, system], check=True)
            (system / "complete").touch()
    libraries = {file.parent for file in system.glob("usr/lib/**/*.so*")}
    return Program(system / "usr/sbin", libraries=tuple(sorted(libraries)))


class Sink:
    """An smtp-sink that discards every mail, and its counts over time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._taken: list[tuple[float, int]] = [(time.perf_counter(), 0)]

    @property
    def taken(self) -> int:
        """The number of mails that it has taken."""
        return self._taken[-1][1]

    def watch(self, counter: int) -> None:
        """Read its running count."""
        while piece := os.read(counter, 1 << 16):
            if found := _COUNTER.findall(piece):
                self._taken.append((time.perf_counter(), int(found[-1])))

    def wait(self, mails: int, patience: float = 120) -> None:
        """Return once it has taken this number of mails."""
        end = time.perf_counter() + patience
        while self.taken < mails:
            if time.perf_counter() > end:
                raise TimeoutError(f"the sink has {self.taken} of {mails} mails")
            time.sleep(0.02)

    def rate(self, before: int, mails: int, *, warm: float = 0.1) -> float:
        """Return the rate of the mails after `before`, without the first part."""
        counted = [each for each in self._taken if each[1] >= before + int(warm * mails)]
        last = next(each for each in counted if each[1] >= before + mails)
        return (last[1] - counted[0][1]) / (last[0] - counted[0][0])


@contextmanager
def sink() -> Iterator[Sink]:
    """Run an smtp-sink within the `with`."""
    found, port = program(), free_port()
    read, write = os.pipe()
    account = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [found.bin / "smtp-sink", *account, "-c", f"127.0.0.1:{port}", "256"]
    process = subprocess.Popen(command, env=found.environ(), stdout=write)
    os.close(write)
    running = Sink(port)
    watcher = threading.Thread(target=running.watch, args=(read,), daemon=True)
    try:
        watcher.start()
        listens(port, process)
        yield running
    finally:
        process.terminate()
        process.wait()
        watcher.join()
        os.close(read)


def source(sink: Sink, *, sessions: int, mails: int, octets: int) -> float:
    """Let smtp-source send mails of a size, and return their rate of arrival."""
    found, before = program(), sink.taken
    command = [
        found.bin / "smtp-source", "-d", "-s", str(sessions), "-m", str(mails),
        "-l", str(octets), "-f", "post@ledgerpost.example", "-t", "one@customer.example",
        f"127.0.0.1:{sink.port}",
    ]  # fmt: skip
    subprocess.run(command, env=found.environ(), check=True)
    sink.wait(before + mails)
    return sink.rate(before, mails)
