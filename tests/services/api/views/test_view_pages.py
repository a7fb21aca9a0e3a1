"""The pages of the views, over HTTP on the golden ledger."""

import html
import io
import re
from decimal import Decimal

import asyncpg
import openpyxl
import pytest

from shared.statements.money import figure, money
from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.views.case import links

# Customers, each with a document and a payment.
_THOUSAND = """
INSERT INTO customers (id, business_id, owner_id, business_name)
    SELECT n, 1, 1, 'Ansah & Daughters Trading ' || n FROM generate_series(5001, 6000) n;
INSERT INTO invoices
    (id, business_id, customer_id, number, kind, status, issue_date, due_date, total)
    SELECT n, 1, n, 'N' || n, 'invoice', 'issued', '2024-11-02', '2024-11-20', 123456.78 + n
    FROM generate_series(5001, 6000) n;
INSERT INTO payments (id, business_id, invoice_id, paid_on, amount, channel, status)
    SELECT n, 1, n, '2024-11-05', 3456.78, 'manual', 'settled' FROM generate_series(5001, 6000) n
"""
PAGES = (
    f"{NOVEMBER}/summary",
    f"{NOVEMBER}/summary?by=owing&limit=3&basis=cash&compare=previous-year",
    f"{NOVEMBER}/series?interval=week",
    f"{NOVEMBER}/series?id=4",
    f"client/4/{NOVEMBER}/transactions?per_page=2",
    f"client/4/{NOVEMBER}/explain/balance?per_page=2",
    f"client/4/{NOVEMBER}/explain/average_payment_terms",
)


@pytest.mark.parametrize("path", PAGES)
async def test_a_view_has_a_page(reader: Api, path: str) -> None:
    sign = "&" if "?" in path else "?"
    answer = await reader.get(f"{REPORTS}/{path}{sign}format=html")
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "ETag" not in answer.headers
    assert "Kente &amp; Co" in answer.text
    if "/client/4/" in f"/{path}":
        assert "Ɛsi Ɔfori Enterprise, Ltd" in answer.text


async def test_figures_of_a_page_lead_to_what_they_are_made_of(reader: Api) -> None:
    summary = (await reader.get(f"{REPORTS}/{NOVEMBER}/summary?format=html&by=owing")).text
    assert 'href="4/owing"' in summary
    series = (await reader.get(f"{REPORTS}/2024-11-10/2024-12-31/series?format=html")).text
    assert f"{REPORTS}/2024-11-10/2024-11-30?sort=-amount_due" in series
    series = (await reader.get(f"{REPORTS}/{NOVEMBER}/series?format=html&id=4")).text
    assert f"{REPORTS}/client/4/{NOVEMBER}/explain/total_paid?basis=cash" in series


async def test_the_largest_customers_have_the_figures_of_the_json(reader: Api) -> None:
    path = f"{REPORTS}/{NOVEMBER}/summary"
    page = (await reader.get(f"{path}?format=html")).text
    largest = (await reader.get(path)).json["top"]
    assert len(largest) > 3
    for each in largest:
        for name in ("amount_due", "total_paid", "owing", "balance", "average_payment_terms"):
            # The field in the link says which column it is.
            assert f"href={each['id']}/{name}>{figure(Decimal(str(each[name])), 'GHS')}<" in page
        assert f"href={each['id']}/invoice_count>{each['invoice_count']}<" in page


@pytest.mark.parametrize(
    ("days", "interval"),
    [
        (NOVEMBER, "day"),
        ("2024-10-20/2024-12-05", "month"),
        ("2019-12-31/2024-11-30", "month"),
        ("2019-11-30/2024-11-30", "year"),
    ],
)
@pytest.mark.parametrize("view", ["", "/summary"])
async def test_the_list_and_the_summary_draw_the_series(
    reader: Api, view: str, days: str, interval: str
) -> None:
    series = (await reader.get(f"{REPORTS}/{days}/series?interval={interval}&basis=cash")).json
    page = (await reader.get(f"{REPORTS}/{days}{view}?format=html&basis=cash")).text
    drawn = re.findall(r": billed (GHS [^<]*), paid (GHS [^<]*?)</title>", page)
    assert drawn == [
        tuple(money(Decimal(str(each[name])), "GHS") for name in ("amount_due", "total_paid"))
        for each in series["data"]
    ]
    assert any(each["amount_due"] for each in series["data"])


