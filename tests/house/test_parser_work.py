"""Parsers handle a megabyte of the worst text in linear time."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache

import pytest
from _pytest.mark import ParameterSet
from pydantic import BaseModel

from services.api.access.model import Key
from services.api.aging.options import AgingOptions
from services.api.batches.audience import Audience
from services.api.batches.history import BatchesQuery, SkippedQuery
from services.api.batches.request import BatchBody
from services.api.branding.model import BrandingBody
from services.api.core import day_or_time, fields, parsing
from services.api.core.period_words import period_of_word
from services.api.core.refusals import Refusal, Unauthenticated
from services.api.http import negotiation
from services.api.idempotency.store import IdempotencyKey
from services.api.intake.messages import BatchRequested, SendRequested
from services.api.intake.replies import Replies
from services.api.ledger.faults import Faults, quoted
from services.api.ledger.files import FILES, LedgerFile
from services.api.ledger.records import fields as csv_fields
from services.api.ledger.records import records
from services.api.ledger.rows import Rows
from services.api.reports.model import FilterBody
from services.api.reports.options import ListOptions
from services.api.routes import ROUTES
from services.api.schedules.body import ScheduleBody, ScheduleChanges, SkipBody
from services.api.sends import request_fields
from services.api.sends.history import DoubtsQuery, HistoryQuery
from services.api.sends.recipients import Candidates
from services.api.sends.request import RescheduleBody, ResendBody, ResolveBody, SendBody
from services.api.sign_in.model import SignInBody
from services.api.suppressions.model import SuppressionBody, SuppressionsQuery
from services.api.suppressions.unsubscribe import UnsubscribeBody
from services.api.verify import written
from services.mailer.smtp import replies
from services.mailer.smtp.smarthost import Smarthost
from shared import text
from shared.mail import headers
from shared.mail.address import Address, wire_form
from shared.mail.mailbox import Mailbox
from shared.mail.return_path import ReturnPaths, unsigned_delivery
from shared.mail.stored import STORED_CHARS_MAX
from shared.mail.unsubscribe import Links
from shared.messages import SendTransactions
from shared.process import logs
from shared.process.settings import ApiSettings, MailerSettings, RelaySettings, Settings
from shared.statements import wording
from shared.trace import Trace
from tests.house.request_parsers import (
    MULTIPART,
    PART,
    body_of,
    in_form,
    options_of,
    parameters,
)
from tests.house.worst_texts import WORST

MIB = 1024 * 1024  # characters
# A shorter text may take as long as one of this length: a few parsers do some work in any case.
LEAST = 64 * 1024
LINE = 8190  # octets of the first line of a request, and so of a parameter
# How many plain loops over the characters of its text a parser may take as long as.
LOOKS = 200


def settings(kind: type[Settings]) -> Callable[[str], object]:
    """Sets each setting in turn to the text; the others are valid."""
    right = {
        "DATABASE_URL": "postgresql://h/d",
        "AMQP_URL": "amqp://h",
        "SMTP_URL": "smtp://h",
        "MAIL_FROM": "a@b.example",
        "UNSUBSCRIBE_SECRET": "s" * 32,
    }

    def read(given: str) -> None:
        # One of each type; most have the same.
        for name in kind.model_fields.keys() & STRANGE_SETTINGS:
            with suppress(ValueError):
                kind.from_environ(right | {name.upper(): given})

    return read


BODIES: dict[str, type[BaseModel]] = {
    "body of a send": SendBody,
    "body of a batch": BatchBody,
    "filter of a batch": Audience,
    "body of a schedule": ScheduleBody,
    "body of a change of a schedule": ScheduleChanges,
    "body of a skipped occurrence": SkipBody,
    "body of a filter": FilterBody,
    "body of a suppression": SuppressionBody,
    "body of a resend": ResendBody,
    "body of a reschedule": RescheduleBody,
    "body of a resolution": ResolveBody,
    "body of a branding": BrandingBody,
    "body of a sign-in": SignInBody,
    "body of an unsubscription": UnsubscribeBody,
}
STRANGE_SETTINGS = {"database_url", "amqp_url", "smtp_url", "mail_from", "max_lateness",
                    "cors_origins", "rate_limit", "log_level", "public_url", "smarthost_rate",
                    "list_unsubscribe", "bounce_domain"}  # fmt: skip


def raw_json(given: str) -> None:
    value = parsing.json_value(given.encode())
    parsing.within_bounds(value if isinstance(value, dict) else {"a": value})
    parsing.parse(SendBody, value)


def rows(given: str, file: LedgerFile | None = None, header: str = "", code: str = "utf-8") -> None:
    stream = io.BytesIO((header + given).encode(code, errors="replace"))
    for _ in Rows(file or CUSTOMERS, stream, Faults()).blocks():
        pass


def behind_a_header(separator: str = ",", **options: str) -> Callable[[str], object]:
    """Reads the text as rows of customers."""
    header = separator.join(column.name for column in CUSTOMERS.columns) + "\n"
    if separator not in ",;\t":
        header = f"sep={separator}\n{header}"
    return lambda given: rows(given, CUSTOMERS, header, **options)


def in_each_column(mark: str) -> Callable[[str], object]:
    """Reads rows of all files, each with a part of the text in another column, between marks."""
    places = [(file, column.name) for file in FILES for column in file.columns]

    def read(given: str) -> None:
        half = len(given) // len(places) // 2
        part = f"{mark}{given[:half]}{given[-half:]}{mark}"
        for file, name in places:
            row = {column.name: column.kind.example for column in file.columns} | {name: part}
            rows(",".join(row.values()) + "\n", file, ",".join(row) + "\n")

    return read


def event(given: str) -> None:
    data = {"customer_id": 4, "from": given, "to": given}
    right = {"specversion": "1.0", "id": "1", "source": "/x", "data": data,
             "type": "com.ledgerpost.send-request.v1"}  # fmt: skip
    for name in ("id", "source", "traceparent", "idempotencykey", "time", "datacontenttype"):
        with suppress(Refusal):
            parsing.parse(SendRequested, right | {name: given})
    batch = right | {"type": "com.ledgerpost.batch-request.v1"}
    for name in ("from", "period", "filter", "min_balance", "frozen_list"):
        with suppress(Refusal):
            parsing.parse(BatchRequested, batch | {"data": {name: given}})


def replied(given: str) -> None:
    for prefix in ("", "250 ", "250-"):
        with suppress(replies.MalformedReply):
            for _ in replies.ReplyReader().feed((prefix + given + "\r\n").encode(errors="replace")):
                pass


def stored_addresses(given: str) -> None:
    read = given[: STORED_CHARS_MAX + 1]  # as much as is read from the ledger
    Candidates.gather(customer=read, others=(), business=read, copy_to_me=True)


CUSTOMERS = next(file for file in FILES if file.table == "customers")
REPLIES = Replies("amqp://h", "crm-")
RETURN_PATHS = ReturnPaths("s" * 32, "x.example")
LINKS = Links("s" * 32, "https://x.example")
NOW = datetime(2024, 11, 30, tzinfo=UTC)

PARSERS: dict[str, Callable[[str], object]] = {
    "address": Address.parse,
    "address of the mailer": wire_form,
    "sender": Mailbox.parse,
    "smtp url": Smarthost.from_url,
    "stored addresses": stored_addresses,
    "addresses in a string": request_fields.addresses,
    "addresses in a list": lambda given: request_fields.addresses([given] * 3),
    "addresses in many pieces": lambda given: request_fields.addresses(
        [given[place : place + 70] for place in range(0, 63_000, 70)]
    ),
    "message": request_fields.text,
    "flag": fields.flag,
    "moment": day_or_time.moment,
    "flag or moment": request_fields.flag_or_moment,
    "period": lambda given: fields.period(given, given),
    "customer's id": fields.customer_id,
    "history": lambda given: parsing.parse(
        HistoryQuery, dict.fromkeys(("customer_id", "status", "limit", "cursor"), given)
    ),
    "doubts": lambda given: parsing.parse(DoubtsQuery, dict.fromkeys(("limit", "cursor"), given)),
    "suppressions": lambda given: parsing.parse(
        SuppressionsQuery, {"limit": given, "cursor": given}
    ),
    "batches": lambda given: parsing.parse(
        BatchesQuery, dict.fromkeys(("status", "schedule_id", "limit", "cursor"), given)
    ),
    "skipped customers": lambda given: parsing.parse(
        SkippedQuery, dict.fromkeys(("reason_code", "limit", "cursor"), given)
    ),
    "hash on paper": written.digest,
    "balance on paper": written.printed_amounts,
    "closing balance": written.plain_amount,
    "key": lambda given: Key.bearer([given]),
    "bearer": lambda given: Key.bearer([f"Bearer {given}"]),
    "idempotency key": lambda given: IdempotencyKey.parse([given]),
    "trace": Trace.parse,
    "accept": lambda given: negotiation.accepts(given, ("application/json", "text/csv")),
    "accept-encoding": negotiation.coding,
    "json": raw_json,
    **{name: body_of(model) for name, model in BODIES.items()},
    "form": in_form("application/x-www-form-urlencoded", "{}"),
    "value of a form": in_form("application/x-www-form-urlencoded", "message={}"),
    "multipart form": in_form(MULTIPART, "{}"),
    "value of a multipart form": in_form(MULTIPART, PART.format("message", "{}")),
    "name in a multipart form": in_form(MULTIPART, PART.format("{}", "Thank you")),
    "word for a period": lambda given: period_of_word(given, NOW.date()),
    "options of the list": options_of(ListOptions),
    "options of the ageing": options_of(AgingOptions),
    "request event": event,
    "wake-up": SendTransactions.model_validate_json,
    "csv": rows,
    "csv behind its header": behind_a_header(),
    "csv with tabs": behind_a_header("\t"),
    "csv with bars": behind_a_header("|"),
    "csv in UTF-16": behind_a_header(code="utf-16"),
    "csv records": lambda given: list(records(io.BytesIO(given.encode()))),
    "csv fields": lambda given: csv_fields(given.encode()),
    "csv in each column": in_each_column(""),
    "csv in each column, quoted": in_each_column('"'),
    "csv quoted": quoted,
    "settings of the API": settings(ApiSettings),
    "settings of the relay": settings(RelaySettings),
    "settings of the mailer": settings(MailerSettings),
    "smtp reply": replied,
    "reply_to": REPLIES.allows,
    "unsubscribe token": LINKS.delivery,
    "return path": RETURN_PATHS.delivery,
    "unsigned return path": unsigned_delivery,
    "printable line": lambda given: text.printable_line(given, 500),
    "escaped": text.escaped,
    "log line": logs.clean,
    "line of a statement": wording.line,
    "lines of a statement": text.lines,
    "file name": wording.slug,
    "initial": wording.initial,
    "time zone": lambda given: wording.local(NOW, given),
    "one line": text.one_line,
    "header": lambda given: headers.text_header("Subject", wording.line(given, limit=150)),
    "address header": lambda given: headers.address_header(
        "From", wording.line(given, limit=80), "a@b.example"
    ),
}  # fmt: skip

# These read the text once for each field, column or setting.
MANY = ("body of", "options of", "filter of", "request event", "settings of", "csv in each column")
REFUSALS = (ValueError, Refusal, Unauthenticated, RecursionError)


def test_the_body_of_each_call_is_measured() -> None:
    bodies = {
        route.operation.body.model for route in ROUTES if route.operation and route.operation.body
    }
    assert bodies <= set(BODIES.values())


def seconds(act: Callable[[str], object], given: str, *, tries: int = 3) -> float:
    """The least processor time of a few tries, so that other load does not count."""
    found = []
    for _ in range(tries):
        begun = time.thread_time()
        with suppress(*REFUSALS):
            act(given)
        found.append(time.thread_time() - begun)
    return min(found)


def looked_at(given: str) -> int:
    """A plain loop over the characters."""
    total = 0
    for sign in given:
        total += sign == "x"
    return total


@cache
def worst(kind: str, size: int) -> str:
    return WORST[kind](size)


def _params() -> Iterator[ParameterSet]:
    """Each parser with the lengths of text that it gets; `make long` has those that take long."""
    for name, parser in PARSERS.items():
        if name.startswith(MANY):
            yield pytest.param(parser, (LEAST // 16, LEAST), id=f"{name}, shorter")
            yield pytest.param(parser, (MIB,), id=name, marks=pytest.mark.long)
        else:
            yield pytest.param(parser, (LEAST // 16, LEAST, MIB), id=name)


@pytest.mark.parametrize(("parser", "sizes"), [*_params()])
def test_a_megabyte_of_the_worst_costs_no_more_than_a_few_looks(
    parser: Callable[[str], object], sizes: Sequence[int]
) -> None:
    look = seconds(looked_at, "a" * MIB) / MIB
    # Small ones first: what takes time in the square of the length fails before it takes hours.
    for size in sizes:
        most = LOOKS * max(size, LEAST) * look
        for kind in WORST:
            taken = seconds(parser, worst(kind, size), tries=1)
            if taken > most:
                taken = seconds(parser, worst(kind, size))
            assert taken <= most, f"{size} characters of {kind}: {taken:.3f} s, not {most:.3f} s"


def test_a_parameter_of_a_query_costs_no_more_than_a_few_looks_at_the_longest_line() -> None:
    assert len(parameters()) > 30, "the import of the routes makes the models of all calls"
    look = seconds(looked_at, "a" * MIB) / MIB
    most = LOOKS * LINE * look
    for name, parser in parameters().items():
        for kind in WORST:
            taken = seconds(parser, worst(kind, LINE), tries=1)
            if taken > most:
                taken = seconds(parser, worst(kind, LINE))
            assert taken <= most, f"{name}: {taken:.3f} s for {kind}, not {most:.3f} s"
