"""Makes the dead letter of a refused request, within size limits."""

import hashlib
from datetime import UTC, datetime

from aiormq.abc import DeliveredMessage
from pamqp.common import FieldValue

from services.api.intake.moving import needed_headers
from shared.amqp import topology
from shared.amqp.publisher import Outgoing

# Octets of a body. Nearly every request fits, and can then be replayed.
_BODY_BYTES_MAX = 64 * 1024
_STRANGERS_BODY_BYTES_MAX = 4 * 1024  # without a valid key


def dead_letter(message: DeliveredMessage, reason: str, *, is_known: bool) -> Outgoing:
    """Return the copy of a refused request for the dead letters.

    Copies of a message have the same id. A body that is too long is cut, and its size and digest
    are put into the headers; such a letter cannot be replayed.
    """
    sent, body = message.header.properties, message.body
    most = _BODY_BYTES_MAX if is_known else _STRANGERS_BODY_BYTES_MAX
    cut: dict[str, FieldValue] = {}
    if len(body) > most:
        cut = {topology.CUT_FROM: len(body), topology.SHA256: hashlib.sha256(body).hexdigest()}
    # Without user_id, which would have to be ours, and without expiration.
    return Outgoing(
        hashlib.sha256((sent.message_id or "").encode() + body).hexdigest(),
        topology.DEAD_LETTERS,
        "",
        body[:most],
        headers={
            **needed_headers(sent.headers or {}),
            **cut,
            topology.REASON: reason,
            topology.CAME_FROM: topology.SEND_REQUESTS,
            topology.DIED_AT: datetime.now(UTC).isoformat(timespec="seconds"),
        },
        correlation_id=sent.correlation_id,
        reply_to=sent.reply_to,
        content_type=sent.content_type,
    )
