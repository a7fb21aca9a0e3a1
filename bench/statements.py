"""Statements: the time of a mail, of its PDF and of 5,000 lines, beside WeasyPrint."""

import json
import subprocess
import sys
from html import escape
from statistics import median
from typing import Any

from bench import results, servers
from bench.servers import ROOT, VENV
from shared.statements.model import Statement
from shared.statements.view import View, view

_FEW = 6
_ROWS = 12
_MANY = 5_000
_MAILS = 300
_PEER_MAILS = 30

_STYLE = """
@page { size: A4; margin: 18mm; @bottom-right { content: "Page " counter(page) " of " counter(pages) } }
body { font: 9pt sans-serif; color: #18212b } h1 { font-size: 17pt } h2 { font-size: 12pt }
.cards { display: flex; gap: 10pt } .cards div { flex: 1; background: #eef3f1; padding: 10pt }
table { width: 100%; border-collapse: collapse } thead { display: table-header-group }
th, td { text-align: left; padding: 4pt 0; border-bottom: 0.5pt solid #dce2e6 }
.figure { text-align: right; white-space: nowrap } tr { break-inside: avoid }
"""
_ACCOUNT = {
    "version": 2,
    "business": {
        "id": 1, "name": "Kente & Co", "email": "accounts@kente.example", "phone": "+233 30 255 0117",
        "address": "14 Oxford Street\nOsu, Accra", "currency": "GHS", "timezone": "Africa/Accra",
    },
    "customer": {
        "id": 12, "first_name": "Esi", "last_name": "Ofori", "business_name": "Ofori & Daughters Fabrics",
        "business_address": "Makola Market, Stall 88", "business_phone": None, "business_location": "Accra",
        "business_email": "esi@ofori.example", "phone_number": None,
    },
    "branding": {
        "accent": "#0b4f8a", "how_to_pay": "Example Bank, Accra\nAccount 0011 2233 4455",
        "pay_link": "https://pay.example/{customer_id}?amount={amount}",
    },
    "from": "2024-11-01",
    "to": "2024-11-30",
    "generated_at": "2024-12-01T08:00:00Z",
}  # fmt: skip


def main(_: list[str]) -> None:
    """Measure statements of 12 and of 5,000 rows, and write the results."""
    servers.install()
    ours, many = _ours(_ROWS, _MAILS), _ours(_MANY, 1)
    peer, peer_many = _weasyprint(_ROWS, _PEER_MAILS), _weasyprint(_MANY, 1)
    mail = median(ours["mail"])
    pdf = median(ours["with_pdf"]) - mail
    few, peer_few = _ours(_FEW, _MAILS), _weasyprint(_FEW, _PEER_MAILS)
    page = median(few["with_pdf"]) - median(few["mail"])
    lines = [
        f"{results.machine(None, 'typst', 'jinja2')} WeasyPrint {peer['version']}.",
        "",
        (
            f"Medians of {_MAILS} statements in a warm process, each with other figures; WeasyPrint prints"
            f" {_PEER_MAILS}, without tags, archival format, chart or embedded file."
        ),
        "",
        "| | the product | WeasyPrint | × |",
        "|---|---|---|---|",
        f"| mail of {_ROWS} rows without PDF, composed, ms | {mail * 1000:.2f} | | |",
        _row(
            f"PDF of one page with {_FEW} rows, ms", page * 1000, median(peer_few["seconds"]) * 1000
        ),
        _row(
            f"PDF of two pages with {_ROWS} rows, ageing, chart and how to pay, ms",
            pdf * 1000,
            median(peer["seconds"]) * 1000,
        ),
        _row(f"PDF of {_MANY:,} rows, s", many["with_pdf"][0], peer_many["seconds"][0]),
        _row("memory at its peak, MB", many["megabytes"], peer_many["megabytes"]),
    ]
    results.write("statements", "Statements", lines)


def _row(name: str, ours: float, theirs: float) -> str:
    return f"| {name} | {ours:.4g} | {theirs:.4g} | {theirs / ours:.1f} |"


