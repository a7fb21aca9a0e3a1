import re
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Self
from uuid import UUID

import idna

# A dot-atom of RFC 5322 with the UTF-8 of RFC 6532; quoted local parts are not worth their traps.
_LOCAL = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~\-\u00a1-\U0010ffff]+(\.[\w!#-'*+/=?^`{-~\-\u00a1-\U0010ffff]+)*"
)
_DOMAIN = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
_LONGEST_LOCAL = 64
_LONGEST = 254
_LONGEST_MAILBOX = 1000  # characters, a name included
_LONGEST_SENDER = _LONGEST_LOCAL - len("+bounce-") - 32


class Unsendable(ValueError):
    """An address to which, or with which, no mail can be made."""


def parse_address(address: str) -> tuple[str, str]:
    """Split into local part and A-label domain; raises Unsendable for all but one plain address.

    The length is looked at first: IDNA normalizes, in time of the square of a text's length.
    """
    if len(address) > _LONGEST:
        raise Unsendable("the address is too long")
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise Unsendable("the address's domain is not a name") from None
    if not _LOCAL.fullmatch(local) or not local.isprintable() or not _DOMAIN.fullmatch(domain):
        raise Unsendable("the address is malformed")
    octets = len(local.encode())
    if octets > _LONGEST_LOCAL or octets + 1 + len(domain) > _LONGEST:
        raise Unsendable("the address is too long")
    return local, domain


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whom mail comes from: MAIL_FROM in its parts, all ASCII but the name.

    With `bounces`, each mail has a sender of its own in its envelope.
    """

    name: str
    local: str
    domain: str
    bounces: bool = True

    @classmethod
    def parse(cls, mail_from: str, *, bounces: bool = True) -> Self:
        """Read "Name <a@b>" or "a@b"; raises ValueError with what is wrong with it."""
        if len(mail_from) > _LONGEST_MAILBOX:
            raise ValueError(f"has more than {_LONGEST_MAILBOX} characters")
        if not mail_from.isprintable():
            raise ValueError("has a control character")
        if mail_from.count("<") != mail_from.count(">"):
            raise ValueError("has an angle bracket without its other half")
        found = getaddresses([mail_from])
        if len(found) != 1:
            raise ValueError("is not one address")
        name, address = found[0]
        local, domain = parse_address(address)
        longest = _LONGEST_SENDER if bounces else _LONGEST_LOCAL
        if not local.isascii() or len(local) > longest:
            raise ValueError(f"wants an ASCII local part of at most {longest} characters")
        return cls(name, local, domain, bounces)

    def return_path(self, delivery_id: UUID) -> str:
        """Return the envelope's sender of one mail, to which its bounces go."""
        local = f"{self.local}+bounce-{delivery_id.hex}" if self.bounces else self.local
        return f"{local}@{self.domain}"

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"
