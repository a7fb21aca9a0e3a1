from typing import Any

from services.api.batches.model import Batch
from services.api.core.paging import UUID_CURSOR_FORM, Page
from services.api.openapi import headers, parameters
from services.api.openapi.operation import Answer, Body, Header, Operation, page
from services.api.openapi.query_parameters import of_model
from services.api.schedules import examples
from services.api.schedules.body import ScheduleBody, ScheduleChanges, SkipBody
from services.api.schedules.changes import SCHEDULES_MAX
from services.api.schedules.model import Schedule, UpcomingList
from services.api.schedules.timing import AHEAD_MAX
from services.api.schedules.upcoming import UpcomingQuery

_TAG = "Schedules"
_ID = parameters.path_id("schedule", "The id of the schedule.", examples.SCHEDULE_ID)
_CURSOR = parameters.cursor("schedule_cursor", UUID_CURSOR_FORM)
_REPLAYED = headers.IDEMPOTENCY_REPLAYED


def _answer(description: str, name: str, example: dict[str, Any], *more: Header) -> Answer:
    return Answer(description, Schedule, examples={name: example}, headers=more)


LIST = Operation(
    id="listSchedules",
    tag=_TAG,
    summary="The schedules of the business",
    description="Newest first, a page at a time. A page may have fewer schedules than `limit` if"
    " they are large: as long as there is a `next_cursor`, there are more.",
    parameters=(parameters.LIMIT, _CURSOR),
    answers={
        200: Answer("A page.", Page[Schedule], examples={"page": page(examples.ACTIVE)}),
    },
)
CREATE = Operation(
    id="createSchedule",
    tag=_TAG,
    summary="Send statements to many, again and again",
    description="Each occurrence makes a batch, as a request for one would at that time: the filter"
    " selects the customers then. An occurrence is named by its local date, and a date has one"
    f" batch, whatever happens. A business has at most {SCHEDULES_MAX} schedules; one more is a"
    " 409.",
    parameters=(parameters.IDEMPOTENCY_KEY,),
    body=Body(
        ScheduleBody,
        {
            "open items every month": {
                "name": "Statements of the month",
                "rule": {"every": "month", "working_day": 1},
                "time": "09:00",
                "timezone": "Europe/Berlin",
                "period": "last-month",
                "filter": {"archived": False},
                "statement_kind": "open-items",
                "min_balance": "10.00",
            },
            "every Friday": {
                "name": "Weekly",
                "rule": {"every": "week", "weekday": "fri"},
                "time": "17:00",
                "period": "this-week",
            },
            "at the end of the quarter": {
                "name": "Quarterly",
                "rule": {"every": "quarter", "month": 3, "day": "last"},
                "time": "18:00",
                "period": "this-quarter",
                "catch_up": "skip",
                "ends_on": "2030-12-31",
            },
        },
        is_required=True,
        has_forms=False,
    ),
    answers={
        201: _answer("The schedule is stored.", "new", examples.ACTIVE, headers.LOCATION, _REPLAYED)
    },
    refusals=(409, 429),
)
SHOW = Operation(
    id="getSchedule",
    tag=_TAG,
    summary="A schedule, and when it is next",
    description="The schedule, its next occurrence, and what became of the last one.",
    parameters=(_ID,),
    answers={200: _answer("The schedule.", "active", examples.ACTIVE)},
    refusals=(404,),
)
CHANGE = Operation(
    id="changeSchedule",
    tag=_TAG,
    summary="Change a schedule",
    description="Merges the body into the schedule (RFC 7396, JSON Merge Patch): a field that is"
    " not given stays, null resets it to its default, and a member of `rule` or `filter` that is"
    " null is taken out. An occurrence that is due already is made as planned, with the new"
    " content; those after it follow the change. A local date that had its occurrence, or whose"
    " occurrence was skipped, has no other one.",
    parameters=(_ID,),
    body=Body(
        ScheduleChanges,
        {
            "another day": {
                "rule": {"working_day": None, "day": "last"},
                "time": "18:30",
                "period": "this-month",
            },
            "no end": {"ends_on": None},
        },
        has_forms=False,
    ),
    answers={200: _answer("The schedule.", "changed", examples.CHANGED)},
    refusals=(404,),
)
DELETE = Operation(
    id="deleteSchedule",
    tag=_TAG,
    summary="Delete a schedule",
    description="Its batches stay, and those that are not finished go on: cancel them, too, if"
    " their mails shall not go out.",
    parameters=(_ID,),
    answers={204: Answer("The schedule is deleted.")},
    refusals=(404,),
)
UPCOMING = Operation(
    id="listUpcomingOccurrences",
    tag=_TAG,
    summary="The next occurrences of a schedule",
    description="In order, with those that are skipped. Of a paused schedule: those that it would"
    " have if it were resumed now.",
    parameters=(_ID, *of_model(UpcomingQuery, count=12)),
    answers={
        200: Answer("The occurrences.", UpcomingList, examples={"two": examples.UPCOMING}),
    },
    refusals=(404, 409),
)
PAUSE = Operation(
    id="pauseSchedule",
    tag=_TAG,
    summary="Pause a schedule",
    description="It makes no batch until it is resumed. An occurrence that passes meanwhile is"
    " recorded as `paused` and never made. Batches that are there already go on. A paused schedule"
    " stays as it is; 409 if it has ended.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
    answers={200: _answer("The schedule.", "paused", examples.PAUSED, _REPLAYED)},
    refusals=(404, 409),
)
RESUME = Operation(
    id="resumeSchedule",
    tag=_TAG,
    summary="End the pause of a schedule",
    description="Its next occurrence is the first one that is to come. A schedule that is not"
    " paused stays as it is.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
    answers={200: _answer("The schedule.", "active", examples.ACTIVE, _REPLAYED)},
    refusals=(404, 409),
)
SKIP = Operation(
    id="skipOccurrence",
    tag=_TAG,
    summary="Skip an occurrence of a schedule",
    description="The next one, or that of a local date, which has to be among the next"
    f" {AHEAD_MAX}. With a date the call may be repeated. 409 if the schedule is paused or has"
    " ended.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
    # An example with a date would be none of a schedule that somebody tries it with.
    body=Body(SkipBody, {"the next one": {}}),
    answers={200: _answer("The schedule.", "skipped", examples.SKIPPED, _REPLAYED)},
    refusals=(404, 409),
)
RUN = Operation(
    id="runSchedule",
    tag=_TAG,
    summary="Make a batch of a schedule now",
    description="The batch is none of the schedule's occurrences (its `occurrence` is null), so the"
    " next one comes as planned. Its period is counted from today in the schedule's timezone. Also"
    " for a schedule that is paused or has ended.",
    parameters=(_ID, parameters.IDEMPOTENCY_KEY),
    answers={
        202: Answer(
            "The batch is stored.",
            Batch,
            examples={"run": examples.RUN},
            headers=(
                headers.LOCATION,
                _REPLAYED,
            ),
        )
    },
    refusals=(404, 409, 429),
)
