"""Whatever is done to a returned mail: it is understood without an exception, and can be stored."""

import base64
import quopri
import re
from collections.abc import Callable
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.returns import parts
from shared.returns.understand import understand
from shared.returns.verdict import Kind, Scope
from tests.shared.returns.mails import failure, feedback, letter, notice, report

GONE = "550 5.1.1 <ana@client.example>: user unknown"
MAILS = [
    report(failure("5.1.1", GONE)),
    report(failure("4.4.1", "timed out", action="delayed")),
    feedback("Feedback-Type: abuse"),
    notice(f"This is the qmail-send program.\n<ana@client.example>:\n{GONE}"),
    letter("Automatic reply"),
    letter(
        "AWS",
        '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [{"status": "5.1.1"}]}}',
        ("x-amz-sns-message-id: 1",),
    ),
]
CHARSETS = ["utf-7", "utf-16", "idna", "hex", "unknown", "iso-2022-jp", "utf-8", "\0"]
Change = Callable[[bytes], bytes]


def replaced(old: bytes, new: bytes) -> Change:
    return lambda mail: mail.replace(old, new)


def encoded(how: str) -> Change:
    """Encode the body as a transfer encoding does, and say so."""
    encode = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}[how]

    def change(mail: bytes) -> bytes:
        head, _, body = mail.partition(b"\n\n")
        return head + f"\nContent-Transfer-Encoding: {how}\n\n".encode() + encode(body)

    return change


def enclosed(kind: str) -> Change:
    return lambda mail: (
        b"From: MAILER-DAEMON@a.example\nContent-Type: " + kind.encode() + b"\n\n--b\n"
        b"Content-Type: message/rfc822\n\n" + mail + b"\n--b--\n"
    )


def cut(begin: int, end: int) -> Change:
    return lambda mail: mail[:begin] + mail[begin + end :]


def inserted(place: int, octets: bytes) -> Change:
    return lambda mail: mail[: place % (len(mail) + 1)] + octets + mail[place % (len(mail) + 1) :]


def swollen(times: int) -> Change:
    """Repeat the last line, to at most the megabytes that are read."""
    return lambda mail: mail + (mail[-80:] * times)[: 2 * parts.BYTES_MAX]


CHANGES = st.one_of(
    st.sampled_from([replaced(b"\n", b"\r\n"), replaced(b"\n", b"\r"), replaced(b"\n", b"\n\n")]),
    st.sampled_from(CHARSETS).map(lambda name: replaced(b"utf-8", name.encode())),
    st.sampled_from(["base64", "quoted-printable"]).map(encoded),
    st.sampled_from(["multipart/report; boundary=b", "message/rfc822", "text/plain"]).map(enclosed),
    st.builds(cut, st.integers(0, 900), st.integers(1, 900)),
    st.builds(inserted, st.integers(0, 1200), st.binary(min_size=1, max_size=30)),
    st.builds(
        inserted,
        st.integers(0, 1200),
        st.sampled_from([b"\0", b"=?utf-8?q?=00?=", b"=?utf-8?b?abcde?=", b"--edge"]),
    ),
    st.sampled_from([1_000, 40_000]).map(swollen),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(MAILS), st.lists(CHANGES, max_size=4))
def test_a_mutated_mail_is_understood_and_can_be_stored(mail: bytes, changes: list[Change]) -> None:
    mutated = reduce(lambda octets, change: change(octets), changes, mail)
    found = understand(mutated, "ana@client.example")
    for text in (found.diagnostic, found.remote_mta):
        assert text is None or (text.isprintable() and 0 < len(text) <= 500)
        assert text is None or text.encode()
    assert found.status is None or re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", found.status)
    assert (found.scope is not None) == (found.kind in {Kind.BOUNCE, Kind.DELAY})
    assert not found.is_permanent or (found.kind, found.scope) == (Kind.BOUNCE, Scope.RECIPIENT)
    assert len(parts.read(mutated).parts) <= 50
