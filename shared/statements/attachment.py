"""The PDF of a statement or a report, whatever its texts do to the typesetter."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from shared.statements.pdf import STATEMENT, Panicked, Typesetter, TypesettingError
from shared.statements.scripts import COMMON, is_letter, scripts
from shared.statements.view import View

#: Replaces an unprintable text in a PDF; the mail has the text itself.
UNPRINTABLE: Final = "[not printable]"

# Letters of alphabets that are written one after the other, as in Latin, Greek and Cyrillic.
_SIMPLE: Final = (
    "\u0000-\u02ff\u0370-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2212"
)
_COMPLEX: Final = re.compile(f"[^{_SIMPLE}]+(?:\\s+[^{_SIMPLE}]+)*")
_BLANK: Final = "–"
_LONG: Final = 200  # rows from which on single texts are not tried, which would take long
_TRIES: Final = 30

Kind = Literal["missing_letters", "replaced_text", "no_pdf"]


class Flaw(NamedTuple):
    """What a PDF does not show as the ledger has it; `text` holds nothing of the ledger."""

    kind: Kind
    text: str


class Attachment(NamedTuple):
    """A PDF, None if there can be none, and what is wrong with it."""

    pdf: bytes | None
    flaws: tuple[Flaw, ...]


class AttachmentMaker:
    """Makes PDFs of one template; a text at which typst panics is replaced, and no other."""

    def __init__(self, template: Path = STATEMENT) -> None:
        self._typesetter = Typesetter(template)
        #: The files of all fonts.
        self.fonts = self._typesetter.fonts

    def uncovered(self) -> tuple[str, ...]:
        """Return the scripts that no font here covers, of those in common use."""
        return scripts(self._typesetter.uncovered(COMMON))

    def attachment(self, view: View, moment: dt.datetime) -> Attachment:
        """Return the PDF of a view; the same view and moment give the same bytes."""
        try:
            return self._made(view, moment, ())
        except Panicked as panic:
            flaw = Flaw("replaced_text", f"a text is replaced in the PDF: {panic}")
            return self._without_culprits(view, moment, flaw)
        except TypesettingError as error:
            return _none(error)

    def _made(self, view: View, moment: dt.datetime, flaws: tuple[Flaw, ...]) -> Attachment:
        pdf, missing = self._typesetter.typeset(view, moment)
        symbols = {character for character in missing if not is_letter(character)}
        if symbols:
            # Bars in the place of a smile are worse than nothing.
            pdf, missing = self._typesetter.typeset(_mapped(view, _dropping(symbols)), moment)
        if missing:
            names = ", ".join(scripts(missing))
            flaws += (Flaw("missing_letters", f"letters without a font in the PDF: {names}"),)
        return Attachment(pdf, flaws)

    def _without_culprits(self, view: View, moment: dt.datetime, flaw: Flaw) -> Attachment:
        suspects = sorted({text for text in _texts(view) if _COMPLEX.search(text)})
        culprits = self._culprits(view, moment, suspects)
        for replaced in (culprits, set(suspects)):
            try:
                return self._made(_mapped(view, _replacing(replaced)), moment, (flaw,))
            except Panicked:
                continue
            except TypesettingError as error:
                return _none(error)
        return _none(TypesettingError(flaw.text))

    def _culprits(self, view: View, moment: dt.datetime, suspects: list[str]) -> set[str]:
        """Return those that cannot be printed, found by halves; all if that would take long."""
        culprits: set[str] = set()
        groups, tries = [suspects], 0
        while groups:
            group = groups.pop()
            tries += 1
            if tries > _TRIES or len(view["rows"]) > _LONG:
                culprits.update(group)
            elif self._panics(_mapped(view, _replacing(set(suspects) - set(group))), moment):
                half = len(group) // 2
                if half:
                    groups += group[:half], group[half:]
                else:
                    culprits.update(group)
        return culprits

    def _panics(self, view: View, moment: dt.datetime) -> bool:
        try:
            self._typesetter.typeset(view, moment)
        except Panicked:
            return True
        return False


def _none(error: TypesettingError) -> Attachment:
    return Attachment(None, (Flaw("no_pdf", f"sent without its PDF: {error}"),))


def _replacing(texts: set[str]) -> Callable[[str], str]:
    return lambda text: _COMPLEX.sub(UNPRINTABLE, text) if text in texts else text


def _dropping(characters: set[str]) -> Callable[[str], str]:
    table = dict.fromkeys(map(ord, characters))

    def dropped(text: str) -> str:
        kept = text.translate(table)
        return text if kept == text else " ".join(kept.split()) or _BLANK

    return dropped


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return a view, or a part of one, with every text in it changed."""
    match value:
        case str():
            return change(value)
        case dict():
            return {name: _mapped(part, change) for name, part in value.items()}
        case list():
            return [_mapped(part, change) for part in value]
        case _:
            return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)
