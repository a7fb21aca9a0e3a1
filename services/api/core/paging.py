"""Paging of lists: each page begins at the cursor that the one before returned."""

import base64
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from services.api.core.parsing import whole_number

LIMIT_DEFAULT, LIMIT_MAX = 50, 200  # items of a page
PAGE_BYTES_MAX = 1024 * 1024  # about
_ITEM_BYTES = 600  # about, without its texts of any length

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIME = struct.Struct(">q")
# The forms of a cursor with a UUID, or with a text of 1 to 459 octets, and a time from 1970 to
# about 6536. Every text of these forms is a valid cursor.
UUID_CURSOR_FORM = "^A[A-Za-f][A-Za-z0-9_-]{30}$"
TEXT_CURSOR_FORM = (
    "^A[A-Za-f][A-Za-z0-9_-]{2}([A-Za-z0-9_-]{4}){2,150}"
    "([A-Za-z0-9_-]{4}|[A-Za-z0-9_-]{3}=|[A-Za-z0-9_-]{2}==)$"
)

Item = TypeVar("Item")
Key = TypeVar("Key", UUID, str)


@dataclass(frozen=True)
class Cursor(Generic[Key]):
    """A place in a list that is ordered by time and key; it stays the same when items are added."""

    time: datetime
    key: Key

    def __str__(self) -> str:
        time = _TIME.pack((self.time - _EPOCH) // _MICROSECOND)
        key = self.key.bytes if isinstance(self.key, UUID) else self.key.encode()
        return base64.urlsafe_b64encode(time + key).decode()


def uuid_cursor(text: str) -> Cursor[UUID]:
    """Read the str() of a cursor with a UUID. Raises ValueError if `text` is none."""
    time, key = _parts(text, UUID_CURSOR_FORM)
    return Cursor(time, UUID(bytes=key))


def text_cursor(text: str) -> Cursor[str]:
    """Read the str() of a cursor with a text. Raises ValueError if `text` is none."""
    time, key = _parts(text, TEXT_CURSOR_FORM)
    # No key contains NUL, which Postgres does not accept in texts.
    return Cursor(time, key.decode(errors="replace").replace("\0", ""))


def _parts(text: str, form: str) -> tuple[datetime, bytes]:
    if not re.fullmatch(form, text):
        raise ValueError("is not a cursor of this list")
    raw = base64.urlsafe_b64decode(text)
    (microseconds,) = _TIME.unpack_from(raw)
    return _EPOCH + microseconds * _MICROSECOND, raw[_TIME.size :]


# Of lists ordered by time and UUID: where one begins, from either end.
NEWEST = Cursor(datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
OLDEST = Cursor(_EPOCH, UUID(int=0))
Place = Annotated[Cursor[UUID], BeforeValidator(uuid_cursor)]


class PageQuery(BaseModel):
    """The requested page of a list: at most `limit` items; each list has its own cursor."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, BeforeValidator(whole_number), Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT


class Page(BaseModel, Generic[Item]):
    """A page of a list."""

    model_config = ConfigDict(frozen=True)

    data: tuple[Item, ...]
    next_cursor: Annotated[
        str | None,
        Field(description="The `cursor` of the next page; null on the last page."),
    ]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the name of the page's schema: `SendPage` for a page of `Send`."""
        return f"{params[0].__name__}Page"

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)


def item_bytes(*texts: str | None) -> int:
    """Return the approximate size in JSON of an item with these texts of any length."""
    return _ITEM_BYTES + sum(len(text.encode()) for text in texts if text)


def number_within(sizes: Iterable[int]) -> int:
    """Return how many of the items of these sizes a page has: all that fit, and at least one."""
    return max(1, sum(total <= PAGE_BYTES_MAX for total in accumulate(sizes)))


def page_of(
    items: Sequence[Item], limit: int, place: Callable[[Item], Cursor[UUID] | Cursor[str] | str]
) -> Page[Item]:
    """Return a page of the first `limit` items.

    A store reads one item more than the page has. If that item exists, there is a next page, and
    its cursor is the `place` of the last item shown.
    """
    shown = tuple(items[:limit])
    following = str(place(shown[-1])) if len(items) > limit else None
    return Page(data=shown, next_cursor=following)
