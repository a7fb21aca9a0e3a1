import re
import unicodedata
from dataclasses import dataclass
from typing import Self

import email_validator
from email_validator import EmailNotValidError, validate_email

# An inner network may well mail to `.local`, and a demo to `.test`: whether an address can be
# reached is for the smarthost to say, here it only has to be one.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST = 254  # octets, RFC 5321, 4.5.3.1.3
_LONGEST_LOCAL = 64  # octets, RFC 5321, 4.5.3.1.1
# What most addresses look like. The library takes each of them as it is, in 20 times as long.
_ATOM, _LABEL = r"[A-Za-z0-9_+-]+", r"(?=[A-Za-z0-9-]{1,63}(?:\.|$))[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
_PLAIN = re.compile(
    rf"(?=[^@]{{1,{_LONGEST_LOCAL}}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}(?<=[A-Za-z])"
)
_LONGEST_COMPLAINT = 200  # characters; the library lists every character that it dislikes


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

        Raises ValueError if it is none; the message says why. What is longer than an address can
        be is refused before anything else looks at it: to normalize combining marks takes time in
        the square of their number.
        """
        bare = text.strip(" \t")
        if len(bare) > LONGEST or len(bare.encode(errors="surrogatepass")) > LONGEST:
            raise ValueError(f"has more than {LONGEST} octets")
        if any(sign in bare for sign in "\r\n\0"):
            raise ValueError("contains a line break or NUL")
        if _PLAIN.fullmatch(bare):
            return cls(email=bare, key=bare.lower())
        try:
            found = validate_email(bare, check_deliverability=False)
        except EmailNotValidError as error:
            raise ValueError(_cut(str(error))) from None
        except UnicodeError:
            raise ValueError("contains half a character") from None
        if len(found.local_part.encode()) > _LONGEST_LOCAL:
            raise ValueError(f"has more than {_LONGEST_LOCAL} octets before the @-sign")
        local = unicodedata.normalize("NFC", found.local_part.lower())
        return cls(
            email=bare if bare.isascii() else found.normalized,
            key=f"{local}@{found.ascii_domain}",
        )


def _cut(complaint: str) -> str:
    if len(complaint) <= _LONGEST_COMPLAINT:
        return complaint
    return f"{complaint[: _LONGEST_COMPLAINT - 1]}…"
