"""Messages that are made at the same instant by warm processes have nothing of each other.

Each customer has a word that stands in every text of its ledger, and a logo of its own.
"""

import asyncio
import re
from collections.abc import Iterator
from decimal import Decimal
from email import message_from_bytes, policy
from io import BytesIO
from random import Random
from uuid import UUID

from PIL import Image

from shared.mail.message import Message
from shared.rendering.frames import RenderRequest
from shared.rendering.pool import RenderPool
from tests.examples import examples
from tests.shared.rendering.requests import DATE, SENDER, ours
from tests.shared.statements.reading import embedded, page, pdf_stream
from tests.shared.statements.snapshots import frozen, row, snapshot

_CUSTOMERS = examples(20)
_ROUNDS = 2
PARTS = {"headers", "text/plain", "text/html", "text/csv", "application/pdf", "statement.json"}
_WORD = re.compile("Own[a-j]+")
_KINDS = ("activity", "open-items", "activity-with-open-items")


def word(number: int) -> str:
    """A word without digits, so that it is none of a date or figure."""
    return f"Own{str(number).translate(str.maketrans('0123456789', 'abcdefghij'))}"


def logo(number: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (24, 12), (number % 256, number // 256, 200)).save(file, "PNG")
    return file.getvalue()


def request(number: int) -> RenderRequest:
    """What one customer is sent; every third is much longer than the others."""
    own, kind = word(number), _KINDS[number % 3]
    amount = str(number + 100)
    rows = [
        row("2024-11-01", "invoice", own, amount, reference=own, method=own)
        for _ in range(60 if number % 3 == 0 else 1 + number % 5)
    ]
    item = {"kind": "invoice", "id": 1, "number": own, "date": "2024-11-01", "due_date": None}
    content = snapshot(
        [] if kind == "open-items" else rows,
        version=2,
        kind=kind,
        locale=("en", "fr", "ar")[number % 3],
        business__name=own,
        business__address=own,
        business__email=f"{own}@kente.example",
        customer__business_name=own,
        customer__first_name=own,
        customer__business_location=own,
        branding={"attach_csv": True, "how_to_pay": own, "sender_name": own},
    )
    if kind != "activity":
        open_part = {"total": Decimal(amount), "open": Decimal(amount), "days_overdue": None}
        content["open_items"] = [item | open_part]
    text = frozen(content).decode()
    return RenderRequest(text, own, UUID(int=number), SENDER, DATE, logo=logo(number))


def parts(message: Message) -> Iterator[tuple[str, bytes]]:
    """Every part of a message as its reader sees it; of the PDF also the file in it."""
    data = b"".join((message.subject.header, message.headers, b"\r\n", message.body))
    read = message_from_bytes(data, policy=policy.default)
    yield "headers", "".join(f"{name}: {value}\n" for name, value in read.items()).encode()
    for part in read.walk():
        kind, content = part.get_content_type(), part.get_payload(decode=True)
        if kind == "text/html":
            yield kind, "".join(page(content.decode()).words).encode()
        elif kind == "application/pdf":
            yield kind, pdf_stream(content).encode()
            yield from embedded(content).items()
        elif not part.is_multipart():
            yield kind, content


async def test_no_message_has_a_part_of_another() -> None:
    numbers = list(range(_CUSTOMERS))
    first: dict[int, Message] = {}
    async with RenderPool(2, pdf=True) as pool:
        for turn in range(_ROUNDS):
            Random(turn).shuffle(numbers)
            made = await asyncio.gather(*(pool.message(request(number)) for number in numbers))
            for number, message in zip(numbers, made, strict=True):
                assert message == first.setdefault(number, message)
        assert len(ours()) == 2
    for number, message in first.items():
        assert message.flaws == ()
        found = dict(parts(message))
        assert found.pop("image/png") == logo(number)
        assert {*found} == PARTS
        for name, content in found.items():
            words = {*_WORD.findall(content.decode())}
            assert words == {word(number)}, f"{name} of {word(number)} has {words}"
