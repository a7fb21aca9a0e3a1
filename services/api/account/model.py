"""What `GET /api/v3/me` answers: the caller's business and key, and what is left of limits."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from services.api.core.refusals import SCOPES
from services.api.core.timestamp import Timestamp

_ID = WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0})
_SCOPES = WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(SCOPES)}})


class AccountBusiness(BaseModel):
    """The business that the key belongs to."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[int, _ID]
    name: str
    currency: Annotated[str, Field(description="ISO 4217, the currency of all its amounts.")]
    timezone: Annotated[
        str, Field(description="The IANA timezone that decides which day is today.")
    ]
    fiscal_year_start: Annotated[
        str,
        Field(
            pattern="^[0-9]{2}-[0-9]{2}$",
            description="The month and day, MM-DD, on which its fiscal years begin.",
        ),
    ]
    locale: Annotated[
        str | None,
        Field(description="BCP 47: the language of its statements; null: English."),
    ]


class AccountKey(BaseModel):
    """The key of the request, without its secret."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    name: str
    scopes: Annotated[tuple[str, ...], _SCOPES, Field(description="What the key may do.")]
    expires_at: Annotated[Timestamp | None, Field(description="Null: it does not expire.")]


class Allowance(BaseModel):
    """A limit, and how much of it is left."""

    model_config = ConfigDict(frozen=True)

    limit: Annotated[int, Field(ge=0)]
    remaining: Annotated[int, Field(ge=0)]


class AccountLimits(BaseModel):
    """The limits of the key and of its business."""

    model_config = ConfigDict(frozen=True)

    rate: Annotated[
        Allowance | None,
        Field(
            description="The requests that the key may make in this minute, as in the headers"
            " `RateLimit-*`; null while the database only reads, because nothing is counted then."
        ),
    ]
    daily_quota: Annotated[
        Allowance,
        Field(
            description="The recipients of the business's sends that may be due today, in UTC."
            " Recipients of cancelled mails stay counted."
        ),
    ]


class Account(BaseModel):
    """Who the caller is, as the API sees it."""

    model_config = ConfigDict(frozen=True)

    business: AccountBusiness
    key: AccountKey
    limits: AccountLimits
