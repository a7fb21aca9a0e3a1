"""The sender of all mail: MAIL_FROM in its parts."""

from dataclasses import dataclass
from email.utils import getaddresses
from typing import Self
from uuid import UUID

from shared.mail.address import LOCAL_OCTETS_MAX, wire_form

_MAILBOX_CHARS_MAX = 1000  # a name included
_SENDER_CHARS_MAX = LOCAL_OCTETS_MAX - len("+bounce-") - 32


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The sender of mail: MAIL_FROM in its parts, all ASCII except the name.

    With `bounces`, each mail has a return path of its own.
    """

    name: str
    local: str
    domain: str
    bounces: bool = True

    @classmethod
    def parse(cls, mail_from: str, *, bounces: bool = True) -> Self:
        """Parse "Name <a@b>" or "a@b". Raises ValueError, whose text is what is wrong."""
        if len(mail_from) > _MAILBOX_CHARS_MAX:
            raise ValueError(f"has more than {_MAILBOX_CHARS_MAX} characters")
        if not mail_from.isprintable():
            raise ValueError("has a control character")
        if mail_from.count("<") != mail_from.count(">"):
            raise ValueError("has an angle bracket without its other half")
        found = getaddresses([mail_from])
        if len(found) != 1:
            raise ValueError("is not one address")
        name, address = found[0]
        local, domain = wire_form(address)
        longest = _SENDER_CHARS_MAX if bounces else LOCAL_OCTETS_MAX
        if not local.isascii() or len(local) > longest:
            raise ValueError(f"needs an ASCII local part of at most {longest} characters")
        return cls(name, local, domain, bounces)

    def return_path(self, delivery_id: UUID) -> str:
        """Return the return path of one mail, to which its bounces go."""
        local = f"{self.local}+bounce-{delivery_id.hex}" if self.bounces else self.local
        return f"{local}@{self.domain}"

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"
