"""What a statement says beyond its rows, and how it says it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from shared.statements.language import LANGUAGES
from tests.shared.statements.snapshots import many, row
from tests.shared.statements.views import second, viewed


def test_three_figures_matter_and_none_has_a_sign() -> None:
    assert viewed()["headline"] == [
        {"label": "Billed", "amount": "GHS\u00a014,866.7499"},
        {"label": "Paid", "amount": "GHS\u00a014,950.00"},
        {"label": "Owing", "amount": "GHS\u00a03,116.7499"},
    ]
    turned = viewed(
        [row("2024-11-02", "credit_note", "1", "200"), row("2024-11-03", "refund", "1", "30")],
        opening="0",
    )
    assert turned["headline"] == [
        {"label": "Credited", "amount": "GHS\u00a0200.00"},
        {"label": "Refunded", "amount": "GHS\u00a030.00"},
        {"label": "In your favour", "amount": "GHS\u00a0170.00"},
    ]


def test_what_was_billed_has_no_sign_to_misread() -> None:
    turned = viewed(
        [row("2024-11-02", "credit_note", "1", "200")],
        report__amount_due=Decimal(-200),
        report__total_paid=Decimal(-30),
        report__owing=Decimal(-170),
    )
    labels, billed = turned["labels"], turned["billed"]
    assert (labels["billed"], billed["amount_due"]) == (
        "Credit notes, less invoices",
        "GHS\u00a0200.00",
    )
    assert (labels["paid_on_it"], billed["total_paid"]) == (
        "Refunded on it, any date",
        "GHS\u00a030.00",
    )
    assert (labels["still_owing"], billed["owing"]) == ("In your favour on it", "GHS\u00a0170.00")
    assert viewed()["labels"]["billed"] == "Billed, less credit notes"
    assert viewed([])["labels"]["billed"] == "Billed"


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        ("3200", ", so the balance is unchanged: GHS 3,200.00 owed."),
        ("-5", ", so the balance is unchanged: GHS 5.00 in your favour."),
        ("0", ", and nothing is owed."),
    ],
)
def test_an_empty_period_says_so_and_has_both_balances(opening: str, said: str) -> None:
    empty = viewed([], opening)
    assert empty["labels"]["nothing_moved"].replace("\u00a0", " ") == (
        f"Nothing was billed or paid in this period{said}"
    )
    assert empty["opening"] == empty["closing"]
    assert empty["chart"] is None


def test_columns_are_laid_out_for_every_figure() -> None:
    assert viewed()["decimals"] == 4
    none = {"report__amount_due": 0, "report__total_paid": 0, "report__owing": 0}
    assert viewed([], "100")["decimals"] == 4, "of what was billed"
    assert viewed([], "100", **none)["decimals"] == 2
    assert viewed([], "100", business__currency="JPY", **none)["decimals"] == 0
    assert second([], "100", ages={"not_due": "99.99999"}, **none)["decimals"] == 5
    assert viewed([], "100")["longest"] == len("14,866.7499")
    assert second([], "100", ages={"not_due": "123456789"})["longest"] == len("123,456,789.00")


def test_deposits_are_for_information() -> None:
    held = viewed(report__deposit_amount=Decimal(250))
    assert held["deposit"].replace("\u00a0", " ") == (
        "For your information: you have deposits of GHS 250.00 with us. They are not deducted from"
        " the balance."
    )
    assert held["closing"] == viewed()["closing"]
    assert "GHS\u00a020.00 more was returned" in viewed(report__deposit_amount=-20)["deposit"]
    assert viewed()["deposit"] == ""


@pytest.mark.parametrize("name", ["\u200b", "\u2060\u200d", "\u3164", "\u2800 \u2800", "\u00ad"])
def test_a_name_that_nobody_can_see_is_the_number(name: str) -> None:
    unseen = {
        "business__name": name,
        "customer__business_name": name,
        "customer__first_name": name,
        "customer__last_name": None,
    }
    made = viewed(**unseen)
    assert (made["business"]["name"], made["customer"]["name"]) == ("Business 7", "Customer 12")
    german = viewed(version=2, locale="de", **unseen)
    assert german["customer"]["name"] == "Kunde 12"
    seen = viewed(**unseen | {"customer__first_name": "\u200bEsi"})
    assert seen["customer"]["name"] == "\u200bEsi"


def test_a_long_list_is_cut_in_the_mail_and_says_so() -> None:
    assert viewed(many(40))["latest"] == ""
    cut = viewed(many(41))
    assert cut["latest"] == "The last 40 of 41 transactions."
    assert cut["latest_attached"] == (
        "The last 40 of 41 transactions; all of them are in the attached PDF."
    )


def test_names_do_not_push_the_period_out_of_the_subject() -> None:
    made = viewed(business__name="B" * 200, customer__business_name="C" * 200)
    assert made["subject"].endswith(": 1–30 November 2024")
    assert len(made["copy_subject"]) <= 150
    assert made["copy_subject"] == f"Copy: {made['subject']}"


def test_a_view_has_the_colours_of_the_business() -> None:
    made = viewed(version=2, branding={"accent": "#7a1f5c", "paper": "letter"})
    assert (made["accent"], made["paper"]) == ("#7a1f5c", "letter")
    assert made["accent_dark"] != made["accent_tint"] != made["accent"]
    assert (viewed()["accent"], viewed()["paper"]) == ("#0b5c4d", "a4")


@pytest.mark.parametrize("locale", LANGUAGES)
def test_nothing_is_left_in_english_or_unfilled(locale: str) -> None:
    english, other = (
        second(ages={"1-30": "3116.7499"}, locale=tag, report__deposit_amount=Decimal(1))
        for tag in ("en", locale)
    )
    assert (other["lang"], other["dir"]) == (locale, "rtl" if locale == "ar" else "ltr")
    same = {name for name, text in other["labels"].items() if text == english["labels"][name]}
    # Words that these languages share with English.
    shared = {"colon", "comma", "date", "total", "in_currency", "transactions", "page_of"}
    assert locale == "en" or same <= shared
    filled = {name: text for name, text in other["labels"].items() if "{" in text}
    assert filled.keys() == {"page_of", "replaced_text"}
    assert not [text for text in texts(other) if "{" in text and text not in filled.values()]


def texts(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for part in value.values() for text in texts(part)]
        case list():
            return [text for part in value for text in texts(part)]
    return []


def test_the_day_is_that_of_the_business() -> None:
    moment = dt.datetime(2024, 11, 30, 23, 30, tzinfo=dt.UTC).isoformat()
    ahead = viewed(generated_at=moment, business__timezone="America/New_York", to="2024-12-01")
    assert ahead["closing_title"] == "Balance expected on 1 December 2024"
    now = viewed(generated_at=moment, business__timezone="Asia/Tokyo", to="2024-12-01")
    assert now["closing_title"] == "Balance on 1 December 2024"
