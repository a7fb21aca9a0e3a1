"""Each hostile input of a view is answered with a problem, which is no fault of the server."""

from collections.abc import Iterable
from urllib.parse import quote

import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Answer, Api
from tests.services.api.views.case import links

LIST = f"{REPORTS}/{NOVEMBER}"
ONE = f"{REPORTS}/client/4/{NOVEMBER}"
VIEWS = {
    "list": LIST,
    "list by word": f"{REPORTS}/2024-11",
    "one customer": ONE,
    "summary": f"{LIST}/summary",
    "series": f"{LIST}/series",
    "aging": f"{REPORTS}/aging",
    "transactions": f"{ONE}/transactions",
    "statement": f"{ONE}/statement",
    "explain": f"{ONE}/explain/balance",
    "explain by word": f"{REPORTS}/client/4/2024-11/explain/owing",
}
PAGED = ("list", "list by word", "aging", "transactions", "explain")
_SHORT = """
    unknown=1 %00=1 sort[]=id sort=%252d %F0%9F=1 page=0 page=-1 page=1.5 page=99999999999999999999
    per_page=2&page=1&cursor=AAAA per_page=0 per_page=1001 per_page=1e2 per_page=+5
    per_page=1&per_page=2 cursor=AAAA cursor=%00 cursor=%FF%FE cursor=..%2F.. q=%00
    sort=- sort=--balance sort=password sort=balance,id sort=balance;-- sort=report_head
    sort=balance&sort=id category_id=x category_id=-1 category_id=1.0
    category_id=99999999999999999999 archived=2 archived=true active=yes active=2 meta=2 bom=x
    min_balance=1e5 min_balance=NaN min_balance=Infinity min_balance=0.00001
    min_balance=999999999999999 max_balance=--1 min_owing=%20 min_balance=%D9%A1 compare=next-year
    basis=both amounts=float format=doc format=csv&format=json format=..%2F format=%00 id=x id=-4
    id=99999999999999999999 id=4%20OR%201 as_of=2024-02-30 as_of=0000-01-01 as_of=10000-01-01
    as_of=yesterdayish as_of=2024-11-30&as_of=2024-12-01 buckets=0 buckets=30,30 buckets=60,30
    buckets=1,2,3,4,5,6,7,8,9 buckets=3651 buckets=30,,60 buckets=30,a buckets=1.5 buckets=-1
    buckets=%D9%A3 interval=hour interval=day&interval=week limit=0 limit=-1 limit=x
    limit=99999999999 by=password by=id period=2024&period=2025 period=%00 from=2024-01-01
    locale=%00
"""
QUERIES = (
    *_SHORT.split(),
    f"cursor={'A' * 4000}",
    f"q={'x' * 6000}",
    "&".join(["category_id=1"] * 400),
    f"buckets={'9' * 5000}",
    f"period={'2' * 7000}",
    "x" * 5000,
)
PATHS = f"""
    {REPORTS}/{"2" * 300} {REPORTS}/%00 {REPORTS}/%FF {REPORTS}/2024-13/summary
    {REPORTS}/2024-02-30/2024-03-01/summary {REPORTS}/2024-03-01/2024-02-01/series
    {REPORTS}/2024..2023 {REPORTS}/0000 {REPORTS}/year-9999 {REPORTS}/summary {REPORTS}/series
    {REPORTS}/2024/2025 {REPORTS}/this-month/today {REPORTS}/client
    {REPORTS}/client/4 {REPORTS}/client/4/transactions {REPORTS}/aging/2024
    {REPORTS}/client/x/{NOVEMBER}
    {REPORTS}/{NOVEMBER}/Summary {REPORTS}/{NOVEMBER}/summary/ {REPORTS}//
    {ONE}/explain/business_name {ONE}/explain/ {ONE}/explain/balance%00 {ONE}/explain/report_head
    {ONE}/explain/id {ONE}/summary {ONE}/series {REPORTS}/client/-4/2024/transactions
    {REPORTS}/client/999/{NOVEMBER}/transactions {REPORTS}/client/999/2024/explain/balance
    {REPORTS}/client/99999999999999999999/{NOVEMBER}/transactions
""".split()


def fault(answer: Answer) -> str | None:
    """What is wrong with the answer to a hostile request."""
    if not 400 <= answer.status < 500:
        return f"{answer.status} {answer.text[:200]}"
    if not answer.headers["Content-Type"].startswith("application/problem+json"):
        return answer.headers["Content-Type"]
    return "is long" if len(answer.text) > 20_000 else None


def assert_problem(answer: Answer, asked: str) -> None:
    assert fault(answer) is None, f"{asked[:200]}: {fault(answer)}"


async def faults(reader: Api, paths: Iterable[str]) -> list[str]:
    found = [(path, fault(await reader.get(path))) for path in paths]
    return [f"{path[:200]}: {each}" for path, each in found if each]


@pytest.mark.parametrize("view", VIEWS)
async def test_hostile_queries_are_refused(view: str, reader: Api) -> None:
    assert await faults(reader, (f"{VIEWS[view]}?{query}" for query in QUERIES)) == []


async def test_hostile_paths_are_refused(reader: Api) -> None:
    assert await faults(reader, PATHS) == []


@pytest.mark.parametrize("view", PAGED)
async def test_a_cursor_is_good_in_its_own_list_only(
    view: str, reader: Api, other_key: str
) -> None:
    path = f"{VIEWS[view]}?per_page=1"
    following = links(await reader.get(path))["next"]
    assert (await reader.get(following)).status == 200
    cursor = following.partition("cursor=")[2].partition("&")[0]
    # Customer 4 exists in both businesses.
    assert_problem(await reader.get(following, key=other_key), f"{view} of another business")
    for other in set(PAGED) - {view}:
        if {view, other} != {"list", "list by word"}:
            assert_problem(await reader.get(f"{VIEWS[other]}?cursor={cursor}"), f"{view} {other}")
    for length in range(len(cursor)):
        asked = f"{VIEWS[view]}?per_page=1&cursor={cursor[:length]}"
        assert_problem(await reader.get(asked), asked)
    for place in range(len(cursor)):
        changed = cursor[:place] + ("B" if cursor[place] == "A" else "A") + cursor[place + 1 :]
        answer = await reader.get(f"{VIEWS[view]}?per_page=1&cursor={quote(changed)}")
        assert answer.status in {200, 422}, changed


@pytest.mark.parametrize(
    "change",
    ["sort=id", "sort=balance", "archived=0", "active=1", "q=a", "min_balance=0", "category_id=1"],
)
async def test_a_cursor_is_bound_to_sort_and_filters(change: str, reader: Api) -> None:
    following = links(await reader.get(f"{LIST}?per_page=1"))["next"]
    cursor = following.partition("cursor=")[2].partition("&")[0]
    answer = await reader.get(f"{LIST}?per_page=1&cursor={cursor}&{change}")
    assert answer.fields == ["cursor"]
    other = LIST.replace("2024-11-30", "2024-11-29")
    assert (await reader.get(f"{other}?per_page=1&cursor={cursor}")).fields == ["cursor"]
