from pathlib import Path

import pytest

from services.api.ledger.faults import ImportRefused
from services.api.ledger.imports import import_directory

BUSINESSES = "id,owner_id,name,email,phone,address,currency,timezone\n"
ONE_BUSINESS = BUSINESSES + "1,1,Kente,,,,GHS,Africa/Accra\n"
CATEGORIES = "id,business_id,name\n"
CUSTOMERS = "id,business_id,owner_id,category_id,opening_balance,archived,created_at,updated_at\n"
TIMES = "2024-01-01 00:00:00,2024-01-01 00:00:00"
ONE_CUSTOMER = CUSTOMERS + f"1,1,1,,,,{TIMES}\n"
INVOICES = "id,business_id,customer_id,number,kind,status,issue_date,due_date,total\n"
ONE_INVOICE = INVOICES + "1,1,1,A,invoice,issued,2024-01-01,,1\n"
PAYMENTS = "id,business_id,invoice_id,paid_on,amount,channel,method,reference,status\n"
DEPOSITS = "id,business_id,customer_id,entry_date,amount,type\n"


def invoice(**changed: str) -> str:
    row = {
        "id": "1", "business_id": "1", "customer_id": "1", "number": "A", "kind": "invoice",
        "status": "issued", "issue_date": "2024-01-01", "due_date": "", "total": "1.50",
    }  # fmt: skip
    return INVOICES + ",".join((row | changed).values()) + "\n"


def customer(**changed: str) -> str:
    row = {
        "id": "1", "business_id": "1", "owner_id": "1", "category_id": "", "opening_balance": "",
        "archived": "", "created_at": "2024-01-01 00:00:00", "updated_at": "2024-01-01 00:00:00",
    }  # fmt: skip
    return CUSTOMERS + ",".join((row | changed).values()) + "\n"


