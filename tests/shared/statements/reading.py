"""Reads the figures back out of what was rendered, as a recipient would."""

import re
import shutil
import subprocess
import tempfile
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

from tests.servers import absent

# A word of a PDF with its place, and the width of a narrow blank in heights of a line.
_WORD = re.compile(
    r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>'
)
_NARROW = 0.18
FIGURE = re.compile(r"(?<![\w.,])−?\d[\d,]*\.\d{2,4}(?![\d.])")

# Around a number or a day that is not broken.
_WHOLE = [("span", {"style": f"white-space:{blank}nowrap"}) for blank in ("", " ")]


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


def spaced(text: str) -> str:
    """The text with plain blanks: an amount and its currency are never on two lines."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page with the names of their attributes, lines and links of text aside."""
    return [
        (tag, tuple(attributes))
        for tag, attributes in page(html).tags
        if tag not in {"br", "bdi", "a"} and (tag, attributes) not in _WHOLE
    ]


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
    return spaced(run.stdout.decode())


def pdf_stream(pdf: bytes) -> str:
    """What poppler reads in a PDF, in the order in which it is written there.

    Narrow blanks, such as those in a French figure, are told from the blanks between words.
    """
    run = subprocess.run(
        [tool("pdftotext"), "-raw", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    )
    read, line, end = "", "", 0.0
    for left, top, right, bottom, word in _WORD.findall(run.stdout.decode()):
        gap = (float(left) - end) / (float(bottom) - float(top))
        blank = " " if gap > _NARROW or gap < 0 else "\N{NARROW NO-BREAK SPACE}"
        read += (blank if top == line else "\n") + unescape(word)
        line, end = top, float(right)
    return read


def embedded(pdf: bytes) -> dict[str, bytes]:
    """The files in a PDF, by name, as poppler finds them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement.pdf"
        path.write_bytes(pdf)
        files = path.with_name("files")
        files.mkdir()
        command = (tool("pdfdetach"), "-saveall", "-o", files, path)
        subprocess.run(command, capture_output=True, check=True)
        return {each.name: each.read_bytes() for each in files.iterdir()}
