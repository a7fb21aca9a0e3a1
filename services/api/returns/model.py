"""A returned mail in requests and answers."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from services.api.core import fields
from services.api.core.day_or_time import Moment
from services.api.core.notes import NOTE_CHARS_MAX, note_line
from services.api.core.paging import NEWEST, Cursor, PageQuery, Place
from services.api.core.timestamp import Timestamp

Kind = Literal["bounce", "delay", "complaint", "auto-reply", "unknown"]
Scope = Literal["recipient", "policy", "infrastructure", "content", "transient"]
Form = Literal[
    "delivery-status",
    "feedback-report",
    "ses-notification",
    "notice",
    "automatic-reply",
    "list-mail",
    "receipt",
]
Effect = Literal["bounced", "complained", "suppressed"]
#: An address of an envelope, which is looked up and not written to.
RECIPIENT_FORM = r"^[^\x00-\x20\x7f]{1,320}$"


class Return(BaseModel):
    """A returned mail as it was understood, and what it changed."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    received_at: Timestamp
    delivery_id: Annotated[
        UUID | None,
        Field(description="The delivery that the mail is about; null if it matches none."),
    ]
    kind: Kind
    scope: Annotated[
        Scope | None,
        Field(
            description="Whom or what a bounce or a delay is about; null for other kinds. `policy`"
            " and `infrastructure` say something about the sender or the servers, and `transient`"
            " that attempts go on."
        ),
    ]
    permanent: Annotated[
        bool, Field(description="Whether a later mail to the recipient would fail, too.")
    ]
    status: Annotated[
        str | None, Field(description="The enhanced status (RFC 3463), for example `5.1.1`.")
    ]
    diagnostic: Annotated[
        str | None, Field(description="The words of the remote server, in one line.")
    ]
    remote_mta: Annotated[str | None, Field(description="The name of the remote server.")]
    form: Annotated[
        Form | None,
        Field(
            description="The form of the mail, which decided how it was read: a delivery status"
            " notification (RFC 3464), a feedback report (RFC 5965), a notification of Amazon SES,"
            " a server's notice in its own words, an automatic reply (RFC 3834), a mail of a list,"
            " or a receipt or a report on something else. Null: none fits, or it came before"
            " forms were noted."
        ),
    ]
    effect: Annotated[
        tuple[Effect, ...],
        Field(
            description="What the mail changed: nothing, or some of `bounced` and `complained` (the"
            " new state of the delivery) and `suppressed` (its address)."
        ),
    ]


class ExplainedReturn(Return):
    """A returned mail, and why it was understood so."""

    why: Annotated[str, Field(description="The rules that decided, in words.")]


class ReturnOptions(BaseModel):
    """What a posted mail's query says."""

    model_config = ConfigDict(frozen=True)

    recipient: Annotated[str | None, Field(pattern=RECIPIENT_FORM)] = None


class ReprocessOptions(BaseModel):
    """What a call's query says that has a mail understood again."""

    model_config = ConfigDict(frozen=True)

    why: Annotated[
        str,
        AfterValidator(note_line),
        WithJsonSchema({"type": "string", "maxLength": NOTE_CHARS_MAX}),
        Field(description="Why; kept with the key that asked, the time and the former result."),
    ] = ""


class ReturnsQuery(PageQuery):
    """Which of a business's returned mails to list, newest first, after `cursor`."""

    kind: Kind | None = None
    scope: Scope | None = None
    delivery_id: UUID | None = None
    unmatched: Annotated[bool | None, BeforeValidator(fields.flag)] = None
    received_from: Moment = None
    received_to: Moment = None
    cursor: Place = NEWEST


def place_of(shown: Return) -> Cursor[UUID]:
    """Return the cursor of the place right after `shown` in the list."""
    return Cursor(shown.received_at, shown.id)