def _ours(rows: int, count: int) -> dict[str, Any]:
    contents = [_snapshot(rows if number else _ROWS, number) for number in range(count + 1)]
    return _run([sys.executable, "-m", "bench.composing"], contents)


def _weasyprint(rows: int, count: int) -> dict[str, Any]:
    pages = [
        _page(view(Statement.parse(_snapshot(rows if number else _ROWS, number).encode())))
        for number in range(count + 1)
    ]
    return _run(
        [str(VENV / "bin" / "python"), str(ROOT / "bench" / "peers" / "weasyprint_peer.py")], pages
    )


def _run(command: list[str], texts: list[str]) -> dict[str, Any]:
    """Return what a program answers to these texts."""
    run = subprocess.run(
        command, input=json.dumps(texts), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def _snapshot(rows: int, number: int) -> str:
    """Return a statement of so many rows; each number gives other figures."""
    parts, balance = [], 100.25 + number
    for place in range(rows):
        is_invoice, amount = place % 2 == 0, 900.25 + (place + number) % 500
        balance += amount if is_invoice else -amount / 2
        parts.append(
            {
                "date": f"2024-11-{1 + place * 30 // rows:02}",
                "kind": "invoice" if is_invoice else "payment",
                "id": place,
                "number": f"INV-{number:04}-{place:05}",
                "due_date": "2024-12-15" if is_invoice else None,
                "channel": None if is_invoice else "manual",
                "method": None if is_invoice else "Bank transfer",
                "reference": None if is_invoice else f"TRF {place}",
                "charge": amount if is_invoice else None,
                "credit": None if is_invoice else amount / 2,
                "balance": balance,
            }
        )
    account = _ACCOUNT if rows > _FEW else _ACCOUNT | {"branding": {}}
    return json.dumps(account | _ends(parts, balance, number) | {"transactions": parts})


def _ends(parts: list[dict[str, Any]], closing: float, number: int) -> dict[str, Any]:
    invoiced, paid = (sum(part[name] or 0 for part in parts) for name in ("charge", "credit"))
    aging = dict.fromkeys(("31-60", "61-90", "over_90", "no_due_date", "credits", "opening"), 0)
    report = {"amount_due": invoiced, "total_paid": paid, "owing": invoiced - paid}
    return {
        "opening_balance": 100.25 + number,
        "closing_balance": closing,
        "totals": {"invoiced": invoiced, "credited": 0, "paid": paid, "refunded": 0},
        "aging": aging | {"not_due": 0, "1-30": closing, "total": closing},
        "report": report
        | {"invoice_count": len(parts) // 2, "balance": closing, "deposit_amount": 0},
    }


def _page(shown: View) -> str:
    """Return what the product's PDF says as a page for printing, but for its chart and bars."""
    labels, parts = shown["labels"], [shown["title"], shown["period"], shown["customer"]["name"]]
    cards = "".join(
        f"<div>{part['label']}<br><b>{part['amount']}</b></div>" for part in shown["headline"]
    )
    ages = _table([], [[part["label"], part["amount"]] for part in shown["aging"]])
    sums = _table([], [[part["label"], part["amount"]] for part in shown["sums"]])
    names = ("date", "transaction", "charges", "credits", "balance")
    rows = _table(
        [labels[name] for name in names],
        [
            [
                row["date"],
                f"{row['title']}\n{row['details']}",
                *(row[name] for name in ("charge", "credit", "balance")),
            ]
            for row in shown["rows"]
        ],
    )
    head = f"<h1>{escape(shown['business']['name'])}</h1>" + "".join(
        f"<p>{escape(part)}</p>" for part in parts
    )
    body = f"{head}<div class=cards>{cards}</div><h2>{labels['ageing']}</h2>{ages}<h2>{labels['summary']}</h2>{sums}"
    return f"<!doctype html><style>{_STYLE}</style>{body}<h2>{labels['transactions']}</h2>{rows}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    heads = "".join(f"<th>{escape(cell)}" for cell in head)
    lines = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=figure' if place else ''}>{escape(cell)}"
            for place, cell in enumerate(row)
        )
        for row in rows
    )
    return f"<table><thead><tr>{heads}</thead><tbody>{lines}</tbody></table>"
