"""The parameters of the calls about sends."""

from services.api.core.paging import UUID_CURSOR_FORM
from services.api.openapi import parameters
from services.api.openapi.operation import Parameter
from services.api.sends.examples import SEND_ID
from services.api.sends.send import Send

CURSOR = parameters.cursor("cursor", UUID_CURSOR_FORM)
FROM = Parameter(
    "from_query",
    "query",
    "from",
    "The statement's first day, inclusive. Needed unless there is `period`.",
    parameters.DATE,
    example="2024-11-01",
    is_checked=True,
)
TO = Parameter(
    "to_query",
    "query",
    "to",
    "The statement's last day, inclusive; not before `from`. Needed unless there is `period`.",
    parameters.DATE,
    example="2024-11-30",
    is_checked=True,
)
ID = parameters.path_id("send", "The send's id.", SEND_ID)
CUSTOMER_ID = Parameter(
    "customer_id",
    "query",
    "customer_id",
    "Only sends of this customer.",
    parameters.ID,
    example=4,
    is_checked=True,
)
STATUS = Parameter(
    "status",
    "query",
    "status",
    "Only sends of this status.",
    values_of=(Send, "status"),
    example="sent",
    is_checked=True,
)
RECIPIENT = Parameter(
    "recipient",
    "query",
    "recipient",
    "Only sends with a mail to this address; its case does not matter.",
    {"type": "string", "format": "idn-email"},
    is_checked=True,
)
Q = Parameter(
    "message_text",
    "query",
    "q",
    "Only sends whose personal message contains this text, in upper or lower case.",
    {"type": "string", "maxLength": 200},
    is_checked=True,
)
CREATED_FROM = Parameter(
    "created_from",
    "query",
    "created_from",
    "Only sends that were accepted on this day of the business or later, or at this time or later.",
    parameters.MOMENT,
    example="2024-11-01",
    is_checked=True,
)
CREATED_TO = Parameter(
    "created_to",
    "query",
    "created_to",
    "Only sends that were accepted on this day of the business or earlier, or at this time or"
    " earlier; not before `created_from`.",
    parameters.MOMENT,
    example="2030-11-30",
    is_checked=True,
)
BATCH_ID = Parameter(
    "batch_id",
    "query",
    "batch_id",
    "Only sends of this batch.",
    parameters.UUID,
    is_checked=True,
)
SCHEDULE_ID = Parameter(
    "sends_schedule_id",
    "query",
    "schedule_id",
    "Only sends of the batches that this schedule made.",
    parameters.UUID,
    is_checked=True,
)
