"""The pages of reports in a browser: nothing for axe to find, and the figures of the JSON."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from provision.servers import Servers
from services.api.access import sessions, store
from services.api.app import create_app
from services.api.core.refusals import SCOPES
from services.api.ledger.imports import import_directory
from shared.process.settings import ApiSettings
from tests.app_runner import running
from tests.contract.conftest import GOLDEN
from tests.roles import acting
from tests.servers import absent, address, copied

FOLDER = Path(__file__).parent / "page"
REPORTS = "/api/v3/reports/customers"
LIST = f"{REPORTS}/2024-11-01/2024-11-30"
OF_CUSTOMER = f"{REPORTS}/client/4/2024-11-01/2024-11-30"
PAGES = (
    LIST,
    f"{LIST}?sort=business_name&compare=previous-year&basis=cash&per_page=3",
    f"{LIST}?q=nobody",
    f"{LIST}?sort=nothing",
    f"{LIST}/summary",
    f"{LIST}/summary?by=owing&limit=3&compare=previous-year",
    f"{REPORTS}/2024/series?interval=month",
    f"{LIST}/series?interval=day&id=4",
    f"{REPORTS}/aging?as_of=2024-11-30",
    f"{REPORTS}/aging?as_of=2024-11-30&buckets=15,45&active=1&sort=business_name",
    OF_CUSTOMER,
    f"{OF_CUSTOMER}/transactions",
    f"{OF_CUSTOMER}/explain/balance",
    f"{OF_CUSTOMER}/explain/average_payment_terms",
    "/sign-in",
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "</bdi></table><iframe src=//evil.example>",
    "\u202e100.00\u2066 reversed \u200f\u202d",
    "مؤسسة النور للتجارة",
    "a" * 300,
    "{{ 7 * 7 }}{% raw %}",
)


@dataclass(frozen=True)
class Site:
    """The API on a ledger with hostile names, a key, a session of it, and a browser.

    `session_of_many` is of a business with 1,000 customers.
    """

    url: str
    key: str
    session: str
    session_of_many: str
    node: str
    chromium: str

    async def see(self, script: str, **plan: Any) -> Any:
        """Return what a script saw in the browser."""
        process = await asyncio.create_subprocess_exec(
            *(self.node, script, self.url, self.session, self.chromium, json.dumps(plan)),
            cwd=FOLDER,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return json.loads(output)

    async def json(self, path: str) -> Any:
        """Return what a program reads at the URL of a page."""
        headers = {"Authorization": f"Bearer {self.key}"}
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.get(f"{self.url}{path}") as answer,
        ):
            return json.loads(await answer.text(), parse_float=Decimal, parse_int=Decimal)


@pytest.fixture(scope="module")
async def site(servers: Servers, database_template: str, node: str) -> AsyncIterator[Site]:
    found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    chromium = next(found, None)
    if chromium is None:
        absent("chromium is not installed")
    async with copied(servers, database_template) as name:
        dsn = address(servers, name)
        await import_directory(dsn, GOLDEN)
        conn = await asyncpg.connect(dsn)
        await conn.execute(
            "INSERT INTO customers (business_id, id, owner_id, business_name, first_name,"
            " opening_balance) SELECT 1, 900 + place, 1, name, name, 1000 + place"
            " FROM unnest($1::text[]) WITH ORDINALITY AS given (name, place)",
            HOSTILE,
        )
        await conn.execute(
            "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
            " VALUES (900, 1, 'Many', 'EUR', 'UTC');"
            "INSERT INTO customers (business_id, id, owner_id, business_name, opening_balance)"
            " SELECT 900, place, 1, 'Customer ' || place, place FROM generate_series(1, 1000) place"
        )
        key, session = await signed_in(conn, business_id=1)
        _, of_many = await signed_in(conn, business_id=900)
        await conn.close()
        async with running(create_app(ApiSettings(database_url=acting(dsn, "api")))) as url:
            yield Site(url, key, session, of_many, node, chromium)


async def signed_in(conn: asyncpg.Connection, business_id: int) -> tuple[str, str]:
    """Return a new key of a business, and a session of it."""
    key = await store.create(conn, business_id=business_id, name="page", scopes=SCOPES)
    holder = await store.principal(conn, key.sha256)
    assert holder is not None
    return key.text, (await sessions.begin(conn, holder.key_id)).text


@pytest.fixture(scope="module")
async def seen(site: Site) -> Sequence[Mapping[str, Any]]:
    """What the browser shows of each page in each way of looking at it."""
    shown: Sequence[Mapping[str, Any]] = await site.see("audit.mjs", paths=PAGES)
    return shown


def test_axe_finds_nothing_and_no_page_is_wider_than_a_phone(
    seen: Sequence[Mapping[str, Any]],
) -> None:
    assert {(each["look"], each["path"]): each["found"] for each in seen if each["found"]} == {}


def test_no_page_breaks_its_policy_complains_or_asks_elsewhere(
    seen: Sequence[Mapping[str, Any]],
) -> None:
    wrong = {(each["look"], each["path"]): each["faults"] for each in seen if each["faults"]}
    refused = {path: faults for path, faults in wrong.items() if "sort=nothing" not in path[1]}
    assert refused == {}
    assert {each["status"] for each in seen} == {200, 422}


def test_a_page_is_the_same_in_every_look(seen: Sequence[Mapping[str, Any]]) -> None:
    for path in PAGES:
        shown = [each for each in seen if each["path"] == path]
        assert len(shown) == 4
        for part in ("title", "rows", "head", "foot", "facts"):
            assert all(each[part] == shown[0][part] for each in shown), (path, part)
        assert all(each["painted"] > 100 for each in shown)


async def test_the_list_shows_the_figures_of_its_json(
    site: Site, seen: Sequence[Mapping[str, Any]]
) -> None:
    expected = await site.json(f"{LIST}?meta=1&per_page=100")
    page = next(each for each in seen if each["path"] == LIST)
    assert len(page["rows"]) == len(expected["data"]) > 3
    fields = ("balance", "amount_due", "total_paid", "owing", "invoice_count")
    for shown, row in zip(page["rows"], expected["data"], strict=True):
        assert [number(each) for each in shown[1:6]] == [row[name] for name in fields]
    assert [number(each) for each in page["foot"][1:6]] == [
        expected["totals"][name] for name in fields
    ]
    names = [each[0] for each in page["rows"]]
    for hostile in HOSTILE[:4]:
        assert hostile in names


async def test_a_page_is_used_by_hand_and_by_keys(site: Site) -> None:
    said = await site.see(
        "use.mjs",
        key=site.key,
        list=LIST,
        search="script",
        view={"key": "s", "path": "/summary"},
        many={"session": site.session_of_many, "path": f"{LIST}?per_page=1000"},
    )
    assert said["asked"] == f"/sign-in?next={LIST}"
    assert said["refused"].startswith("This key does not open the reports")
    assert (said["arrived"], said["title"]) == (LIST, "Income by customer")
    assert (said["sorted"], said["order"]) == (f"{LIST}?sort=business_name", "ascending")
    assert said["searched"] == f"{LIST}?sort=business_name&q=script"
    assert said["found"] == [HOSTILE[0]]
    assert said["explained"] == f"{REPORTS}/client/901/2024-11-01/2024-11-30/explain/balance"
    assert (said["period"], said["days"]) == (
        f"{REPORTS}/2024-Q4",
        "1 October – 31 December 2024",
    )
    assert said["hidden"] == "0px"
    assert (said["left"], said["closed"]) == ("/sign-in", f"/sign-in?next={LIST}")
    assert said["faults"] == []

    assert (said["first"], said["skipped"]) == ("skip", "report")
    assert said["opened"] is True
    assert said["dialog"] == said["coveredAudit"] == []
    assert (said["focus"], said["typed"]) == ("period", True)
    assert said["covered"] is said["stillCovered"] is True
    assert said["viewed"] == f"{LIST}/summary"
    assert said["before"] == f"{REPORTS}/2024-10-01/2024-10-31"
    assert said["offFocus"] != "period", "the keys are switched off"
    assert said["keyFaults"] == []

    printed = said["printed"]
    assert "1–30 November 2024" in printed["paper"]
    assert printed["definition"] is printed["table"] is True
    assert printed["form"] is printed["tabs"] is False
    assert printed["faults"] == []

    painted = said["painted"]
    assert (painted["rows"], painted["last"], painted["shown"]) == (1000, "Customer 1", True)
    assert painted["paints"] == ["first-paint", "first-contentful-paint"]
    assert painted["faults"] == []


def number(shown: str) -> Decimal | None:
    """Return a figure as JSON has it."""
    plain = shown.strip("\u2007\u2008 ").replace(",", "").replace("−", "-")
    return None if plain == "–" else Decimal(plain)
