"""The body of a request for a batch, and the batch that it asks for."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WithJsonSchema

from services.api.batches import audience
from services.api.batches.audience import Audience
from services.api.core import day_or_time, fields
from services.api.core.query_values import Amount, Flag
from services.api.idempotency.store import fingerprint
from services.api.sends import request_fields
from services.api.sends.request import WHENS, SendBody, SendRequest
from shared.mail.address import Address
from shared.period import Period
from shared.statements.model import Kind

_ALL = Audience()


def _filters(value: object) -> object:
    if fields.is_absent(value):
        return {}
    if not isinstance(value, dict):
        raise ValueError("should be an object with filters of the list")  # noqa: TRY004 -- pydantic gathers ValueErrors
    return value


def _amount(value: object) -> str | None:
    return None if fields.is_absent(value) else audience.amount(value)


def _list_id(value: object) -> UUID | None:
    if fields.is_absent(value):
        return None
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("should be the id of a frozen list") from None


Customers = Annotated[
    Audience,
    BeforeValidator(_filters),
    Field(
        description="The customers: those that the list selects with these filters when the"
        " request is accepted. All customers if there are none."
    ),
]
SkipEmpty = Annotated[
    bool | None,
    BeforeValidator(fields.flag),
    WithJsonSchema({"type": ["boolean", "null"], "default": True}),
    Field(
        description="Whether customers are skipped whose statement would show no transaction,"
        " no open item and no balance; yes by default."
    ),
]
MinBalance = Annotated[
    Annotated[Amount, AfterValidator(audience.plainest)] | None,
    BeforeValidator(_amount),
    Field(
        description="Customers are skipped if the closing balance of their statement is below"
        " this amount. Unlike the filter of this name, which selects by the balance of today,"
        " it counts when each mail is made."
    ),
]


class BatchBody(SendBody):
    """The body of a request for a batch: that of a send, and to whom; every field is optional."""

    # The descriptions differ from a send's also because openapi-generator makes one model of equal
    # fields, and names it after the first body that has them.
    send_tome: Annotated[
        bool | date | datetime | None,
        BeforeValidator(request_fields.flag_or_moment),
        WithJsonSchema({"anyOf": [*WHENS, {"type": "boolean"}, {"type": "null"}]}),
        Field(description="An older field, as of a single send: `send_at`, or `copy_to_me`."),
    ] = None
    send_at: Annotated[
        date | datetime | None,
        BeforeValidator(day_or_time.moment),
        WithJsonSchema({"anyOf": [*WHENS, {"type": "null"}]}),
        Field(
            description="When to send: a date (the start of that day in the business's timezone) or"
            " a time with its offset. The customers are selected at once; their statements are"
            " made when they are due. A past time, or none, means now."
        ),
    ] = None
    filter: Customers = _ALL
    skip_empty: SkipEmpty = None
    min_balance: MinBalance = None
    frozen_list: Annotated[
        UUID | None,
        BeforeValidator(_list_id),
        Field(
            description="The `id` of the frozen list that a dry run of the same request answered"
            " with: exactly its customers are mailed, at exactly its addresses."
        ),
    ] = None


class BatchOptions(BaseModel):
    """How a request for a batch is answered: query parameters."""

    dry_run: Annotated[
        Flag,
        Field(
            description="1: answer with who would get a mail and who would not, and store nothing"
            " but a frozen list of those who would. An `Idempotency-Key` is then ignored, and no"
            " quota is used. A business has one dry run at a time; it takes about a second for"
            " 10,000 customers and is stopped with a 503 after a minute."
        ),
    ] = False


@dataclass(frozen=True)
class BatchRequest:
    """The statements of a period for the customers that `filters` select, at `moments` (none: now).

    The period may be a word, which means days once the request is accepted.
    """

    period: Period | str
    filters: Audience
    message: str | None
    others: tuple[Address, ...]
    copy_to_me: bool
    moments: tuple[date | datetime, ...]
    kind: Kind | None
    locale: str | None
    skip_empty: bool
    min_balance: Decimal | None
    frozen_list: UUID | None

    @classmethod
    def of(cls, period: Period | str, body: BatchBody) -> Self:
        """Return the request in which each field has one meaning.

        Raises Invalid if two contradict.
        """
        send = SendRequest.of(0, period, body)
        return cls(
            period=period,
            filters=body.filter,
            message=send.message,
            others=send.others,
            copy_to_me=send.copy_to_me,
            moments=send.moments,
            kind=send.kind,
            locale=send.locale,
            skip_empty=body.skip_empty is not False,
            min_balance=body.min_balance,
            frozen_list=body.frozen_list,
        )

    @property
    def least(self) -> str | None:
        """The least closing balance, as text."""
        return None if self.min_balance is None else str(self.min_balance)

    @property
    def fingerprint(self) -> bytes:
        """The digest of the request; it does not depend on how or when the request is written.

        A word counts as it is written, not as the days that it means, which change over time.
        """
        asked = self.period
        days = ("period", asked) if isinstance(asked, str) else (str(asked.start), str(asked.end))
        return fingerprint(
            "batch",
            *days,
            self.filters.given(),
            self.message,
            [address.key for address in self.others],
            self.copy_to_me,
            sorted(each.isoformat() for each in self.moments),
            self.kind,
            self.locale,
            self.skip_empty,
            self.least,
            self.frozen_list and str(self.frozen_list),
        )
