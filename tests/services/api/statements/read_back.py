"""Compares what a person or a program reads in a form of a statement with the model."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

from tests.services.api.statements.expected import Expected, Line
from tests.services.api.views.wire import read as read_json
from tests.services.api.views.wire import wire
from tests.shared.statements.notation import Notation
from tests.shared.statements.reading import page

#: A number of a document: no digit of it can be one of a figure.
DOCUMENT = "Doc[a-j]+"
Found = tuple[tuple[str, ...], list[Decimal]]


def check_form(expected: Expected, kind: str, text: str, notation: Notation, place: str) -> None:
    """Find every figure of a statement in a text, and no other; its rows in order."""
    text = re.sub(r"https://\S+", "", text)  # a link has an amount in no notation of people
    amounts = [abs(each) for each in notation.amounts(text)]
    shown = {*amounts}
    assert shown <= expected.figures, f"{place}: {shown - expected.figures} is of nothing"
    needed = _needed(expected)
    assert needed <= shown, f"{place}: without {needed - shown}"
    for run in (*_runs(expected, kind), *_chart(expected, kind, place)):
        starts = range(len(amounts) - len(run) + 1)
        together = any(amounts[start : start + len(run)] == run for start in starts)
        assert together, f"{place}: {run} are not together in {amounts}"
    found = _lines(text, notation)
    if kind != "open-items":
        _check_list(expected.activity, found, _is_row, place)
    if kind != "activity":
        _check_list(expected.open_items, found, _is_item, place)


def check_csv(expected: Expected, kind: str, content: bytes) -> None:
    """Compare the table for programs, in which no payments are one row."""
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    if kind != "open-items":
        names = ("number", "charge", "credit", "balance")
        shown = [[row[name] for name in names] for row in table if row["list"] == "activity"]
        opening, *rows, closing = shown
        sums = wire(expected.sums)
        assert (opening[-1], closing[-1]) == (sums["opening_balance"], sums["closing_balance"])
        assert rows == [[wire(line[name]) or "" for name in names] for line in expected.lines]
    if kind != "activity":
        items = [
            [row["number"], row["total"], row["open"]]
            for row in table
            if row["list"] == "open-items" and row["kind"] != "opening_balance"
        ]
        assert items == [[number, *wire(figures)] for [number], figures in expected.open_items]


def check_programs(expected: Expected, html: str, currency: str) -> None:
    """Compare the link for paying, and what mail programs make a card of; only for a debt."""
    tags = page(html).tags
    owed = expected.sums["closing_balance"]
    links = {each["href"] for tag, each in tags if tag == "a" and "pay.example" in str(each)}
    cards = re.findall(r"<script[^>]*>(.*?)</script\s*>", html, re.DOTALL)
    if owed <= 0:
        assert not links
        assert not cards
        return
    [link], [card] = map(str, links), map(read_json, cards)
    asked = parse_qs(urlsplit(link).query)
    assert (Decimal(asked["amount"][0]), asked["currency"]) == (owed, [currency])
    due = card["totalPaymentDue"]
    assert (due["price"], due["priceCurrency"]) == (wire(owed), currency)
    assert card["url"] == link


def _needed(expected: Expected) -> set[Decimal]:
    """The figures that every form shows somewhere, without a sign."""
    others = [expected.report[name] for name in ("balance", "deposit_amount")]
    if any(amount > 0 for amount in expected.ages.values()):
        others += [expected.ages[name] for name in ("no_due_date", "credits", "opening")]
    return {abs(each) for each in others if each}


def _runs(expected: Expected, kind: str) -> Iterator[list[Decimal]]:
    """Yield the figures that every form shows one right after the other, without a sign."""
    report, ages = expected.report, expected.ages
    yield expected.headline
    if kind != "open-items":
        yield [abs(each) for each in expected.sums.values()]
        yield [abs(report[name]) for name in ("amount_due", "total_paid", "owing")]
    if any(amount > 0 for amount in ages.values()):
        yield [ages[name] for name in ("not_due", "1-30", "31-60", "61-90", "over_90")]


def _chart(expected: Expected, kind: str, place: str) -> Iterator[list[Decimal]]:
    """Yield the amounts of the chart: a PDF has them as a description, not as text on the page."""
    if kind != "open-items" and not place.startswith("pdf"):
        yield [abs(each) for each in expected.bars]


def _lines(text: str, notation: Notation) -> list[Found]:
    """The documents that a text names, one after the other, with the figures that follow them."""
    found: list[Found] = []
    for token in re.findall(f"{DOCUMENT}|{notation.figure}", notation.plain(text)):
        if not token.startswith("Doc"):
            if found:
                found[-1][1].append(notation.amount(token))
        elif not found or found[-1][1]:
            found.append(((token,), []))
        else:
            found[-1] = ((*found[-1][0], token), [])
    return found


def _check_list(
    lines: list[Line], found: list[Found], is_same: Callable[[Line, Found], bool], place: str
) -> None:
    """Find every line, in order, one right after the other."""
    for start in range(len(found) - len(lines) + 1):
        part = found[start : start + len(lines)]
        if all(is_same(line, row) for line, row in zip(lines, part, strict=True)):
            return
    raise AssertionError(f"{place}: {lines} are not in {found}")


def _is_row(line: Line, found: Found) -> bool:
    """Whether this is a row of the account; a column of charges or credits has no signs."""
    numbers, (change, balance) = line
    return numbers == found[0] and found[1][:2] in ([change, balance], [abs(change), balance])


def _is_item(line: Line, found: Found) -> bool:
    """Whether this is an open item, its total before or after what is left of it."""
    return line[0] == found[0] and sorted(line[1]) == sorted(found[1][:2])
