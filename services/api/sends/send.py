"""A send: what Postgres stores of it and the API shows."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.timestamp import Timestamp
from shared.deliveries.reasons import Code, ReasonCode
from shared.deliveries.states import MEANINGS, SHOWN
from shared.messages import DeliveryState
from shared.statements.model import Kind

Status = Literal["scheduled", "sending", "sent", "partly_failed", "failed", "cancelled"]
Message = Literal["Transactions sent", "Transactions scheduled"]


Id = Annotated[int, WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0})]


STATES = "; ".join(f"`{state}`: {MEANINGS[state].text}" for state in SHOWN) + "."


class Recipient(BaseModel):
    """The state of one recipient's mail."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[UUID, Field(description="The delivery to this recipient.")]
    email: str
    state: Annotated[DeliveryState, Field(description=STATES)]
    attempts: Annotated[int, Field(ge=0, description="The number of hand-overs that were begun.")]
    reply: Annotated[str | None, Field(description="The mail server's last reply.")]
    reason: Annotated[
        str | None,
        Field(
            description="The reason for the state; if `sent`, which characters the PDF does not"
            " show."
        ),
    ]
    reason_code: Code | None = None
    next_attempt_at: Annotated[
        Timestamp | None, Field(description="Null unless the state is `scheduled` or `deferred`.")
    ]
    sent_at: Annotated[
        Timestamp | None, Field(description="When the mail server accepted the mail.")
    ]
    updated_at: Annotated[Timestamp, Field(description="When the state last changed.")]


class Skipped(BaseModel):
    """An address that was to receive the statement and is skipped."""

    model_config = ConfigDict(frozen=True)

    email: Annotated[
        str | None,
        Field(description="As stored, cut to 254 characters; null if there is no address."),
    ]
    reason: Annotated[
        str, Field(description="Why the address is skipped, in at most 100 characters.")
    ]
    reason_code: Code = ReasonCode.UNCLASSIFIED


class Send(BaseModel):
    """A send and the state of each recipient's mail."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: UUID
    message: Annotated[
        Message,
        Field(
            description="The message in the answer to the request; a new due time may change it."
            " `Transactions sent` means that the send was accepted and is due; `status` shows its"
            " progress."
        ),
    ]
    personal_message: Annotated[
        str | None, Field(description="The text above the statement; null if there is none.")
    ]
    status: Annotated[
        Status,
        Field(
            description="While any recipient's mail is not in a final state: `scheduled` (all"
            " wait for a due time in the future) or `sending`. After that: `sent` (to all),"
            " `cancelled` (for all), `failed` (it certainly went out to no recipient), or"
            " `partly_failed` for every mixture, including a mail in doubt."
        ),
    ]
    paused: Annotated[
        bool,
        Field(
            description="Whether mails of the send still wait while the operator has paused the"
            " mails of the business or of all businesses: they go out after the pause ends."
        ),
    ] = False
    customer_id: Id
    start: Annotated[date, Field(alias="from", description="The statement's first day.")]
    end: Annotated[date, Field(alias="to", description="The statement's last day.")]
    statement_kind: Annotated[
        Kind | None,
        Field(
            description="What the statement lists: the transactions of the period, what is open at"
            " its end, or both. Null until the statement is frozen if the request named no kind:"
            " the business's default decides then."
        ),
    ] = None
    locale: Annotated[
        str | None,
        Field(
            description="The language of the statement (BCP 47). Null until the statement is frozen"
            " if the request named none: the customer's decides then, else the business's, else"
            " `en`."
        ),
    ] = None
    send_at: Annotated[Timestamp, Field(description="When the send is due.")]
    expires_at: Annotated[
        Timestamp, Field(description="A mail that has not gone out by this time expires.")
    ]
    created_at: Timestamp
    statement_sha256: Annotated[
        str | None,
        Field(description="SHA-256 of the frozen statement; null until it is frozen."),
    ]
    figures_sha256: Annotated[
        str | None,
        Field(
            description="SHA-256 of the frozen statement without its time: equal for equal figures,"
            " texts and branding. Null until it is frozen; in a dry run that of the statement as it"
            " is now."
        ),
    ] = None
    resend_of: Annotated[
        UUID | None,
        Field(
            description="The send that this one repeats; it may have been deleted from the history."
        ),
    ]
    batch_id: Annotated[
        UUID | None,
        Field(description="The batch that made it; null for a single send, and for a resend."),
    ] = None
    recipients: tuple[Recipient, ...]
    skipped: Annotated[
        tuple[Skipped, ...],
        Field(description="The addresses that were to receive the statement and are skipped."),
    ]

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)


def message(*, send_at: datetime, created_at: datetime) -> Message:
    """Return the message in the answer to a request that was accepted at `created_at`."""
    return "Transactions scheduled" if send_at > created_at else "Transactions sent"


class Doubt(BaseModel):
    """One recipient's mail that may or may not have gone out, until a person settles it."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[UUID, Field(description="The delivery, as in the send's recipients.")]
    business_id: Annotated[int, Field(exclude=True)]
    send_id: UUID
    customer_id: Id
    email: str
    attempts: Annotated[int, Field(ge=0, description="The number of hand-overs that were begun.")]
    reply: Annotated[str | None, Field(description="The mail server's last reply.")]
    reason: Annotated[str | None, Field(description="Why it is unknown whether the mail went out.")]
    reason_code: Code | None = None
    in_doubt_since: Timestamp
