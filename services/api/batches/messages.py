"""The events of batches on RabbitMQ."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.batches.model import Phase
from shared.deliveries.reasons import Code
from shared.messages import DeliveryState, Event

#: Phases whose event says how many mails came to which state.
FINAL = (Phase.DONE, Phase.CANCELLED, Phase.FAILED)

_Status = Annotated[
    Phase, WithJsonSchema({"enum": [phase.value for phase in Phase], "type": "string"})
]


class BatchChange(BaseModel):
    """The new status of a batch; `sequence` orders the changes of one batch."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    batch_id: UUID
    business_id: int
    status: _Status
    start: Annotated[date, Field(alias="from", description="The statements' first day.")]
    end: Annotated[date, Field(alias="to", description="The statements' last day.")]
    customers: Annotated[int, Field(ge=0, description="The customers that were selected.")]
    schedule_id: Annotated[UUID | None, Field(description="The schedule that made the batch.")]
    occurrence: Annotated[
        date | None, Field(description="The local date of the schedule on which it is due.")
    ]
    reason: str | None
    reason_code: Code | None
    counts: Annotated[
        Mapping[DeliveryState, int] | None,
        Field(
            description="The number of mails in each state when the event is published; null"
            " unless the status is final."
        ),
    ]
    skipped: Annotated[
        Mapping[str, int] | None,
        Field(
            description="The number of skipped customers by reason code; null unless the status is"
            " final."
        ),
    ]
    sequence: int


class BatchEvent(Event[BatchChange]):
    """A batch changed its status. Published at least once: deduplicate by `id`."""

    type: Annotated[str, Field(pattern=r"^com\.ledgerpost\.batch\.[a-z]+\.v1$")]
