"""A profile of the mailer at full load: processor time by process, and py-spy's samples."""

import re
import subprocess
from collections import Counter
from pathlib import Path

from bench import servers
from bench.servers import ROOT, VENV
from bench.throughput import Field

_TICK = 100  # of a second, in /proc
_OURS = re.compile(r"\((?:.*/)?((?:services|shared)/[\w/]+\.py):\d+\)")
_LIBRARY = re.compile(r"\((?:.*site-packages/)?([\w.]+)[/:]")
_TYPES = {
    "mailer": "services.mailer", "smtp-sink": "smtp-sink", "Postgres": "postgres", "RabbitMQ": "beam.smp",
}  # fmt: skip


class Processors:
    """Processor time by kind of process since it was made."""

    def __init__(self) -> None:
        self._before = _used()

    def spent(self) -> dict[str, float]:
        """Return the seconds used since it was made, including those of new processes."""
        now = _used()
        return {kind: now[kind] - self._before[kind] for kind in _TYPES}


def run(field: Field, mails: int) -> list[str]:
    """Return a table of both for one mailer that sends this number of mails."""
    field.filled(mails)
    before = field.sink.taken
    samples = ROOT / "var" / "bench" / "samples.txt"
    with servers.mailer(
        field.dsn, field.amqp, field.sink.port, ATTACH_PDF="off",
        MAILER_CONCURRENCY=str(field.connections),
    ) as mailer:  # fmt: skip
        field.sink.wait(before + mails // 10)
        processors = Processors()
        command = [str(VENV / "bin" / "py-spy"), "record", "-p", str(mailer.pid), "-r", "200"]
        options = ["--subprocesses", "-d", "600", "--gil", "-f", "raw", "-o", str(samples)]
        spy = subprocess.Popen(
            [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        field.sink.wait(before + mails)
        spent = processors.spent()
    spy.wait()
    counted = mails - mails // 10
    return [*_processes(spent, counted), "", *_functions(samples)]


def _processes(spent: dict[str, float], mails: int) -> list[str]:
    lines = ["| process | processor time a mail, µs |", "|---|---|"]
    return lines + [f"| {kind} | {each / mails * 1e6:.0f} |" for kind, each in spent.items()]


def _functions(samples: Path) -> list[str]:
    total: Counter[str] = Counter()
    for line in samples.read_text().splitlines():
        stack, _, times = line.rpartition(" ")
        if times.isdigit():  # others are lines of a command that a process was started with
            total[_owner(stack.split(";"))] += int(times)
    whole = sum(total.values())
    lines = ["| the mailer's own time, by file of ours or library | % |", "|---|---|"]
    return lines + [f"| {owner} | {n / whole * 100:.0f} |" for owner, n in total.most_common(20)]


def _owner(stack: list[str]) -> str:
    """Return our innermost file in a stack, or the library if there is none."""
    for frame in reversed(stack):
        if (found := _OURS.search(frame)) and "__main__" not in found[1]:
            return found[1]
    for frame in reversed(stack):
        if (found := _LIBRARY.search(frame)) and found[1] not in {"asyncio", "frozen"}:
            return found[1]
    return "the event loop"


def _used() -> Counter[str]:
    used: Counter[str] = Counter()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        for kind, word in _TYPES.items():
            if word in command:
                used[kind] += (int(fields[11]) + int(fields[12])) / _TICK
                break
    return used
