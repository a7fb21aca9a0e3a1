import base64
from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import Field, TypeAdapter

from services.api.core import bound_cursor
from services.api.core.refusals import Invalid

FORM = TypeAdapter(tuple[Decimal, Annotated[int, Field(ge=-1, le=2**63 - 1)]])
LIST = "1 2024-11-01 2024-11-30 -balance"


def test_a_cursor_gives_back_its_place() -> None:
    text = bound_cursor.write(LIST, ("900.20", 7))
    assert bound_cursor.read(text, LIST, FORM) == (Decimal("900.20"), 7)


def test_a_cursor_of_another_list_is_refused() -> None:
    text = bound_cursor.write("2 2024-11-01 2024-11-30 -balance", ("900.20", 7))
    with pytest.raises(Invalid, match="not a cursor of this list"):
        bound_cursor.read(text, LIST, FORM)


def _forged(place: bytes) -> str:
    genuine = bound_cursor.write(LIST, ())
    digest = base64.urlsafe_b64decode(genuine + "=" * (-len(genuine) % 4))[:12]
    return base64.urlsafe_b64encode(digest + place).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é" * 20,
        "A" * 17,
        "A" * 5000,
        _forged(b"["),
        _forged(b'["1"]'),
        _forged(b'["NaN",7]'),
        _forged(b'["1",9223372036854775808]'),
        _forged(b"[" * 2000),
        _forged(b"\xff"),
    ],
)
def test_a_text_that_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        bound_cursor.read(text, LIST, FORM)
    assert refusal.value.errors[0].field == "cursor"
