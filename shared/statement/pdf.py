"""The statement as a PDF, typeset by typst from data that it never reads as source."""

import datetime as dt
import json
from pathlib import Path
from typing import Final

import typst

from shared.statement.view import View

_HERE: Final = Path(__file__).parent
_ARCHIVAL: "Final[list[typst.PDFStandard]]" = ["a-2a", "ua-1"]

# typst keeps the layout of a document through ten further compilations, about 0.1 MB a row; what
# is larger than this is let go of at once, or ten long statements would hold two gigabytes.
_LONG: Final = 200
_GENERATIONS: Final = 11


class TypesettingError(RuntimeError):
    """The statement could not be typeset; the message is typst's own."""


class Press:
    """Makes PDFs with one typst compiler, which reads its fonts once; for one thread at a time."""

    def __init__(self) -> None:
        self._source = (_HERE / "statement.typ").read_bytes()
        fonts = typst.Fonts(
            include_system_fonts=True,
            include_embedded_fonts=False,
            font_paths=[str(_HERE / "fonts")],
        )
        #: The files of all fonts; each is read when it is first needed.
        self.fonts = [font.path for font in fonts.fonts() if font.path is not None]
        self._compiler = typst.Compiler(font_paths=fonts)

    def print(self, view: View, moment: dt.datetime) -> bytes:
        """Return a tagged PDF, the same bytes for the same view and moment of creation.

        It conforms to PDF/A-2a and PDF/UA-1 unless a name or a number is in a script that no
        font here has: then it is a plain PDF with the letters that could be shown.
        """
        data = {"statement": json.dumps(view)}
        try:
            return self._typeset(data, moment)
        except typst.TypstError as error:
            raise TypesettingError(error.message) from error
        finally:
            if len(view["rows"]) > _LONG:
                self._forget()

    def _typeset(self, data: dict[str, str], moment: dt.datetime) -> bytes:
        try:
            return self._compile(data, moment, _ARCHIVAL)
        except typst.TypstError as error:
            if not error.message.startswith("PDF/"):
                raise
            return self._compile(data, moment, ["1.7"])

    def _compile(
        self, data: dict[str, str], moment: dt.datetime, standards: "list[typst.PDFStandard]"
    ) -> bytes:
        pages, warnings = self._compiler.compile_with_warnings(
            self._source,
            format="pdf",
            sys_inputs=data,
            pdf_standards=standards,
            timestamp=int(moment.timestamp()),
        )
        missing = [w.message for w in warnings if w.message.startswith("unknown font")]
        if missing or not isinstance(pages, bytes):
            raise TypesettingError("; ".join(missing) or "typst made no PDF")
        return pages

    def _forget(self) -> None:
        for _ in range(_GENERATIONS):
            self._compiler.compile(b"", format="svg")
