"""A schedule: a rule by which batches are made again and again, as the API shows it."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from services.api.core.timestamp import Timestamp
from services.api.schedules.body import CatchUp
from services.api.schedules.rule import Rule
from shared.deliveries.reasons import Code
from shared.statements.model import Kind

Status = Literal["active", "paused", "ended"]
Outcome = Literal["made", "skipped", "paused", "missed"]

LocalTime = Annotated[
    datetime,
    PlainSerializer(lambda at: at.isoformat(timespec="seconds"), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
    Field(description="The instant, with the offset of the schedule's timezone at that time."),
]


class Next(BaseModel):
    """The next occurrence of a schedule."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    occurrence: Annotated[date, Field(description="The local date.")]
    at: LocalTime
    start: Annotated[
        date | None,
        Field(
            alias="from",
            description="The first day of its period. Null if the word means no days at this date:"
            " such an occurrence is recorded as missed.",
        ),
    ]
    end: Annotated[date | None, Field(alias="to", description="The last day of its period.")]


class Upcoming(Next):
    """An occurrence that is to come, and the number of its mails as the ledger is now."""

    skipped: Annotated[bool, Field(description="Whether it is skipped on request.")]
    customers: Annotated[
        int | None,
        Field(
            ge=0,
            description="The customers that the filter selects now. Null beyond the first 12"
            " periods, if the filter depends on the period (`active`, `min_owing`), or if counting"
            " takes more than 3 seconds.",
        ),
    ]
    recipients: Annotated[
        int | None,
        Field(
            ge=0,
            description="The most mails that these customers can get: one for each of their"
            " addresses and for each further recipient. Who is skipped is decided when the mails"
            " are made.",
        ),
    ]


class UpcomingList(BaseModel):
    """The next occurrences, in order."""

    model_config = ConfigDict(frozen=True)

    data: tuple[Upcoming, ...]


class Last(BaseModel):
    """The last occurrence that is settled, and what became of it."""

    model_config = ConfigDict(frozen=True)

    occurrence: date
    outcome: Annotated[
        Outcome,
        Field(
            description="`made`: there is a batch of it. `skipped`: on request, or because it was"
            " more than an hour late and the schedule does not catch up; then there is a reason."
            " `paused`: it passed during a pause. `missed`: the word for the period means no days"
            " at its date."
        ),
    ]
    batch_id: UUID | None
    reason: Annotated[
        str | None, Field(description="Why it was missed, or skipped without a request.")
    ]
    reason_code: Code | None


class ScheduleLinks(BaseModel):
    """Paths of what belongs to a schedule."""

    model_config = ConfigDict(frozen=True)

    self: str
    upcoming: str
    batches: str


class Schedule(BaseModel):
    """A schedule, and when it is next."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    status: Annotated[
        Status,
        Field(
            description="`active`: it has a next occurrence. `paused`: on request; occurrences that"
            " pass meanwhile are never made. `ended`: its last occurrence is over."
        ),
    ]
    reason: Annotated[
        str | None, Field(description="Why the next occurrence, which is due, is not made yet.")
    ]
    reason_code: Code | None
    rule: Rule
    description: Annotated[str, Field(description="The rule and the time in words.")]
    time: Annotated[str, Field(description="The time of day, `HH:MM`.")]
    timezone: str
    period: Annotated[str, Field(description="A word, counted from each occurrence's date.")]
    filter: Annotated[dict[str, Any], Field(description="The list's filters in use.")]
    statement_kind: Kind | None
    message: str | None
    locale: str | None
    other_emails: tuple[str, ...]
    copy_to_me: bool
    skip_empty: bool
    min_balance: Decimal | None
    catch_up: CatchUp
    starts_on: date
    ends_on: date | None
    next: Annotated[
        Next | None, Field(description="Null while it is paused, and once it has ended.")
    ]
    last: Annotated[Last | None, Field(description="Null before the first occurrence.")]
    paused_at: Timestamp | None
    created_at: Timestamp
    updated_at: Timestamp
    links: ScheduleLinks

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)


def links(schedule_id: UUID) -> Mapping[str, str]:
    """Return the paths of what belongs to a schedule."""
    path = f"/api/v3/schedules/{schedule_id}"
    return {
        "self": path,
        "upcoming": f"{path}/upcoming",
        "batches": f"/api/v3/batches?schedule_id={schedule_id}",
    }
