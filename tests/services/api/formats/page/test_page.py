"""The page of a report, from reports and links made by hand."""

import re
from datetime import date
from decimal import Decimal

import pytest

from services.api.formats.page import urls
from services.api.formats.page.charts import stripes, timeline
from services.api.formats.page.figures import aligned, text
from services.api.formats.page.navigation import Bar, Customer, Interval, Paging, View
from services.api.formats.page.page import html
from services.api.formats.report import Kind, Value
from shared.period import Period
from tests.services.api.formats.page.fakes import FIGURES, Reader, navigation, report, row

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus=alert(1) autofocus='",
    "</table></main>",
    "{{ 7 * 7 }}",
    "\u202e100.00\u2066\u200f\x00\n\x1b",
)


async def test_each_figure_stands_in_its_column_and_links_to_what_makes_it_up() -> None:
    page = Reader(await html(report(row()), navigation()))
    cells = next(each for each in page.rows if each[:1] == ["Kofi & Sons"])
    assert [each.strip() for each in cells[1:]] == [
        *("1,234.50", "−0.0625", "0.00", "99.99", "3", "13.57"),
    ]
    links = page.all("a", "href")
    assert {"4", *(f"4/{name}" for name in FIGURES)} <= set(links)
    assert page.all("base", "href") == ["/reports/2024-11-01/2024-11-30/"]


async def test_a_thousand_rows_are_small_enough() -> None:
    rows = [row(10_000 + number, f"Customer {number} of Accra Ltd") for number in range(1000)]
    text = await html(report(*rows), navigation())
    assert len(Reader(text).rows) > 1000
    assert len(text.encode()) <= 400_000


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_text(name: str) -> None:
    bars = [Bar(name, Decimal(1), "4", "4/balance")]
    given = navigation(bars=bars, bars_title="Top", customer=Customer(4, name))
    plain = Reader(await html(report(row(name="Kofi")), navigation(customer=Customer(4, "Kofi"))))
    text = await html(report(row(name=name, first=name)), given)
    page = Reader(text)
    added = {"section", "svg", "rect", "ol", "li", "span", "h2", "small"}
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags} | added
    names = {attribute for _, attrs in page.tags for attribute in attrs}
    assert page.all("script", "src") == plain.all("script", "src")
    assert not any(each.startswith("on") or each == "style" for each in names)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x1b]", text)


@pytest.mark.parametrize(
    ("name", "first", "shown"),
    [(None, "Ama", "Ama"), ("", None, "Customer 4"), (None, "", "Customer 4")],
)
async def test_a_customer_without_a_name_can_be_found(
    name: str | None, first: str | None, shown: str
) -> None:
    page = Reader(await html(report(row(4, name, first)), navigation()))
    assert shown in [each[0] for each in page.rows if each]


async def test_totals_stand_below_the_rows_and_not_among_them() -> None:
    totals: dict[str, Value] = {"balance": Decimal("7.25"), "invoice_count": 12}
    text = await html(report(row(), totals=totals), navigation(paging=Paging(312)))
    assert "<tfoot>" in text
    body, foot = text.partition("<tfoot>")[::2]
    assert "7.25" not in body.partition("<tbody>")[2]
    cells = re.findall(r"<t[dh][^>]*>([^<]*)<", foot.partition("</tfoot>")[0])
    assert [each.strip() for each in cells] == ["All 312", "7.25", "", "", "", "12", ""]


async def test_heads_sort_and_say_how() -> None:
    sorts = {}
    for sort in ("-balance", "balance", "business_name"):
        text = await html(report(row()), navigation(sort=sort, query=[("q", "a"), ("page", "3")]))
        head = text.partition("<thead>")[2].partition("</thead>")[0]
        sorts[sort] = dict(re.findall(r'sort=([a-z_-]+)">([^<]+)<', head))
        assert f'aria-sort="{"descending" if sort[0] == "-" else "ascending"}"' in head
        assert head.count("aria-sort") == 1
        assert "page=3" not in head
        assert "?q=a&amp;sort=" in head
    assert sorts["-balance"]["balance"] == "Balance"
    assert sorts["-balance"]["business_name"] == "Customer"
    assert sorts["balance"]["-balance"] == "Balance"
    assert sorts["business_name"]["-business_name"] == "Customer"


