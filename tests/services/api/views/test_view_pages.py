"""The pages of the views, over HTTP on the golden ledger."""

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
