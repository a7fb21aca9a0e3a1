"""E-mail addresses: which ones are taken, and how SMTP carries them.

An address that was taken can be carried: Address.parse() takes no other. What SMTP can carry is
more (`root@localhost`): whatever an operator sets, and every address that is stored already.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Self

import email_validator
import idna
from email_validator import EmailNotValidError, validate_email

from shared.text import cut

# The library refuses names that the internet does not know; its README empties this list too.
# An inner network may use `.local`, a demo `.test`: the smarthost decides whether an address can be
# reached. Without this line tests/shared/mail/test_address.py fails.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

OCTETS_MAX = 254  # RFC 5321, 4.5.3.1.3
LOCAL_OCTETS_MAX = 64  # RFC 5321, 4.5.3.1.1
_COMPLAINT_CHARS_MAX = 200  # the library lists every character that it refuses

# The form of most addresses. The library accepts all of them unchanged, but takes 20 times as long.
_PLAIN_ATOM = r"[A-Za-z0-9_+-]+"
_PLAIN_LABEL = r"(?=[A-Za-z0-9-]{1,63}(?:\.|$))[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_PLAIN = re.compile(
    rf"(?=[^@]{{1,{LOCAL_OCTETS_MAX}}}@){_PLAIN_ATOM}(?:\.{_PLAIN_ATOM})*"
    rf"@(?:{_PLAIN_LABEL}\.)+{_PLAIN_LABEL}(?<=[A-Za-z])"
)
# A dot-atom of RFC 5322 with the UTF-8 of RFC 6532; quoted local parts are not worth their traps.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~\-\u00a1-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


class Unsendable(ValueError):
    """No mail can be made to, or with, this address."""


@dataclass(frozen=True)
class Address:
    """An e-mail address as it was written, and the `key` that all ways to write it share.

    The key is lower-case under Postgres's `lower()` too, and its domain is in ASCII.
    """

    email: str
    key: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one bare address, without a display name.

        Raises ValueError if it is none, or none that SMTP can carry; the message says why. What is
        longer than an address can be is refused before anything else looks at it: to normalize
        combining marks takes time in the square of their number.
        """
        bare = text.strip(" \t")
        if len(bare) > OCTETS_MAX or len(bare.encode(errors="surrogatepass")) > OCTETS_MAX:
            raise ValueError(f"has more than {OCTETS_MAX} octets")
        if any(sign in bare for sign in "\r\n\0"):
            raise ValueError("contains a line break or NUL")
        if _PLAIN.fullmatch(bare):
            return cls(email=bare, key=bare.lower())
        try:
            found = validate_email(bare, check_deliverability=False)
        except EmailNotValidError as error:
            raise ValueError(cut(str(error), _COMPLAINT_CHARS_MAX)) from None
        except UnicodeError:
            raise ValueError("contains an unpaired surrogate") from None
        email = bare if bare.isascii() else found.normalized
        _, domain = _carried(email)
        local = unicodedata.normalize("NFC", found.local_part.lower())
        return cls(email, key=f"{local}@{domain.lower()}")


def wire_form(address: str) -> tuple[str, str]:
    """Return the local part and the domain in ASCII of an address, as SMTP carries them.

    Raises Unsendable if this is anything else than one plain address.
    """
    try:
        return _carried(address)
    except ValueError as error:
        raise Unsendable(f"the address {error}") from None


def _carried(address: str) -> tuple[str, str]:
    # The length is looked at first: IDNA normalizes, in time of the square of a text's length.
    if len(address) > OCTETS_MAX:
        raise ValueError(f"has more than {OCTETS_MAX} octets")
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise ValueError("has a domain that is not a name") from None
    if not _LOCAL.fullmatch(local) or not local.isprintable() or not _DOMAIN.fullmatch(domain):
        raise ValueError("is malformed")
    octets = len(local.encode())
    if octets > LOCAL_OCTETS_MAX:
        raise ValueError(f"has more than {LOCAL_OCTETS_MAX} octets before the @-sign")
    if octets + 1 + len(domain) > OCTETS_MAX:
        raise ValueError(f"has more than {OCTETS_MAX} octets")
    return local, domain
