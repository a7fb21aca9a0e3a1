"""TLS with the smarthost: its context, its failures, and its line in a report."""

import asyncio
import ssl

from services.mailer.smtp.outcomes import SmarthostAtFault
from services.mailer.smtp.replies import TEXT_CHARS_MAX
from services.mailer.smtp.smarthost import Smarthost
from shared.deliveries.reasons import ReasonCode
from shared.text import printable_line


def context(smarthost: Smarthost) -> ssl.SSLContext:
    """Return the TLS context for `Smarthost.tls`; may read the system's authorities."""
    if smarthost.tls in {"implicit", "starttls_required"}:
        return ssl.create_default_context()
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    return unverified


def handshake_failed(error: BaseException) -> SmarthostAtFault:
    """Return the fault of a TLS handshake that ended with `error`."""
    if isinstance(error, ConnectionError | TimeoutError):
        why = "the smarthost ended it; it may speak no TLS newer than 1.1"
    else:
        why = str(error)
    return SmarthostAtFault(
        printable_line(f"TLS handshake failed: {why}", TEXT_CHARS_MAX),
        ReasonCode.SMARTHOST_TLS_FAILED,
    )


def line(transport: asyncio.Transport) -> str:
    """Return a line about the TLS of an encrypted transport."""
    layer = transport.get_extra_info("ssl_object")
    verified = layer.context.verify_mode is ssl.CERT_REQUIRED
    return f"{layer.version()}, certificate {'verified' if verified else 'not verified'}"
