"""The messages on RabbitMQ, as CloudEvents 1.0 in structured mode."""

from datetime import datetime
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from shared.deliveries.reasons import Code
from shared.deliveries.states import SHOWN, State

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/ledgerpost"

Data = TypeVar("Data", bound=BaseModel)


class CloudEvent(BaseModel, Generic[Data]):
    """A CloudEvent (cloudevents.io, 1.0) around one message; unknown attributes are ignored."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"]
    id: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    type: str
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: Annotated[str, Field(pattern=r"^application/json *(;.*)?$")] = (
        "application/json"
    )
    traceparent: str | None = None
    data: Data


class Event(CloudEvent[Data]):
    """A CloudEvent that Ledgerpost emits; `source` and `id` identify it."""

    specversion: Literal["1.0"] = "1.0"
    source: str = SOURCE
    time: datetime


class Wakeup(BaseModel):
    """Names a due delivery; all else about it is in its row in Postgres.

    Mailers let the businesses take turns. Without one, the mail shares the turns of all others that
    have none.
    """

    model_config = ConfigDict(frozen=True)

    delivery_id: UUID
    business_id: int = 0


class SendTransactions(Event[Wakeup]):
    """A wake-up from the relay to the mailer: send a statement to one recipient."""

    type: Literal["com.ledgerpost.send-transactions.v1"] = "com.ledgerpost.send-transactions.v1"


def _shown(state: State) -> State:
    if state not in SHOWN:
        raise ValueError("is internal")
    return state


DeliveryState = Annotated[
    State,
    AfterValidator(_shown),
    WithJsonSchema({"enum": [state.value for state in SHOWN], "type": "string"}),
]


class DeliveryChange(BaseModel):
    """The new state of one recipient's mail; `sequence` orders the changes of one delivery."""

    model_config = ConfigDict(frozen=True)

    delivery_id: UUID
    send_id: UUID
    business_id: int
    customer_id: int
    email: str
    state: DeliveryState
    attempts: Annotated[int, Field(ge=0)]
    reply: str | None
    reason: str | None
    reason_code: Code | None = None
    next_attempt_at: datetime | None
    sequence: int


class DeliveryEvent(Event[DeliveryChange]):
    """A delivery changed its state. Published at least once: deduplicate by `id`."""

    type: Annotated[str, Field(pattern=r"^com\.ledgerpost\.delivery\.[a-z_]+\.v1$")]
