"""A send as the API shows it."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.timestamp import Timestamp
from shared.messages import DeliveryState

Status = Literal["scheduled", "sending", "sent", "partly_failed", "failed", "cancelled"]
Message = Literal["Transactions sent", "Transactions scheduled"]


Id = Annotated[int, WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0})]


STATES = (
    "`scheduled`: its time has not come; `queued`: waits for a worker; `sending`: at work;"
    " `deferred`: tried or put off, due again at `next_attempt_at`; `sent`: the mail server took"
    " it; `failed`: refused for good, or tried in vain; `in_doubt`: nobody knows whether it went"
    " out, and it is not sent again by itself; `cancelled`: before it went out; `expired`: past"
    " `expires_at`; `suppressed`: the business no longer mails this address."
)


class Recipient(BaseModel):
    """Where one recipient's mail stands."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[UUID, Field(description="The delivery to this recipient.")]
    email: str
    state: Annotated[DeliveryState, Field(description=STATES)]
    attempts: Annotated[int, Field(ge=0, description="How often a hand-over was begun.")]
    reply: Annotated[str | None, Field(description="The mail server's last words.")]
    reason: Annotated[
        str | None,
        Field(description="Why the state is what it is; if sent, what the PDF does not show."),
    ]
    next_attempt_at: Annotated[
        Timestamp | None, Field(description="Null unless the state is `scheduled` or `deferred`.")
    ]
    sent_at: Annotated[Timestamp | None, Field(description="When the mail server took the mail.")]
    updated_at: Annotated[Timestamp, Field(description="When the state last changed.")]


class Skipped(BaseModel):
    """An address that was meant to receive and does not."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[
        str | None,
        Field(description="As stored, cut after 254 characters; null if there is none."),
    ]
    reason: Annotated[str, Field(description="Why it is skipped, in at most 100 characters.")]


class Send(BaseModel):
    """A send with what became of it, recipient by recipient."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: UUID
    message: Annotated[
        Message,
        Field(
            description="What the request was answered with; a new due time renews it."
            " `Transactions sent` means that the send was accepted and is due: `status` tells how"
            " far it is."
        ),
    ]
    personal_message: Annotated[
        str | None, Field(description="The text above the statement; null without one.")
    ]
    status: Annotated[
        Status,
        Field(
            description="While any recipient's mail is still to come to its end: `scheduled` (all"
            " wait for a due time ahead) or `sending`. Then `sent` (to all), `cancelled` (for all),"
            " `failed` (it went out to nobody, for certain), or `partly_failed` for every mixture,"
            " one in doubt included."
        ),
    ]
    paused: Annotated[
        bool,
        Field(
            description="Whether mail is still to come and the operator has paused the mails of the"
            " business, or of everybody: none of it goes out before the pause is ended."
        ),
    ] = False
    customer_id: Id
    date_from: Annotated[date, Field(alias="from", description="The statement's first day.")]
    date_to: Annotated[date, Field(alias="to", description="The statement's last day.")]
    send_at: Annotated[Timestamp, Field(description="When it is due.")]
    expires_at: Annotated[Timestamp, Field(description="What has not gone out by then never will.")]
    created_at: Timestamp
    statement_sha256: Annotated[
        str | None,
        Field(description="SHA-256 of what the statement says; null until it is frozen."),
    ]
    resend_of: Annotated[
        UUID | None,
        Field(description="The send that this one repeats, out of the history by now or not."),
    ]
    recipients: tuple[Recipient, ...]
    skipped: Annotated[
        tuple[Skipped, ...], Field(description="Who was meant to receive and does not.")
    ]

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)


def message(*, send_at: datetime, created_at: datetime) -> Message:
    """Return the sentence that a request accepted at `created_at` is answered with."""
    return "Transactions scheduled" if send_at > created_at else "Transactions sent"


class Doubt(BaseModel):
    """One recipient's mail of which nobody knows whether it went out, until a person says so."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[UUID, Field(description="The delivery, as in the send's recipients.")]
    business_id: Annotated[int, Field(exclude=True)]
    send_id: UUID
    customer_id: Id
    email: str
    attempts: Annotated[int, Field(ge=0, description="How often a hand-over was begun.")]
    reply: Annotated[str | None, Field(description="The mail server's last words.")]
    reason: Annotated[str | None, Field(description="Why nobody knows.")]
    in_doubt_since: Timestamp
