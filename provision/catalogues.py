"""Bring the catalogues of all languages up to date: `python -m provision.catalogues [it …]`."""

import datetime as dt
import sys
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = ROOT / "shared" / "statements"
#: One catalogue for each language but English, whose messages are in the code.
FOLDER: Final = _SOURCES / "locales"
_KEYWORDS: Final = {"say": None, "say_many": (1, 2)}
_COMMENT: Final = "Translators:"
_WIDTH: Final = 100
# Git knows when a catalogue changed; another date in it would only make changes meet.
_DATE: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def extracted() -> Catalog:
    """Return the messages of the code, with the comments for translators."""
    catalog = Catalog(project="Ledgerpost", charset="utf-8")
    for path in sorted(_SOURCES.glob("*.py")):
        found = extract_from_file(
            "python", path, keywords=_KEYWORDS, comment_tags=(_COMMENT,), strip_comment_tags=True
        )
        for _, message, comments, context in found:
            catalog.add(message, auto_comments=comments, context=context)
    return catalog


def read(language: str) -> Catalog:
    """Return the catalogue of a language; a new one if there is none."""
    path = FOLDER / f"{language}.po"
    if not path.exists():
        return Catalog(
            locale=Locale.parse(language),
            project="Ledgerpost",
            version="1",
            msgid_bugs_address="maintainers of this repository",
            last_translator="see git log",
            language_team=language,
            header_comment=f"# The words of statements in {Locale.parse(language).english_name}.",
            creation_date=_DATE,
            revision_date=_DATE,
            fuzzy=False,
        )
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    """Write the catalogue of a language with the messages of the code; translations are kept.

    A changed message is not matched with an old one that looks like it: it has to be translated.
    """
    catalog = read(language)
    catalog.update(
        extracted(), no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False
    )
    catalog.obsolete.clear()
    with (FOLDER / f"{language}.po").open("wb") as file:
        write_po(file, catalog, width=_WIDTH, no_location=True)


def main(languages: list[str]) -> None:
    """Update these catalogues, or all that there are."""
    for language in languages or sorted(path.stem for path in FOLDER.glob("*.po")):
        update(language)


if __name__ == "__main__":
    main(sys.argv[1:])
