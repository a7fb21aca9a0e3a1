"""`python -m bench.writer PORT CONNECTIONS MAILS MAIL`: the SMTP writer alone, fed from memory."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import uvloop

from services.mailer.smtp.outcomes import Sent
from services.mailer.smtp.pool import SessionPool
from services.mailer.smtp.smarthost import Smarthost, Timeouts
from shared.mail.mailbox import Mailbox
from shared.mail.message import Subject, build


async def _gate() -> bool:
    return True


async def main(port: int, connections: int, mails: int, mail: dict[str, str]) -> None:
    """Hand over so many mails of one message, each to a recipient of its own."""
    subject = Subject.of(mail["subject"], mail["subject"], business=None, customer=None)
    message = build(
        send_id=uuid4(), sender=Mailbox.parse("post@ledgerpost.example"), sender_name="One",
        reply_to=None, subject=subject, text=mail["text"], html=mail["html"],
        date=datetime.now(UTC),
    )  # fmt: skip
    sessions = SessionPool(Smarthost("127.0.0.1", port, "none"), connections, Timeouts())
    numbers = iter(range(mails))

    async def write() -> None:
        for number in numbers:
            envelope = message.envelope(f"billing@customer{number}.example", uuid4())
            outcome = await sessions.hand_over(envelope, _gate)
            assert isinstance(outcome, Sent), outcome

    await asyncio.gather(*(write() for _ in range(connections)))
    await sessions.close()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:4]), json.loads(Path(sys.argv[4]).read_text())))
