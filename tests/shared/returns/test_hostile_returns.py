"""Returned mails that somebody made to hurt: bounded work, and never an exception."""

import base64
import time
from collections.abc import Callable
from random import Random

import pytest

from shared.returns import parts
from shared.returns.understand import understand
from shared.returns.verdict import Kind
from tests.shared.returns.mails import failure, feedback, letter, notice, report

SIZE = 2 * 1024 * 1024
MAILS = [
    report(failure("5.1.1", "550 5.1.1 user unknown")),
    feedback("Feedback-Type: abuse"),
    notice("This is the qmail-send program.\n550 user unknown"),
    letter("Automatic reply"),
]


def nested(depth: int) -> bytes:
    begin = "".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(depth)
    )
    return begin.encode()


def filled(piece: bytes) -> bytes:
    return piece * (SIZE // len(piece))


ENCODED = b"Content-Transfer-Encoding: "
HOSTILE: dict[str, Callable[[], bytes]] = {
    "deep": lambda: nested(30_000),
    "deep-enclosed": lambda: b"Content-Type: message/rfc822\n\n" * 60_000,
    "parts": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + filled(b"--b\n\n"),
    "half-boundaries": lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + filled(b"--b \t"),
    "fields": lambda: filled(b"Subject: x\n"),
    "one-field": lambda: b"Subject: " + filled(b"=?utf-8?q?"),
    "folded": lambda: b"Subject: x\n" + filled(b" \n"),
    "quotes": lambda: b"Content-Type: multipart/mixed; boundary=" + filled(b'"'),
    "words": lambda: notice("user " * (SIZE // 5)),
    "codes": lambda: notice("5.1." * (SIZE // 4)),
    "groups": lambda: report(*["Action: x"] * 100_000),
    "base64": lambda: ENCODED + b"base64\n\n" + base64.b64encode(b"user unknown" * 100_000),
    "quoted-printable": lambda: ENCODED + b"quoted-printable\n\n" + filled(b"=\n="),
    "punycode": lambda: b"Content-Type: text/plain; charset=punycode\n\n" + filled(b"a-b"),
    "zip": lambda: b"Content-Type: text/plain; charset=zip\n\n" + filled(b"a"),
    "spaces": lambda: b"From: MAILER-DAEMON" + filled(b" "),
    "zeros": lambda: filled(b"\0"),
    "returns": lambda: filled(b"\r"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_is_bounded(name: str) -> None:
    """At most twenty times that of an ordinary text of the same size, and a fifth of a second."""
    plain = b"Subject: Statement\n\n" + filled(b"The chairs have arrived, thank you very much.\n")
    mail = HOSTILE[name]()
    assert _seconds(mail) < 20 * _seconds(plain) + 0.2


def test_what_is_read_is_bounded() -> None:
    many = HOSTILE["parts"]()
    assert len(parts.read(many).parts) <= 50
    assert len(parts.read(HOSTILE["fields"]()).header.fields["subject"]) <= 300
    found = parts.read(report(failure("5.1.1", "x")) + b"x" * (2 * SIZE))
    assert sum(len(part.text) for part in found.parts) < SIZE


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["unix", "dos", "mac"])
@pytest.mark.parametrize("number", range(len(MAILS)))
def test_line_ends_make_no_difference(number: int, end: bytes) -> None:
    mail = MAILS[number]
    assert understand(mail.replace(b"\n", end)) == understand(mail)


def test_an_encoded_report_is_read() -> None:
    fields = b"Final-Recipient: rfc822; ana@client.example\nAction: failed\nStatus: 5.1.1\n"
    mail = (
        b"Content-Type: multipart/report; boundary=b\n\n--b\n"
        b"Content-Type: message/delivery-status\n"
        + ENCODED
        + b"base64\n\n"
        + base64.encodebytes(fields)
        + b"--b--\n"
    )
    assert understand(mail).kind is Kind.BOUNCE
    assert understand(b"From MAILER-DAEMON Sat Nov 28\n" + mail).kind is Kind.BOUNCE


def test_a_truncated_or_damaged_mail_is_never_an_exception() -> None:
    rng = Random(15)
    for mail in MAILS:
        for end in range(0, len(mail), 7):
            understand(mail[:end])
        for _ in range(300):
            damaged = bytearray(mail)
            for _ in range(rng.randrange(1, 30)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            understand(bytes(damaged))


MALFORMED = [
    *("=?utf-8?b?abcde?=", "=?utf-8?B?=?=", "=?utf-8?b?a?= =?utf-8?q?=ZZ?=", "=?utf-8?b?\u00fc?="),
    *("=?cp99999?b?abcde?=", "=??b?abcde?=", "=?zip?b?abcde?=", "=?utf-8*en?b?abcde?="),
    "=?\0?q??=",
]
FIELDS = {
    "Subject: Undelivered Mail": "Subject: {}",
    "From: Mail": "X-First: {}\nFrom: Mail",
    "report; report-type": "report; x={}; report-type",
    "Content-Type: text/plain; charset=utf-8": "Content-Type: text/plain; charset={}",
    "Content-Type: message/rfc822": "Content-Description: {}\nContent-Type: message/rfc822",
    "Subject: Statement": "Subject: {}",
    "Remote-MTA: dns; mx2.client.example": "Remote-MTA: dns; {}",
}


@pytest.mark.parametrize("place", FIELDS)
@pytest.mark.parametrize("malformed", MALFORMED)
def test_a_malformed_encoded_word_in_any_field_hides_no_report(place: str, malformed: str) -> None:
    mail = MAILS[0].decode()
    assert place in mail
    changed = mail.replace(place, FIELDS[place].format(malformed)).encode()
    found = understand(changed)
    assert (found.kind, found.status) == (Kind.BOUNCE, "5.1.1")


def test_a_malformed_encoded_word_is_left_as_it_is() -> None:
    found = parts.read(b"Subject: =?utf-8?b?abcde?= =?utf-8?q?caf=C3=A9?=\n\n")
    assert found.header.first("subject") == "=?utf-8?b?abcde?= =?utf-8?q?caf=C3=A9?="


def _seconds(mail: bytes) -> float:
    """Return the seconds of the processor, which other programs do not lengthen much."""
    begun = time.process_time()
    understand(mail)
    return time.process_time() - begun
