"""The sender of all mail: MAIL_FROM in its parts."""

from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Self
from uuid import UUID

from shared.mail.address import wire_form
from shared.mail.return_path import ReturnPaths

_MAILBOX_CHARS_MAX = 1000  # a name included


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The sender of mail: MAIL_FROM in its parts, all ASCII except the name.

    With `paths`, each mail has a return path of its own.
    """

    name: str
    local: str
    domain: str
    paths: ReturnPaths | None = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, mail_from: str, *, paths: ReturnPaths | None = None) -> Self:
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
        if not local.isascii():
            raise ValueError("needs an ASCII local part")
        return cls(name, local, domain, paths)

    def return_path(self, delivery_id: UUID) -> str:
        """Return the return path of one mail, to which its bounces go."""
        return str(self) if self.paths is None else self.paths.address(delivery_id)

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"
