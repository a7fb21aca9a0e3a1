"""The pages of the views, over HTTP on the golden ledger."""

import io

import openpyxl
import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Api

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
