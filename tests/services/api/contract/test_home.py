"""The start page, the icon and /docs/ exist."""

from importlib.metadata import version

import pytest

from tests.services.api.api_client import Api

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_a_browser_finds_a_page_that_leads_on(reader: Api) -> None:
    page = await reader.get("/", key=None, headers={"Accept": BROWSER})
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["Vary"] == "Accept"
    assert version("ledgerpost") in page.text
    for link in ("docs", "openapi.json", "health/ready", "favicon.ico", "docs/home.css"):
        assert f'"{link}"' in page.text
        assert (await reader.get(f"/{link}", key=None)).status == 200


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html;q=0.5"])
async def test_anybody_else_is_told_the_same_in_json(reader: Api, accept: str) -> None:
    answer = await reader.get("/", key=None, headers={"Accept": accept})
    assert answer.json == {
        "name": "Ledgerpost",
        "version": version("ledgerpost"),
        "docs": "/docs",
        "openapi": "/openapi.json",
        "health": "/health/ready",
    }


async def test_docs_with_a_slash_leads_to_docs(reader: Api) -> None:
    address = f"http://127.0.0.1:{reader.port}/docs/"
    async with reader.session.get(address, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (308, "../docs")
    async with reader.session.get(address) as page:
        assert page.url.path == "/docs"
        assert page.status == 200


async def test_the_icon_is_our_own(reader: Api) -> None:
    icon = await reader.get("/favicon.ico", key=None)
    assert icon.headers["Content-Type"] == "image/svg+xml"
    assert icon.text.startswith("<svg")
