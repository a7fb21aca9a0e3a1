"""Reads the mails in the inbox as their recipients would."""

import re
from dataclasses import dataclass
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from demo.failure import DemoFailed

_FIGURES = {
    "invoice_count": r"^ *Invoices +(?P<figure>\S+)$",
    "amount_due": r"^ *Billed +[A-Z]{3}\s+(?P<figure>\S+)$",
    "total_paid": r"^ *Paid on it, any date +[A-Z]{3}\s+(?P<figure>\S+)$",
    "owing": r"^ *Still owing on it +[A-Z]{3}\s+(?P<figure>\S+)$",
    "balance": r"as entered by [^:]+: [A-Z]{3}\s(?P<figure>[\d,.]*\d)(?P<favour> in your favour)?",
}


@dataclass(frozen=True)
class Mail:
    """One mail in the inbox."""

    folder: Path
    recipient: str
    subject: str
    text: str
    pdf: bytes

    @property
    def figures(self) -> dict[str, Decimal]:
        """The figures in the text of a mail in English. Raises DemoFailed if one is not there."""
        return {name: _figure(self.text, pattern) for name, pattern in _FIGURES.items()}


def mails_of(inbox: Path, send_id: str) -> list[Mail]:
    """Return the mails of one send, in the order in which they arrived."""
    found: list[Mail] = []
    for folder in sorted(inbox.glob("[0-9]*")):
        message = message_from_bytes((folder / "message.eml").read_bytes(), policy=default)
        if message["X-Ledgerpost-Send"] == send_id:
            text = (folder / "body.txt").read_text("utf-8")
            pdf = next(iter(folder.glob("*.pdf")), None)
            found.append(
                Mail(
                    folder,
                    str(message["To"]),
                    str(message["Subject"]),
                    text,
                    pdf.read_bytes() if pdf else b"",
                )
            )
    return found


def check(mails: list[Mail], recipients: set[str], row: dict[str, Any]) -> None:
    """Raise DemoFailed unless each recipient has a mail in English with the figures of a row."""
    arrived(mails, recipients)
    for mail in mails:
        expected = {name: row[name] for name in _FIGURES}
        if mail.figures != expected:
            raise DemoFailed(f"{mail.folder} shows {mail.figures}, the API {expected}")


def arrived(mails: list[Mail], recipients: set[str]) -> None:
    """Raise DemoFailed unless each recipient has one mail, with a PDF."""
    reached = sorted(mail.recipient for mail in mails)
    if reached != sorted(recipients):
        raise DemoFailed(f"mail should have reached {sorted(recipients)} once, and did {reached}")
    for mail in mails:
        if not mail.pdf.startswith(b"%PDF-"):
            raise DemoFailed(f"{mail.folder} has no PDF attached")


def _figure(text: str, pattern: str) -> Decimal:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise DemoFailed(f"the mail's text has nothing like {pattern}")
    figure = Decimal(match["figure"].replace(",", "").replace("\N{MINUS SIGN}", "-"))
    return -figure if match.groupdict().get("favour") else figure
