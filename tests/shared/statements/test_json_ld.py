"""What is owed, as data of schema.org, which no text can break out of."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from shared.statements.render import Renderer
from tests.shared.statements.hostile import PAYLOADS
from tests.shared.statements.reading import page
from tests.shared.statements.snapshots import frozen, snapshot

SCRIPT = re.compile(r'<script type="application/ld\+json"\s*>(.*?)</script\s*>', re.DOTALL)
AGING = dict.fromkeys(
    ("not_due", "1-30", "31-60", "61-90", "over_90", "no_due_date", "credits", "opening"),
    Decimal(0),
)


def item(number: str, due: str | None, amount: str, late: int = 0) -> dict[str, Any]:
    made = {"kind": "invoice", "id": 1, "number": number, "date": "2024-11-01", "due_date": due}
    return made | {"total": Decimal(amount), "open": Decimal(amount), "days_overdue": late}


def owed(**changes: Any) -> dict[str, Any]:
    items = [item("A", "2024-12-03", "3000"), item("B", "2024-11-20", "116.7499", 10)]
    aging = AGING | {"not_due": 3000, "1-30": Decimal("116.7499"), "total": Decimal("3116.7499")}
    branding = {"pay_link": "https://pay.example/?a={amount}&r={reference}"}
    given = {"version": 2, "kind": "activity-with-open-items", "branding": branding}
    return snapshot(**given | {"open_items": items, "aging": aging} | changes)


def data(renderer: Renderer, content: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in SCRIPT.findall(renderer.render(frozen(content)).html)]


def test_programs_read_what_is_owed_to_whom_and_until_when(renderer: Renderer) -> None:
    assert data(renderer, owed()) == [
        {
            "@context": "https://schema.org",
            "@type": "Invoice",
            "accountId": "12",
            "confirmationNumber": "12-2024-11-30",
            "provider": {"@type": "Organization", "name": "Kente & Co"},
            "customer": {"@type": "Thing", "name": "Ɔfori & Daughters Fabrics"},
            "totalPaymentDue": {
                "@type": "PriceSpecification",
                "price": "3116.7499",
                "priceCurrency": "GHS",
            },
            "paymentStatus": "https://schema.org/PaymentPastDue",
            "paymentDueDate": "2024-11-20",
            "url": "https://pay.example/?a=3116.7499&r=12-2024-11-30",
        }
    ]
    [plain] = data(renderer, snapshot())
    assert plain["paymentStatus"] == "https://schema.org/PaymentDue"
    assert plain.keys() & {"url", "paymentDueDate"} == set()


def test_the_due_date_is_known_without_open_items_if_nothing_is_overdue(renderer: Renderer) -> None:
    dates = [{"due_date": "2024-12-03", "open": 1000}, {"due_date": "2024-12-09", "open": 2000}]
    soon = AGING | {"not_due": Decimal("3116.7499"), "total": Decimal("3116.7499")}
    later = {"dates": dates, "later": Decimal("116.7499")}
    [card] = data(renderer, owed(kind="activity", open_items=None, aging=soon, coming=later))
    assert card["paymentDueDate"] == "2024-12-03"
    late = {"dates": dates, "later": 0}
    [card] = data(renderer, owed(kind="activity", open_items=None, coming=late))
    assert "paymentDueDate" not in card
    assert card["paymentStatus"] == "https://schema.org/PaymentPastDue"


def test_there_is_none_if_nothing_is_owed(renderer: Renderer) -> None:
    assert data(renderer, snapshot([], opening="0")) == []
    assert data(renderer, snapshot(opening="-20000")) == []


def test_there_is_none_if_the_figures_do_not_add_up(renderer: Renderer) -> None:
    assert data(renderer, snapshot(closing_balance=5)) == []


@pytest.mark.parametrize(
    "text",
    [*PAYLOADS, "</script><script>alert(1)</script>", "<!--<script>", "]]>&amp;", "\u2028\\u003c"],
    ids=lambda text: ascii(text)[:30],
)
def test_no_name_ends_the_script(renderer: Renderer, text: str) -> None:
    text = text.replace("\0", "")
    html = renderer.render(frozen(owed(business__name=text, customer__business_name=text))).html
    [raw] = SCRIPT.findall(html)
    assert not set("<>&") & set(raw)
    assert json.loads(raw)["accountId"] == "12"
    assert [name for name, _ in page(html).tags].count("script") == 1
