"""Import files that are designed to take long."""

import io
import time

import pytest

from services.api.ledger.faults import Faults
from services.api.ledger.files import FILES
from services.api.ledger.rows import Rows

CUSTOMERS = next(file for file in FILES if file.table == "customers")
LONGEST = 16 * 2**20


def faults_of(content: bytes) -> list[str]:
    """Return the faults in a file of customers; the time must grow linearly with its length."""
    faults = Faults()
    begun = time.process_time()
    rows = Rows(CUSTOMERS, io.BytesIO(content), faults)
    for _ in rows.blocks():
        pass
    assert time.process_time() - begun < 60
    return faults.lines


MANY = (
    b",".join(b"c%d" % number for number in range(300_000)),
    b"id," * 300_000 + b"id",
    b"id" * 300_000,
)


@pytest.mark.parametrize("header", MANY, ids=["many", "one name very often", "one long name"])
def test_a_header_longer_than_any_is_not_read(header: bytes) -> None:
    [line] = faults_of(header + b"\n1\n")
    assert line == "customers.csv:1: header: is longer than 65536 bytes: is it a header?"


def test_a_header_of_one_name_very_often() -> None:
    assert faults_of(b"id," * 20_000 + b"id\n")[0] == (
        "customers.csv:1: header: 'id' is there twice"
    )


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (b'"' + b"x" * LONGEST, "16 MiB"),
        (b"x" * LONGEST, "16 MiB"),
        (b"1" + b"," * 1_000_000, "fields, but the header has"),
        (b'"' + b'""' * 1_000_000 + b'x"y', "continues after its closing quote"),
    ],
    ids=["open quote", "long line", "many fields", "quotes"],
)
def test_rows_beyond_bounds_are_refused(row: bytes, complaint: str) -> None:
    header = b"id,business_id,owner_id,first_name,created_at,updated_at\n"
    lines = faults_of(header + row + b"\n")
    assert lines[0].startswith("customers.csv:2: ")
    assert complaint in lines[0]
