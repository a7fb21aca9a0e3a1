"""A real mail server that keeps every mail it is given: `python -m demo.inbox FOLDER PORT`.

With a second port, that of the listener for returned mail, mails to `gone@…` come back, too.
"""

import asyncio
import re
import signal
import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import count
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from demo.bouncing import GONE, Bouncer

_BIGGEST = 64 * 2**20


class Inbox:
    """Stores each mail in a separate folder, `<n>-<recipient>/`; refuses nothing."""

    def __init__(self, folder: Path, bouncer: Bouncer | None = None) -> None:
        self._bouncer = bouncer
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        kept = (entry.name.partition("-")[0] for entry in folder.iterdir())
        self._numbers = count(1 + max((int(name) for name in kept if name.isdigit()), default=0))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        """Store a copy for each recipient before acknowledging the mail."""
        content = envelope.content
        for recipient in envelope.rcpt_tos:
            mail = content if isinstance(content, bytes) else b""
            self._keep(recipient, mail)
            if self._bouncer and envelope.mail_from and recipient.partition("@")[0] == GONE:
                self._bouncer.bounce(envelope.mail_from, recipient, mail)
        return "250 2.0.0 Kept in the inbox"

    def _keep(self, recipient: str, content: bytes) -> None:
        name = f"{next(self._numbers):04}-{_file_name(recipient)}"
        # Renamed once complete, so that no reader sees half a mail.
        unfinished = self._folder / f".{name}"
        unfinished.mkdir()
        (unfinished / "message.eml").write_bytes(content)
        for file, part in _parts(message_from_bytes(content, policy=default)):
            (unfinished / file).write_bytes(part)
        unfinished.rename(self._folder / name)
        print(f"{name}: {len(content)} bytes", flush=True)


def _parts(message: EmailMessage) -> list[tuple[str, bytes]]:
    parts: list[tuple[str, bytes]] = []
    for kind, file in (("plain", "body.txt"), ("html", "body.html")):
        if body := message.get_body((kind,)):
            parts.append((file, body.get_content().encode()))
    for number, attachment in enumerate(message.iter_attachments(), 1):
        name = _file_name(attachment.get_filename() or f"attachment-{number}")
        content = attachment.get_payload(decode=True)
        parts.append((name, content if isinstance(content, bytes) else b""))
    return parts


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.@+-]", "_", text).strip(".")[:100] or "_"


async def serve(folder: Path, port: int, listener: int | None = None) -> None:
    """Serve SMTP on 127.0.0.1 until SIGTERM."""
    inbox = Inbox(folder, None if listener is None else Bouncer(listener))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(inbox, data_size_limit=_BIGGEST, enable_SMTPUTF8=True, loop=loop),
        "127.0.0.1",
        port,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    address = server.sockets[0].getsockname()
    print(f"smtp://{address[0]}:{address[1]} keeps mail in {folder}", flush=True)
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *map(int, sys.argv[2:])))