VALUES = {
    **{
        f"time zone {name}": (
            BUSINESSES + f"1,1,Kente,,,,GHS,{name}\n",
            f"timezone: '{name}' is not a time zone like Africa/Accra (IANA)",
        )
        for name in ("right/Europe/Berlin", "posix/Asia/Tokyo", "Factory", "localtime", "UTC+3")
    },
    "word for a number": (invoice(id="x"), "id: 'x' is not a whole number"),
    "blank before a number": (invoice(id=" 1"), "id: ' 1' is not a whole number"),
    "arabic digits": (invoice(id="\u0661"), "id: '\u0661' is not a whole number"),
    "beyond 64 bits": (
        invoice(id="9223372036854775808"),
        "id: '9223372036854775808' does not fit into 64 bits",
    ),
    "negative id": (invoice(id="-1"), "id: '-1' is negative"),
    "id missing": (invoice(id=""), "id: is required"),
    "number missing": (invoice(number=""), "number: is required"),
    "number empty": (invoice(number='""'), "number: is required and must not be empty"),
    "empty text for an optional date": (
        invoice(due_date='""'),
        "due_date: '' is not a date written YYYY-MM-DD",
    ),
    "29 February": (invoice(issue_date="2023-02-29"), "is a date that does not exist"),
    "29 February 1900": (invoice(issue_date="1900-02-29"), "is a date that does not exist"),
    "31 April": (invoice(issue_date="2024-04-31"), "is a date that does not exist"),
    "year 0": (invoice(issue_date="0000-01-01"), "is a date that does not exist"),
    "short date": (invoice(issue_date="2024-1-5"), "is not a date written YYYY-MM-DD"),
    "today": (invoice(issue_date="today"), "is not a date written YYYY-MM-DD"),
    "infinity": (invoice(issue_date="infinity"), "is not a date written YYYY-MM-DD"),
    "compact date": (invoice(issue_date="20240101"), "is not a date written YYYY-MM-DD"),
    "five decimals": (invoice(total="1.23456"), "total: '1.23456' has more than 4 decimals"),
    "five decimals, zeros": (invoice(total="1.50000"), "has more than 4 decimals"),
    "exponent": (invoice(total="1e5"), "is not an amount in plain digits"),
    "not a number": (invoice(total="NaN"), "is not an amount in plain digits"),
    "infinite": (invoice(total="Infinity"), "is not an amount in plain digits"),
    "comma in an amount": (invoice(total='"1,000.00"'), "is not an amount in plain digits"),
    "currency in an amount": (invoice(total="$5"), "is not an amount in plain digits"),
    "huge amount": (invoice(total="100000000000000"), "is 100 trillion or more"),
    "negative total": (invoice(total="-0.01"), "total: '-0.01' is negative"),
    "unknown kind": (invoice(kind="bill"), "kind: 'bill' is not one of invoice, credit_note"),
    "kind in capitals": (invoice(kind="Invoice"), "is not one of invoice, credit_note"),
    "unknown status": (invoice(status="paid"), "is not one of draft, issued, void"),
    "quote inside": (invoice(number='5" pipe'), "number: has a quote inside"),
    "text after a quote": (invoice(number='"a"b'), "number: continues after its closing quote"),
    "open quote": (invoice(number='"a'), "number: opens a quote that is never closed"),
    "too few fields": (INVOICES + "1,1,1\n", "row: has 3 fields, but the header has 9"),
    "too many fields": (invoice(total="1,2"), "row: has 10 fields, but the header has 9"),
    "end marker": (INVOICES + "\\.\n", "row: has 1 fields, but the header has 9"),
    "carriage return": (invoice(number="a\rb"), "number: has a line break inside"),
    "NUL": (invoice(number="a\0b"), "number: contains a NUL character"),
    "not UTF-8": (invoice(number="a\udcffb"), "number: is not UTF-8"),
    "not UTF-8 after quotes": (invoice(id='"1"', number='",,\udcff"'), "number: is not UTF-8"),
    "archived": (customer(archived="2"), "archived: '2' is not one of 0, 1"),
    "no time": (customer(created_at="soon"), "is not a time written YYYY-MM-DD HH:MM:SS"),
    "a day alone": (customer(created_at="2024-02-30"), "is a date that does not exist"),
    "T": (customer(created_at="2024-01-01T00:00:00"), "is not a time written"),
    "zone": (customer(created_at="2024-01-01 00:00:00Z"), "is not a time written"),
    "24 o'clock": (customer(created_at="2024-01-01 24:00:00"), "is a time that does not exist"),
    "time in February": (customer(created_at="2023-02-29 00:00:00"), "is a time that does not"),
    "five decimals owed": (customer(opening_balance="0.00001"), "has more than 4 decimals"),
    "unknown category": (customer(category_id="7"), "category_id: business 1 has no category 7"),
    "customer of nobody": (customer(business_id="9"), "business_id: there is no business 9"),
    "unknown customer": (invoice(customer_id="9"), "customer_id: business 1 has no customer 9"),
    "invoice of nobody": (invoice(business_id="9"), "business_id: there is no business 9"),
    "unknown document": (
        PAYMENTS + "1,1,9,2024-01-01,1,manual,,,settled\n",
        "invoice_id: business 1 has no invoice 9",
    ),
    "unknown channel": (PAYMENTS + "1,1,1,2024-01-01,1,cash,,,settled\n", "is not one of manual"),
    "payment's status": (PAYMENTS + "1,1,1,2024-01-01,1,manual,,,ok\n", "is not one of pending"),
    "depositor": (DEPOSITS + "1,1,9,2024-01-01,1,credit\n", "business 1 has no customer 9"),
    "negative deposit": (DEPOSITS + "1,1,1,2024-01-01,-1,credit\n", "amount: '-1' is negative"),
    "deposit's type": (DEPOSITS + "1,1,1,2024-01-01,1,in\n", "'in' is not one of credit, debit"),
    "currency": (BUSINESSES + "1,1,A,,,,cedi,Africa/Accra\n", "'cedi' is not a currency code"),
    "no currency": (BUSINESSES + "1,1,A,,,,,Africa/Accra\n", "currency: is required"),
    "time zone": (BUSINESSES + "1,1,A,,,,GHS,Mars/Base\n", "'Mars/Base' is not a time zone"),
    "time zone's path": (BUSINESSES + "1,1,A,,,,GHS,../UTC\n", "'../UTC' is not a time zone"),
    "time zone's folder": (BUSINESSES + "1,1,A,,,,GHS,Africa\n", "'Africa' is not a time zone"),
    "category of nobody": (CATEGORIES + "2,9,A\n", "business_id: there is no business 9"),
    "no name": (CATEGORIES + "2,1,\n", "name: is required"),
}
FILES = {
    BUSINESSES: "businesses.csv",
    CATEGORIES: "categories.csv",
    CUSTOMERS: "customers.csv",
    INVOICES: "invoices.csv",
    PAYMENTS: "payments.csv",
    DEPOSITS: "deposits.csv",
}


def write(directory: Path, **texts: str) -> Path:
    for table, text in texts.items():
        (directory / f"{table}.csv").write_text(text, "utf-8", errors="surrogateescape", newline="")
    return directory


async def refusal(dsn: str, directory: Path) -> list[str]:
    with pytest.raises(ImportRefused) as refused:
        await import_directory(dsn, directory)
    return refused.value.errors


@pytest.mark.parametrize(("text", "expected"), VALUES.values(), ids=VALUES)
async def test_a_bad_row_is_shown_with_its_line_and_column(
    database: str, tmp_path: Path, text: str, expected: str
) -> None:
    write(tmp_path, businesses=ONE_BUSINESS, customers=ONE_CUSTOMER, invoices=ONE_INVOICE)
    header = text[: text.index("\n") + 1]
    write(tmp_path, **{FILES[header].removesuffix(".csv"): text})
    first, *others = await refusal(database, tmp_path)
    assert first.startswith(f"{FILES[header]}:2: ")
    assert expected in first
    assert others == []


