"""What is owed: since when, what of it is asked for, and how to pay it."""

from typing import Any

from tests.shared.statements.snapshots import row
from tests.shared.statements.views import item, second, viewed

PAY_LINK = "https://pay.example/{customer_id}?a={amount}&c={currency}&r={reference}"


def test_the_ages_of_what_is_open() -> None:
    aging = second(ages={"not_due": "300", "31-60": "100", "over_90": "100", "credits": "-50"})[
        "aging"
    ]
    assert [(age["label"], age["amount"], age["share"], age["overdue"]) for age in aging] == [
        ("Not due yet", "300.00", 0.6, False),
        ("1–30 days late", "0.00", 0.0, False),
        ("31–60 days late", "100.00", 0.2, True),
        ("61–90 days late", "0.00", 0.0, False),
        ("Over 90 days late", "100.00", 0.2, True),
        ("Credits not used yet", "−50.00", 0.0, False),
    ]
    assert second()["aging"] is None, "nothing is open"
    assert second(ages={"credits": "-50"})["aging"] is None, "nothing is owed"
    assert viewed()["aging"] is None, "version 1 knows no ages"


def test_what_is_overdue_is_asked_for_up_to_the_balance() -> None:
    late = {"1-30": "200", "over_90": "100"}
    asked = second([], "300", ages=late)["overdue"]
    assert asked.replace("\u00a0", " ") == (
        "GHS 300.00 was overdue on 30 November 2024. If you have not paid it since, please do so"
        " as soon as you can."
    )
    less = second([], "250", ages=late | {"credits": "-50"})["overdue"]
    assert less.startswith("GHS\u00a0250.00 was overdue")
    assert second([], "0", ages=late | {"credits": "-300"})["overdue"] == ""
    assert second([], "300", ages={"not_due": "300"})["overdue"] == ""
    assert second([], "300", ages=late, generated_at="2024-11-29T12:00:00Z")["overdue"] == ""
    assert second([], "301", ages=late)["overdue"] == "", "the figures do not add up"


def test_what_is_due_next_is_asked_for_by_its_day() -> None:
    items = [
        item("INV-1", "2024-11-20", 10, "30"),
        item("INV-2", "2024-12-10", 0, "20"),
        item("INV-3", "2024-12-10", 0, "40"),
        item("INV-4", "2025-01-10", 0, "10"),
        item("INV-5", None, 0, "5"),
    ]
    ages = {"1-30": "30", "not_due": "70", "no_due_date": "5"}

    def asked(day: str) -> str:
        made = second([], "105", ages=ages, items=items, generated_at=f"{day}T12:00:00Z")
        text: str = made["pay_by"]
        return text.replace("\u00a0", " ")

    assert asked("2024-12-01") == "Please pay GHS 60.00 by 10 December 2024."
    assert asked("2024-12-10") == "Please pay GHS 60.00 by 10 December 2024."
    assert asked("2024-12-11") == "Please pay GHS 10.00 by 10 January 2025."
    assert asked("2025-02-01") == ""


def test_without_open_items_it_is_asked_for_too() -> None:
    dates = [
        {"due_date": "2024-11-30", "open": 30},
        {"due_date": "2024-12-10", "open": 60},
    ]

    def asked(day: str, balance: str = "105", **changes: Any) -> str:
        given = {"coming": {"dates": dates, "later": 15}, "generated_at": f"{day}T12:00:00Z"}
        made = second([], balance, ages={"not_due": balance}, **given | changes)
        text: str = made["pay_by"]
        return text.replace("\u00a0", " ")

    assert asked("2024-11-30") == "Please pay GHS 30.00 by 30 November 2024."
    assert asked("2024-12-01") == "Please pay GHS 60.00 by 10 December 2024."
    assert asked("2024-12-11") == "", "later there is only a sum without a day"
    assert asked("2024-11-29") == "", "something may be due before the end of the period"
    assert asked("2024-12-01", coming=None) == "", "older snapshots do not know it"
    assert asked("2024-12-01", "104") == "", "it does not add up to what is not due yet"
    less = second(
        [],
        "50",
        ages={"not_due": "105", "credits": "-55"},
        coming={"dates": dates, "later": 15},
        generated_at="2024-12-01T12:00:00Z",
    )
    assert less["pay_by"].startswith("Please pay GHS\u00a050.00"), "no more than the balance"


def test_overdue_documents_are_marked() -> None:
    rows = [row("2024-11-01", "invoice", "INV-1", "30", due="2024-11-20") | {"days_overdue": 10}]
    items = [item("INV-1", "2024-11-20", 10, "30")]
    marked = second(rows, "0", ages={"1-30": "30"}, items=items)
    assert [each["overdue"] for each in marked["rows"]] == [True]
    (shown,) = marked["open_items"]
    assert (shown["overdue"], shown["late"]) == ("10 days", "10 days overdue")
    items[0]["days_overdue"] = rows[0]["days_overdue"] = 0
    plain = second(rows, "0", ages={"not_due": "30"}, items=items)
    assert [each["overdue"] for each in plain["rows"]] == [False]
    assert (plain["open_items"][0]["overdue"], plain["open_items"][0]["late"]) == ("", "")


def test_a_link_and_the_ways_to_pay_are_there_if_something_is_owed() -> None:
    branding = {"pay_link": PAY_LINK, "how_to_pay": "Example Bank\n\tIBAN 1\n"}
    owed = viewed([], "1234.5", version=2, branding=branding)
    assert owed["pay"] == {
        "url": "https://pay.example/12?a=1234.50&c=GHS&r=12-2024-11-30",
        "label": "Pay GHS\u00a01,234.50",
    }
    assert owed["how_to_pay"] == ["Example Bank", "        IBAN 1"]
    for opening in ("0", "-5"):
        nothing = viewed([], opening, version=2, branding=branding)
        assert (nothing["pay"], nothing["how_to_pay"]) == (None, [])
    doubtful = viewed(version=2, branding=branding, closing_balance=1)
    assert (doubtful["pay"], doubtful["how_to_pay"]) == (None, [])
    unusable = branding | {"pay_link": "javascript:alert(1)"}
    assert viewed([], "1234.5", version=2, branding=unusable)["pay"] is None
    assert viewed()["pay"] is None
