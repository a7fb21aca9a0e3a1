"""The only renderer of statements: makes a mail and a PDF from the bytes of a snapshot."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.statements.attachment import Attachment, AttachmentMaker, Flaw
from shared.statements.mail import Mail
from shared.statements.model import Business, Statement
from shared.statements.view import view
from shared.statements.wording import file_name, line

_NO_PDF = Attachment(None, ())


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement ready to send; the same snapshot and message give the same bytes.

    `flaws` are the differences between the PDF and the ledger.
    """

    subject: str
    text: str
    html: str
    pdf: bytes | None
    pdf_name: str
    business: Business
    prepared_at: datetime
    reply_to: str | None
    flaws: tuple[Flaw, ...] = ()


class Renderer:
    """Renders statements; templates and fonts are read when it is made, once.

    Without `pdf` there is only the mail, and its text does not mention an attachment.
    """

    def __init__(
        self, *, pdf: bool = True, reply_to: Callable[[str | None], str | None] = lambda text: text
    ) -> None:
        """Create it; `reply_to` returns the usable reply address for that of a business."""
        self._reply_to = reply_to
        self._mail = Mail()
        self._attachments = AttachmentMaker() if pdf else None

    @property
    def fonts(self) -> list[str]:
        """The files of all fonts that it may have to read."""
        return self._attachments.fonts if self._attachments else []

    def uncovered(self) -> tuple[str, ...]:
        """Return the scripts of which its PDFs have no letters."""
        return self._attachments.uncovered() if self._attachments else ()

    def render(
        self, content: bytes, message: str | None = None, *, without: Flaw | None = None
    ) -> Rendered:
        """Render a snapshot, with the personal message (plain text) above it in the mail.

        The PDF contains only the statement: it is the same for every recipient and message. The
        mail mentions it if the PDF cannot be made, or is left out because of a flaw, `without`.
        Raises StatementError.
        """
        statement = Statement.parse(content)
        shown = view(statement)
        pdf, flaws = _NO_PDF
        if self._attachments and without is not None:
            flaws = (without,)
        elif self._attachments:
            pdf, flaws = self._attachments.attachment(shown, statement.generated_at)
        reply_to = self._reply_to(statement.business.email)
        subject, text, html = self._mail.write(
            shown,
            message,
            replies=reply_to is not None,
            attached=pdf is not None,
            flaws={flaw.kind for flaw in flaws},
        )
        return Rendered(
            subject,
            text,
            html,
            pdf,
            file_name(line(statement.business.name), statement.period),
            statement.business,
            statement.generated_at,
            reply_to,
            flaws,
        )
