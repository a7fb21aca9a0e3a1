"""The rule of a schedule: on which days it has its occurrences.

Every rule has exactly one day in each week, month, quarter or year. No month is too short for one:
the last day stands for a day that the month lacks, each weekday comes at least four times, and
February has at least 20 working days.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST = -1  # as `nth` and as `working_day`

_NO_ZERO: dict[str, Any] = {"not": {"const": 0}}


def _is_none(value: object) -> bool:
    return value is None


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def to_json(self) -> dict[str, Any]:
        """Return the rule as JSON has it, with the fields that it uses only."""
        return self.model_dump(exclude_none=True)


class WeekRule(_Rule):
    """One day of every week."""

    every: Literal["week"]
    weekday: Annotated[Weekday, Field(description="The day of the week.")]


class _DayOfMonth(_Rule):
    """One day of a month, by exactly one of `day`, `weekday` with `nth`, and `working_day`."""

    every: Literal["month", "quarter", "year"]
    day: Annotated[
        Annotated[int, Field(ge=1, le=31)] | Literal["last"] | None,
        Field(
            description="A day of the month. In a month that lacks the day, its last day.",
            exclude_if=_is_none,
        ),
    ] = None
    weekday: Annotated[
        Weekday | None,
        Field(
            description="A day of the week; `nth` says which one of the month.",
            exclude_if=_is_none,
        ),
    ] = None
    nth: Annotated[
        Annotated[int, Field(ge=LAST, le=4, json_schema_extra=_NO_ZERO)] | None,
        Field(
            description="Beside `weekday`: 1 to 4, or -1 for the last one of the month.",
            exclude_if=_is_none,
        ),
    ] = None
    working_day: Annotated[
        Annotated[int, Field(ge=LAST, le=20, json_schema_extra=_NO_ZERO)] | None,
        Field(
            description="The number of a working day (Monday to Friday) of the month, or -1 for"
            " the last one.",
            exclude_if=_is_none,
        ),
    ] = None


class MonthRule(_DayOfMonth):
    """One day of every month, by exactly one of `day`, `weekday` with `nth`, and `working_day`."""

    every: Literal["month"]

    @property
    def months(self) -> Sequence[int]:
        """The months of a year that have a day of the rule."""
        return range(1, 13)


class QuarterRule(_DayOfMonth):
    """A day in one month of every quarter. The day has the same forms as that of a month's rule."""

    every: Literal["quarter"]
    month: Annotated[int, Field(ge=1, le=3, description="The month, counted in the quarter.")]

    @property
    def months(self) -> Sequence[int]:
        """The months of a year that have a day of the rule."""
        return range(self.month, 13, 3)


class YearRule(_DayOfMonth):
    """A day in one month of every year. The day has the same forms as that of a month's rule."""

    every: Literal["year"]
    month: Annotated[int, Field(ge=1, le=12, description="The month of the year.")]

    @property
    def months(self) -> Sequence[int]:
        """The months of a year that have a day of the rule."""
        return (self.month,)


def _read(value: Any, _: ValidatorFunctionWrapHandler) -> "Rule":
    """Return the rule that `value` is.

    Raises ValidationError, which names each wrong field and its choices, if `value` is none.
    pydantic itself would name the models that a rule may have, too.
    """
    if isinstance(value, _Rule):
        return value  # type: ignore[return-value]  # a Rule is one of its classes
    if not isinstance(value, dict):
        raise ValueError("should be a JSON object, as in {every: month, day: last}")  # noqa: TRY004 -- pydantic gathers ValueErrors
    # A generated client writes null for a field that it does not use.
    given = {name: each for name, each in value.items() if each is not None}
    if faults := tuple(_faults(given)):
        raise _refusal(faults)
    return _MODELS[given["every"]].model_validate(given)


