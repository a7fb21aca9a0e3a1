"""The PDF of a statement or a report, whatever its texts do to the typesetter."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from shared.statements.flaws import Flaw, TypesettingError
from shared.statements.logo import drawing, shown_size
from shared.statements.pdf import STATEMENT, Panicked, Template, Typeset, Typesetter, is_long
from shared.statements.scripts import COMMON, is_letter, scripts
from shared.statements.view import View

#: Replaces an unprintable text in a PDF; the mail has the text itself.
UNPRINTABLE: Final = "[not printable]"

# Letters of alphabets that are written one after the other, as in Latin, Greek and Cyrillic, and
# the marks with which the view isolates a text.
_SIMPLE: Final = (
    "\u0000-\u02ff\u0370-\u052f\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u2066-\u2069"
    "\u20a0-\u20cf\u2212"
)
_COMPLEX: Final = re.compile(f"[^{_SIMPLE}]+(?:\\s+[^{_SIMPLE}]+)*")
_BLANK: Final = "–"
_TRIES: Final = 30


_Typeset = Callable[[View], Typeset]


class Attachment(NamedTuple):
    """A PDF, None if there can be none, and what is wrong with it."""

    pdf: bytes | None
    flaws: tuple[Flaw, ...]


class AttachmentMaker:
    """Makes PDFs of one template; a text at which typst panics is replaced, and no other."""

    def __init__(self, template: Template = STATEMENT, *, public_url: str | None = None) -> None:
        """Create it; statements say that they can be checked at the `public_url` of the API.

        Only with https: any other address is this machine's or a test's, and no customer's.
        """
        self._typesetter = Typesetter(template)
        self._public_url = public_url if (public_url or "").startswith("https://") else None
        #: The files of all fonts.
        self.fonts = self._typesetter.fonts

    def uncovered(self) -> tuple[str, ...]:
        """Return the scripts that no font here covers, of those in common use."""
        return scripts(self._typesetter.uncovered(COMMON))

    def attachment(
        self,
        view: View,
        moment: dt.datetime,
        *,
        content: bytes = b"",
        digest: str | None = None,
        logo: bytes | None = None,
        preview: bool = False,
    ) -> Attachment:
        """Return the PDF of a view; the same arguments give the same bytes.

        The PDF of a statement has the snapshot, `content`, in it as `statement.json`. Its SHA-256,
        `digest`, is printed at the foot, or *Preview* instead. The logo is a PNG.
        """
        extras = {
            "digest": digest,
            "logo": None if logo is None else shown_size(logo),
            "preview": preview,
            "snapshot": bool(content),
            "verify": self._verify(digest),
        }
        files = {"extras.json": json.dumps(extras).encode(), "statement.json": content}
        if logo is not None:
            files["logo.svg"] = drawing(logo)
        return self._attachment(view, partial(self._typesetter.typeset, moment=moment, files=files))

    def _verify(self, digest: str | None) -> str | None:
        if digest is None or self._public_url is None:
            return None
        return f"{self._public_url.rstrip('/')}/verify/{digest}"

    def _attachment(self, view: View, typeset: _Typeset) -> Attachment:
        try:
            return _made(view, typeset, ())
        except Panicked as panic:
            flaw = Flaw("replaced_text", f"a text is replaced in the PDF: {panic}")
            return _without_culprits(view, typeset, flaw)
        except TypesettingError as error:
            return _none(error)


def _made(view: View, typeset: _Typeset, flaws: tuple[Flaw, ...]) -> Attachment:
    pdf, missing = typeset(view)
    symbols = {character for character in missing if not is_letter(character)}
    if symbols:
        # Bars in the place of a smile are worse than nothing.
        pdf, missing = typeset(_mapped(view, _dropping(symbols)))
    if missing:
        names = ", ".join(scripts(missing))
        flaws += (Flaw("missing_letters", f"letters without a font in the PDF: {names}"),)
    return Attachment(pdf, flaws)


def _without_culprits(view: View, typeset: _Typeset, flaw: Flaw) -> Attachment:
    suspects = sorted({text for text in _texts(view) if _COMPLEX.search(text)})
    culprits = _culprits(view, typeset, suspects)
    for replaced in (culprits, set(suspects)):
        try:
            return _made(_mapped(view, _replacing(replaced)), typeset, (flaw,))
        except Panicked:
            continue
        except TypesettingError as error:
            return _none(error)
    return _none(TypesettingError(flaw.text))


def _culprits(view: View, typeset: _Typeset, suspects: list[str]) -> set[str]:
    """Return those that cannot be printed, found by halves; all if that would take long."""
    culprits: set[str] = set()
    groups, tries = [suspects], 0
    while groups:
        group = groups.pop()
        tries += 1
        if tries > _TRIES or is_long(view):
            culprits.update(group)
        elif _panics(_mapped(view, _replacing(set(suspects) - set(group))), typeset):
            half = len(group) // 2
            if half:
                groups += group[:half], group[half:]
            else:
                culprits.update(group)
    return culprits


def _panics(view: View, typeset: _Typeset) -> bool:
    try:
        typeset(view)
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
