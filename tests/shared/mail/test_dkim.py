"""Signatures of mails, as dkimpy and OpenDKIM judge them."""

import base64
import hashlib
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mail.dkim import Signer, body_hash
from shared.mail.dkim_key import DkimKey
from shared.mail.unsubscribe import Links
from tests.judge import opendkim
from tests.servers import absent
from tests.shared.mail.messages import DELIVERY, message_of, read
from tests.shared.mail.signed import DOMAIN, key, records, verdicts

RSA, ED25519 = key("2026r"), key("2026e", "ed25519")
BOTH = Signer([RSA, ED25519])
PUBLISHED = records(RSA, ED25519)
LINKS = Links("a secret of more than thirty-two characters", "https://lp.example")
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)


def signed(signer: Signer = BOTH, to: str = "ann@example.org", **fields: Any) -> bytes:
    return message_of(**fields).envelope(to, DELIVERY, LINKS, signer).data


def covered(data: bytes) -> list[str]:
    found = re.search(r"h=([A-Za-z:-]+)", data.replace(b"\r\n ", b"").decode())
    assert found
    return found[1].lower().split(":")


@pytest.mark.parametrize("keys", [[RSA], [ED25519], [RSA, ED25519]], ids=["rsa", "ed25519", "both"])
async def test_opendkim_finds_the_signature_good_and_every_change_bad(keys: list[DkimKey]) -> None:
    if (reason := opendkim.unavailable()) is not None:
        absent(reason)
    data = signed(Signer(keys))
    assert await opendkim.complaint(data, PUBLISHED) is None
    for changed in (
        data.replace(b"Dear Ann", b"Dear Bob"),
        data.replace(b"\r\nTo: ann@", b"\r\nTo: bob@"),
        data.replace(b"unsubscribe/", b"unsubscribe/x"),
    ):
        assert changed != data
        assert "Bad signature" in str(await opendkim.complaint(changed, PUBLISHED))


def test_a_mail_has_one_signature_by_each_key_and_readers_see_the_same() -> None:
    envelope = message_of().envelope("ann@example.org", DELIVERY, LINKS, BOTH)
    assert verdicts(envelope.data, PUBLISHED) == [True, True]
    assert verdicts(envelope.data, records(RSA)) == [True, False]
    shown = read(envelope).get_all("DKIM-Signature")
    assert [field.partition(";")[0] for field in shown] == ["v=1", "v=1"]
    plain = message_of().envelope("ann@example.org", DELIVERY, LINKS)
    assert envelope.data.endswith(b"==\r\n" + plain.data)


def test_the_same_mail_has_the_same_bytes_at_each_attempt() -> None:
    assert signed() == signed()


def test_the_headers_of_rfc_8058_are_covered_and_what_readers_show_is_covered_twice() -> None:
    names = covered(signed())
    assert {"list-unsubscribe", "list-unsubscribe-post"} <= set(names)
    for name in ("from", "to", "subject", "reply-to", "mime-version", "content-type"):
        assert names.count(name) == 2, name
    for name in ("message-id", "date", "sender", "received", "return-path"):
        assert name not in names, name


def test_what_a_smarthost_adds_or_replaces_breaks_nothing() -> None:
    data = signed()
    data = data.replace(b"\r\nMessage-ID: <", b"\r\nMessage-ID: <x")
    data = data.replace(b"\r\nDate: Thu", b"\r\nDate: Fri")
    assert len(data) == len(signed()) + 1
    added = b"Received: from x\r\n by y; now\r\nSender: a@b.example\r\nFeedback-ID: 1\r\n"
    assert verdicts(added + data, PUBLISHED) == [True, True]
    # A server on the way may fold anew and change blanks (RFC 6376, 3.4).
    refolded = data.replace(b"Subject: Your statement", b"subject:Your\r\n\t statement")
    assert refolded != data
    assert verdicts(refolded, PUBLISHED) == [True, True]


@pytest.mark.parametrize(
    "name", ["From", "To", "Subject", "Reply-To", "Content-Type", "MIME-Version"]
)
def test_a_second_header_that_readers_may_show_breaks_the_signature(name: str) -> None:
    second = f"{name}: other\r\n".encode()
    assert verdicts(second + signed(), PUBLISHED) == [False, False]
    without = signed(reply_to=None)
    assert verdicts(without, PUBLISHED) == [True, True]
    assert verdicts(second + without, PUBLISHED) == [False, False]


