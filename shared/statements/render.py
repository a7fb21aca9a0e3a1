"""The only renderer of statements: makes a mail and a PDF from the bytes of a snapshot."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.statements.attachment import Attachment, AttachmentMaker
from shared.statements.csv import statement_csv
from shared.statements.file_name import file_name
from shared.statements.flaws import Flaw
from shared.statements.json_ld import invoice
from shared.statements.mail import Mail
from shared.statements.model import Business, Customer, Statement
from shared.statements.view import view
from shared.statements.wording import line

_NO_PDF = Attachment(None, ())


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement ready to send; the same snapshot, message and logo give the same bytes.

    The business's own copy has the `copy_subject`. The HTML shows the logo, if there is one, as
    `cid:logo`. `flaws` are the differences between the PDF and the ledger.
    """

    subject: str
    copy_subject: str
    text: str
    html: str
    pdf: bytes | None
    pdf_name: str
    csv: bytes | None
    csv_name: str
    logo: bytes | None
    business: Business
    customer: Customer
    prepared_at: datetime
    sender_name: str
    reply_to: str | None
    flaws: tuple[Flaw, ...] = ()


class Renderer:
    """Renders statements; templates and fonts are read when it is made, once.

    Without `pdf` there is only the mail, and its text does not mention an attachment.
    """

    def __init__(
        self,
        *,
        pdf: bool = True,
        reply_to: Callable[[str | None], str | None] = lambda text: text,
        public_url: str | None = None,
    ) -> None:
        """Create it; `reply_to` returns the usable reply address for that of a business.

        PDFs say that they can be verified at the `public_url` of the API.
        """
        self._reply_to = reply_to
        self._mail = Mail()
        self._attachments = AttachmentMaker(public_url=public_url) if pdf else None

    @property
    def fonts(self) -> list[str]:
        """The files of all fonts that it may have to read."""
        return self._attachments.fonts if self._attachments else []

    def uncovered(self) -> tuple[str, ...]:
        """Return the scripts of which its PDFs have no letters."""
        return self._attachments.uncovered() if self._attachments else ()

    def render(
        self,
        content: bytes,
        message: str | None = None,
        *,
        without: Flaw | None = None,
        logo: bytes | None = None,
        preview: bool = False,
    ) -> Rendered:
        """Render a snapshot, with the personal message (plain text) above it in the mail.

        The PDF contains only the statement: it is the same for every recipient and message. At its
        foot it has the SHA-256 of the snapshot, or says that it is a `preview`. The mail mentions
        it if the PDF cannot be made, or is left out because of a flaw, `without`.
        Raises StatementError.
        """
        statement = Statement.parse(content)
        branding = statement.branding
        shown = view(statement)
        pdf, flaws = _NO_PDF
        if self._attachments and without is not None:
            flaws = (without,)
        elif self._attachments:
            pdf, flaws = self._attachments.attachment(
                shown,
                statement.generated_at,
                content=content,
                digest=hashlib.sha256(content).hexdigest(),
                logo=logo,
                preview=preview,
            )
        reply_to = self._reply_to(branding.reply_to or statement.business.email)
        written = self._mail.write(
            shown,
            message,
            invoice=invoice(statement, shown["pay"] and shown["pay"]["url"]),
            logo=logo,
            replies=reply_to is not None,
            attached=pdf is not None,
            flaws={flaw.kind for flaw in flaws},
        )
        stem = _file_name(statement)
        return Rendered(
            **written._asdict(),
            pdf=pdf,
            pdf_name=f"{stem}.pdf",
            csv=statement_csv(statement) if branding.attach_csv else None,
            csv_name=f"{stem}.csv",
            logo=logo,
            business=statement.business,
            customer=statement.customer,
            prepared_at=statement.generated_at,
            sender_name=branding.sender_name or statement.business.name,
            reply_to=reply_to,
            flaws=flaws,
        )


def _file_name(statement: Statement) -> str:
    business, customer = statement.business, statement.customer
    return file_name(line(business.name), line(customer.display_name), statement.period)
