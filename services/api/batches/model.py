"""A batch: one request for the statements of many customers, as the API shows it."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.api.core.timestamp import Timestamp
from services.api.sends.send import Id, Skipped
from shared.deliveries.reasons import Code
from shared.messages import DeliveryState
from shared.statements.model import Kind


class Phase(StrEnum):
    """What is being done about a batch; the last three are final."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    EXPANDING = "expanding"
    SENDING = "sending"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


#: Phases in which customers may still wait for their sends.
OPEN = (Phase.SCHEDULED, Phase.WAITING, Phase.EXPANDING)
#: Phases in which something of a batch can be cancelled.
UNFINISHED = (*OPEN, Phase.SENDING)

Status = Literal["scheduled", "waiting", "expanding", "sending", "done", "cancelled", "failed"]


class Progress(BaseModel):
    """How far a batch has come, in numbers of customers."""

    model_config = ConfigDict(frozen=True)

    customers: Annotated[int, Field(ge=0, description="The customers that were selected.")]
    expanded: Annotated[int, Field(ge=0, description="Those that have a send or are skipped.")]
    sends: Annotated[int, Field(ge=0, description="Those that have a send.")]
    finished: Annotated[int, Field(ge=0, description="The sends with every mail in a final state.")]


class BatchLinks(BaseModel):
    """Paths of what belongs to a batch."""

    model_config = ConfigDict(frozen=True)

    self: str
    sends: str
    skipped: str
    cancel: Annotated[str | None, Field(description="Null once nothing can be cancelled.")]


class Batch(BaseModel):
    """A batch and how far it has come."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: UUID
    status: Annotated[
        Status,
        Field(
            description="`scheduled`: due later. `waiting`: a day has to have room in the daily"
            " quota. `expanding`: customers become sends. `sending`: all have become sends, and"
            " mails wait or are in flight. `done`: every mail is in a final state. `cancelled`: on"
            " request. `failed`: it could not be carried out; `reason` says why."
        ),
    ]
    paused: Annotated[
        bool,
        Field(
            description="Whether the batch is not finished while the operator has paused the mails"
            " of the business or of all businesses: they go out after the pause ends."
        ),
    ] = False
    reason: Annotated[str | None, Field(description="Why it waits or failed; else null.")] = None
    reason_code: Code | None = None
    start: Annotated[date, Field(alias="from", description="The statements' first day.")]
    end: Annotated[date, Field(alias="to", description="The statements' last day.")]
    filter: Annotated[dict[str, Any], Field(description="The list's filters in use.")]
    statement_kind: Annotated[
        Kind | None, Field(description="What the statements list, if the request named it.")
    ] = None
    locale: Annotated[
        str | None, Field(description="The language of the statements, if the request named one.")
    ] = None
    personal_message: Annotated[
        str | None, Field(description="The text above each statement; null if there is none.")
    ] = None
    other_emails: Annotated[
        tuple[str, ...], Field(description="Further recipients of each statement.")
    ] = ()
    copy_to_me: Annotated[
        bool, Field(description="Whether the business's own address receives each statement, too.")
    ] = False
    skip_empty: Annotated[
        bool, Field(description="Whether customers with an empty statement are skipped.")
    ] = True
    min_balance: Annotated[
        Decimal | None, Field(description="Customers who owe less are skipped; null: none is.")
    ] = None
    frozen_list: Annotated[
        UUID | None, Field(description="The frozen list of which it was made.")
    ] = None
    schedule_id: Annotated[UUID | None, Field(description="The schedule that made it.")] = None
    occurrence: Annotated[
        date | None,
        Field(
            description="The local date on which the schedule made it; null if somebody ran the"
            " schedule."
        ),
    ] = None
    send_at: Annotated[Timestamp, Field(description="When the batch is due.")]
    expires_at: Annotated[
        Timestamp, Field(description="A mail that has not gone out by this time expires.")
    ]
    created_at: Timestamp
    counts: Annotated[
        Mapping[DeliveryState, int], Field(description="The number of mails in each state.")
    ]
    skipped: Annotated[
        Mapping[str, int], Field(description="The number of skipped customers by reason code.")
    ]
    progress: Progress
    links: BatchLinks

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)


class SkippedCustomer(BaseModel):
    """A customer of a batch who is not mailed."""

    model_config = ConfigDict(frozen=True)

    customer_id: Id
    business_name: str | None
    reason: str
    reason_code: Code


class PlannedCustomer(BaseModel):
    """What a dry run says about one customer."""

    model_config = ConfigDict(frozen=True)

    customer_id: Id
    business_name: str | None
    recipients: Annotated[tuple[str, ...], Field(description="Empty if the customer is skipped.")]
    skipped: Annotated[tuple[Skipped, ...], Field(description="Addresses that are skipped.")]
    reason: Annotated[str | None, Field(description="Why the customer is skipped; else null.")]
    reason_code: Code | None = None
