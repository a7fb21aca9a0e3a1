"""The body of a schedule: what a request says, and what a change is merged with."""

from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from services.api.batches.audience import Audience
from services.api.batches.request import Customers, MinBalance, SkipEmpty
from services.api.core import fields
from services.api.core.period_words import EXAMPLES, WORD_CHARS_MAX
from services.api.schedules.instants import known_timezone, wall_time
from services.api.schedules.occurrences import LAST_DAY
from services.api.schedules.rule import Rule
from services.api.sends import request_fields
from services.api.sends.request import (
    CopyToMe,
    Locale,
    OtherEmails,
    PersonalMessage,
    StatementKind,
)
from shared.statements.model import Kind
from shared.text import one_line

NAME_CHARS_MAX = 200
_TIME_FORM = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


class CatchUp(StrEnum):
    """What becomes of an occurrence that is more than an hour late."""

    SEND_LATE = "send-late"
    SKIP = "skip"


def _name(value: str) -> str:
    if len(value) > NAME_CHARS_MAX:
        raise ValueError(f"should have at most {NAME_CHARS_MAX} characters")
    name = one_line(value)
    if not name:
        raise ValueError("should have a visible character")
    return name


def _time(value: object) -> time:
    # A JSON value of another kind is refused in the same words as a wrong text.
    return wall_time(value if isinstance(value, str) else "")


def _timezone(value: str | None) -> str | None:
    return None if value is None else known_timezone(value)


def _period(value: str) -> str:
    if len(value) > WORD_CHARS_MAX:
        raise ValueError(f"is not a period; examples of periods are {', '.join(EXAMPLES)}")
    return value


def _day(value: object) -> date | None:
    if fields.is_absent(value):
        return None
    day = fields.day(value)
    if day > LAST_DAY:
        raise ValueError(f"should not be later than {LAST_DAY}")
    return day


def _catch_up(value: object) -> object:
    if fields.is_absent(value):
        return None
    if value not in tuple(CatchUp):
        raise ValueError("should be send-late or skip")
    return CatchUp(str(value))


Name = Annotated[
    str,
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": NAME_CHARS_MAX}),
    Field(description="What people call the schedule; line breaks become spaces."),
]
WallTime = Annotated[
    time,
    BeforeValidator(_time),
    WithJsonSchema({"type": "string", "pattern": _TIME_FORM}),
    Field(
        description="The time of day, `HH:MM`, as clocks in `timezone` show it. If they leave it"
        " out on a day, the mails go out at the first instant after it; if they show it twice, the"
        " first time."
    ),
]
Timezone = Annotated[
    str | None,
    BeforeValidator(request_fields.given),
    AfterValidator(_timezone),
    Field(description="The name of a time zone of IANA. The business's if absent."),
]
PeriodWord = Annotated[
    str,
    AfterValidator(_period),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": WORD_CHARS_MAX}),
    Field(
        description="The period of the statements in one word, such as `last-month`, counted from"
        " the local date of each occurrence."
    ),
]
_DAY_SCHEMA = WithJsonSchema({"type": ["string", "null"], "format": "date"})
StartsOn = Annotated[
    date | None,
    BeforeValidator(_day),
    _DAY_SCHEMA,
    Field(
        description="The first local date that may be an occurrence. Today if absent. A date"
        " from before the schedule was made has no occurrence."
    ),
]
EndsOn = Annotated[
    date | None,
    BeforeValidator(_day),
    _DAY_SCHEMA,
    Field(description="The last local date that may be an occurrence; no end if absent."),
]
CatchUpOrNone = Annotated[
    CatchUp | None,
    BeforeValidator(_catch_up),
    Field(
        description="What becomes of occurrences that are more than an hour late, because the"
        " system was down for example. `send-late` (the default): each is made as soon as"
        " possible, its period counted from its own date. `skip`: each is recorded as skipped."
    ),
]


class ScheduleBody(BaseModel):
    """The body of a request for a schedule.

    A field that is not listed here is refused, because a misspelt one would lose a recipient or a
    date.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    rule: Rule
    time: WallTime
    timezone: Timezone = None
    period: PeriodWord
    filter: Customers = Audience()
    statement_kind: Annotated[StatementKind, BeforeValidator(request_fields.given)] = None
    message: PersonalMessage = None
    locale: Annotated[Locale, BeforeValidator(request_fields.given)] = None
    other_emails: OtherEmails = ()
    copy_to_me: CopyToMe = None
    skip_empty: SkipEmpty = None
    min_balance: MinBalance = None
    catch_up: CatchUpOrNone = None
    starts_on: StartsOn = None
    ends_on: EndsOn = None

    @field_validator("ends_on")
    @classmethod
    def _runs_forward(cls, value: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("starts_on")
        if value is not None and first is not None and value < first:
            raise ValueError("should not be before starts_on")
        return value


class ScheduleChanges(BaseModel):
    """The body of a change: the fields to change, as RFC 7396 merges them (JSON Merge Patch).

    Null resets a field to its default, if it has one. An object is merged with the one that is
    there: a member that is null is taken out of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | SkipJsonSchema[None] = None
    rule: dict[str, Any] | SkipJsonSchema[None] = None
    time: str | SkipJsonSchema[None] = None
    timezone: str | None = None
    period: str | SkipJsonSchema[None] = None
    filter: dict[str, Any] | None = None
    statement_kind: Kind | None = None
    message: str | None = None
    locale: str | None = None
    other_emails: list[str] | None = None
    copy_to_me: bool | None = None
    skip_empty: bool | None = None
    min_balance: str | None = None
    catch_up: CatchUp | None = None
    starts_on: date | None = None
    ends_on: date | None = None


def merged(given: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of JSON with changes merged into it as RFC 7396 says."""
    found = dict(given)
    for name, value in changes.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, dict):
            inner = found.get(name)
            found[name] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            found[name] = value
    return found


class SkipBody(BaseModel):
    """The body of a request to skip an occurrence."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    occurrence: Annotated[
        date | None,
        BeforeValidator(_day),
        _DAY_SCHEMA,
        Field(description="The local date of the occurrence; the next one if absent."),
    ] = None
