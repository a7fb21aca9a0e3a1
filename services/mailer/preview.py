"""The mail of a send as files, to look at."""

from uuid import UUID

from shared.db import database, sql
from shared.mail.mailbox import Mailbox
from shared.mail.message import reply_to_address
from shared.mail.unsubscribe import Links
from shared.rendering import worker
from shared.statements.render import Renderer

_QUERIES = sql.load("services.mailer")


class NothingToPreview(LookupError):
    """There is no such send, or its statement is not frozen yet."""


async def preview(
    dsn: str, sender: Mailbox, links: Links | None, send_id: UUID, *, pdf: bool
) -> dict[str, bytes]:
    """Return the files of the mail to a send's first recipient, by their names.

    These are message.eml, with the bytes that the mailer hands over, body.txt, body.html, the PDF
    if `pdf` is true, and flaws.txt if the PDF lacks something. Raises NothingToPreview, and
    MigrationError if a migration is missing.
    """
    async with database.opened(dsn, name="ledgerpost-preview") as conn:
        row = await conn.fetchrow(_QUERIES.previewed_send, send_id)
    if row is None:
        raise NothingToPreview(f"send {send_id} does not exist or has no statement yet")
    rendered = Renderer(pdf=pdf, reply_to=reply_to_address).render(
        row["content"].encode(), row["personal_message"]
    )
    message = worker.message(rendered, send_id, sender, row["created_at"])
    contents = {
        "message.eml": message.envelope(row["email"], row["id"], links).data,
        "body.txt": rendered.text.encode(),
        "body.html": rendered.html.encode(),
    }
    if rendered.flaws:
        contents["flaws.txt"] = "".join(f"{flaw.text}\n" for flaw in rendered.flaws).encode()
    return contents if rendered.pdf is None else contents | {rendered.pdf_name: rendered.pdf}
