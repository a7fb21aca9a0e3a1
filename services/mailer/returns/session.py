"""One connection of a mail server: SMTP or LMTP, on aiosmtpd."""

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import cast

from aiosmtpd.smtp import SMTP

from services.mailer.returns import content
from services.mailer.returns.answers import STORED, TOO_LARGE, Answers, ReturnEnvelope
from services.mailer.returns.limits import Limits, Memory
from shared.returns.intake import Source

# Of what is read ahead on a connection; a longer command is refused, as is one of more than 512.
_READ_AHEAD_BYTES = 64 * 1024
_ENOUGH = "421 4.7.0 too many commands without a mail that is accepted"
_STOPPING = "421 4.3.2 the server stops: try again later"
_SILENT = "421 4.4.2 nothing was heard for too long"
_CLOSED_WITHIN_S = 10.0

# aiosmtpd's replies lack the codes of RFC 2034, which RFC 2033 demands.
_BARE = re.compile(r"([245][0-9]{2}) (?:OK|Bye|Error:|Syntax|Command|Could|Cannot|EXPN|MAIL|RCPT)")
# The empty return path, and addresses without quotes, comments and routes.
_LOCAL, _DOMAIN = (rf"[{atoms}]+(?:\.[{atoms}]+)*" for atoms in ("a-z0-9+=_-", "a-z0-9-"))
_USUAL = re.compile(rf"<((?:{_LOCAL}@{_DOMAIN})?)>", re.IGNORECASE)
_CODES = {"500": "5.5.2", "501": "5.5.4", "552": "5.3.4", "555": "5.5.4"}


class SmtpSession(SMTP):
    """A connection by SMTP: one reply to a mail, whoever it is for."""

    line_length_limit = _READ_AHEAD_BYTES
    source: Source = "smtp"

    def __init__(
        self,
        answers: Answers,
        limits: Limits,
        memory: Memory,
        name: str,
        tls: ssl.SSLContext | None,
        closed: Callable[["SmtpSession"], None],
    ) -> None:
        """Create it; `name` is ours in the greeting, and `closed` is called at its end."""
        super().__init__(
            answers,
            data_size_limit=limits.mail_bytes,
            enable_SMTPUTF8=True,
            hostname=name,
            ident="Ledgerpost",
            tls_context=tls,
            timeout=limits.silence_s,
            loop=asyncio.get_running_loop(),
        )
        self._answers = answers
        self._limits = limits
        self._memory = memory
        self._closed_call = closed
        self._is_receiving = self._is_stopping = False
        self._replies = self._refusals = 0

    def stop(self) -> None:
        """End the connection; a mail that is being received is finished before."""
        self._is_stopping = True
        if not self._is_receiving:
            self._end(_STOPPING)

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the end of the connection."""
        super().connection_lost(error)
        self._closed_call(self)

    async def push(self, status: str | bytes) -> None:
        """Send a reply. Whoever gets too many of them without a mail that is accepted has to go."""
        reply = status.decode() if isinstance(status, bytes) else status
        await super().push(_with_code(reply))
        self._replies += reply[3:4] != "-"
        self._refusals += reply[:1] in {"4", "5"}
        limits = self._limits
        if self._replies > limits.replies or self._refusals > limits.refusals:
            self._end(_ENOUGH)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd looks for this name
        """Receive a mail, and reply once it is stored."""
        if await self.check_helo_needed():
            return
        if arg:
            await self.push("501 Syntax: DATA")
        elif self.envelope is None or not self.envelope.rcpt_tos:
            await self.push("503 Error: need RCPT command")
        else:
            await self._receive(cast("ReturnEnvelope", self.envelope))

    async def _receive(self, envelope: ReturnEnvelope) -> None:
        self._is_receiving = True
        try:
            await self.push("354 the mail, then a dot on a line of its own")
            replies = await self._replies_to_content(envelope)
            self.envelope = self._create_envelope()
            for reply in replies:
                await self.push(reply)
            if STORED in replies:
                self._replies = self._refusals = 0
        finally:
            self._is_receiving = False
        if self._is_stopping:
            self._end(_STOPPING)

    async def _replies_to_content(self, envelope: ReturnEnvelope) -> list[str]:
        """Return the replies to a mail: the last thing that a sender of SMTP or LMTP reads."""
        with self._memory.share() as share:
            try:
                async with asyncio.timeout(self._limits.content_s):
                    received = await content.read(
                        self._reader, self._limits, share, self._reset_timeout
                    )
            except content.Endless:
                self._end(TOO_LARGE)
                raise asyncio.CancelledError from None
            except TimeoutError:
                self._end(_SILENT)
                raise asyncio.CancelledError from None
            return self._told(await self._answers.stored(envelope, received, self.source))

    def _told(self, replies: list[str]) -> list[str]:
        """Return one reply for all recipients: that the mail is stored, or why not for one."""
        return [next((each for each in replies if each != STORED), STORED)]

    def _create_envelope(self) -> ReturnEnvelope:
        return ReturnEnvelope()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        # aiosmtpd's parser takes a third of the time of a mail: it is for what is unusual.
        usual = _USUAL.match(arg)
        return (usual[1] or "<>", arg[usual.end() :]) if usual else super()._getaddr(arg)

    def _timeout_cb(self) -> None:
        self._end(_SILENT)

    def _end(self, reply: str) -> None:
        """Send a last reply and close, without a wait for one who does not read it."""
        if self.transport is None or self._handler_coroutine is None:
            return
        self._writer.write(f"{reply}\r\n".encode())
        self._handler_coroutine.cancel()
        self.transport.close()
        transport = cast("asyncio.Transport", self.transport)
        self.loop.call_later(_CLOSED_WITHIN_S, transport.abort)


class LmtpSession(SmtpSession):
    """A connection by LMTP (RFC 2033): a reply to each recipient of a mail."""

    source: Source = "lmtp"

    async def smtp_LHLO(self, arg: str) -> None:  # noqa: N802 - aiosmtpd looks for this name
        """Greet."""
        await super().smtp_EHLO(arg)

    async def smtp_HELO(self, _: str) -> None:  # noqa: N802 - aiosmtpd looks for this name
        """Refuse: it is no command of LMTP."""
        await self.push("500 Error: say LHLO")

    async def smtp_EHLO(self, _: str) -> None:  # noqa: N802 - aiosmtpd looks for this name
        """Refuse: it is no command of LMTP."""
        await self.push("500 Error: say LHLO")

    def _told(self, replies: list[str]) -> list[str]:
        """Return all replies, in the order of the recipients."""
        return replies


def _with_code(reply: str) -> str:
    """Return a reply with the enhanced status code that it lacks."""
    bare = _BARE.match(reply)
    if bare is None or reply.startswith("250-"):
        return reply
    code = bare[1]
    enhanced = _CODES.get(code, f"{code[0]}.5.1" if code[0] == "5" else f"{code[0]}.0.0")
    return f"{code} {enhanced}{reply[3:]}"
