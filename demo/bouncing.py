"""Returns the mails of mailboxes that do not exist, as a mail server does."""

import asyncio
import smtplib
from email import message_from_bytes
from email.policy import default
from typing import Final

#: Nobody has this mailbox at any domain.
GONE: Final = "gone"
_ATTEMPTS, _RETRY_S = 60, 1.0

_REPORT: Final = """\
From: Mail Delivery System <MAILER-DAEMON@inbox.example>
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type="delivery-status"; boundary="edge"

--edge
Content-Type: text/plain; charset=utf-8

Your mail could not be delivered: there is no mailbox {recipient}.
--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; inbox.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such mailbox
--edge
Content-Type: text/rfc822-headers

Subject: {subject}
--edge--
"""


class Bouncer:
    """Hands bounces over to the listener at this port, each again until it is accepted."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._returning = set[asyncio.Task[None]]()

    def bounce(self, sender: str, recipient: str, content: bytes) -> None:
        """Begin to return a mail to its sender, the return path of its envelope."""
        subject = str(message_from_bytes(content, policy=default)["Subject"])
        report = _REPORT.format(sender=sender, recipient=recipient, subject=subject)
        task = asyncio.create_task(self._hand_over(sender, report.encode("ascii", "replace")))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    async def _hand_over(self, sender: str, report: bytes) -> None:
        for _ in range(_ATTEMPTS):
            try:
                await asyncio.to_thread(self._said, sender, report)
            except (OSError, smtplib.SMTPException) as error:
                # The listener has it wait as long as the mailer has not recorded that it was sent.
                print(f"a bounce waits: {error}", flush=True)
                await asyncio.sleep(_RETRY_S)
            else:
                return

    def _said(self, sender: str, report: bytes) -> None:
        with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as client:
            client.sendmail("", [sender], report)
