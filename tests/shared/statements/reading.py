"""Reads the figures back out of what was rendered, as a recipient would."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

from tests.servers import absent

FIGURE = re.compile(r"(?<![\w.,])−?\d[\d,]*\.\d{2,4}(?![\d.])")


class _Rows(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._unseen = False
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._unseen = tag in {"style", "title", "script"}
        if tag == "tr":
            self.rows.append([])
            self._in_cell = False
        elif tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self._in_cell = True
        elif tag == "br":
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = False
        if tag in {"td", "th", "tr"}:
            self._in_cell = False
        if tag in {"td", "th", "tr", "p", "h1", "h2", "div"}:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        self.words.append(data)
        if self._in_cell:
            self.rows[-1][-1] += data


def page(html: str) -> _Rows:
    """The rows, words and tags of a page as an HTML parser finds them."""
    rows = _Rows()
    rows.feed(html)
    rows.close()
    rows.rows = [[cell.strip() for cell in cells] for cells in rows.rows]
    return rows


def words(html: str) -> str:
    """What a page says, its white space made single."""
    return " ".join("".join(page(html).words).split())


def tool(name: str) -> str:
    """The path of a command; without it the test is skipped, and in CI fails."""
    path = shutil.which(name)
    if path is None:
        absent(f"{name} is not installed")
    return path


def pdf_text(pdf: bytes) -> str:
    """What poppler reads in a PDF, laid out in columns."""
    run = subprocess.run(
        [tool("pdftotext"), "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    )
    return run.stdout.decode()
