"""Prints a statement as PDF, even if its texts crash the typesetter."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, NamedTuple

from shared.statements.pdf import Panicked, Press, TypesettingError
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
_LONG: Final = 200  # rows above which single texts are not tried
_TRIES: Final = 30

Kind = Literal["missing_letters", "replaced_text", "no_pdf"]


class Flaw(NamedTuple):
    """A difference between a PDF and the ledger; `told` contains no personal data."""

    kind: Kind
    told: str


class Copy(NamedTuple):
    """A PDF (None if it cannot be made) and its flaws."""

    pdf: bytes | None
    flaws: tuple[Flaw, ...]


class Printer:
    """Prints statements; a text that crashes the typesetter is replaced, all else is printed."""

    def __init__(self) -> None:
        self._press = Press()
        #: The files of all fonts.
        self.fonts = self._press.fonts

    def uncovered(self) -> tuple[str, ...]:
        """Return the common scripts that no font here covers."""
        return scripts(self._press.lacks(COMMON))

    def print(self, view: View, moment: dt.datetime) -> Copy:
        """Print a statement; the same bytes for the same view and moment of creation."""
        try:
            return self._printed(view, moment, ())
        except Panicked as panic:
            flaw = Flaw("replaced_text", f"a text is replaced in the PDF: {panic}")
            return self._without_culprits(view, moment, flaw)
        except TypesettingError as error:
            return _none(error)

    def _printed(self, view: View, moment: dt.datetime, flaws: tuple[Flaw, ...]) -> Copy:
        pdf, missing = self._press.print(view, moment)
        symbols = {character for character in missing if not is_letter(character)}
        if symbols:
            # Bars in the place of a smile are worse than nothing.
            pdf, missing = self._press.print(_mapped(view, _dropping(symbols)), moment)
        if missing:
            names = ", ".join(scripts(missing))
            flaws += (Flaw("missing_letters", f"letters without a font in the PDF: {names}"),)
        return Copy(pdf, flaws)

    def _without_culprits(self, view: View, moment: dt.datetime, flaw: Flaw) -> Copy:
        suspects = sorted({text for text in _texts(view) if _COMPLEX.search(text)})
        culprits = self._culprits(view, moment, suspects)
        for replaced in (culprits, set(suspects)):
            try:
                return self._printed(_mapped(view, _replacing(replaced)), moment, (flaw,))
            except Panicked:
                continue
            except TypesettingError as error:
                return _none(error)
        return _none(TypesettingError(flaw.told))

    def _culprits(self, view: View, moment: dt.datetime, suspects: list[str]) -> set[str]:
        """Return the unprintable texts, found by bisection, or all if that would take long."""
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
            self._press.print(view, moment)
        except Panicked:
            return True
        return False


def _none(error: TypesettingError) -> Copy:
    return Copy(None, (Flaw("no_pdf", f"sent without its PDF: {error}"),))


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
