"""What a returned mail says: a bounce, a delay, a complaint or an automatic reply, and why."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a returned mail is."""

    BOUNCE = "bounce"
    DELAY = "delay"
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto-reply"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """Whom or what a bounce is about.

    `policy` and `infrastructure` say something about the sender, the servers or the network, and
    nothing about the recipient. `transient`: the mail may still arrive.
    """

    RECIPIENT = "recipient"
    POLICY = "policy"
    INFRASTRUCTURE = "infrastructure"
    CONTENT = "content"
    TRANSIENT = "transient"


class Form(StrEnum):
    """The form of a returned mail, which decides how the mail is read."""

    DELIVERY_STATUS = "delivery-status"
    FEEDBACK_REPORT = "feedback-report"
    SES_NOTIFICATION = "ses-notification"
    NOTICE = "notice"
    AUTOMATIC_REPLY = "automatic-reply"
    LIST_MAIL = "list-mail"
    RECEIPT = "receipt"


@dataclass(frozen=True)
class Verdict:
    """A returned mail as it is understood.

    `form` is the form that decided, or null if none fits. `status` is an enhanced status code (RFC
    3463), `diagnostic` the remote server's words in one line, `remote_mta` its name; each is null
    if the mail does not say it. `scope` is null unless the mail is a bounce or a delay.
    """

    kind: Kind
    scope: Scope | None = None
    is_permanent: bool = False
    status: str | None = None
    diagnostic: str | None = None
    remote_mta: str | None = None
    form: Form | None = None
