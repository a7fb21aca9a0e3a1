"""Numbers, dates and amounts in the notation of each locale; nothing is ever rounded."""

# ruff: noqa: RUF001 - letters and digits of other scripts are what is tested

import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal

import pytest
from babel import Locale, localedata
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from shared.period import Period
from shared.statements.language import LANGUAGES, language
from shared.statements.money import MINUS

MARKS = re.compile("[\u200e\u200f\u061c]")
#: Every locale of our languages that CLDR knows.
TAGS = sorted(
    name.replace("_", "-")
    for name in localedata.locale_identifiers()
    if name.split("_")[0] in LANGUAGES and re.fullmatch("[a-z]{2}(_([A-Z]{2}|[0-9]{3}))?", name)
)
amounts = st.decimals(
    min_value=-(10**14), max_value=10**14, allow_nan=False, allow_infinity=False, places=4
)


def read_back(text: str, tag: str) -> Decimal:
    """The amount that a person of this locale reads."""
    numbers = language(tag).numbers
    plain = MARKS.sub("", text).replace(numbers.group, "").replace(numbers.decimal, ".")
    return Decimal(plain.replace(MINUS, "-"))


@pytest.mark.parametrize(
    ("tag", "currency", "shown"),
    [
        ("en", "GHS", "GHS 1,234.50"),
        ("en-GH", "GHS", "GH₵1,234.50"),
        ("en-US", "USD", "USD 1,234.50"),
        ("en", "EUR", "€1,234.50"),
        ("en", "GBP", "GBP 1,234.50"),
        ("en-IN", "INR", "₹1,234.50"),
        ("de", "EUR", "1.234,50 €"),
        ("de", "USD", "1.234,50 USD"),
        ("de-AT", "EUR", "€ 1.234,50"),
        ("de-CH", "CHF", "CHF 1’234.50"),
        ("fr", "XOF", "1\u202f234,5 XOF"),
        ("fr", "USD", "1\u202f234,50 $US"),
        ("fr-CA", "CAD", "1 234,50 CAD"),
        ("pt-BR", "BRL", "R$ 1.234,50"),
        ("pt-PT", "EUR", "1 234,50 €"),
        ("es", "EUR", "1.234,50 €"),
        ("es-MX", "MXN", "MXN 1,234.50"),
        ("ar", "SAR", "1,234.50 SAR"),
        ("ar-EG", "EGP", "١٬٢٣٤٫٥٠ EGP"),
        ("ar", "KWD", "1,234.500 KWD"),
    ],
)
def test_an_amount_is_written_as_its_readers_write_it(tag: str, currency: str, shown: str) -> None:
    assert language(tag).money(Decimal("1234.5"), currency).replace("\u00a0", " ") == shown


def test_a_sign_stands_for_one_currency_only() -> None:
    of = defaultdict(set)
    for tag in TAGS:
        for code, sign in language(tag)._signs.items():
            of[sign].add(code)
    assert of, "there are signs"
    assert {sign: codes for sign, codes in of.items() if len(codes) > 1} == {}


@given(amounts, st.sampled_from(TAGS), st.sampled_from(["GHS", "JPY", "KWD"]))
def test_a_figure_is_read_back_exactly(value: Decimal, tag: str, currency: str) -> None:
    shown = language(tag).figure(value, currency)
    assert read_back(shown, tag) == value
    assert (MINUS in shown) == (value < 0)


# Babel takes the apostrophe of Switzerland for a quotation mark, and leaves it out.
@pytest.mark.parametrize("tag", [tag for tag in TAGS if tag[3:] not in {"CH", "LI"}])
def test_figures_are_those_of_cldr(tag: str) -> None:
    for value in map(Decimal, ("0", "1", "12345678", "1234.5678", "-1234567.25")):
        plain = format_decimal(
            value, locale=parsed(tag), decimal_quantization=False, numbering_system="default"
        )
        shown = language(tag).figure(value, "JPY")
        # Babel writes 0 to 9 beside the separators of Arabic.
        theirs = language(tag).numbers.in_digits(MARKS.sub("", plain).replace("-", MINUS))
        assert MARKS.sub("", shown) == theirs


