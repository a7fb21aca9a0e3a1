import pytest

from shared.mail.envelope import Envelope

GOOD = b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n"


def test_good_bytes_have_no_problem() -> None:
    assert Envelope("a@b.org", "c@d.org", GOOD).problem() is None
    assert (
        Envelope("a@b.org", "jörg@d.org", "To: jörg\r\n".encode(), smtputf8=True).problem() is None
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the message does not end in CRLF"),
        (b"x", "the message does not end in CRLF"),
        (b"x\n", "the message does not end in CRLF"),
        (b"x\n\r\n", "a bare CR or LF in the message"),
        (b"x\rx\r\n", "a bare CR or LF in the message"),
        (b"\n\r\r\n", "a bare CR or LF in the message"),
        (b"x\0\r\n", "octets that are not 7-bit text in the message"),
        (b"\x80\r\n", "octets that are not 7-bit text in the message"),
        (b"y" * 999 + b"\r\n", "a line of more than 998 octets in the message"),
    ],
)
def test_bad_bytes_are_named(data: bytes, problem: str) -> None:
    assert Envelope("a@b.org", "c@d.org", data).problem() == problem


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@b",
        "a@",
        "a b@c",
        "a@b c",
        "a@b>",
        "<a@b",
        "a@b\r\n",
        "a\0@b",
        "a@é.org",
        "é@b.org",
    ],
)
def test_bad_addresses_are_named(address: str) -> None:
    assert Envelope(address, "c@d.org", GOOD).problem() == "an address is malformed"
    assert Envelope("a@b.org", address, GOOD).problem() == "an address is malformed"
