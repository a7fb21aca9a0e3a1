"""A schedule as the database has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from services.api.batches.audience import Audience
from services.api.batches.request import BatchRequest
from services.api.businesses.store import fiscal_year_start
from services.api.core.period_words import period_of_word
from services.api.schedules.body import CatchUp, ScheduleBody
from services.api.schedules.rule import STORED, Rule
from services.api.schedules.timing import Occurrence, Timing
from shared.mail.address import Address
from shared.period import Period
from shared.trace import Trace

_CALENDAR_YEAR = "01-01"
_COLUMNS = {"time": "at_time", "message": "personal_message"}  # the others have the same name
_JSON = ("rule", "filter")


@dataclass(frozen=True)
class Stored:
    """A schedule as the database has it at the time `now`."""

    row: asyncpg.Record

    @property
    def id(self) -> UUID:
        """The id."""
        return UUID(str(self.row["id"]))

    @property
    def business_id(self) -> int:
        """The business that has the schedule."""
        return int(self.row["business_id"])

    @property
    def now(self) -> datetime:
        """The time of the database when the schedule was read."""
        return self._time("asked_at")

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self.row["paused_at"] is not None

    @property
    def is_late(self) -> bool:
        """Whether its next occurrence is due and not made yet."""
        return self.next is not None and self.next.at <= self.now

    @property
    def next(self) -> Occurrence | None:
        """The next occurrence as it is stored, also while the schedule is paused."""
        if self.row["next_on"] is None:
            return None
        return Occurrence(self.row["next_on"], self._time("next_at"))

    @property
    def catch_up(self) -> CatchUp:
        """What becomes of occurrences that are late."""
        return CatchUp(self.row["catch_up"])

    @property
    def trace(self) -> Trace | None:
        """The trace of the request that made the schedule."""
        written = self.row["traceparent"]
        return None if written is None else Trace.of([written])

    @cached_property
    def rule(self) -> Rule:
        """The rule."""
        return STORED.validate_python(orjson.loads(self.row["rule"]))

    @cached_property
    def timing(self) -> Timing:
        """All that decides when the occurrences are."""
        row = self.row
        return Timing(self.rule, row["at_time"], row["timezone"], row["starts_on"], row["ends_on"])

    def period(self, day: date) -> Period:
        """Return the period of an occurrence. Raises ValueError if its word means no days then."""
        year = fiscal_year_start(self.row["fiscal_year_start"] or _CALENDAR_YEAR)
        return period_of_word(self.row["period"], day, year)

    def request(self, period: Period) -> BatchRequest:
        """Return the request for a batch of this period, due now."""
        row = self.row
        return BatchRequest(
            period=period,
            filters=Audience.model_validate(self.filter),
            message=row["personal_message"],
            others=tuple(Address.parse(each) for each in row["other_emails"]),
            copy_to_me=row["copy_to_me"],
            moments=(),
            kind=row["statement_kind"],
            locale=row["locale"],
            skip_empty=row["skip_empty"],
            min_balance=row["min_balance"],
            frozen_list=None,
        )

    @property
    def filter(self) -> dict[str, Any]:
        """The list's filters in use."""
        return dict(orjson.loads(self.row["filter"]))

    def has(self, values: Mapping[str, Any]) -> bool:
        """Return whether these values, as `columns` returns them, are those of the schedule."""
        return all(self._value(name) == _compared(name, value) for name, value in values.items())

    def _value(self, name: str) -> object:
        return _compared(name, self.row[_COLUMNS.get(name, name)])

    def given(self) -> dict[str, Any]:
        """Return the body that the schedule follows, as JSON has it."""
        row = self.row
        return {
            "name": row["name"],
            "rule": self.rule.to_json(),
            "time": row["at_time"].isoformat("minutes"),
            "timezone": row["timezone"],
            "period": row["period"],
            "filter": self.filter,
            "statement_kind": row["statement_kind"],
            "message": row["personal_message"],
            "locale": row["locale"],
            "other_emails": list(row["other_emails"]),
            "copy_to_me": row["copy_to_me"],
            "skip_empty": row["skip_empty"],
            "min_balance": _written(row["min_balance"]),
            "catch_up": row["catch_up"],
            "starts_on": row["starts_on"].isoformat(),
            "ends_on": row["ends_on"] and row["ends_on"].isoformat(),
        }

    def _time(self, column: str) -> datetime:
        found: datetime = self.row[column]
        return found.astimezone(UTC)


def _compared(name: str, value: object) -> object:
    return orjson.loads(value) if name in _JSON and isinstance(value, str) else value


def _written(amount: Decimal | None) -> str | None:
    """Return an amount without the zeros that its column adds."""
    return None if amount is None else format(amount.normalize(), "f")


def columns(body: ScheduleBody, *, timezone: str, today: date) -> Mapping[str, Any]:
    """Return the values of a body's columns; a timezone and `today` stand for absent ones."""
    return {
        "name": body.name,
        "rule": orjson.dumps(body.rule.to_json()).decode(),
        "time": body.time,
        "timezone": body.timezone or timezone,
        "period": body.period,
        "filter": orjson.dumps(body.filter.given()).decode(),
        "message": body.message,
        "other_emails": [address.email for address in body.other_emails],
        "copy_to_me": body.copy_to_me is True,
        "statement_kind": body.statement_kind,
        "locale": body.locale,
        "skip_empty": body.skip_empty is not False,
        "min_balance": body.min_balance,
        "catch_up": body.catch_up or CatchUp.SEND_LATE,
        "starts_on": body.starts_on or today,
        "ends_on": body.ends_on,
    }
