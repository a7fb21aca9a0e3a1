"""All messages about invalid input are our own, for every kind and source of input."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema

from services.api.batches.audience import Audience
from services.api.batches.history import BatchesQuery, SkippedQuery
from services.api.batches.request import BatchBody
from services.api.core import parsing
from services.api.core.paging import PageQuery
from services.api.core.refusals import InvalidInput
from services.api.intake.messages import AskedBatch, AskedSend, BatchRequested, SendRequested
from services.api.reports.model import FilterBody
from services.api.schedules.body import ScheduleBody, SkipBody
from services.api.schedules.store import SchedulesQuery
from services.api.schedules.upcoming import UpcomingQuery
from services.api.sends.history import DoubtsQuery, HistoryQuery
from services.api.sends.request import RescheduleBody, ResendBody, ResolveBody, SendBody
from services.api.suppressions.model import SuppressionBody, SuppressionsQuery
from services.api.suppressions.unsubscribe import UnsubscribeBody
from shared import validation
from shared.messages import SendTransactions

MODELS: tuple[type[BaseModel], ...] = (
    Audience,
    BatchBody,
    BatchesQuery,
    BatchRequested,
    FilterBody,
    HistoryQuery,
    DoubtsQuery,
    RescheduleBody,
    ResendBody,
    ResolveBody,
    ScheduleBody,
    SchedulesQuery,
    SendBody,
    SendRequested,
    SkipBody,
    SkippedQuery,
    SendTransactions,
    SuppressionBody,
    SuppressionsQuery,
    UnsubscribeBody,
    UpcomingQuery,
)
VALUES = (
    *(None, True, 0, -1, 1.5, 10**30, float("nan"), "9" * 5000, [], [1], {}, {"x": 1}),
    *("", "x", "x" * 300, "\ud800", "2024-11-31", "2024-11-30T25:00:00Z", "2024-11-30T09:00", "\0"),
)
REQUEST = {
    "specversion": "1.0",
    "id": "1",
    "source": "/crm",
    "type": "com.ledgerpost.send-request.v1",
}


def given(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    yield {"unknown": 1}
    for name, field in model.model_fields.items():
        for value in VALUES:
            if issubclass(model, PageQuery) and not isinstance(value, str):
                continue  # a query string has nothing but texts
            yield {field.alias or name: value}
    yield from inside(model)


def inside(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """What is inside of an object comes to light once all around it is right."""
    if model is SendRequested:
        for data in given(AskedSend):
            yield {**REQUEST, "data": {"customer_id": 4, "from": "x", "to": "x", **data}}
    if model is ScheduleBody:
        for every in ("week", "month", "quarter", "year", *VALUES):
            for name in ("weekday", "day", "nth", "working_day", "month", "unknown"):
                yield from ({"rule": {"every": every, name: value}} for value in VALUES)
    if model is BatchRequested:
        for data in given(AskedBatch):
            yield {**REQUEST, "type": "com.ledgerpost.batch-request.v1", "data": data}
        for filters in given(Audience):
            data = {"filter": filters}
            yield {**REQUEST, "type": "com.ledgerpost.batch-request.v1", "data": data}


@pytest.mark.parametrize("model", MODELS)
def test_no_word_of_pydantic_is_said(model: type[BaseModel]) -> None:
    for fields in given(model):
        try:
            model.model_validate(fields)
        except ValidationError as error:
            theirs = {each["msg"] for each in error.errors() if each["type"] != "value_error"}
            kinds = {each["type"] for each in error.errors()}
        else:
            continue
        with pytest.raises(InvalidInput) as caught:
            parsing.parse(model, fields)
        ours = {each.message for each in caught.value.errors}
        assert not ours & theirs
        assert not [each for each in ours if "Input" in each or "String" in each]
        # None of them is a kind that we have no words for.
        assert validation._UNKNOWN not in ours, kinds


class Context(dict[str, str]):
    """What an error tells beside its kind, whatever the kind."""

    def __missing__(self, name: str) -> str:
        return f"the {name}"


def test_nor_of_any_other_kind_of_error() -> None:
    for kind in get_args(core_schema.ErrorType):
        ours = validation.complaint(
            {"type": kind, "ctx": Context(), "msg": "Input should be theirs"}
        )
        assert "theirs" not in ours
    assert validation.complaint({"type": "of_tomorrow", "msg": "Input"}) == "is not valid"


def test_an_unknown_field_inside_of_a_message_is_told_the_known_ones_there() -> None:
    with pytest.raises(InvalidInput) as caught:
        parsing.parse(SendRequested, {**REQUEST, "data": {"customer": 4}})
    [fault] = [each for each in caught.value.errors if each.field == "data.customer"]
    assert fault.message.startswith("is not a field of this request; its fields are ")
    assert "customer_id" in fault.message
    assert "specversion" not in fault.message
