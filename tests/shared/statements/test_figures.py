"""The same figures in text, HTML and PDF: golden ones, computed by hand."""

import re

from shared.statements.render import Renderer
from tests.shared.statements.reading import FIGURE, page, pdf_text, spaced, words
from tests.shared.statements.snapshots import frozen, snapshot

ROWS = [
    ("Invoice INV-2024-0117", "12,480.50", "15,680.50"),
    ("Payment on INV-2024-0098", "−3,200.00", "12,480.50"),
    ("Invoice INV-2024-0121", "866.75", "13,347.25"),
    ("Credit note CN-2024-0009", "−480.50", "12,866.75"),
    ("Payment on INV-2024-0117", "−12,000.00", "866.75"),
    ("Refund on INV-2024-0117", "250.00", "1,116.75"),
    ("Invoice INV-2024-0130", "1,999.9999", "3,116.7499"),
]
SUMS = [
    ("", "Opening balance", "3,200.00"),
    ("+", "Invoiced", "15,347.2499"),
    ("−", "Credited", "480.50"),
    ("−", "Paid", "15,200.00"),
    ("+", "Refunded", "250.00"),
    ("=", "Closing balance", "3,116.7499"),
]
BILLED = [
    ("Invoices", "3"),
    ("Billed, less credit notes", "GHS 14,866.7499"),
    ("Paid on it, any date", "GHS 11,750.00"),
    ("Still owing on it", "GHS 3,116.7499"),
]
HEADLINE = [
    ("Billed", "GHS 14,866.7499"),
    ("Paid", "GHS 14,950.00"),
    ("Owing", "GHS 3,116.7499"),
]
# By weeks: what was billed, less credit notes, and paid, less refunds.
CHART = [
    ("1 Nov", "12,480.50", "0.00"),
    ("4 Nov", "866.75", "3,200.00"),
    ("11 Nov", "−480.50", "0.00"),
    ("18 Nov", "0.00", "11,750.00"),
    ("25 Nov", "1,999.9999", "0.00"),
]
NOW = "Your whole account, as entered by 22 November 2026: GHS 1,250.25 in your favour"


def test_the_html_shows_the_golden_figures(renderer: Renderer) -> None:
    html = renderer.render(frozen(snapshot())).html
    rows = [tuple(map(spaced, cells)) for cells in page(html).rows]
    sums = [(f"{sign} {label}".strip(), amount) for sign, label, amount in SUMS]
    first = rows.index(sums[0])
    assert rows[first : first + len(sums)] == sums
    first = rows.index(("Transaction", "Amount", "Balance"))
    assert rows[first + 1] == ("Opening balance", "", "3,200.00")
    table = rows[first + 2 : first + 2 + len(ROWS)]
    assert [row[1:] for row in table] == [row[1:] for row in ROWS]
    assert all(shown[0].startswith(row[0]) for shown, row in zip(table, ROWS, strict=True))
    assert rows[first + 2 + len(ROWS)] == ("Closing balance", "", "3,116.7499")
    assert rows[rows.index(BILLED[0]) :][: len(BILLED)] == BILLED
    assert NOW in words(html)
    for label, amount in HEADLINE:
        assert f"{label} {amount}" in words(html)
    (drawn,) = [tag["aria-label"] for _, tag in page(html).tags if tag.get("role") == "img"]
    told = re.findall(r"(\d+ Nov): billed (\S+), paid (\S+)\.(?: |$)", drawn or "")
    assert told == CHART
    assert "GHS 3,116.7499 owed at the end of the period" in words(html)


def test_the_text_shows_the_golden_figures(renderer: Renderer) -> None:
    text = spaced(renderer.render(frozen(snapshot())).text)
    found = re.findall(r"\d{4}  (.+)\n(?:  \w.*\n)?\s+(−?[\d,.]+) +Balance +(\S+)\n", text)
    assert found == ROWS
    assert re.findall(r"^  (\d+ Nov) +(\S+) +/ +(\S+)$", text, re.MULTILINE) == CHART
    for label, amount in HEADLINE:
        assert re.search(rf"^  {label} +{re.escape(amount)}$", text, re.MULTILINE)
    for sign, label, amount in SUMS:
        assert re.search(rf"^{re.escape(sign)} +{label} +{re.escape(amount)}$", text, re.MULTILINE)
    for label, amount in BILLED:
        assert re.search(rf"^  {label} +{re.escape(amount)}$", text, re.MULTILINE)
    assert NOW in text
    assert "GHS 3,116.7499 owed at the end of the period" in " ".join(text.split())


def test_the_pdf_shows_the_golden_figures(renderer: Renderer) -> None:
    text = pdf_text(renderer.render(frozen(snapshot())).pdf)
    lines = text.splitlines()
    (head,) = [line for line in lines if re.search(r"Charges\s+Credits\s+Balance$", line)]
    columns = {name: head.index(name) + len(name) for name in ("Charges", "Credits", "Balance")}
    for title, change, balance in ROWS:
        (line,) = [line for line in lines if title in line and FIGURE.search(line)]
        found = {
            min(columns, key=lambda name: abs(columns[name] - end)): figure.group()
            for figure in FIGURE.finditer(line)
            for end in [figure.end()]
        }
        column = "Credits" if change.startswith("−") else "Charges"
        assert found == {column: change.lstrip("−"), "Balance": balance}
    for sign, label, amount in SUMS:
        assert re.search(rf"^ *{re.escape(sign)} *{label} +{re.escape(amount)}", text, re.MULTILINE)
    for label, amount in BILLED:
        assert re.search(rf"{label} +{re.escape(amount)}$", text, re.MULTILINE)
    for part in ("Your whole account", "GHS 1,250.25 in your favour", "GHS 3,116.7499"):
        assert part in text


def test_no_other_figure_is_shown_anywhere(renderer: Renderer) -> None:
    rendered = renderer.render(frozen(snapshot()))
    stated = " ".join(
        word for row in (*ROWS, *SUMS, *BILLED, *HEADLINE, *CHART, (NOW,)) for word in row
    )
    golden = {figure.lstrip("−") for figure in FIGURE.findall(stated)}
    for shown in (rendered.text, words(rendered.html), pdf_text(rendered.pdf)):
        found = {figure.lstrip("−") for figure in FIGURE.findall(shown)}
        assert found <= golden
        assert golden - found <= {"0.00", "14,950.00"}


def test_a_balance_in_the_customers_favour_is_said_in_words(renderer: Renderer) -> None:
    rendered = renderer.render(frozen(snapshot(opening="-20000.5")))
    for shown in (words(rendered.html), rendered.text, pdf_text(rendered.pdf)):
        plain = " ".join(shown.split())
        assert "in your favour at the end of the period" in plain
        assert "GHS 20,083.7501" in plain
        assert "−20,083.7501" in plain
        assert "−20,000.50" in plain
        assert "Balances below zero are in your favour." in plain
    owed = renderer.render(frozen(snapshot()))
    for shown in (words(owed.html), owed.text, pdf_text(owed.pdf)):
        assert "below zero" not in shown


def test_decimals_and_code_follow_the_currency(renderer: Renderer) -> None:
    content = snapshot([], opening="-1234567", business__currency="JPY", report__balance=-1234567)
    rendered = renderer.render(frozen(content))
    for shown in (words(rendered.html), spaced(rendered.text), pdf_text(rendered.pdf)):
        assert "JP¥1,234,567" in shown
        assert "−1,234,567" in shown
        assert "GHS" not in shown
