"""The catalogues of all languages are complete, and a new one is made by one command."""

import string
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from provision import catalogues
from shared.statements.language import LANGUAGES

TRANSLATED = [language for language in LANGUAGES if language != "en"]


def placeholders(text: str) -> set[str]:
    """The names in braces of a message."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def forms(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def faults(language: str) -> list[str]:
    """What is wrong with a catalogue, by message."""
    code = {message.id: message for message in catalogues.extracted() if message.id}
    catalog = catalogues.read(language)
    found = {message.id: message for message in catalog if message.id}
    wrong = [f"missing: {each}" for each in code.keys() - found.keys()]
    wrong += [f"stale: {each}" for each in found.keys() - code.keys()]
    wrong += [f"stale: {each}" for each in catalog.obsolete]
    for key in code.keys() & found.keys():
        message = found[key]
        if message.fuzzy:
            wrong.append(f"fuzzy: {key}")
        if not all(forms(message)):
            wrong.append(f"not translated: {key}")
        if message.pluralizable and len(forms(message)) != catalog.num_plurals:
            wrong.append(f"not all plurals: {key}")
        wanted = placeholders(key[1] if isinstance(key, tuple) else key)
        for form in forms(message):
            # One and two are words in Arabic, not figures.
            lacking = wanted - placeholders(form) - ({"count"} if message.pluralizable else set())
            if lacking or placeholders(form) - wanted:
                wrong.append(f"other placeholders: {form}")
    return wrong


def test_the_languages_are_those_of_the_issue() -> None:
    assert set(LANGUAGES) >= {"en", "fr", "pt", "es", "de", "ar"}


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_says_all_that_the_code_says_and_no_more(language: str) -> None:
    assert faults(language) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_as_the_command_writes_it(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = (catalogues.FOLDER / f"{language}.po").read_bytes()
    (tmp_path / f"{language}.po").write_bytes(written)
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    catalogues.main([])
    assert (tmp_path / f"{language}.po").read_bytes() == written


def test_one_command_begins_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    catalogues.main(["pl"])
    catalog = catalogues.read("pl")
    assert {message.id for message in catalog if message.id} == {
        message.id for message in catalogues.extracted() if message.id
    }
    assert len(faults("pl")) >= len(catalog) - 1, "nothing is translated yet"
    assert catalog.num_plurals == 3


def test_a_translation_survives_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    catalogues.main(["pl"])
    path = tmp_path / "pl.po"
    path.write_text(path.read_text("utf-8").replace('"Date"\nmsgstr ""', '"Date"\nmsgstr "Data"'))
    catalogues.main(["pl"])
    assert 'msgid "Date"\nmsgstr "Data"' in path.read_text("utf-8")