async def test_links_keep_what_the_other_view_understands() -> None:
    query = [("q", "ama"), ("basis", "cash"), ("sort", "balance"), ("cursor", "x")]
    tabs = (await html(report(row()), navigation(query=query))).partition("</nav>")[0]
    assert "/2024-11-30?q=ama&amp;basis=cash" in tabs
    assert "/summary?q=ama&amp;basis=cash" in tabs
    assert "/series?basis=cash" in tabs
    assert "/aging?q=ama&amp;as_of=2024-11-30" in tabs
    assert "cursor" not in tabs


@pytest.mark.parametrize(
    ("days", "before", "after"),
    [
        ("2024-11-01 2024-11-30", "2024-10-01 2024-10-31", "2024-12-01 2024-12-31"),
        ("2024-01-01 2024-03-31", "2023-10-01 2023-12-31", "2024-04-01 2024-06-30"),
        ("2024-01-01 2024-12-31", "2023-01-01 2023-12-31", "2025-01-01 2025-12-31"),
        ("2024-02-01 2024-02-28", "2024-01-04 2024-01-31", "2024-02-29 2024-03-27"),
        ("2024-11-11 2024-11-11", "2024-11-10 2024-11-10", "2024-11-12 2024-11-12"),
        ("0001-01-01 0001-01-31", "", "0001-02-01 0001-02-28"),
        ("9999-12-01 9999-12-31", "9999-11-01 9999-11-30", ""),
        ("0001-01-01 9999-12-31", "", ""),
        ("0001-01-01 0001-01-02", "", "0001-01-03 0001-01-04"),
        ("9999-12-30 9999-12-31", "9999-12-28 9999-12-29", ""),
    ],
)
def test_the_periods_beside_a_period(days: str, before: str, after: str) -> None:
    assert urls.neighbours(period(days)) == (
        period(before) if before else None,
        period(after) if after else None,
    )


def period(days: str) -> Period:
    return Period(*map(date.fromisoformat, days.split()))


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (Decimal("-1234567.8901"), Kind.MONEY, "−1,234,567.8901"),
        (None, Kind.MONEY, "–"),
        (1234567, Kind.COUNT, "1,234,567"),
        (Decimal("-0.5"), Kind.DAYS, "−0.5"),
        (date(2024, 11, 1), Kind.DATE, "1 Nov 2024"),
        (1, Kind.FLAG, "Yes"),
        ("a\n\u202eb", Kind.TEXT, "a b"),
        (9223372036854775807, Kind.ID, "9223372036854775807"),
    ],
)
def test_how_a_value_is_read(value: Value, kind: Kind, shown: str) -> None:
    assert text(value, kind, "GHS") == shown


def test_points_stand_below_each_other() -> None:
    assert aligned(["1.25", "−13", "–", "0.5"]) == ["1.25", "−13.00", "–", "0.50"]
    assert aligned(["1.25", "2.50"]) == ["1.25", "2.50"]


def test_bars_are_as_long_as_their_amounts() -> None:
    amounts = [Decimal(200), Decimal(50), Decimal(-100), Decimal(0)]
    found = stripes([Bar("x", amount) for amount in amounts])
    assert [(each.width, each.is_negative) for each in found] == [
        *(("100%", False), ("25%", False), ("50%", True), ("0%", False)),
    ]
    assert [each.width for each in stripes([Bar("x", Decimal(0))])] == ["0%"]


