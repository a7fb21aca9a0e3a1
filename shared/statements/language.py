"""The languages of statements: words by gettext, numbers and dates by CLDR."""

import gettext
import io
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from babel import Locale, localedata
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.statements.calendar import Calendar, calendar
from shared.statements.money import MINUS, Notation

_CATALOGUES: Final = Path(__file__).parent / "locales"
#: The languages that have words: the one in the code, and one of each catalogue.
LANGUAGES: Final = ("en", *sorted(path.stem for path in _CATALOGUES.glob("*.po")))
# English without a country is written as in most of them, with the day before the month.
_FORMATS: Final = {"en": "en_001"}
# Signs that several currencies share, such as the dollar's.
_SHARED: Final = frozenset("$£¥₩₱₨﷼")
_DIGITS: Final = {"latn": "", "arab": "٠١٢٣٤٥٦٧٨٩"}
_PAIRS: Final = (3, 2)  # groups of two digits before the last three, as in India
_ISOLATE: Final = "\N{FIRST STRONG ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"
_RIGHT_TO_LEFT: Final = frozenset(("R", "AL", "AN"))


@dataclass(frozen=True, eq=False)
class Language:
    """The words and the notation of one language, perhaps as one country writes them."""

    tag: str
    direction: str
    numbers: Notation
    dates: Calendar
    _words: gettext.NullTranslations
    _signs: dict[str, str]

    def say(self, message: str, **values: str) -> str:
        """Return a message of the catalogue with its placeholders filled."""
        words = self._words.gettext(message)
        return words.format(**values) if values else words

    def say_many(self, one: str, many: str, count: int, **values: str) -> str:
        """Return the message for a count, which fills the placeholder `{count}`."""
        words = self._words.ngettext(one, many, count)
        return words.format(count=self.numbers.number(count), **values)

    def figure(self, value: Decimal, currency: str) -> str:
        """Return an amount without its currency."""
        return self.numbers.figure(value, currency)

    def money(self, value: Decimal, currency: str) -> str:
        """Return an amount with its currency: the sign, if it means no other, else the code."""
        return self.numbers.money(value, currency, self._signs.get(currency))

    def isolated(self, text: str) -> str:
        """Return a text from outside so that a sentence around it keeps its order.

        A name of the other direction would else turn the figures beside it around.
        """
        if self.direction == "rtl":
            return _ISOLATE.format(text)
        if text.isascii() or not any(map(_turns, text)):
            return text
        return _ISOLATE.format(text)


@lru_cache(maxsize=512)
def language(tag: str) -> Language:
    """Return the language of a BCP 47 tag: with its country's notation, without it, or English."""
    name, *rest = tag.replace("_", "-").split("-")
    name = name.lower()
    if name not in LANGUAGES:
        return language("en")
    regions = (part.upper() for part in rest if len(part) == len("US") or part.isdigit())
    region = next((part for part in regions if localedata.exists(f"{name}_{part}")), None)
    if region is None and rest:
        return language(name)
    locale = Locale.parse(f"{name}_{region}" if region else _FORMATS.get(name, name))
    numbers = _notation(locale)
    return Language(
        tag=f"{name}-{region}" if region else name,
        direction=locale.text_direction,
        numbers=numbers,
        dates=calendar(locale, numbers),
        _words=_words(name),
        _signs=_signs(locale),
    )


@cache
def _words(name: str) -> gettext.NullTranslations:
    if name == "en":
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with (_CATALOGUES / f"{name}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=name))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _notation(locale: Locale) -> Notation:
    system = locale.default_numbering_system
    symbols: Any = locale.number_symbols[system]
    direction_mark = symbols["minusSign"].rstrip("-" + MINUS)
    pattern = locale.currency_formats["standard"].pattern
    return Notation(
        decimal=symbols["decimal"],
        group=symbols["group"].replace("'", "\N{RIGHT SINGLE QUOTATION MARK}"),
        minus=direction_mark + MINUS,
        digits=_DIGITS[system],
        pairs=locale.decimal_formats[None].grouping == _PAIRS,
        code_first=pattern.startswith("¤"),
        sign_apart="\N{NO-BREAK SPACE}" in pattern,
    )


def _signs(locale: Locale) -> dict[str, str]:
    """Return the signs that stand for one currency only, by its code."""
    signs = dict(locale.currency_symbols)
    return {code: sign for code, sign in signs.items() if _means_one(sign)}


def _means_one(sign: str) -> bool:
    """Whether it has a sign of currency, and is not one that several currencies share."""
    return sign not in _SHARED and any(unicodedata.category(part) == "Sc" for part in sign)


def _turns(character: str) -> bool:
    return unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
