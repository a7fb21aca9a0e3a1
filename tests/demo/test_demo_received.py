import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.failure import DemoFailed
from demo.received import Mail, check, mails_of

ROW = {
    "invoice_count": Decimal(3),
    "amount_due": Decimal("-1234.5"),
    "total_paid": Decimal(0),
    "owing": Decimal("1000000.25"),
    "balance": Decimal(-10),
}
TEXT = """
Billed in this period
  Invoices             3
  Billed               GHS \N{MINUS SIGN}1,234.50
  Paid on it, any date GHS 0.00
  Still owing on it    GHS 1,000,000.25

Balance of all dates, as entered by 1 November 2026: GHS 10.00 in your favour.
"""


def mail(**changed: Any) -> Mail:
    return dataclasses.replace(Mail(Path(), "a@example.com", "", TEXT, b"%PDF-1.7"), **changed)


def keep(inbox: Path, name: str, send_id: str, text: str = TEXT) -> None:
    folder = inbox / name
    folder.mkdir(parents=True)
    (folder / "message.eml").write_text(
        f"To: a@example.com\nSubject: S\nX-Ledgerpost-Send: {send_id}\n\n"
    )
    (folder / "body.txt").write_text(text)
    (folder / "statement.pdf").write_bytes(b"%PDF-1.7")


def test_figures_are_read_exactly(tmp_path: Path) -> None:
    keep(tmp_path, "0001-a", "mine")
    keep(tmp_path, "0002-a", "other")
    (found,) = mails_of(tmp_path, "mine")
    assert found.figures == ROW
    check([found], {"a@example.com"}, ROW)


def test_a_mail_without_its_figures_is_a_failure(tmp_path: Path) -> None:
    keep(tmp_path, "0001-a", "mine", TEXT.replace("Still owing", "Owing"))
    with pytest.raises(DemoFailed, match="Still owing"):
        check(mails_of(tmp_path, "mine"), {"a@example.com"}, ROW)


@pytest.mark.parametrize(
    ("mails", "complaint"),
    [
        ([], "should have reached"),
        ([mail(), mail()], "should have reached"),
        ([mail(recipient="b@example.com")], "should have reached"),
        ([mail(text=TEXT.replace("1,000,000.25", "1.00"))], "the API"),
        ([mail(pdf=b"")], "no PDF"),
    ],
)
def test_any_difference_is_a_failure(mails: list[Mail], complaint: str) -> None:
    with pytest.raises(DemoFailed, match=complaint):
        check(mails, {"a@example.com"}, ROW)