Rule = Annotated[
    WeekRule | MonthRule | QuarterRule | YearRule,
    Field(discriminator="every"),
    WrapValidator(_read),
]
DayOfMonth = MonthRule | QuarterRule | YearRule
STORED: TypeAdapter[Rule] = TypeAdapter(Rule)

_MODELS: Mapping[str, type[WeekRule] | type[DayOfMonth]] = {
    "week": WeekRule,
    "month": MonthRule,
    "quarter": QuarterRule,
    "year": YearRule,
}


@dataclass(frozen=True)
class _Choices:
    values: frozenset[object]
    words: str

    def __contains__(self, value: object) -> bool:
        # True and 1.0 equal 1, but neither is a whole number in a request. A list has no hash.
        return type(value) in (int, str) and value in self.values


def _choices(values: Iterable[object], words: str) -> _Choices:
    return _Choices(frozenset(values), f"should be {words}")


_EVERY = _choices(_MODELS, "week, month, quarter or year")
_WEEKDAY = _choices(WEEKDAYS, "mon, tue, wed, thu, fri, sat or sun")
_DAY = _choices([*range(1, 32), "last"], "a whole number from 1 to 31, or last")
_NTH = _choices([*range(1, 5), LAST], "1, 2, 3, 4, or -1 for the last one of the month")
_WORKING_DAY = _choices(
    [*range(1, 21), LAST], "a whole number from 1 to 20, or -1 for the last one of the month"
)
_OF_A_MONTH = {"day": _DAY, "weekday": _WEEKDAY, "nth": _NTH, "working_day": _WORKING_DAY}
_FIELDS: Mapping[str, Mapping[str, _Choices]] = {
    "week": {"weekday": _WEEKDAY},
    "month": _OF_A_MONTH,
    "quarter": {"month": _choices(range(1, 4), "1, 2 or 3, counted in the quarter"), **_OF_A_MONTH},
    "year": {"month": _choices(range(1, 13), "a whole number from 1 to 12"), **_OF_A_MONTH},
}
_ONE_DAY = "day, weekday with nth, or working_day"

_Fault = tuple[str, str]  # the field, "" for the rule itself, and what is wrong


def _faults(given: Mapping[str, Any]) -> Iterator[_Fault]:
    if "every" not in given:
        yield "every", f"is missing; it {_EVERY.words}"
    elif given["every"] not in _EVERY:
        yield "every", _EVERY.words
    else:
        yield from _faults_of(given["every"], given)


def _faults_of(every: str, given: Mapping[str, Any]) -> Iterator[_Fault]:
    fields = _FIELDS[every]
    for name, value in given.items():
        if name == "every":
            continue
        if name not in fields:
            names = ", ".join(("every", *fields))
            yield name, f"is not a field of a rule for every {every}; its fields are {names}"
        elif value not in fields[name]:
            yield name, fields[name].words
    for name, field in _MODELS[every].model_fields.items():
        if field.is_required() and name not in given:
            yield name, f"is missing; it {fields[name].words}"
    if every != "week":
        yield from _faults_of_day(given)


def _faults_of_day(given: Mapping[str, Any]) -> Iterator[_Fault]:
    ways = [name for name in ("day", "weekday", "working_day") if name in given]
    if not ways and "nth" not in given:
        yield "", f"should have one of {_ONE_DAY}"
    for other in ways[1:]:
        yield other, f"should not be given beside {ways[0]}; a rule has one of {_ONE_DAY}"
    if "nth" in given and "weekday" not in given:
        yield "weekday", f"is missing beside nth; it {_WEEKDAY.words}"
    if "weekday" in given and "nth" not in given:
        yield "nth", f"is missing beside weekday; it {_NTH.words}"


def _refusal(faults: Iterable[_Fault]) -> ValidationError:
    return ValidationError.from_exception_data(
        "rule",
        [
            {
                "type": "value_error",
                "loc": (field,) if field else (),
                "input": None,
                "ctx": {"error": ValueError(message)},
            }
            for field, message in faults
        ],
    )
