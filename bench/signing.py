"""DKIM: the time of one mail without a signature, with one by each type of key, and with both."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from time import process_time
from uuid import UUID

import dkim

from bench import results
from shared.mail.dkim import Signer, body_hash
from shared.mail.dkim_key import DkimKey
from shared.mail.mailbox import Mailbox
from shared.mail.message import Message, Subject, build
from shared.mail.parts import File

_ROUNDS, _MAILS, _PEER_MAILS = 9, 100, 10
_DOMAIN = "ledgerpost.example"
_PDF = bytes(range(256)) * 240  # as long as that of a statement of 12 lines, 60 KB
_TO = "one@customer.example"


def main(_: list[str]) -> None:
    """Measure and write the results."""
    rsa, ed25519 = (DkimKey.make(kind, _DOMAIN, kind) for kind in ("rsa", "ed25519"))
    message = _message()
    signers = {
        "off": None,
        "RSA, 2048 bits": Signer([rsa]),
        "Ed25519": Signer([ed25519]),
        "both": Signer([rsa, ed25519]),
    }
    took: dict[str, list[float]] = {name: [] for name in signers}
    for _round in range(_ROUNDS):
        for name, signer in signers.items():
            took[name].append(_seconds(lambda s=signer: _mail(message, s), _MAILS))
    off = median(took["off"])
    peer = {
        "RSA, 2048 bits": _peer(message, rsa, b"rsa-sha256"),
        "Ed25519": _peer(message, ed25519, b"ed25519-sha256"),
    }
    size = len(_mail(message, None))
    lines = [
        (
            f"{results.machine(None, 'cryptography', 'dkimpy')} One mail of {size // 1000} KB for each"
            f" recipient of a send, medians of the processor time in {_ROUNDS} rounds of {_MAILS} mails,"
            " taken in turn."
        ),
        "",
        "| signature | ms a mail | more than off, ms | dkimpy, ms | × as long |",
        "|---|---|---|---|---|",
    ]
    for name, times in took.items():
        ms, theirs = median(times) * 1e3, peer.get(name)
        more = ms - off * 1e3
        beside = f"{theirs:.2f} | {theirs / more:.0f}" if theirs else "– | –"
        lines.append(f"| {name} | {ms:.3f} | {more:.3f} | {beside} |")
    hashed = _seconds(lambda: body_hash(message.body), _MAILS) * 1e3
    lines += [
        "",
        f"The hash of the body takes {hashed:.2f} ms more, once for all recipients of a send.",
    ]
    results.write("signing", "DKIM signatures", lines)


def _message() -> Message:
    return build(
        send_id=UUID(int=1),
        sender=Mailbox.parse(f"Ledgerpost <post@{_DOMAIN}>"),
        sender_name="Kente & Co",
        reply_to="owner@kente.example",
        subject=Subject.of("Your statement", "Copy", business=None, customer=None),
        text="Invoice INV-1   1,000.00\n" * 60,
        html="<tr><td>Invoice INV-1</td><td>1,000.00</td></tr>\n" * 120,
        date=datetime(2024, 12, 1, tzinfo=UTC),
        files=[File("application/pdf", "statement.pdf", _PDF)],
    )


def _mail(message: Message, signer: Signer | None) -> bytes:
    return message.envelope(_TO, UUID(int=2), None, signer).data


def _seconds(work: Callable[[], object], times: int) -> float:
    started = process_time()
    for _ in range(times):
        work()
    return (process_time() - started) / times


def _peer(message: Message, key: DkimKey, algorithm: bytes) -> float:
    """Return the milliseconds of dkimpy for the same signature."""
    mail = _mail(message, None)
    pem = key.text.partition("\n")[2].encode()
    if key.kind == "ed25519":
        # It takes the 32 octets of the key in base64, which are the end of the PEM's content.
        pem = _bare(pem)

    def sign() -> None:
        signer = dkim.DKIM(mail, signature_algorithm=algorithm)
        relaxed = (b"relaxed", b"relaxed")
        signer.sign(key.selector.encode(), _DOMAIN.encode(), pem, canonicalize=relaxed)

    sign()
    return _seconds(sign, _PEER_MAILS) * 1e3


def _bare(pem: bytes) -> bytes:
    return b64encode(b64decode(b"".join(pem.splitlines()[1:-1]))[-32:])
