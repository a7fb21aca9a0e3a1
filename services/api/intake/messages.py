"""The requests and answers over the queue: CloudEvents around the models of the POSTs."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from services.api.batches.model import Batch
from services.api.batches.request import BatchBody, BatchRequest
from services.api.core import fields
from services.api.core.problems import Problem
from services.api.sends.request import SendBody, SendRequest
from services.api.sends.send import Send
from shared.messages import CloudEvent, Data, Event
from shared.period import Period

LONGEST_NAME = 255  # characters of a request's `id` and `source`, which each answer repeats
_DAY = WithJsonSchema({"type": "string", "format": "date"})
_Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class _AskedPeriod(BaseModel):
    """The values of a POST's query."""

    start: Annotated[
        str,
        Field(
            alias="from",
            description="The statement's first day, YYYY-MM-DD; needed unless there is `period`.",
        ),
        _DAY,
    ] = ""
    end: Annotated[
        str,
        Field(
            alias="to",
            description="The statement's last day, YYYY-MM-DD; needed unless there is `period`.",
        ),
        _DAY,
    ] = ""
    period: Annotated[
        str,
        Field(
            description="Instead of both days, one word such as `last-month`, which means days of"
            " the business's calendar when the request is accepted."
        ),
    ] = ""

    def days(self) -> Period | str:
        """Return the period or the word. Raises the Refusal with which the POST is answered."""
        return fields.dates_or_word(self.start, self.end, self.period)


class AskedSend(SendBody, _AskedPeriod):
    """The values of the POST's path, query and body; other fields are refused, as in the POST.

    As there, so is a send that is due now and whose statement would have more than 5,000 lines.
    """

    customer_id: Annotated[int, Field(ge=0, description="The customer of the key's business.")]

    def request(self) -> SendRequest:
        """Return the requested send. Raises the Refusal with which the POST would be answered."""
        return SendRequest.of(fields.customer_id(str(self.customer_id)), self.days(), self)


class AskedBatch(BatchBody, _AskedPeriod):
    """The values of the POST's query and body; other fields are refused, as in the POST."""

    def request(self) -> BatchRequest:
        """Return the requested batch. Raises the Refusal with which the POST would be answered."""
        return BatchRequest.of(self.days(), self)


class _Request(CloudEvent[Data]):
    id: _Name
    source: _Name
    idempotencykey: Annotated[
        str | None,
        Field(pattern=r"^[!-~]{1,255}$", description="1 to 255 visible ASCII characters."),
    ] = None


class SendRequested(_Request[AskedSend]):
    """Another system requests a send; `source` and `id` together identify the request.

    `idempotencykey` is the POST's Idempotency-Key: one used over HTTP counts here, and vice versa.
    """

    type: Literal["com.ledgerpost.send-request.v1"]


class BatchRequested(_Request[AskedBatch]):
    """Another system requests a batch; `source` and `id` together identify the request.

    `idempotencykey` is the POST's Idempotency-Key: one used over HTTP counts here, and vice versa.
    """

    type: Literal["com.ledgerpost.batch-request.v1"]


class _Answer(Event[Data]):
    requestid: Annotated[
        str | None, Field(description="The request's `id`; null if it could not be read.")
    ] = None
    requestsource: Annotated[str | None, Field(description="The request's `source`.")] = None


class SendAccepted(_Answer[Send]):
    """The request is stored durably as this send; `subject` is the send's id."""

    type: Literal["com.ledgerpost.send-request.accepted.v1"] = (
        "com.ledgerpost.send-request.accepted.v1"
    )


class SendRefused(_Answer[Problem]):
    """The request is refused, and is kept among the dead letters."""

    type: Literal["com.ledgerpost.send-request.refused.v1"] = (
        "com.ledgerpost.send-request.refused.v1"
    )


class BatchAccepted(_Answer[Batch]):
    """The request is stored durably as this batch; `subject` is the batch's id."""

    type: Literal["com.ledgerpost.batch-request.accepted.v1"] = (
        "com.ledgerpost.batch-request.accepted.v1"
    )


class BatchRefused(_Answer[Problem]):
    """The request for a batch is refused, and is kept among the dead letters."""

    type: Literal["com.ledgerpost.batch-request.refused.v1"] = (
        "com.ledgerpost.batch-request.refused.v1"
    )


# The field names that a refusal may repeat; any other name was chosen by the caller.
FIELDS = frozenset(
    field.alias or name
    for model in (SendRequested, AskedSend, BatchRequested, AskedBatch)
    for name, field in model.model_fields.items()
) | {"body"}
