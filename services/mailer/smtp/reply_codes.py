"""The reason code of a reply that is no success: by its RFC 3463 status, else by code and stage."""

import re
from typing import Final

from services.mailer.smtp.replies import CLOSING, Reply
from shared.deliveries.reasons import ReasonCode

#: The first pattern that the status matches, without its class, decides.
_BY_STATUS: Final = (
    (r"1\.[78]|2\.252", ReasonCode.SENDER_REFUSED),
    (r"1\.\d+", ReasonCode.RECIPIENT_UNKNOWN),
    (r"2\.2", ReasonCode.MAILBOX_FULL),
    (r"2\.3|3\.4", ReasonCode.MESSAGE_TOO_LARGE),
    (r"2\.\d+", ReasonCode.MAILBOX_UNAVAILABLE),
    (r"3\.\d+", ReasonCode.SMARTHOST_BUSY),
    (r"4\.5", ReasonCode.SENDING_LIMIT),
    (r"4\.\d+", ReasonCode.RECIPIENT_UNREACHABLE),
    (r"5\.\d+", ReasonCode.SMARTHOST_REFUSED),
    (r"6\.7", ReasonCode.SMTPUTF8_UNSUPPORTED),
    (r"6\.\d+", ReasonCode.MESSAGE_REFUSED),
    (r"7\.\d+", ReasonCode.POLICY_REFUSED),
)
# Without a status that tells: what RFC 5321 says of the code, at whatever stage.
_BY_CODE: Final = {
    CLOSING: ReasonCode.SMARTHOST_BUSY,
    **dict.fromkeys((*range(500, 505), 521, *range(530, 540), 555), ReasonCode.SMARTHOST_REFUSED),
}
_BY_STAGE: Final = {"MAIL": ReasonCode.SENDER_REFUSED, "RCPT": ReasonCode.RECIPIENT_REFUSED}


def reason_code(stage: str, reply: Reply) -> ReasonCode:
    """Return the code of a reply that is no success, at a stage from MAIL to the dot."""
    if not (reply.transient or reply.permanent):
        return ReasonCode.SMARTHOST_PROTOCOL_ERROR
    status = reply.enhanced.partition(".")[2]
    for pattern, code in _BY_STATUS:
        if re.fullmatch(pattern, status):
            return code
    return _BY_CODE.get(reply.code) or _BY_STAGE.get(stage, ReasonCode.MESSAGE_REFUSED)
