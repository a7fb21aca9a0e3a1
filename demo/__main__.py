"""`python -m demo [--once]`, `python -m demo stop`, `python -m demo logs`."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from demo import bulk, journey, ledger
from demo.failure import DemoFailed
from demo.prepared import ROOT, prepared
from demo.received import Mail
from demo.system import System, backgrounds
from provision import servers
from provision.place import locked, place
from provision.program import Unavailable

_USAGE = "usage: python -m demo [--once | stop | logs]"


class _Steps:
    """Prints the steps and how long they took."""

    def __init__(self) -> None:
        self._begun = self._last = time.monotonic()

    def __call__(self, done: str) -> None:
        now = time.monotonic()
        print(f"{now - self._last:6.1f} s  {done}", flush=True)
        self._last = now

    @property
    def total(self) -> float:
        """Seconds since the first step began."""
        return time.monotonic() - self._begun


def up(folder: Path, environ: Mapping[str, str]) -> None:
    """Start the system unless it runs, try it and show the results."""
    say = _Steps()
    system = prepared("demo", folder, environ, say)
    was_up = system.runs()
    if not was_up:
        system.start()
    ledger.write(folder / "ledger")
    imported = system.run("import", folder / "ledger")
    say(f"demo ledger imported\n{_indented(imported)}")
    system.wait()
    already = " already (make stop ends them)" if was_up else ""
    say(f"inbox, API, relay, mailer and listener are up and ready{already}")
    journey.brand(system)
    key = journey.key_of(system)
    rows = journey.report(system, key)
    say(f"income by customer, {journey.SINCE} to {journey.UNTIL}, in GHS:\n")
    print(journey.table(rows, "GHS"), end="\n\n")
    mails = journey.send(system, key, rows, say)
    say(f"{len(mails)} mails arrived, with the API's figures:\n{_folders(mails)}")
    abroad = journey.send_abroad(system, key, rows, say)
    say(f"{len(abroad)} mails arrived in the languages of their customers:\n{_folders(abroad)}")
    many = bulk.send_to_many(system, key, say)
    say(f"{len(many)} mails arrived, one for each customer of the list")
    print(f"\nAll of it worked, in {say.total:.1f} s.\n{_manual(system, key, environ)}")


def down(folder: Path) -> None:
    """Stop everything that the demo started, including Postgres and RabbitMQ."""
    for each in reversed(backgrounds(folder)):
        if each.stop():
            print(f"{each.name} stopped")
    if servers.running(ROOT, "demo"):
        servers.stop(ROOT, "demo")
        print("Postgres and RabbitMQ stopped")


def _manual(system: System, key: str, environ: Mapping[str, str]) -> str:
    period = f"{journey.SINCE}/{journey.UNTIL}"
    header = f"-H 'Authorization: Bearer {key}'"
    send = f"{system.url}/api/v3/clients/1/transactions/send?from={period.replace('/', '&to=')}"
    return f"""
  API        {system.url}
  key        {key}   (kept in {system.folder / "key"})
  pages      {system.url}/reports?period={period.replace("/", "..")}   (sign in with the key)
  inbox      {system.inbox}   ({system.settings["SMTP_URL"]})
  Postgres   {_address(system, "DATABASE_URL", environ)}
  RabbitMQ   {_address(system, "AMQP_URL", environ)}
  health     http://127.0.0.1:{system.settings["RELAY_OPS_PORT"]}/health/ready (relay)
             http://127.0.0.1:{system.settings["MAILER_OPS_PORT"]}/health/ready (mailer)
             http://127.0.0.1:{system.settings["RETURNS_OPS_PORT"]}/health/ready (listener)

For ledgerpost-api:
  export DATABASE_URL={_address(system, "DATABASE_URL", environ)}

Try:
  curl {header} {system.url}/api/v3/reports/customers/{period}
  curl {header} {system.url}/api/v3/reports/customers/client/1/{period}
  curl {header} '{send}' -d message=Hello -d other_emails=you@example.com
  curl {header} {system.url}/api/v3/sends

A mail that comes back (the inbox returns what is sent to gone@...), and what it changes:
  curl {header} '{send}' -d message=Hello -d other_emails=gone@example.com
  curl {header} {system.url}/api/v3/returns
  curl {header} {system.url}/api/v3/suppressions
"""


def _address(system: System, name: str, environ: Mapping[str, str]) -> str:
    # The password of a server that the demo did not start is not shown.
    return f"as given in {name}" if environ.get(name) else system.settings[name]


def _folders(mails: Sequence[Mail]) -> str:
    return _indented("\n".join(f"{mail.folder}" for mail in mails))


def _indented(text: str) -> str:
    return "\n".join(f"{'':10}{line}" for line in text.splitlines())


def _follow_logs(folder: Path) -> NoReturn:
    logs = sorted(folder.glob("*/*.log"))
    if not logs:
        sys.exit("there are no logs: the demo was never started (make demo)")
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, logs)])


def _try(folder: Path, *, once: bool) -> int:
    try:
        with locked(folder / "run"):
            up(folder, os.environ)
    except DemoFailed as failure:
        print(f"\nThe demo failed: {failure}", file=sys.stderr)
        if tail := failure.tail():
            print(f"\nThe end of {failure.log}:\n{tail}", file=sys.stderr)
        return 1
    except (Unavailable, RuntimeError, OSError) as failure:
        print(f"\nThe demo could not start: {failure}", file=sys.stderr)
        return 1
    finally:
        if once:
            down(folder)
    if not once:
        print("It keeps running: make logs follows it, make stop ends it.")
    return 0


def main(arguments: list[str]) -> int:
    """Run the command in the arguments, and return the exit status."""
    folder = place(ROOT, "demo")
    (folder / "run").mkdir(exist_ok=True)
    match arguments:
        case [] | ["--once"]:
            return _try(
                folder, once=bool(arguments) or os.environ.get("ONCE", "0") not in {"", "0"}
            )
        case ["stop"]:
            with locked(folder / "run"):
                down(folder)
            return 0
        case ["logs"]:
            _follow_logs(folder)
        case _:
            print(_USAGE, file=sys.stderr)
            return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\ninterrupted; make stop ends what was started")