def test_a_changed_octet_is_found_wherever_it_is() -> None:
    data = signed(pdf=None)
    headers = re.compile(rb"^(To|Subject|From|Reply-To|List-Unsubscribe[^:]*): ", re.MULTILINE)
    places = [found.end() for found in headers.finditer(data)]
    assert len(places) == 6
    body = data.index(b"\r\n\r\n") + 4
    places += random.Random(1).sample(range(body, len(data) - 4), 100)  # not of the last line end
    for place in places:
        if data[place] in b" \t\r\n" or data[place + 1 : place + 2] in b" \t\r\n":
            continue
        changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert verdicts(changed, PUBLISHED) == [False, False], data[place - 9 : place + 9]


def test_an_address_in_utf_8_is_signed() -> None:
    assert verdicts(signed(to="jörg@example.org"), PUBLISHED) == [True, True]


def test_an_arabic_mail_and_a_long_subject_are_signed() -> None:
    arabic = "كشف حساب من شركة الاختبار للتجارة الدولية " * 4
    said = {"text": arabic, "html": f"<p>{arabic}</p>", "sender_name": arabic[:20]}
    data = signed(subject=arabic, **said)
    assert b"=?utf-8?" in data
    assert verdicts(data, PUBLISHED) == [True, True]


def test_the_lines_of_a_signature_are_short() -> None:
    data = signed(Signer([key("a" * 40), ED25519]))
    signatures = data[: data.index(b"\r\nTo: ")].split(b"\r\n")
    assert len(signatures) > 10
    assert max(map(len, signatures)) <= 78


@settings(max_examples=60, deadline=None)
@given(
    subject=ANY_TEXT,
    name=ANY_TEXT.map(lambda name: name[:80]),
    text=ANY_TEXT | st.text(st.sampled_from("ab. \t\r\né=\x0b")),
    html=ANY_TEXT,
)
def test_whatever_a_message_says_its_signatures_are_good(
    subject: str, name: str, text: str, html: str
) -> None:
    data = signed(
        subject=subject, sender_name=name, text=text, html=html, pdf=None
    )  # fmt: skip
    assert verdicts(data, PUBLISHED) == [True, True]


@settings(max_examples=300)
@given(st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b".", b"\0", b"  \r\n", b"=20"])))
def test_the_hash_of_a_body_is_that_of_dkimpy(parts: list[bytes]) -> None:
    body = b"".join(parts) + b"\r\n"
    expected = hashlib.sha256(Relaxed.canonicalize_body(body)).digest()
    assert base64.b64decode(body_hash(body)) == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab:; \t!")), min_size=1, max_size=4))
def test_headers_with_any_blanks_and_folds_are_signed(values: list[str]) -> None:
    subjects = "".join(f"Subject: x{value}\r\n" for value in values).replace("!", "\r\n x")
    head = f"From: a@{DOMAIN}\r\n{subjects}To: b@c.example\r\n".encode()
    data = BOTH.headers(head, body_hash(b"x\r\n")) + head + b"\r\nx\r\n"
    assert verdicts(data, PUBLISHED) == [True, True]


def test_a_body_is_hashed_once_for_all_recipients(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[bytes] = []
    monkeypatch.setattr(
        "shared.mail.message.body_hash", lambda body: hashed.append(body) or body_hash(body)
    )
    message = message_of()
    message.envelope("ann@example.org", DELIVERY, LINKS)
    assert hashed == []
    for to in ("ann@example.org", "bob@example.org"):
        message.envelope(to, DELIVERY, LINKS, BOTH)
    assert hashed == [message.body]


def test_who_signs_nothing_loads_no_openssl() -> None:
    text = (
        "import sys, services.mailer.__main__; from shared.process.settings import MailerSettings;"
        " MailerSettings.from_environ({'DATABASE_URL': 'postgresql://h/d', 'AMQP_URL': 'amqp://h/',"
        " 'SMTP_URL': 'smtp://h', 'MAIL_FROM': 'a@b.example'}).signer;"
        " print({'shared.mail.dkim_key', 'dns.resolver'} & sys.modules.keys())"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-c", text], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout == "set()\n"
