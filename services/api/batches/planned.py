"""What a dry run says: who would receive a mail and who would not, when, and what it would use."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.api.batches.frozen_lists import FrozenList
from services.api.batches.model import PlannedCustomer
from services.api.core.timestamp import Timestamp


class QuotaRoom(BaseModel):
    """The room of the daily quota for the mails of a batch."""

    model_config = ConfigDict(frozen=True)

    day: Annotated[date, Field(description="The day of `send_at` in UTC, which is charged.")]
    limit: Annotated[int, Field(ge=0, description="The recipients that may be due on a day.")]
    left: Annotated[
        int, Field(ge=0, description="Those that the business may still send to on that day.")
    ]
    needed: Annotated[
        int,
        Field(
            ge=0,
            description="Those that the batch is charged at if it names the frozen list. Without"
            " it, the charge is at first the most that there can be.",
        ),
    ]
    suffices: Annotated[bool, Field(description="Whether the day has room for the batch now.")]


class DryRun(BaseModel):
    """The batch that a request would make."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    start: Annotated[date, Field(alias="from")]
    end: Annotated[date, Field(alias="to")]
    send_at: Timestamp
    expires_at: Annotated[
        Timestamp, Field(description="A mail that has not gone out by this time expires.")
    ]
    customers: Annotated[int, Field(ge=0, description="The customers that are selected.")]
    recipients: Annotated[int, Field(ge=0, description="The mails that would be sent.")]
    skipped: Annotated[
        Mapping[str, int], Field(description="The number of skipped customers by reason code.")
    ]
    estimated_seconds: Annotated[
        int,
        Field(
            ge=0,
            description="The seconds from `send_at` until the last mail is handed over, at the"
            " rates of one mailer, and after the mails of the business that wait already.",
        ),
    ]
    quota: QuotaRoom
    frozen_list: Annotated[
        FrozenList | None,
        Field(
            description="What a request names to send exactly this. Null if nobody would receive a"
            " mail, and if there are more recipients than may be due on a day."
        ),
    ]
    data: Annotated[
        tuple[PlannedCustomer, ...],
        Field(
            description="The first 50 customers who would receive the statement, by id, and after"
            " them the first 50 who are skipped."
        ),
    ]

    def to_json(self) -> str:
        """Return the JSON that the API answers with."""
        return self.model_dump_json(by_alias=True)
