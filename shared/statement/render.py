"""The one renderer of a statement: snapshot bytes in, mail and PDF out, nothing else read."""

from dataclasses import dataclass
from datetime import datetime

from shared.statement.mail import Mail
from shared.statement.model import Business, Statement
from shared.statement.pdf import Press, TypesettingError
from shared.statement.view import view
from shared.statement.wording import line, slug


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement ready to send; the same snapshot and message give the same bytes."""

    subject: str
    text: str
    html: str
    pdf: bytes | None
    pdf_name: str
    business: Business
    prepared_at: datetime


class Renderer:
    """Renders statements; templates and fonts are read when it is made, once.

    With `pdf` false there is the mail alone, and its text does not speak of an attachment.
    """

    def __init__(self, *, pdf: bool = True) -> None:
        self._mail = Mail()
        self._press = Press() if pdf else None

    @property
    def fonts(self) -> list[str]:
        """The files of all fonts that it may have to read."""
        return self._press.fonts if self._press else []

    def render(self, content: bytes, message: str | None = None) -> Rendered:
        """Render a snapshot, with the personal message (plain text) above it in the mail.

        The PDF is the statement alone: it is the same for every recipient and every message.
        Raises StatementError or TypesettingError.
        """
        statement = Statement.parse(content)
        try:
            shown = view(statement)
            press = self._press
            subject, text, html = self._mail.write(shown, message, attached=press is not None)
            pdf = press.print(shown, statement.generated_at) if press else None
        except BaseException as error:
            if isinstance(error, (Exception, KeyboardInterrupt, SystemExit)):
                raise
            # A panic of typst is no Exception and would end the process.
            raise TypesettingError(f"typst gave up: {error}") from error
        return Rendered(
            subject,
            text,
            html,
            pdf,
            _pdf_name(statement),
            statement.business,
            statement.generated_at,
        )


def _pdf_name(statement: Statement) -> str:
    parts = ("statement", slug(line(statement.business.name)), statement.since, statement.until)
    return "-".join(str(part) for part in parts if part) + ".pdf"
