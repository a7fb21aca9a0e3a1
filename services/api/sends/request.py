"""The bodies of requests about sends, and the send that a request asks for."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from services.api.core import day_or_time, fields
from services.api.core.query_values import Flag
from services.api.core.refusals import Invalid
from services.api.idempotency.store import fingerprint
from services.api.sends import request_fields
from shared import language_tag
from shared.deliveries.operator import Resolution
from shared.mail.address import Address
from shared.period import Period
from shared.statements.model import Kind

# The published schema has one type for each field, for generated clients. More is accepted, as
# always: 0, 1 and quoted flags, one string of addresses, "" for an absent value.
WHENS = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
_EMAIL = {"type": "string", "format": "idn-email"}


def _emails(*, least: int = 0) -> dict[str, Any]:
    listed = {
        "type": "array",
        "items": _EMAIL,
        "minItems": least,
        "maxItems": request_fields.MAX_ADDRESSES,
    }
    return listed | {"type": ["array", "null"]}


PersonalMessage = Annotated[
    str | None,
    AfterValidator(request_fields.text),
    WithJsonSchema({"type": ["string", "null"], "maxLength": 10_000}),
    Field(description="Plain text above the statement; it may have several lines."),
]
OtherEmails = Annotated[
    tuple[Address, ...],
    BeforeValidator(request_fields.addresses),
    WithJsonSchema(_emails()),
    Field(
        description="Further recipients, as a list (or as one string with commas or"
        " semicolons); in a form the field may repeat, also as `other_emails[]`. The"
        " customer's own `business_email`, if it has one, always receives the statement; it"
        " may be a list, too. Each recipient gets a separate e-mail; an address that is listed"
        " twice, in whatever case, gets one."
    ),
]
CopyToMe = Annotated[
    bool | None,
    BeforeValidator(fields.flag),
    WithJsonSchema({"type": ["boolean", "null"]}),
    Field(
        description="Whether the business's own e-mail address also receives the statement;"
        " no by default."
    ),
]
StatementKind = Annotated[
    Kind | None,
    Field(
        description="What the statement lists: the transactions of the period, what is open at"
        " its end, or both. The business's default if absent."
    ),
]
Locale = Annotated[
    str | None,
    AfterValidator(request_fields.locale),
    WithJsonSchema({"type": ["string", "null"], "pattern": f"^{language_tag.FORM}$"}),
    Field(
        description="The language of the statement, a tag of BCP 47 such as `pt-BR`. The"
        " customer's if absent, else the business's, else `en`.",
    ),
]


class SendBody(BaseModel):
    """The body of a send request, from JSON or a form; every field is optional.

    A field that is not listed here is refused, because a misspelt one would lose a recipient or a
    date.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    message: PersonalMessage = None
    other_emails: OtherEmails = ()
    send_tome: Annotated[
        bool | date | datetime | None,
        BeforeValidator(request_fields.flag_or_moment),
        WithJsonSchema({"anyOf": [*WHENS, {"type": "boolean"}, {"type": "null"}]}),
        Field(
            description="An older field with two meanings: a date or time means `send_at`, a flag"
            " (also 0 or 1) means `copy_to_me`. Use those two fields instead."
        ),
    ] = None
    send_at: Annotated[
        date | datetime | None,
        BeforeValidator(day_or_time.moment),
        WithJsonSchema({"anyOf": [*WHENS, {"type": "null"}]}),
        Field(
            description="When to send: a date (the start of that day in the business's timezone) or"
            " a time with its offset. A past time, or none, means now."
        ),
    ] = None
    copy_to_me: CopyToMe = None
    statement_kind: Annotated[StatementKind, BeforeValidator(request_fields.given)] = None
    locale: Annotated[Locale, BeforeValidator(request_fields.given)] = None


class SendOptions(BaseModel):
    """How a send request is answered: query parameters."""

    dry_run: Annotated[
        Flag,
        Field(
            description="1: answer with the send that would be made, and store nothing. An"
            " `Idempotency-Key` is then ignored, and no quota is used or looked at."
        ),
    ] = False


class RescheduleBody(BaseModel):
    """The body of a reschedule."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    send_at: Annotated[
        date | datetime,
        BeforeValidator(day_or_time.given_moment),
        WithJsonSchema({"anyOf": WHENS}),
        Field(
            description="A date (the start of that day in the business's timezone) or a time with"
            " its offset. A past time means now."
        ),
    ]


class ResendBody(BaseModel):
    """The body of a resend."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recipients: Annotated[
        tuple[Address, ...] | None,
        BeforeValidator(request_fields.some_addresses),
        WithJsonSchema(_emails(least=1)),
        Field(
            description="The recipients of the first send that receive it again; all by default."
        ),
    ] = None


class ResolveBody(BaseModel):
    """A person's decision about a mail in doubt."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    resolution: Annotated[
        Resolution,
        Field(
            alias="as",
            description="`sent`: the mail server accepted it; `resend`: send it again, at the"
            " risk of a second mail; `failed`: it need not be sent any more.",
        ),
    ]


@dataclass(frozen=True)
class SendRequest:
    """The statement of a customer and a period, to be sent at `moments` (none: now).

    The period may be a word, which means days once the request is accepted.
    There are two moments if the request names two; whether they differ depends on the business's
    timezone.
    """

    customer_id: int
    period: Period | str
    message: str | None
    others: tuple[Address, ...]
    copy_to_me: bool
    moments: tuple[date | datetime, ...]
    kind: Kind | None = None
    locale: str | None = None

    @classmethod
    def of(cls, customer_id: int, period: Period | str, body: SendBody) -> "SendRequest":
        """Return the request in which each field has one meaning.

        Raises Invalid if two contradict.
        """
        published = body.send_tome
        is_flag = isinstance(published, bool)
        if is_flag and body.copy_to_me not in (None, published):
            raise Invalid("copy_to_me", "contradicts send_tome")
        moments = (body.send_at, None if isinstance(published, bool) else published)
        return cls(
            customer_id,
            period,
            body.message,
            body.other_emails,
            copy_to_me=published is True or body.copy_to_me is True,
            moments=tuple(dict.fromkeys(each for each in moments if each is not None)),
            kind=body.statement_kind,
            locale=body.locale,
        )

    @property
    def fingerprint(self) -> bytes:
        """The digest of the request; it does not depend on how or when the request is written.

        A word counts as it is written, not as the days that it means, which change over time. A
        request without a kind and a locale has the digest that it had before there were any.
        """
        asked = self.period
        looks = () if self.kind is None and self.locale is None else (self.kind, self.locale)
        return fingerprint(
            self.customer_id,
            *(
                ("period", asked)
                if isinstance(asked, str)
                else (asked.start.isoformat(), asked.end.isoformat())
            ),
            self.message,
            [address.key for address in self.others],
            self.copy_to_me,
            sorted(each.isoformat() for each in self.moments),
            *looks,
        )
