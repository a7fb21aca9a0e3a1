"""`python -m demo.dev`: runs the system, and restarts each process when its code changes.

Its servers and data are separate from the demo's, and stay for the next run.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from demo import journey, ledger
from demo.failure import DemoFailed
from demo.prepared import ROOT, prepared
from demo.reload import Code, Tail, concerned
from demo.system import System, backgrounds
from provision import servers
from provision.place import locked, place
from provision.program import Unavailable

_NAME = "dev"
_LOOKS = 0.5  # seconds between two checks of files and logs


def begin(folder: Path) -> System:
    """Return the system, running and ready on the demo's ledger."""
    system = prepared(_NAME, folder, os.environ, print)
    ledger.write(folder / "ledger")
    system.run("import", folder / "ledger")
    system.start()
    system.wait()
    print(f"""
  API        {system.url}   (the page to try it: {system.url}/docs)
  key        {journey.key_of(system)}
  inbox      {system.inbox}
  Postgres   {system.settings["DATABASE_URL"]}

A process restarts when a file of its code changes. Ctrl-C ends all; the data stays.
""")
    return system


def follow(system: System) -> NoReturn:
    """Print the logs of the processes, and restart those whose code has changed."""
    code = Code(ROOT)
    tails = {each.name: Tail(each.log) for each in backgrounds(system.folder)}
    while True:
        for name, tail in tails.items():
            for line in tail.lines():
                print(f"{name:6} | {line}", flush=True)
        if changed := code.changed():
            renew(system, changed)
        time.sleep(_LOOKS)


def renew(system: System, changed: list[Path]) -> None:
    """Apply new migrations, and restart the processes that import changed files."""
    steps: list[Callable[[], object]] = []
    if any(path.is_relative_to("shared/db/migrations") for path in changed):
        steps.append(partial(system.run, "migrate"))
    names = concerned(changed)
    steps += [partial(system.restart, name) for name in names]
    if steps:
        print(f"{', '.join(map(str, changed))}: restarting {', '.join(names)}", flush=True)
    for step in steps:
        try:
            step()
        except (DemoFailed, RuntimeError) as failure:  # the next change is another try
            print(failure, flush=True)


def end(folder: Path) -> None:
    """Stop the processes and servers that this command started."""
    for each in reversed(backgrounds(folder)):
        each.stop()
    servers.stop(ROOT, _NAME)
    print("all stopped")


def main() -> int:
    """Run until Ctrl-C or SIGTERM, and return the exit status."""
    # A shell that starts a command in the background lets it ignore SIGINT; SIGHUP comes from a
    # terminal that is closed.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.default_int_handler)
    folder = place(ROOT, _NAME)
    (folder / "run").mkdir(exist_ok=True)
    try:
        with locked(folder / "run"):
            try:
                follow(begin(folder))
            finally:
                end(folder)
    except DemoFailed as failure:
        print(f"{failure}\n{failure.tail()}", file=sys.stderr)
        return 1
    except (Unavailable, RuntimeError, OSError) as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
