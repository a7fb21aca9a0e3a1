"""The one renderer of a statement: snapshot bytes in, mail and PDF out, nothing else read."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared.statement.mail import Mail
from shared.statement.model import Business, Statement
from shared.statement.pdf import Press, TypesettingError
from shared.statement.view import view
from shared.statement.wording import line, slug

# A thread costs as much as the text and the HTML of a statement of this many bytes.
_SHORT = 16_384


@dataclass(frozen=True, slots=True)
class Rendered:
    """A statement ready to send; the same snapshot and message give the same bytes."""

    subject: str
    text: str
    html: str
    pdf: bytes | None
    pdf_name: str
    business: Business


class Renderer:
    """Renders statements on at most `workers` threads; templates and fonts are read here, once.

    With `pdf` false there is the mail alone, and its text does not speak of an attachment.
    """

    def __init__(self, workers: int = 2, *, pdf: bool = True) -> None:
        self._mail = Mail()
        self._press = Press() if pdf else None
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="statement")

    async def render(self, content: bytes, message: str | None = None) -> Rendered:
        """Render, off the event loop what takes long; raises StatementError or TypesettingError."""
        if self._press is None and len(content) < _SHORT:
            return self.render_now(content, message)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.render_now, content, message)

    def render_now(self, content: bytes, message: str | None = None) -> Rendered:
        """Render a snapshot, with the personal message (plain text) above it in the mail.

        The PDF is the statement alone: it is the same for every recipient and every message.
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
            # A panic of typst is no Exception and would end the worker that awaits it.
            raise TypesettingError(f"typst gave up: {error}") from error
        return Rendered(subject, text, html, pdf, _pdf_name(statement), statement.business)

    def close(self) -> None:
        """Let running renders end and stop the threads."""
        self._threads.shutdown()


def _pdf_name(statement: Statement) -> str:
    parts = ("statement", slug(line(statement.business.name)), statement.since, statement.until)
    return "-".join(str(part) for part in parts if part) + ".pdf"