def test_lines_over_time_lead_through_their_amounts() -> None:
    given = [
        Interval(date(2024, 1, 1), date(2024, 1, 31), Decimal(900), Decimal(-100)),
        Interval(date(2024, 2, 1), date(2024, 2, 29), Decimal(500), Decimal(0)),
        Interval(date(2024, 3, 1), date(2024, 3, 31), Decimal(750), Decimal(1000)),
        Interval(date(2024, 4, 1), date(2024, 4, 9), Decimal(0), Decimal(250), partial=True),
    ]
    chart = timeline(given, "GHS", date(2024, 12, 31))
    labels = ["1k", "500", "0", "−500"]
    ticks = [each for each, _ in chart.ticks]
    assert chart.ticks == list(zip(ticks, labels, strict=True))
    assert (ticks[0], ticks[-1], chart.zero) == ("0%", "100%", ticks[2])
    billed, paid = chart.lines
    assert billed.whole == "M12.5 6.67L37.5 33.33L62.5 16.67"
    assert billed.faded == "M62.5 16.67L87.5 66.67"
    assert paid.whole == "M12.5 73.33L37.5 66.67L62.5 0"
    assert [(each.billed, each.paid) for each in chart.slots][:2] == [
        *(("6.67%", "73.33%"), ("33.33%", "66.67%")),
    ]
    assert [each.middle for each in chart.slots] == ["12.5%", "37.5%", "62.5%", "87.5%"]
    assert [each.is_faded for each in chart.slots] == [False, False, False, True]
    assert "GHS 900.00 in January 2024" in chart.alternative


def test_a_line_is_faded_around_what_is_still_to_come_and_no_longer() -> None:
    months = [date(2024, month, 1) for month in (1, 2, 3, 4)]
    given = [
        Interval(each, each, Decimal(1), Decimal(1), partial=place == 1)
        for place, each in enumerate(months)
    ]
    line = timeline(given, "GHS", date(2024, 12, 31)).lines[0]
    assert (line.faded, line.whole) == ("M12.5 0L37.5 0L62.5 0", "M62.5 0L87.5 0")
    assert timeline(given, "GHS", date(2023, 12, 31)).lines[0].whole == ""


@pytest.mark.parametrize("amount", [Decimal(0), Decimal(5), Decimal(-5)])
async def test_a_chart_of_one_interval_has_two_points_and_no_line(amount: Decimal) -> None:
    given = [Interval(date(2024, 1, 1), date(2024, 1, 1), amount, Decimal(0))]
    chart = timeline(given, "GHS", date(2024, 12, 31))
    assert [(each.whole, each.faded) for each in chart.lines] == [("", ""), ("", "")]
    assert chart.slots[0].middle == "50%"
    text = await html(report(row()), navigation(intervals=given))
    area = text.partition('<svg class="area"')[2].partition("</div>")[0]
    assert (area.count("<circle"), area.count('class="paid"'), area.count("<path")) == (1, 1, 0)


def test_a_chart_of_nothing_has_a_rule() -> None:
    given = [Interval(date(2024, 1, 1), date(2024, 1, 1), Decimal(0), Decimal(0))]
    assert timeline(given, "GHS", date.max).ticks[-1] == ("100%", "0")


async def test_each_point_of_a_chart_is_said_in_words_and_in_a_table() -> None:
    given = [
        Interval(date(2024, month, 1), date(2024, month, 28), Decimal(month), Decimal(2 * month))
        for month in range(1, 4)
    ]
    text = await html(report(row()), navigation(intervals=given))
    said = re.findall(r"<g[^>]*><title>([^<]+)</title>", text)
    assert said[0] == "1 Jan 2024 to 28 Jan 2024: billed GHS 1.00, paid GHS 2.00"
    assert len(said) == 3
    assert re.search(r'role="img" aria-label="Lines of [^"]+ 3 intervals', text)
    table = text.partition("These figures as a table")[2].partition("</table>")[0]
    assert [each.strip() for each in re.findall(r"<td>([^<]+)<", table)] == [
        *("1.00", "2.00", "2.00", "4.00", "3.00", "6.00"),
    ]


async def test_a_page_about_days_has_no_box_for_a_period() -> None:
    text = await html(report(row()), navigation(view=View.AGING))
    assert 'id="period"' not in text
    assert "As of 30 November 2024" in text


async def test_the_filters_stay_with_the_view_and_its_period() -> None:
    given = navigation(
        view=View.EXPLAIN, customer=Customer(4, "Ama"), figure="balance", query=[("cursor", "x")]
    )
    form = (await html(report(row()), given)).partition('class="filters"')[2]
    hidden = re.findall(r'hidden" name="(\w+)" value="([^"]*)"', form.partition("</form>")[0])
    assert hidden == [
        ("view", "explain"),
        ("customer", "4"),
        ("field", "balance"),
        ("period", "2024-11-01..2024-11-30"),
    ]
