"""Finds the scripts of characters by their Unicode names."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_OTHERS: Final = "symbols"
# What follows the script in the name of a character, as in THAI CHARACTER KO KAI.
_REST: Final = re.compile(
    r"[ -](LETTER|CHARACTER|SYLLABLE|SYLLABICS|IDEOGRAPH|UNIFIED|COMPATIBILITY|RADICAL|VOWEL|SIGN"
    r"|CONSONANT|DIGIT|MARK|TONE|SMALL|CAPITAL|SUBJOINED|INDEPENDENT|DEPENDENT|JONGSEONG|CHOSEONG"
    r"|LIGATURE|NUMBER|NUMERAL|FRACTION|FINAL|INITIAL|AU|OM|POINT|PUNCTUATION).*"
)

# They choose between two forms of the character before, usually an emoji.
_VARIATIONS: Final = frozenset(map(chr, range(0xFE00, 0xFE10)))

#: A letter or two of each script that is the first one of some language in trade.
COMMON: Final = (
    *(
        "Aé",
        "Ωλ",
        "Жї",
        "Հայ",
        "ქარ",
        "אב",
        "عربپ",
        "हिन",
        "বাং",
        "ਪੰਜ",
        "ગુજ",
        "ଓଡ଼",
        "தமி",
        "తెల",
        "ಕನ್ನ",
    ),
    *(
        "മലയ",
        "සිං",
        "ไทย",
        "ລາວ",
        "ខ្មែ",
        "မြန်",
        "བོད",
        "አማር",
        "ᏣᎳ",
        "ᐃᓄ",
        "ᠮᠣ",
        "ⵜⴰ",
        "ߒߞ",
        "한국",
        "かな",
        "カナ",
    ),
    *("漢字", "汉语", "ㄅㄆ", "ދިވެ", "ܣܘܪ", "ꦗꦮ", "ᮞᮥ", "ꯃꯤ", "ᱥᱟ", "ꆈꌠ", "𑄌𑄋"),
)


def scripts(characters: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the characters' scripts, `symbols` for those that are not letters."""
    letters = set(characters)
    # Marks have names of many kinds, and stand on letters.
    plain = {letter for letter in letters if unicodedata.category(letter)[0] != "M"}
    return tuple(sorted(set(map(_script, plain or letters))))


def is_letter(character: str) -> bool:
    """Whether it is part of a word: a letter, a mark on one, or a digit."""
    category = unicodedata.category(character)
    return category[0] in "LMN" and category != "Me" and character not in _VARIATIONS


def _script(character: str) -> str:
    name = unicodedata.name(character, "")
    if not name or not is_letter(character):
        return _OTHERS
    script = _REST.sub("", name)
    return script if script == "CJK" else script.title()
