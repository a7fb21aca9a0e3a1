"""The connector opens sessions with the smarthost; it and `login` alone use aiosmtplib."""

import asyncio
import base64
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from services.mailer.smtp import ehlo, tls
from services.mailer.smtp.login import Login
from services.mailer.smtp.outcomes import PasswordRefused, SmarthostAtFault, TooManySessions
from services.mailer.smtp.replies import CLOSING, TEXT_CHARS_MAX
from services.mailer.smtp.session import Extensions, Session
from services.mailer.smtp.smarthost import Smarthost
from shared import tcp
from shared.deliveries.reasons import ReasonCode
from shared.text import printable_line

_PERMANENT = 500


def _no_report(_: str) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Connector:
    """Opens sessions: with `name` in EHLO (None: the socket's address), and with one login.

    Each step is passed to `report` as a line.
    """

    smarthost: Smarthost
    tls: ssl.SSLContext
    name: str | None
    login: Login = field(default_factory=Login)
    report: Callable[[str], None] = _no_report

    async def session(self, step: float, timeout: float) -> Session:
        """Connect, encrypt, send EHLO and log in, each within `step`, all within `timeout` seconds.

        Raises SmarthostAtFault.
        """
        client = aiosmtplib.SMTP(
            hostname=self.smarthost.host, start_tls=False, timeout=min(step, timeout)
        )
        known = self.login.refused
        try:
            async with asyncio.timeout(timeout):
                return await self._open(client, known)
        except (SmarthostAtFault, asyncio.CancelledError):  # before OSError, which the first one is
            client.close()
            raise
        except aiosmtplib.SMTPResponseException as refused:
            client.close()
            raise self._fault(refused) from None
        except TimeoutError as late:
            client.close()
            said = printable_line(str(late) or "no answer in time", TEXT_CHARS_MAX)
            raise SmarthostAtFault(said, ReasonCode.SMARTHOST_TIMEOUT) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            client.close()
            said = self._clean(str(fault) or type(fault).__name__)
            raise SmarthostAtFault(said, ReasonCode.CONNECTION_LOST) from None

    async def _open(self, client: aiosmtplib.SMTP, known: int) -> Session:
        smarthost = self.smarthost
        layers = await self._connect(client)
        await self._ehlo(client)
        offered = client.supports_extension("starttls")
        if smarthost.tls == "starttls_required" and not offered:
            raise SmarthostAtFault(
                "it offers no STARTTLS, and SMTP_URL requires it", ReasonCode.SMARTHOST_TLS_FAILED
            )
        if smarthost.tls in {"starttls", "starttls_required"} and offered:
            await self._start_tls(client)
            layers = (_transport(client), *layers)
            await self._ehlo(client)
        if smarthost.username is not None:
            self._protect_password(layers)
            way = await self.login(
                client,
                smarthost.username,
                smarthost.password,
                encrypted=len(layers) > 1,
                known=known,
            )
            self.report(f"AUTH {way}: logged in")
        # aiosmtplib drops replies to nothing and has no pipelining: from here on our session reads.
        return Session(layers, _extensions(client))

    async def _connect(self, client: aiosmtplib.SMTP) -> tuple[asyncio.Transport, ...]:
        """Connect and read the greeting.

        In two steps, to have the plain transport below TLS: its buffer counts at the gate.
        """
        smarthost, loop = self.smarthost, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(client.timeout):
                opened = await tcp.connected(smarthost.host, smarthost.port)
        except TimeoutError:
            raise SmarthostAtFault(
                f"no connection to port {smarthost.port} in time", ReasonCode.SMARTHOST_TIMEOUT
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise SmarthostAtFault(
                f"no connection to port {smarthost.port}: {reason}",
                ReasonCode.SMARTHOST_UNREACHABLE,
            ) from None
        protocol = SMTPProtocol(loop)
        implicit = smarthost.tls == "implicit"
        plain, _ = await loop.create_connection(
            asyncio.Protocol if implicit else lambda: protocol, sock=opened
        )
        layers: tuple[asyncio.Transport, ...] = (plain,)
        client.protocol, client.transport = protocol, plain
        self.report(f"connected to {_peer(plain)}, port {smarthost.port}")
        if implicit:
            protocol.connection_made(plain)
            layers = (await self._encrypted(plain, protocol), plain)
            client.transport = protocol.transport = layers[0]
        greeting = await protocol.read_response(client.timeout)
        if greeting.code != aiosmtplib.SMTPStatus.ready:
            raise aiosmtplib.SMTPConnectResponseError(greeting.code, greeting.message)
        self.report(f"greeting: {self._clean(greeting.message)}")
        return layers

    async def _encrypted(
        self, plain: asyncio.Transport, protocol: SMTPProtocol
    ) -> asyncio.Transport:
        try:
            encrypted = await asyncio.get_running_loop().start_tls(
                plain, protocol, self.tls, server_hostname=self.smarthost.host
            )
        except BaseException as error:
            plain.abort()
            if isinstance(error, OSError):
                raise tls.handshake_failed(error) from None
            raise
        if encrypted is None:
            raise ConnectionResetError("the smarthost closed the connection")
        self.report(tls.line(encrypted))
        return encrypted

    async def _start_tls(self, client: aiosmtplib.SMTP) -> None:
        try:
            await client.starttls(tls_context=self.tls)
        except aiosmtplib.SMTPResponseException:
            raise
        except (aiosmtplib.SMTPServerDisconnected, OSError) as error:
            cause = error.__cause__ or error
            raise tls.handshake_failed(cause) from None
        self.report(tls.line(_transport(client)))

    async def _ehlo(self, client: aiosmtplib.SMTP) -> None:
        own = _transport(client).get_extra_info("sockname")
        name = self.name or ehlo.literal(own[0])
        try:
            answer = await client.ehlo(hostname=name)
        except aiosmtplib.SMTPHeloError:
            if not client.is_connected:
                raise
            answer = await client.helo(hostname=name)
        lines = " ".join(answer.message.splitlines())
        self.report(f"EHLO {name}: {self._clean(lines)}")

    def _protect_password(self, layers: tuple[asyncio.Transport, ...]) -> None:
        """Raise SmarthostAtFault if the password would go unencrypted to another host."""
        if len(layers) > 1 or self.smarthost.tls == "none":
            return
        with suppress(ValueError):
            if ip_address(_peer(layers[0]).partition("%")[0]).is_loopback:
                return
        raise SmarthostAtFault(
            "it offers no STARTTLS, and the password is not sent unencrypted to another host; "
            "starttls=never in SMTP_URL would do so",
            ReasonCode.SMARTHOST_TLS_FAILED,
        )

    def _fault(self, refused: aiosmtplib.SMTPResponseException) -> SmarthostAtFault:
        if refused.code <= 0:  # aiosmtplib could not read the reply
            return SmarthostAtFault(
                self._clean(refused.message), ReasonCode.SMARTHOST_PROTOCOL_ERROR
            )
        reply = f"{refused.code} {refused.message}"
        if isinstance(refused, aiosmtplib.SMTPAuthenticationError) and refused.code >= _PERMANENT:
            return PasswordRefused(self._clean(reply))
        if refused.code == CLOSING:
            return TooManySessions(self._clean(reply))
        is_later = refused.code < _PERMANENT
        code = ReasonCode.SMARTHOST_BUSY if is_later else ReasonCode.SMARTHOST_REFUSED
        return SmarthostAtFault(self._clean(reply), code)

    def _clean(self, text: str) -> str:
        """Return one line, with the password removed, plain or in base64 as it was sent."""
        user, password = (self.smarthost.username or "").encode(), self.smarthost.password.encode()
        for secret in filter(None, (b"\0" + user + b"\0" + password, password)):
            for shown in (secret.decode(), base64.b64encode(secret).decode()):
                text = text.replace(shown, "[secret]")
        return printable_line(text, TEXT_CHARS_MAX)


def connector(
    smarthost: Smarthost, name: str | None, report: Callable[[str], None] = _no_report
) -> Connector:
    """Return a connector with `name` or this machine's own; may read files and use the resolver."""
    return Connector(smarthost, tls.context(smarthost), name or ehlo.own_name(), report=report)


def _peer(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else "nobody"


def _transport(client: aiosmtplib.SMTP) -> asyncio.Transport:
    if client.transport is None or client.transport.is_closing():
        raise ConnectionResetError("the smarthost closed the connection")
    return cast("asyncio.Transport", client.transport)


def _extensions(client: aiosmtplib.SMTP) -> Extensions:
    size = client.esmtp_extensions.get("size", "")
    return Extensions(
        pipelining=client.supports_extension("pipelining"),
        smtputf8=client.supports_extension("smtputf8"),
        size=int(size) if size.isascii() and size.isdigit() else 0,
    )
