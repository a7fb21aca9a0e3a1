"""Compares the pages of customers with the base tables."""

from typing import Any
from urllib.parse import urlencode

from tests.services.api.views import asks, rows
from tests.services.api.views.case import Case
from tests.services.api.views.wire import assert_same, wire
from tests.services.api.views.wire import read as read_json

_FIELDS = ("first_name", "last_name", "business_name", "business_email")


async def check(case: Case) -> None:
    """Ask for customers by text and archiving, in pages of some size."""
    text = case.random.choice([None, *asks.PARTS])
    archived = case.random.choice([None, None, 0, 1])
    asked = rows.Options(q=text, archived=archived)
    found = rows.selected(case.accounts, *asks.period(case.random), asked)
    expected = [
        {
            "id": each.customer.id,
            **{name: getattr(each.customer, name) for name in _FIELDS},
            "category": each.category,
            "category_id": rows.category(each.customer),
            "archived": each.customer.archived,
        }
        for each in found
    ]
    given = {"q": text, "archived": archived, "limit": case.random.randint(1, 12)}
    query = {name: value for name, value in given.items() if value is not None}
    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/api/v3/customers?{urlencode(query | ({'cursor': cursor} if cursor else {}))}"
        answer = await case.api.get(path)
        assert answer.status == 200, f"{path}: {answer.text}"
        page = read_json(answer.text)
        assert len(page["data"]) <= query["limit"]
        seen += [{name: row[name] for name in row if name != "locale"} for row in page["data"]]
        cursor = page["next_cursor"]
    assert_same(seen, wire(expected), str(query))
