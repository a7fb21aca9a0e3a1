"""The mail of a send as files, to look at."""

from uuid import UUID

from shared.db import database, sql
from shared.deliveries.worker import logos
from shared.mail.dkim import Signer
from shared.mail.mailbox import Mailbox
from shared.mail.message import reply_to_address
from shared.mail.unsubscribe import Links
from shared.rendering import worker
from shared.statements.logo import named_logo
from shared.statements.render import Renderer

_QUERIES = sql.load("services.mailer")


class NothingToPreview(LookupError):
    """There is no such send, or its statement is not frozen yet."""


async def preview(
    dsn: str,
    sender: Mailbox,
    links: Links | None,
    send_id: UUID,
    *,
    signer: Signer | None = None,
    pdf: bool,
    public_url: str | None = None,
) -> dict[str, bytes]:
    """Return the files of the mail to a send's first recipient, by their names.

    These are message.eml, with the bytes that the mailer hands over, body.txt, body.html, the PDF
    if `pdf` is true, the CSV and logo.png if the mail has them, and flaws.txt if the PDF lacks
    something. Raises NothingToPreview, and MigrationError if a migration is missing.
    """
    async with database.opened(dsn, name="ledgerpost-preview") as conn:
        row = await conn.fetchrow(_QUERIES.previewed_send, send_id)
        if row is None:
            raise NothingToPreview(f"send {send_id} does not exist or has no statement yet")
        sha256 = named_logo(row["content"])
        [logo] = await logos(conn, [(row["business_id"], sha256)]) if sha256 else [None]
    renderer = Renderer(pdf=pdf, reply_to=reply_to_address, public_url=public_url)
    rendered = renderer.render(row["content"].encode(), row["personal_message"], logo=logo)
    message = worker.message(rendered, send_id, sender, row["created_at"])
    contents = {
        "message.eml": message.envelope(row["email"], row["id"], links, signer).data,
        "body.txt": rendered.text.encode(),
        "body.html": rendered.html.replace('src="cid:logo"', 'src="logo.png"').encode(),
    }
    if rendered.flaws:
        contents["flaws.txt"] = "".join(f"{flaw.text}\n" for flaw in rendered.flaws).encode()
    files = {
        rendered.pdf_name: rendered.pdf,
        rendered.csv_name: rendered.csv,
        "logo.png": rendered.logo,
    }
    return contents | {name: content for name, content in files.items() if content is not None}
