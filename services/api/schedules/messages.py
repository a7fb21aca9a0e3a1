"""The events of schedules on RabbitMQ."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from shared.deliveries.reasons import Code
from shared.messages import Event


class Change(StrEnum):
    """What happened to a schedule or to one of its occurrences."""

    CREATED = "created"
    CHANGED = "changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    DELETED = "deleted"
    SKIPPED = "skipped"
    MISSED = "missed"
    ENDED = "ended"


_Change = Annotated[
    Change,
    WithJsonSchema({"enum": [change.value for change in Change], "type": "string"}),
    Field(
        description="`skipped`: an occurrence, on request, or because it was more than an hour"
        " late and the schedule does not catch up; then `reason` says so. `missed`: an occurrence"
        " that is not made; `reason` says why. `ended`: there is no further occurrence."
    ),
]


class ScheduleChange(BaseModel):
    """What happened to a schedule; `sequence` orders the changes of one schedule."""

    model_config = ConfigDict(frozen=True)

    schedule_id: UUID
    business_id: int
    change: _Change
    occurrence: Annotated[
        date | None, Field(description="The local date of the occurrence, if it is about one.")
    ]
    reason: str | None
    reason_code: Code | None
    sequence: int


class ScheduleEvent(Event[ScheduleChange]):
    """Something happened to a schedule. Published at least once: deduplicate by `id`.

    What becomes of the batch of an occurrence is told by the events of that batch.
    """

    type: Annotated[str, Field(pattern=r"^com\.ledgerpost\.schedule\.[a-z]+\.v1$")]
