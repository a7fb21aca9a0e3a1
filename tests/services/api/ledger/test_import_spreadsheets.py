"""Files from spreadsheet programs are read, or refused in one line with advice."""

import io
from pathlib import Path

import asyncpg
import pytest

from services.api.ledger.faults import Faults, ImportRefused
from services.api.ledger.files import FILES
from services.api.ledger.imports import import_directory
from services.api.ledger.rows import Rows

BUSINESSES = "id,owner_id,name,currency,timezone\n1,1,Kente,GHS,Africa/Accra\n"
PLAIN = 'id,business_id,name\n7,1,Käse; Öl\n8,1,"two\nlines"\n'
CATEGORIES = next(file for file in FILES if file.table == "categories")
STRANGE = (
    "names no column of this file, read with the separator '{}'; "
    "its columns are id, business_id, name"
)
HABITS = {
    "comma": PLAIN.encode(),
    "mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "semicolon": 'id;business_id;name\n7;1;"Käse; Öl"\n8;1;"two\nlines"\n'.encode(),
    "tab": PLAIN.replace(",", "\t").encode(),
    "said": b"sep=;\r\n" + 'id;business_id;name\r\n7;1;"Käse; Öl"\r\n8;1;"two\nlines"\r\n'.encode(),
    "UTF-16 and tabs": PLAIN.replace(",", "\t").encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "headings": PLAIN.replace("id,business_id,name", "ID, Business ID ,Name").encode(),
    "emptied rows": PLAIN.encode() + b",,\n,,\r\n,,,,,,\n",
    "emptied columns": 'id,business_id,name,,\n7,1,Käse; Öl,,\n8,1,"two\nlines",,\n,,,,\n'.encode(),
    "bar": PLAIN.replace(",", "|").encode(),
    "said in a cell": b'"sep=,"\n' + PLAIN.encode(),
    "said in a row": b"sep=,,,\n" + PLAIN.encode(),
}


async def stored(dsn: str) -> list[tuple[int, str]]:
    conn = await asyncpg.connect(dsn)
    try:
        rows = await conn.fetch("SELECT id, name FROM categories WHERE id > 1 ORDER BY id")
        return [(row["id"], row["name"]) for row in rows]
    finally:
        await conn.close()


@pytest.mark.parametrize("content", HABITS.values(), ids=HABITS)
async def test_it_is_read_if_there_is_nothing_to_guess(
    database: str, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "businesses.csv").write_text(BUSINESSES)
    (tmp_path / "categories.csv").write_bytes(content)
    summary = await import_directory(database, tmp_path)
    assert summary.files[1].inserted == 2
    assert await stored(database) == [(7, "Käse; Öl"), (8, "two\nlines")]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            b"id,business_id,name\n" + "7,1,Käse\n".encode("cp1252") * 50,
            "categories.csv:2: name: is not UTF-8: save it as CSV UTF-8",
        ),
        (
            b"PK\x03\x04" + bytes(1000),
            "categories.csv:1: file: is a spreadsheet workbook, not CSV: save it as CSV UTF-8",
        ),
        (
            PLAIN.encode("utf-16-le"),
            "categories.csv:1: file: is UTF-16 without a byte order mark: save it as CSV UTF-8",
        ),
        (
            PLAIN.replace("\n", "\r").encode(),
            "categories.csv:1: file: has line ends of old Macintosh programs: save it as CSV UTF-8",
        ),
        (
            b"sep=;\n" + PLAIN.encode(),
            f"categories.csv:2: header: {STRANGE.format(';')}",
        ),
        (
            PLAIN.replace(",", ":").encode(),
            f"categories.csv:1: header: {STRANGE.format(',')}",
        ),
        (
            b"id,business_id,name,,\n7,1,A,,note\n",
            "categories.csv:2: row: has 5 fields, but the header has 3",
        ),
        (
            b"\xff\xfei\0d\0,\0\x00\xd8x\0",
            "categories.csv:1: file: is not valid UTF-16",
        ),
    ],
    ids=[
        "Windows-1252",
        "workbook",
        "UTF-16 without a mark",
        "line ends of old Macintosh programs",
        "another separator than it says",
        "colons",
        "a value below no heading",
        "broken UTF-16",
    ],
)
async def test_what_had_to_be_guessed_is_refused_in_one_line(
    database: str, tmp_path: Path, content: bytes, line: str
) -> None:
    (tmp_path / "categories.csv").write_bytes(content)
    with pytest.raises(ImportRefused) as refused:
        await import_directory(database, tmp_path)
    assert refused.value.errors == [line]


def test_a_line_number_counts_the_line_that_says_the_separator() -> None:
    faults = Faults()
    rows = Rows(CATEGORIES, io.BytesIO(b"sep=;\nid;business_id;name\nx;1;A\n"), faults)
    list(rows.blocks())
    assert faults.lines == ["categories.csv:3: id: 'x' is not a whole number"]
