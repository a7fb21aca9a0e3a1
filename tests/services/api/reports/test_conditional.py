import asyncpg
import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Api
from tests.services.api.ledgers import new_key

LIST = f"{REPORTS}/{NOVEMBER}"


async def tag(api: Api, key: str | None = None) -> str:
    return (await api.get(LIST, key=key or api.key)).headers["ETag"]


async def test_an_unchanged_list_is_not_sent_again(api: Api) -> None:
    first = await api.get(LIST)
    again = await api.get(LIST, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    assert again.headers["ETag"] == first.headers["ETag"]
    weak = await api.get(LIST, headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
    assert weak.status == 304
    other = await api.get(LIST, headers={"If-None-Match": '"other"'})
    assert (other.status, other.text) == (200, first.text)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE customers SET first_name = 'New' WHERE id = 1",
        "UPDATE categories SET name = 'New' WHERE id = 1",
        "INSERT INTO customers (business_id, id, owner_id) VALUES (1, 99, 1)",
        "UPDATE invoices SET total = total + 1 WHERE id = 12",
        "UPDATE payments SET amount = amount - 1",
        "DELETE FROM deposits",
        "TRUNCATE payments",
        "TRUNCATE invoices, payments",
        "TRUNCATE deposits",
    ],
)
async def test_every_change_that_the_list_shows_changes_its_tag(
    api: Api, golden: str, change: str
) -> None:
    before = await api.get(LIST)
    conn = await asyncpg.connect(golden)
    transaction = conn.transaction()
    await transaction.start()
    await conn.execute(change)
    if not change.startswith("TRUNCATE invoices"):  # which has the kept figures to itself
        assert await tag(api) == before.headers["ETag"]
    await transaction.commit()
    await conn.close()
    after = await api.get(LIST, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.text != before.text


async def test_a_move_within_a_month_changes_the_tag(api: Api, golden: str) -> None:
    before = await tag(api)
    conn = await asyncpg.connect(golden)
    await conn.execute(
        "UPDATE invoices SET issue_date = date_trunc('month', issue_date::date) + interval '1 day'"
        " WHERE business_id = 1 AND id = 12"
    )
    await conn.close()
    assert await tag(api) != before


async def test_other_businesses_and_drafts_leave_the_tag_alone(api: Api, golden: str) -> None:
    mine, theirs = await tag(api), await tag(api, await new_key(golden, 2))
    conn = await asyncpg.connect(golden)
    await conn.execute("UPDATE customers SET first_name = 'New' WHERE business_id = 2")
    await conn.execute(
        "INSERT INTO invoices VALUES (900, 1, 1, 'N', 'invoice', 'draft', '2024-11-05', NULL, 7)"
    )
    await conn.close()
    assert await tag(api) == mine
    assert await tag(api, await new_key(golden, 2)) != theirs


async def test_a_tag_never_comes_back(api: Api, golden: str) -> None:
    conn = await asyncpg.connect(golden)
    seen = {await tag(api)}
    for name in ("A", "B", "A", "B"):
        await conn.execute("UPDATE customers SET first_name = $1", name)
        seen.add(await tag(api))
    await conn.close()
    assert len(seen) == 5
