"""Where /reports and the short links of tables lead."""

import pytest
from yarl import URL

from tests.services.api.api_client import REPORTS, Api

LISTS = {
    "": f"{REPORTS}/this-month",
    "period=": f"{REPORTS}/this-month",
    "period=2024-11": f"{REPORTS}/2024-11",
    "period=2024-11-01..2024-11-30": f"{REPORTS}/2024-11-01/2024-11-30",
    "period=2024-11-01+to+2024-11-30": f"{REPORTS}/2024-11-01/2024-11-30",
    "period=2024-11-01/2024-11-30": f"{REPORTS}/2024-11-01/2024-11-30",
    "period=+This+month+": f"{REPORTS}/this-month",
    "period=2024+q4": f"{REPORTS}/2024-Q4",
    "period=2024-w07..2024-w08": f"{REPORTS}/2024-W07..2024-W08",
    "period=fy2024-q3": f"{REPORTS}/fy2024-Q3",
    "period=//evil.example": f"{REPORTS}/..evil.example",
    "period=%0d%0aX:+y": f"{REPORTS}/x%3A-y",
    "period=a?b%23c": f"{REPORTS}/a%3Fb%23c",
    "period=2024&view=summary": f"{REPORTS}/2024/summary",
    "period=2024&view=series&interval=month": f"{REPORTS}/2024/series?interval=month",
    "view=aging&as_of=2024-11-30&period=x": f"{REPORTS}/aging?as_of=2024-11-30",
    "period=2024&view=customer&customer=4": f"{REPORTS}/client/4/2024",
    "period=2024&view=transactions&customer=4": f"{REPORTS}/client/4/2024/transactions",
    "period=2024&view=explain&customer=4&field=balance&basis=cash": (
        f"{REPORTS}/client/4/2024/explain/balance?basis=cash"
    ),
    "period=2024&view=customer&customer=../../4": f"{REPORTS}/2024",
    "period=2024&view=nothing": f"{REPORTS}/2024",
    "period=2024&q=&active=&basis=cash&q=a+b": f"{REPORTS}/2024?basis=cash&q=a+b",
}


@pytest.mark.parametrize("query", LISTS)
async def test_a_form_leads_to_its_view(reader: Api, query: str) -> None:
    assert await where(reader, f"/reports?{query}") == LISTS[query]


@pytest.mark.parametrize(
    ("short", "path"),
    [
        ("2024-11-01/2024-11-30/4", "client/4/2024-11-01/2024-11-30"),
        ("2024-11-01/2024-11-30/4/balance", "client/4/2024-11-01/2024-11-30/explain/balance"),
        (
            "2024-11-01/2024-11-30/4/total_paid?basis=cash",
            "client/4/2024-11-01/2024-11-30/explain/total_paid?basis=cash",
        ),
        ("a%2Fb/%2F%2Fc/4/..%2Fx", "client/4/a%2Fb/%2F%2Fc/explain/..%2Fx"),
    ],
)
async def test_a_short_link_leads_on(reader: Api, short: str, path: str) -> None:
    assert await where(reader, f"/reports/{short}") == f"{REPORTS}/{path}"


async def where(api: Api, path: str) -> str:
    url = URL(f"http://127.0.0.1:{api.port}{path}", encoded=True)
    async with api.session.get(url, allow_redirects=False) as answer:
        assert answer.status == 303
        return answer.headers["Location"]