@pytest.mark.parametrize("tag", TAGS)
def test_dates_are_those_of_cldr(tag: str) -> None:
    dates = language(tag).dates
    for date in (dt.date(2024, 11, 2), dt.date(2026, 5, 31)):
        theirs = format_date(date, "long", locale=parsed(tag))
        assert dates.day(date) == dates.numbers.in_digits(MARKS.sub("", theirs))
        for written in (dates.short_day(date), dates.month(date), dates.quarter(date)):
            assert dates.numbers.in_digits(str(date.year)) in written
        assert dates.numbers.in_digits(str(date.day)) in dates.day_of_year(date)


def parsed(tag: str) -> Locale:
    # English without a country is that of most countries, not that of the United States.
    return Locale.parse("en-001" if tag == "en" else tag, sep="-")


@pytest.mark.parametrize(
    ("tag", "shown", "short", "whole"),
    [
        ("en", "1–30 November 2024", "2 Nov 2024", "1 November 2024"),
        ("en-US", "November 1–30, 2024", "Nov 2, 2024", "November 1, 2024"),
        ("fr", "1–30 novembre 2024", "2 nov. 2024", "1er novembre 2024"),
        ("pt-BR", "1–30 de novembro de 2024", "02/11/2024", "1 de novembro de 2024"),
        ("es", "1–30 de noviembre de 2024", "2 nov 2024", "1 de noviembre de 2024"),
        ("de", "1.–30. November 2024", "02.11.2024", "1. November 2024"),
        ("ar", "1–30 نوفمبر 2024", "2 نوفمبر 2024", "1 نوفمبر 2024"),
        ("ar-EG", "١–٣٠ نوفمبر ٢٠٢٤", "٢ نوفمبر ٢٠٢٤", "١ نوفمبر ٢٠٢٤"),
    ],
)
def test_days_are_written_in_words(tag: str, shown: str, short: str, whole: str) -> None:
    dates, first = language(tag).dates, dt.date(2024, 11, 1)
    assert dates.period(Period(first, dt.date(2024, 11, 30))) == shown
    assert dates.short_day(dt.date(2024, 11, 2)) == short
    assert dates.day(first) == whole
    assert dates.period(Period(first, first)) == whole


def test_a_period_says_nothing_twice() -> None:
    dates = language("en").dates
    assert (
        dates.period(Period(dt.date(2024, 10, 28), dt.date(2024, 11, 3)))
        == "28 October – 3 November 2024"
    )
    assert (
        dates.period(Period(dt.date(2023, 12, 15), dt.date(2024, 1, 14)))
        == "15 December 2023 – 14 January 2024"
    )


@pytest.mark.parametrize(
    ("asked", "used", "direction", "word"),
    [
        ("en", "en", "ltr", "Balance"),
        ("fr-CA", "fr-CA", "ltr", "Solde"),
        ("pt-BR", "pt-BR", "ltr", "Saldo"),
        ("PT-br", "pt-BR", "ltr", "Saldo"),
        ("de-Latn-AT", "de-AT", "ltr", "Saldo"),
        ("de-JP", "de", "ltr", "Saldo"),
        ("es-419", "es-419", "ltr", "Saldo"),
        ("ar-EG", "ar-EG", "rtl", "الرصيد"),
        # Words and formats fall back together.
        ("zh-Hant-TW", "en", "ltr", "Balance"),
        ("he-IL", "en", "ltr", "Balance"),
        ("xx", "en", "ltr", "Balance"),
    ],
)
def test_a_tag_falls_back_to_words_that_there_are(
    asked: str, used: str, direction: str, word: str
) -> None:
    found = language(asked)
    assert (found.tag, found.direction, found.say("Balance")) == (used, direction, word)


def test_arabic_has_six_plurals() -> None:
    arabic = language("ar")
    said = {
        count: arabic.say_many("{count} day", "{count} days", count)
        for count in (0, 1, 2, 3, 11, 100)
    }
    assert len({text.replace(str(count), "") for count, text in said.items()}) == 5
    assert (said[1], said[2], said[3], said[11]) == ("يوم واحد", "يومان", "3 أيام", "11 يوما")


def test_a_name_of_the_other_direction_is_isolated() -> None:
    assert language("en").isolated("Kente & Co") == "Kente & Co"
    assert language("de").isolated("Müller") == "Müller"
    assert language("en").isolated("שלום") == "\u2068שלום\u2069"
    assert language("ar").isolated("Kente & Co") == "\u2068Kente & Co\u2069"
