"""Opening a session with the relay; the only module that knows aiosmtplib."""

import asyncio
import base64
import ssl
from typing import cast

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from services.mailer.outcomes import RelayAtFault
from services.mailer.relay import Relay
from services.mailer.replies import line_text
from services.mailer.session import Extensions, Session


def tls_context(relay: Relay) -> ssl.SSLContext:
    """Build the TLS settings that `Relay.tls` promises; may read the system's authorities."""
    if relay.tls in {"implicit", "starttls_required"}:
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def open_session(
    relay: Relay, tls: ssl.SSLContext, hostname: str, step: float, timeout: float
) -> Session:
    """Connect, encrypt, say EHLO and log in, each step within `step` and all within `timeout` s.

    Raises RelayAtFault.
    """
    client = aiosmtplib.SMTP(
        hostname=relay.host,
        port=relay.port,
        local_hostname=hostname,
        start_tls=False,
        tls_context=tls,
        timeout=min(step, timeout),
    )
    try:
        async with asyncio.timeout(timeout):
            return await _open(client, relay, tls)
    except aiosmtplib.SMTPResponseException as refused:
        client.close()
        said = f"{refused.code} {refused.message}" if refused.code > 0 else refused.message
        raise RelayAtFault(line_text(_redact(said, relay))) from None
    except TimeoutError as late:
        client.close()
        raise RelayAtFault(line_text(str(late) or "no answer in time")) from None
    except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
        client.close()
        raise RelayAtFault(line_text(_redact(str(fault), relay))) from None
    except asyncio.CancelledError:
        client.close()
        raise


async def _open(client: aiosmtplib.SMTP, relay: Relay, tls: ssl.SSLContext) -> Session:
    if relay.tls == "implicit":
        layers = await _connect_encrypted(client, relay, tls)
    else:
        await client.connect()
        layers = (_transport(client),)
    await _say_hello(client)
    offered = client.supports_extension("starttls")
    if relay.tls == "starttls_required" or (relay.tls == "starttls" and offered):
        await client.starttls()
        layers = (_transport(client), *layers)
        await _say_hello(client)
    if relay.username is not None:
        await client.login(relay.username, relay.password)
    # aiosmtplib drops unasked-for replies and knows no pipelining: from here on we listen.
    return Session(layers, _extensions(client))


async def _connect_encrypted(
    client: aiosmtplib.SMTP, relay: Relay, tls: ssl.SSLContext
) -> tuple[asyncio.Transport, ...]:
    """Connect in two steps, to keep hold of the plain transport: its buffer counts at the gate."""
    loop = asyncio.get_running_loop()
    plain, _ = await loop.create_connection(asyncio.Protocol, relay.host, relay.port)
    protocol = SMTPProtocol(loop)
    protocol.connection_made(plain)
    try:
        encrypted = await loop.start_tls(plain, protocol, tls, server_hostname=relay.host)
    except BaseException:
        plain.abort()
        raise
    if encrypted is None:
        raise ConnectionResetError("the relay closed the connection")
    protocol.transport = encrypted
    client.protocol, client.transport = protocol, encrypted
    greeting = await protocol.read_response(client.timeout)
    if greeting.code != aiosmtplib.SMTPStatus.ready:
        raise aiosmtplib.SMTPConnectResponseError(greeting.code, greeting.message)
    return encrypted, plain


async def _say_hello(client: aiosmtplib.SMTP) -> None:
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()


def _transport(client: aiosmtplib.SMTP) -> asyncio.Transport:
    if client.transport is None or client.transport.is_closing():
        raise ConnectionResetError("the relay closed the connection")
    return cast("asyncio.Transport", client.transport)


def _extensions(client: aiosmtplib.SMTP) -> Extensions:
    size = client.esmtp_extensions.get("size", "")
    return Extensions(
        pipelining=client.supports_extension("pipelining"),
        smtputf8=client.supports_extension("smtputf8"),
        size=int(size) if size.isascii() and size.isdigit() else 0,
    )


def _redact(text: str, relay: Relay) -> str:
    """Hide the password should the relay repeat it, plain or as it was sent."""
    user, password = (relay.username or "").encode(), relay.password.encode()
    secrets = (b"\0" + user + b"\0" + password, password)
    for secret in filter(None, secrets):
        for shown in (secret.decode(), base64.b64encode(secret).decode()):
            text = text.replace(shown, "[secret]")
    return text
