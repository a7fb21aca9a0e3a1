"""Typesets statements and reports as PDF with typst; their data is never read as source."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import typst

from shared.statements.flaws import TypesettingError
from shared.statements.layout import layout
from shared.statements.view import View

_HERE: Final = Path(__file__).parent
_ARCHIVAL: "Final[list[typst.PDFStandard]]" = ["a-3a", "ua-1"]
_PLAIN: "Final[list[typst.PDFStandard]]" = ["1.7"]
_MAIN: Final = "main.typ"  # of several files, the one that typst compiles
# Typst parses every file as its own markup, which takes 15 MB for a megabyte. After the sign of a
# comment it does not, if there are no further lines; the template cuts the sign off.
_UNREAD: Final = b"//"
# Typst's message for a letter that no font has, with the letter written as Rust does.
_MISSING: Final = re.compile(r'the text `"((?:[^"\\]|\\.)*)"` could not be displayed')
_ESCAPED: Final = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))")
# Parts of the ledger's text, which must not stand in a reason that is logged.
_QUOTED: Final = re.compile(r"[`'\"].*[`'\"]", re.DOTALL)
_SAMPLE: Final = {
    _MAIN: b'#set text(font: "Inter")\n#set document(title: "x")\n#read("sample.txt")'
}

# typst keeps the layout of a document through ten further compilations, about 0.1 MB a row; what
# is larger than this is released at once, or ten long statements would hold two gigabytes.
_LONG: Final = 200
_GENERATIONS: Final = 11


class Panicked(TypesettingError):
    """Typst panicked at a text that it should be able to set."""


class Template(NamedTuple):
    """A document in typst, and what it needs to know of a view before it lays it out, if any."""

    path: Path
    layout: Callable[[View], Mapping[str, Any]] | None = None


STATEMENT: Final = Template(_HERE / "statement.typ", layout)


class Typeset(NamedTuple):
    """A PDF, and the characters in it for which there is no font."""

    pdf: bytes
    missing: frozenset[str]


class Typesetter:
    """Makes PDFs of one template with a typst compiler, which reads its fonts once.

    For one thread at a time.
    """

    def __init__(self, template: Template = STATEMENT) -> None:
        parts = {path.name: path.read_bytes() for path in _HERE.glob("*.typ")}
        self._sources = parts | {_MAIN: template.path.read_bytes()}
        self._layout = template.layout
        fonts = typst.Fonts(
            include_system_fonts=True,
            include_embedded_fonts=False,
            font_paths=[str(_HERE / "fonts")],
        )
        #: The files of all fonts; each is read when it is first needed.
        self.fonts = [font.path for font in fonts.fonts() if font.path is not None]
        self._compiler = typst.Compiler(font_paths=fonts)

    def typeset(
        self, view: View, moment: dt.datetime, files: dict[str, bytes] | None = None
    ) -> Typeset:
        """Return a tagged PDF, the same bytes for the same view, moment of creation and files.

        The template reads the files by their names. The PDF conforms to PDF/A-3a and PDF/UA-1
        unless a character is in no font here: then it is a plain PDF that has a box in its place.
        Raises TypesettingError.
        """
        data = {"view.json": json.dumps(view).encode(), **(files or {})}
        if self._layout is not None:
            data["layout.json"] = json.dumps(self._layout(view)).encode()
        data = self._sources | {name: _UNREAD + content for name, content in data.items()}
        try:
            try:
                return Typeset(self._compile(data, moment, _ARCHIVAL), frozenset())
            except typst.TypstError as error:
                if not error.message.startswith("PDF/"):
                    raise
                missing = _missing(error)
            return Typeset(self._compile(data, moment, _PLAIN), missing)
        except typst.TypstError as error:
            raise TypesettingError(error.message) from error
        finally:
            if is_long(view):
                self._forget()

    def uncovered(self, texts: Iterable[str]) -> frozenset[str]:
        """Return the characters of the texts that are in no font here, as far as typst can say."""
        try:
            data = _SAMPLE | {"sample.txt": "\n".join(texts).encode()}
            self._compile(data, dt.datetime.fromtimestamp(0, dt.UTC), _ARCHIVAL)
        except typst.TypstError as error:
            return _missing(error)
        except Panicked:
            pass
        return frozenset()

    def _compile(
        self,
        files: Mapping[str, bytes],
        moment: dt.datetime,
        standards: "list[typst.PDFStandard]",
    ) -> bytes:
        try:
            pages, warnings = self._compiler.compile_with_warnings(
                files,  # type: ignore[type-var]  # its stub knows no files
                format="pdf",
                pdf_standards=standards,
                timestamp=int(moment.timestamp()),
            )
        except BaseException as error:
            if isinstance(error, (Exception, KeyboardInterrupt, SystemExit)):
                raise
            # A panic of typst is no Exception and would end the process.
            raise Panicked(f"typst gave up: {_QUOTED.sub('…', str(error))}") from None
        unknown = [w.message for w in warnings if w.message.startswith("unknown font")]
        if unknown or not isinstance(pages, bytes):
            raise TypesettingError("; ".join(unknown) or "typst made no PDF")
        return pages

    def _forget(self) -> None:
        for _ in range(_GENERATIONS):
            self._compiler.compile(b"", format="svg")


def is_long(view: View) -> bool:
    """Return whether a document has so many rows and open items that to typeset it takes long."""
    return len(view["rows"]) + len(view.get("open_items") or ()) > _LONG


def _missing(error: typst.TypstError) -> frozenset[str]:
    said = f"{error.message}\n{error.diagnostic}"
    texts = (_ESCAPED.sub(_unescaped, text) for text in _MISSING.findall(said))
    return frozenset("".join(texts)) - {" "}


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]