HEADERS = {
    "unknown": ("id,business_id,name,colour\n", "header: 'colour' is not a column of this file"),
    "others": (
        "Nr,Kunde\n",
        "header: names no column of this file",
    ),
    "colons": (
        "id:business_id:name\n",
        "header: names no column of this file, read with the separator ','; its columns are id, ",
    ),
    "workbook": (
        "PK\x03\x04\x14\0",
        "file: is a spreadsheet workbook, not CSV: save it as CSV UTF-8",
    ),
    "UTF-16": ("i\0d\0,\0", "file: is UTF-16 without a byte order mark: save it as CSV UTF-8"),
    "nameless": ("id,,business_id,name\n", "header: '' is not a column of this file"),
    "twice": ("id,business_id,name,id\n", "header: 'id' is there twice"),
    "missing": ("id,business_id\n", "name: the column is missing"),
    "empty file": ("", "header: is missing"),
    "blank file": ("\n\n", "header: is missing"),
    "open quote": ('id,"business_id,name\n', "header: opens a quote that is never closed"),
    "not UTF-8": ("id,\udcff,name\n", "header: is not UTF-8"),
}


@pytest.mark.parametrize(("text", "expected"), HEADERS.values(), ids=HEADERS)
async def test_a_bad_header_is_an_error_of_line_1(
    database: str, tmp_path: Path, text: str, expected: str
) -> None:
    errors = await refusal(database, write(tmp_path, categories=text))
    assert errors[0].startswith(f"categories.csv:1: {expected}")


async def test_the_line_is_the_one_on_which_the_row_begins(database: str, tmp_path: Path) -> None:
    rows = [
        '2,1,"two\nlines"\n',  # 2
        '3,1,"three\r\nfine\n\\.\nlines"\r\n',  # 4
        "\n",  # 8
        'x,1,"bad\nrow"\n',  # 9
        '4,1,"quote "" and\n"" lines"\n',  # 11
        'y,1,stray "\n',  # 13
        "z,1,plain",  # 14
    ]
    write(tmp_path, businesses=ONE_BUSINESS, categories=CATEGORIES + "".join(rows))
    assert await refusal(database, tmp_path) == [
        "categories.csv:9: id: 'x' is not a whole number",
        "categories.csv:13: name: has a quote inside, so it must be quoted as a whole",
        "categories.csv:14: id: 'z' is not a whole number",
    ]


async def test_a_key_stands_in_a_file_once(database: str, tmp_path: Path) -> None:
    text = CATEGORIES + '5,1,"a\nb"\n5,2,other business\n05,1,c\n6,1,d\n5,1,e\n'
    businesses = ONE_BUSINESS + "2,1,B,,,,GHS,Africa/Accra\n1,1,C,,,,GHS,Africa/Accra\n"
    write(tmp_path, businesses=businesses, categories=text)
    assert await refusal(database, tmp_path) == [
        "businesses.csv:4: id: 1 is in line 2 already",
        "categories.csv:5: id: 5 is in line 2 already",
        "categories.csv:7: id: 5 is in line 2 already",
    ]


async def test_only_the_first_faults_are_shown(database: str, tmp_path: Path) -> None:
    write(tmp_path, categories=CATEGORIES + "x,1,a\n" * 1000, customers=CUSTOMERS + "x\n")
    *shown, last = await refusal(database, tmp_path)
    assert len(shown) == 20
    assert shown[-1] == "categories.csv:21: id: 'x' is not a whole number"
    assert last == "only the first 20 faults are shown"


async def test_unknown_referents_are_capped_too(database: str, tmp_path: Path) -> None:
    rows = "".join(f"{number},1,{number},2024-01-01,1,credit\n" for number in range(1000))
    write(tmp_path, businesses=ONE_BUSINESS, deposits=DEPOSITS + rows)
    *shown, last = await refusal(database, tmp_path)
    assert shown[0] == "deposits.csv:2: customer_id: business 1 has no customer 0"
    assert len(shown) == 20
    assert last == "only the first 20 faults are shown"


async def test_a_quote_never_closed_does_not_fill_the_memory(database: str, tmp_path: Path) -> None:
    text = CATEGORIES + '2,1,"' + "never closed\n" * 3_000_000
    write(tmp_path, businesses=ONE_BUSINESS, categories=text)
    assert await refusal(database, tmp_path) == [
        "categories.csv:2: row: is longer than 16 MiB: is a quote never closed?"
    ]


async def test_a_value_cannot_write_to_the_terminal(database: str, tmp_path: Path) -> None:
    write(tmp_path, categories=CATEGORIES + "\x1b[2J" + "9" * 500 + ",1,a\n")
    (error,) = await refusal(database, tmp_path)
    assert "\x1b" not in error
    assert len(error) < 150


async def test_a_directory_must_hold_a_ledger_file(database: str, tmp_path: Path) -> None:
    expected = f"{tmp_path}: contains none of businesses.csv, categories.csv, "
    assert (await refusal(database, tmp_path))[0].startswith(expected)
    missing = tmp_path / "missing"
    assert await refusal(database, missing) == [
        f"{missing}: cannot be read: No such file or directory"
    ]
    (tmp_path / "categories.csv").mkdir()
    assert await refusal(database, tmp_path) == [
        "categories.csv:1: file: cannot be read: Is a directory"
    ]