async def test_a_page_of_a_thousand_customers_is_small(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    await conn.execute(_THOUSAND)
    await conn.close()
    for path in (NOVEMBER, "2023-12-01/2024-11-30", "aging?as_of=2024-11-30"):
        more = "&" if "?" in path else "?"
        page = (await api.get(f"{REPORTS}/{path}{more}format=html&per_page=1000")).text
        assert page.count("<tr><th scope=row>") >= 1000, path
        assert len(page.encode()) < 400_000, path


@pytest.mark.parametrize("choice", ["q=a", "active=1", "archived=0", "id=4", "min_balance=0"])
async def test_a_list_of_some_customers_does_not_draw_those_of_all(
    reader: Api, choice: str
) -> None:
    page = (await reader.get(f"{REPORTS}/{NOVEMBER}?format=html&{choice}")).text
    assert "Billed most" in page
    assert "Billed and paid" not in page


async def test_a_summary_of_some_customers_keeps_to_them(reader: Api) -> None:
    some = "q=part&min_balance=-5&basis=cash"
    page = (await reader.get(f"{REPORTS}/{NOVEMBER}/summary?format=html&{some}")).text
    assert "Billed and paid" not in page
    chosen = html.escape(f"{REPORTS}/{NOVEMBER}?{some}")
    for more in ("", "&amp;active=1", "&amp;sort=-amount_due", "&amp;sort=-balance"):
        assert f'"{chosen}{more}"' in page
    assert re.search(re.escape(chosen) + r"&amp;category_id=\d+&amp;sort=-owing", page)


async def test_a_compared_summary_shows_what_has_changed(reader: Api) -> None:
    path = f"{REPORTS}/{NOVEMBER}/summary?compare=previous-period&by=total_paid"
    shown = (await reader.get(path)).json
    assert shown["meta"]["compared"] == {"from": "2024-10-01", "to": "2024-10-31"}
    page = (await reader.get(f"{path}&format=html")).text
    assert "1 Nov 2024 to 30 Nov 2024" in page
    table = page[page.index("Compared</") :]
    table = table[: table.index("</table>")]
    rows = [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.split(r"<t[hd][^>]*>", row)[1:]]
        for row in table[table.index("<tbody") :].split("<tr>")[1:]
    ]
    assert [row[0] for row in rows] == [
        "1 Nov 2024 to 30 Nov 2024",
        "1 Oct 2024 to 31 Oct 2024",
        "Change",
    ]
    totals = shown["totals"]
    for row, figures in zip(rows, (totals, totals["previous"], totals["change"]), strict=True):
        assert figure(Decimal(str(figures["amount_due"])), "GHS") in [each.strip() for each in row]
    assert totals["change"]["amount_due"] != 0
    for each in shown["top"]:
        assert figure(Decimal(str(each["change"]["total_paid"])), "GHS") in page


async def test_each_part_of_the_ageing_leads_to_the_transactions(reader: Api) -> None:
    rows = (await reader.get(f"{REPORTS}/aging?as_of=2024-11-30")).json["data"]
    amounts = [value for row in rows if row.pop("id") == 4 for value in list(row.values())[1:]]
    page = (await reader.get(f"{REPORTS}/aging?as_of=2024-11-30&format=html")).text
    [base] = re.findall(r'<base href="([^"]*)">', page)
    links = sum(value != 0 for value in amounts)
    assert page.count("<a href=4/transactions>") == links > 3
    url = f"http://127.0.0.1:{reader.port}{base}4/transactions"
    headers = {"Authorization": f"Bearer {reader.key}"}
    async with reader.session.get(url, headers=headers, allow_redirects=False) as answer:
        expected = f"{REPORTS}/client/4/0001-01-01/2024-11-30/transactions"
        assert (answer.status, answer.headers["Location"]) == (303, expected)


async def test_a_list_draws_no_series_that_has_nothing_or_no_end(reader: Api) -> None:
    for days in ("2031-01-01/2031-12-31", "0001-01-01/9999-12-31"):
        page = (await reader.get(f"{REPORTS}/{days}?format=html")).text
        assert "Billed and paid" not in page


async def test_a_page_of_parts_leads_to_the_next(reader: Api) -> None:
    path = f"{REPORTS}/client/4/{NOVEMBER}/explain/balance?per_page=2"
    cursor = (await reader.get(path)).json["next_cursor"]
    page = (await reader.get(f"{path}&format=html")).text
    assert cursor in page
    assert "FROM invoices i" in page


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        (f"{NOVEMBER}/series?interval=week", 5),
        (f"client/4/{NOVEMBER}/transactions", 5),
        (f"client/4/{NOVEMBER}/transactions?per_page=2", 2),
        (f"client/4/{NOVEMBER}/explain/owing", 5),
        (f"client/4/{NOVEMBER}/explain/average_payment_terms", 1),
        (f"client/4/{NOVEMBER}/explain/deposit_amount?per_page=1", 1),
    ],
)
async def test_a_view_has_a_workbook(reader: Api, path: str, rows: int) -> None:
    sign = "&" if "?" in path else "?"
    url = f"http://127.0.0.1:{reader.port}{REPORTS}/{path}{sign}format=xlsx"
    headers = {"Authorization": f"Bearer {reader.key}"}
    async with reader.session.get(url, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        book = openpyxl.load_workbook(io.BytesIO(await answer.read()))
    cells = list(book.worksheets[0].values)
    assert len(cells) == 1 + rows
    assert len(book.worksheets) == 2


@pytest.mark.parametrize("view", ["transactions", "explain/balance"])
async def test_a_file_of_one_page_says_where_the_next_one_is(reader: Api, view: str) -> None:
    path = f"{REPORTS}/client/4/{NOVEMBER}/{view}"
    header, *whole = (await reader.get(f"{path}?format=csv")).text.splitlines()
    assert len(whole) > 2
    seen: list[str] = []
    url: str | None = f"{path}?format=csv&per_page=2"
    while url:
        page = await reader.get(url)
        first, *lines = page.text.splitlines()
        assert (page.status, first) == (200, header), page.text
        seen += lines
        url = links(page).get("next")
    assert seen == whole


@pytest.mark.parametrize("form", ["csv", "xlsx", "html"])
async def test_every_format_of_a_page_has_the_links_of_the_json(reader: Api, form: str) -> None:
    path = f"{REPORTS}/client/4/{NOVEMBER}/transactions?per_page=2"
    pages = links(await reader.get(path))
    assert set(pages) == {"first", "next"}
    given = links(await reader.get(f"{path}&format={form}"))
    assert given == {
        "first": f"{path}&format={form}",
        "next": pages["next"].replace("&cursor=", f"&format={form}&cursor="),
    }
