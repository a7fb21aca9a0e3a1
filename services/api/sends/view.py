"""A send as the API shows it."""

from datetime import UTC, date, datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from shared.messages import DeliveryState

Status = Literal["scheduled", "sending", "sent", "partly_failed", "failed", "cancelled"]
Message = Literal["Transactions sent", "Transactions scheduled"]


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]


class Recipient(BaseModel):
    """Where one recipient's mail stands; `id` names it where it has to be resolved.

    `reply` is the mail server's last words. `next_attempt_at` is null unless the state is
    `scheduled` or `deferred`.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    email: str
    state: DeliveryState
    attempts: int
    reply: str | None
    reason: str | None
    next_attempt_at: Time | None
    sent_at: Time | None
    updated_at: Time


class Skipped(BaseModel):
    """An address that was meant to receive and does not; null where there is none to show."""

    model_config = ConfigDict(frozen=True)

    email: str | None
    reason: str


class Send(BaseModel):
    """A send with what became of it.

    `message` is what the request was answered with when it was accepted or last rescheduled.
    `resend_of` is the send that this one repeats, which may be out of the history by now. `status`:
    while any recipient's mail is still to come to its end, `scheduled` (all wait for a due time
    ahead) or `sending`; then `sent` (to all), `cancelled` (for all), `failed` (it went out to
    nobody, for certain), and `partly_failed` for every mixture, one in doubt included.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: UUID
    message: Message
    personal_message: str | None
    status: Status
    customer_id: int
    date_from: date = Field(alias="from")
    date_to: date = Field(alias="to")
    send_at: Time
    expires_at: Time
    created_at: Time
    statement_sha256: str | None
    resend_of: UUID | None
    recipients: tuple[Recipient, ...]
    skipped: tuple[Skipped, ...]

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)


def message(*, send_at: datetime, created_at: datetime) -> Message:
    """Return the sentence that a request accepted at `created_at` is answered with."""
    return "Transactions scheduled" if send_at > created_at else "Transactions sent"


class Doubt(BaseModel):
    """One recipient's mail of which nobody knows whether it went out, until a person says so."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    business_id: Annotated[int, Field(exclude=True)]
    send_id: UUID
    customer_id: int
    email: str
    attempts: int
    reply: str | None
    reason: str | None
    in_doubt_since: Time


Item = TypeVar("Item", Send, Doubt)


class Page(BaseModel, Generic[Item]):
    """A page of a list; `next_cursor` is null on the last one."""

    model_config = ConfigDict(frozen=True)

    data: tuple[Item, ...]
    next_cursor: str | None

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)
