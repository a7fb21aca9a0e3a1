"""The demo's journey: reads the report, sends a statement, receives it."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from demo import database, letterhead, received
from demo.client import ask
from demo.failure import DemoFailed
from demo.ledger import WHOLESALER
from demo.names import ABROAD
from demo.processes import Background
from demo.received import Mail
from demo.system import System
from shared.statements.money import figure

SINCE, UNTIL = "2026-08-01", "2026-10-31"
_SHOWN = 8
SENT_WITHIN = 60
_OK, _ACCEPTED = 200, 202
_COLUMNS = ("amount_due", "total_paid", "owing", "balance")

Row = dict[str, Any]


def key_of(system: System) -> str:
    """Return the demo's API key: the stored one if it is valid, otherwise a new one."""
    file = system.folder / "key"
    key = file.read_text().strip() if file.exists() else ""
    if asyncio.run(database.opens(system.settings["DATABASE_URL"], key)):
        return key
    key = system.run("keys", "create", "--business", str(WHOLESALER), "--name", "demo").strip()
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"{key}\n")
    return key


def report(system: System, key: str) -> list[Row]:
    """Return the customers' report of the demo's period."""
    url = f"{system.url}/api/v3/reports/customers/{SINCE}/{UNTIL}"
    status, rows = ask(url, key=key)
    if status != _OK or not rows:
        raise DemoFailed(f"GET {url} answered {status}: {rows}", log(system, "api"))
    return list(rows)


def table(rows: list[Row], currency: str) -> str:
    """Return the customers with the largest bills, and the totals, as lines of a table."""
    top = sorted(rows, key=lambda row: (-row["amount_due"], row["id"]))[:_SHOWN]
    total = {name: sum(row[name] for row in rows) for name in ("invoices", *_COLUMNS)}
    heads = ("id", "customer", "invoices", "billed", "paid", "owing", "balance now")
    lines = [
        heads,
        *(
            (str(row["id"]), row["business_name"], str(row["invoices"]), *_figures(row, currency))
            for row in top
        ),
        ("", f"all {len(rows)} customers", str(total["invoices"]), *_figures(total, currency)),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def brand(system: System) -> None:
    """Give the demo's business its letterhead."""
    logo = system.folder / "logo.png"
    letterhead.write_logo(logo)
    of_business = ("--business", str(WHOLESALER))
    system.run("branding", "set", *of_business, *letterhead.options())
    system.run("branding", "logo", *of_business, logo)


def send(system: System, key: str, rows: list[Row], say: Callable[[str], None]) -> list[Mail]:
    """Send a statement to the largest customer with an address; return the mails that arrived."""
    row = max((row for row in rows if row["business_email"]), key=lambda row: row["amount_due"])
    other = "bookkeeping@example.com"
    body = {
        "message": "Thank you for your trust.\nHere is your statement.",
        "other_emails": [other],
    }
    mails = _mails(system, key, row, body, say)
    received.check(mails, {row["business_email"], other}, row)
    return mails


def send_abroad(
    system: System, key: str, rows: list[Row], say: Callable[[str], None]
) -> list[Mail]:
    """Send a statement to each customer with another language; return the mails that arrived."""
    found: list[Mail] = []
    for row in rows:
        if row["id"] in ABROAD:
            mails = _mails(system, key, row, {}, say)
            received.arrived(mails, {row["business_email"]})
            found += mails
    return found


def _mails(
    system: System, key: str, row: Row, body: dict[str, Any], say: Callable[[str], None]
) -> list[Mail]:
    url = f"{system.url}/api/v3/clients/{row['id']}/transactions/send?from={SINCE}&to={UNTIL}"
    status, accepted = ask(url, key=key, body=body)
    if status != _ACCEPTED:
        raise DemoFailed(f"POST {url} answered {status}: {accepted}", log(system, "api"))
    say(f"202 {accepted['message']}: {row['business_name']}, send {accepted['id']}")
    _follow(system, key, accepted["id"])
    return received.mails_of(system.inbox, accepted["id"])


def _follow(system: System, key: str, send_id: str) -> None:
    deadline = time.monotonic() + SENT_WITHIN
    while True:
        status, shown = ask(f"{system.url}/api/v3/sends/{send_id}", key=key)
        if status != _OK:
            raise DemoFailed(f"the send {send_id} answered {status}: {shown}", log(system, "api"))
        if shown["status"] == "sent":
            return
        if shown["status"] not in {"scheduled", "sending"} or time.monotonic() > deadline:
            waiting = {one["email"]: one["state"] for one in shown["recipients"]}
            # A delivery that was never queued waits for the relay, any other for the mailer.
            name = "relay" if "scheduled" in waiting.values() else "mailer"
            raise DemoFailed(f"the send is {shown['status']}: {waiting}", log(system, name))
        time.sleep(0.1)


def _figures(row: Row, currency: str) -> tuple[str, ...]:
    return tuple(figure(row[name], currency) for name in _COLUMNS)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    number, name, *figures = (
        cell.ljust(width) if place == 1 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(("", number, name, *figures))


def log(system: System, name: str) -> Any:
    """Return the path of a process's log."""
    return Background(name, system.folder).log
