"""DKIM signatures of mails (RFC 6376): relaxed/relaxed, by every key of the sender's domain."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Final, Protocol, Self

# A smarthost may replace Message-ID and Date (Amazon SES does), and add all that is not here: a
# signature that covers one of them would break on the way.
_SIGNED: Final = (
    "From",
    "To",
    "Subject",
    "Reply-To",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)
# Signed once more than the mail has them, so that nobody can add one which readers would show.
_NOT_TO_BE_ADDED: Final = frozenset(
    {"From", "To", "Subject", "Reply-To", "MIME-Version", "Content-Type"}
)
# A verifier need not look at every signature of a mail.
_KEYS_MAX: Final = 3
_WIDTH: Final = 76
_FIELD_END: Final = re.compile(rb"\r\n(?![ \t])")
_BLANKS: Final = re.compile(rb"[ \t\r\n]+")


class SigningKey(Protocol):
    """A private key whose public half is in the DNS at `selector`._domainkey.`domain`."""

    @property
    def domain(self) -> str:
        """The domain of the sender."""

    @property
    def selector(self) -> str:
        """The name of the key within its domain."""

    @property
    def algorithm(self) -> str:
        """The algorithm as signatures name it."""

    def sign(self, data: bytes) -> bytes:
        """Return the signature of these octets."""


class Signer:
    """Signs the mails of one sender by each of the `keys`, which have the sender's domain."""

    @classmethod
    def of(cls, domain: str, keys: str) -> Self:
        """Return the signer of a domain by its keys in DKIM_KEYS.

        Raises ValueError if a key is wrong, if none is of the domain, or if too many are.
        """
        from shared.mail.dkim_key import read_keys  # noqa: PLC0415 -- loads OpenSSL

        found = [key for key in read_keys(keys) if key.domain == domain.lower()]
        if not found:
            raise ValueError(f"has no key of {domain}, the domain of MAIL_FROM")
        if len(found) > _KEYS_MAX:
            raise ValueError(f"has more than {_KEYS_MAX} keys of {domain}")
        return cls(found)

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.keys = tuple(keys)

    def headers(self, head: bytes, body_hash: str) -> bytes:
        """Return the DKIM-Signature headers to put before a mail: same input, same bytes.

        `head` are the mail's headers as they will be sent, without the empty line after them.
        """
        by_name: dict[str, list[bytes]] = {name.lower(): [] for name in _SIGNED}
        for field in _FIELD_END.split(head.removesuffix(b"\r\n")):
            name = field.partition(b":")[0].decode("ascii").rstrip().lower()
            if name in by_name:
                by_name[name].append(_relaxed(field))
        names = ":".join(_covered(by_name))
        # Of several headers with one name, verifiers take the last one first.
        signed = b"".join(
            b"%b\r\n" % field for name in _SIGNED for field in reversed(by_name[name.lower()])
        )
        return b"".join(_signature(key, names, body_hash, signed) for key in self.keys)


def body_hash(body: bytes) -> str:
    """Return the hash of a body for signatures. Its line ends are CRLF."""
    # No regular expression: it would take several times as long, and of a body of many MB nothing
    # else could go on meanwhile.
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    body = body.replace(b" \r\n", b"\r\n")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    digest = hashlib.sha256(memoryview(body)[:end])
    if end:
        digest.update(b"\r\n")
    return b64encode(digest.digest()).decode()


def _covered(by_name: dict[str, list[bytes]]) -> Iterator[str]:
    for name in _SIGNED:
        times = len(by_name[name.lower()]) + (name in _NOT_TO_BE_ADDED)
        yield from [name] * times


def _relaxed(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return b"%b:%b" % (name.rstrip().lower(), _BLANKS.sub(b" ", value).strip(b" "))


def _signature(key: SigningKey, names: str, body: str, signed: bytes) -> bytes:
    """Return the header of one signature, of which the octets of the signature are the end."""
    unsigned = (
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;\r\n"
        f" d={key.domain}; s={key.selector};\r\n"
        f" h={_folded(names)};\r\n"
        f" bh={body};\r\n"
        " b="
    ).encode("ascii")
    octets = b64encode(key.sign(signed + _relaxed(unsigned))).decode()
    first = _WIDTH - len("b=")
    begins = (0, *range(first, len(octets), _WIDTH))
    lines = (octets[begin:end] for begin, end in zip(begins, (*begins[1:], None), strict=True))
    return unsigned + "\r\n ".join(lines).encode() + b"\r\n"


def _folded(names: str) -> str:
    lines = [""]
    for name in re.findall("[^:]+:?", names):
        if len(lines[-1]) + len(name) > _WIDTH - len("h=;"):
            lines.append("")
        lines[-1] += name
    return "\r\n ".join(lines)
