from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.api.core.paging import Cursor, page_of, text_cursor, uuid_cursor
from services.api.core.parsing import parse
from services.api.core.refusals import InvalidInput
from services.api.sends.history import DoubtsQuery, HistoryQuery
from services.api.suppressions.model import SuppressionsQuery

TIME = datetime(2024, 11, 30, 9, 0, 0, 123456, UTC)
ID = UUID("019ab3a0-4b5e-7d3c-9d68-6a1f0e5d2c11")
# As callers may hold them for good.
WRITTEN = {
    "AAYoHYpTBkABmrOgS159PJ1oah8OXSwR": Cursor(TIME, ID),
    "AAYoHYpTBkBtw7xsbGVyQHhuLS1iY2hlci1rdmEuZXhhbXBsZQ==": Cursor(
        TIME, "müller@xn--bcher-kva.example"
    ),
    "AAYoHYpTBkBhQHguY29t": Cursor(TIME, "a@x.com"),
    "AAYoHYpTBkBhYkB4LmNvbQ==": Cursor(TIME, "ab@x.com"),
}


@pytest.mark.parametrize(("text", "cursor"), WRITTEN.items())
def test_a_cursor_stays_what_it_was(text: str, cursor: Cursor[Any]) -> None:
    read = uuid_cursor if isinstance(cursor.key, UUID) else text_cursor
    assert read(text) == cursor
    assert str(cursor) == text


@pytest.mark.parametrize(
    "text", ["", "x", "\0", "A" * 31, "A" * 36, "f" * 32, "ä" * 32, "A" * 32 + "\n"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a cursor of this list"):
        uuid_cursor(text)


@pytest.mark.parametrize(
    ("count", "shown", "following"),
    [(0, 0, None), (1, 1, None), (2, 2, None), (3, 2, str(Cursor(TIME, "1")))],
)
def test_one_item_more_tells_of_a_next_page(count: int, shown: int, following: str | None) -> None:
    page = page_of(range(count), 2, lambda item: Cursor(TIME, str(item)))
    assert page.data == tuple(range(shown))
    assert page.next_cursor == following


def test_the_place_of_a_page_is_that_of_its_last_item() -> None:
    times = [TIME + timedelta(seconds=each) for each in range(3)]
    page = page_of(times, 1, lambda time: Cursor(time, ID))
    assert page.next_cursor == str(Cursor(TIME, ID))


@pytest.mark.parametrize("query", [HistoryQuery, DoubtsQuery, SuppressionsQuery])
@pytest.mark.parametrize("limit", ["0", "201", "x", "", "٣", "+5", " 5", "5.0", "1" * 5000])
def test_every_list_takes_the_same_limits(query: Any, limit: str) -> None:
    assert parse(query, {}).limit == 50
    assert parse(query, {"limit": "200"}).limit == 200
    with pytest.raises(InvalidInput, match=r"^limit: ") as refused:
        parse(query, {"limit": limit})
    assert len(refused.value.errors) == 1
