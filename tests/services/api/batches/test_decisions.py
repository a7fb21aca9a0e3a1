"""Who of a batch is mailed, at which addresses, and why the others are not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import asyncpg
import pytest

from services.api.batches.decisions import Asked, Decision, decide
from services.api.sends.terms import Terms
from shared.deliveries.reasons import ReasonCode
from shared.mail.address import Address
from shared.period import Period
from tests.services.api.batches.expanding import FIRST, LAST, TERMS, begin, connected

ASKED = Asked(
    business_id=1,
    period=Period(FIRST, LAST),
    kind=None,
    others=(),
    copy_to_me=False,
    skip_empty=True,
    min_balance=None,
)
OTHERS = (Address.parse("accounts@x.com"), Address.parse("Two@Listed.example.com"))
EMAILS = {
    1: "one@x.com",
    2: "two@listed.example.com; more@listed.example.com, two@LISTED.example.com",
    3: None,
    4: "call me",
    5: "gone@x.com",
    6: "gone@x.com, call me, six@x.com",
}


@pytest.fixture
async def conn(database: str) -> AsyncIterator[asyncpg.Connection]:
    async with connected(database) as opened:
        await begin(opened, *EMAILS)
        await opened.executemany(
            "UPDATE customers SET business_email = $2 WHERE id = $1", EMAILS.items()
        )
        await opened.execute(
            "INSERT INTO suppressions (business_id, email_key, reason, reason_code) VALUES"
            " (1, 'gone@x.com', 'unsubscribed by the link in a mail', 'suppressed_unsubscribed'),"
            " (2, 'one@x.com', 'no', 'suppressed_by_business')"
        )
        yield opened


async def decided(
    conn: asyncpg.Connection,
    asked: Asked = ASKED,
    *customers: int,
    terms: Terms = TERMS,
    frozen: dict[int, list[str]] | None = None,
) -> list[Decision]:
    return await decide(conn, asked, terms, customers or tuple(EMAILS), frozen)


def emails(decision: Decision) -> list[str]:
    assert decision.to is not None, decision
    return [address.email for address in decision.to.addresses]


async def test_customers_are_mailed_at_their_own_addresses(conn: asyncpg.Connection) -> None:
    one, two, none, malformed, suppressed, mixed = await decided(conn)
    assert emails(one) == ["one@x.com"]
    assert emails(two) == ["two@listed.example.com", "more@listed.example.com"]
    assert emails(mixed) == ["six@x.com"]
    assert mixed.to is not None
    assert [(each.email, each.reason_code) for each in mixed.to.skipped] == [
        ("call me", "recipient_malformed"),
        ("gone@x.com", "suppressed_unsubscribed"),
    ]
    for skipped in (none, malformed):
        assert (skipped.to, skipped.reason_code) == (None, ReasonCode.NO_ADDRESS)
    assert (suppressed.to, suppressed.reason_code) == (None, "suppressed_unsubscribed")
    assert none.reason == "the customer has no e-mail address"
    assert str(malformed.reason).startswith("no address is left: malformed: ")
    assert suppressed.reason == (
        "no address is left: suppressed: unsubscribed by the link in a mail"
    )
    assert one.business_name == "Customer 1"


async def test_each_address_of_who_is_skipped_has_its_reason(conn: asyncpg.Connection) -> None:
    await conn.execute("UPDATE customers SET business_email = 'call me, gone@x.com' WHERE id = 6")
    none, malformed, suppressed, both = await decided(conn, ASKED, 3, 4, 5, 6)
    assert none.skipped == ()
    gone = ("gone@x.com", "suppressed_unsubscribed")
    for decision, addresses in (
        (malformed, [("call me", "recipient_malformed")]),
        (suppressed, [gone]),
        (both, [("call me", "recipient_malformed"), gone]),
    ):
        assert [(each.email, each.reason_code) for each in decision.skipped] == addresses
    assert both.reason_code == "suppressed_unsubscribed"


async def test_others_and_a_copy_go_beside_the_customer_and_never_alone(
    conn: asyncpg.Connection,
) -> None:
    asked = replace(ASKED, others=OTHERS, copy_to_me=True)
    one, two, *alone = await decided(conn, asked, 1, 2, 3, 5)
    copy = "owner@kente.example.com"
    assert emails(one) == ["one@x.com", "accounts@x.com", "Two@Listed.example.com", copy]
    # The customer's own form of an address comes first, and once.
    assert emails(two) == [
        "two@listed.example.com",
        "more@listed.example.com",
        "accounts@x.com",
        copy,
    ]
    assert [each.reason_code for each in alone] == ["no_address", "suppressed_unsubscribed"]


async def test_a_copy_that_cannot_be_sent_is_said_with_each_send(conn: asyncpg.Connection) -> None:
    await conn.execute("UPDATE businesses SET email = NULL")
    [one] = await decided(conn, replace(ASKED, copy_to_me=True), 1)
    assert one.to is not None
    assert [each.reason_code for each in one.to.skipped] == [ReasonCode.NO_COPY_ADDRESS]


async def test_too_many_recipients(conn: asyncpg.Connection) -> None:
    asked = replace(ASKED, others=(Address.parse("accounts@x.com"),))
    one, two = await decided(conn, asked, 1, 2, terms=replace(TERMS, max_recipients=2))
    assert len(emails(one)) == 2
    assert two.reason_code is ReasonCode.TOO_MANY_RECIPIENTS


async def test_customers_come_in_the_order_asked_for_and_may_be_gone(
    conn: asyncpg.Connection,
) -> None:
    await begin(conn, 9, business=2)
    six, foreign, one, unknown = await decided(conn, ASKED, 6, 9, 1, 77)
    assert (six.customer_id, one.customer_id) == (6, 1)
    for each in (foreign, unknown):
        assert (each.business_name, each.reason_code) == (None, ReasonCode.CUSTOMER_DELETED)
    assert await decided(conn, replace(ASKED, business_id=5), 1) == [
        Decision(1, None, None, unknown.reason, ReasonCode.CUSTOMER_DELETED)
    ]


async def test_statements_with_nothing_and_small_balances(conn: asyncpg.Connection) -> None:
    await conn.execute("UPDATE customers SET opening_balance = 0 WHERE id = 1")
    await conn.execute("UPDATE customers SET opening_balance = 9.9999 WHERE id = 2")

    async def codes(**changed: object) -> list[ReasonCode | None]:
        asked = replace(ASKED, **changed)  # type: ignore[arg-type]  # fields of Asked
        return [each.reason_code for each in await decided(conn, asked, 1, 2, 6)]

    empty, small = ReasonCode.STATEMENT_EMPTY, ReasonCode.BALANCE_TOO_SMALL
    assert await codes() == [empty, None, None]
    assert await codes(skip_empty=False) == [None, None, None]
    assert await codes(min_balance=Decimal(10)) == [empty, small, None]
    assert await codes(min_balance=Decimal("9.9999"), skip_empty=False) == [small, None, None]
    [_, two, _] = await decided(conn, replace(ASKED, min_balance=Decimal("10.50")), 1, 2, 6)
    assert two.reason == "the closing balance is below 10.5"


async def test_the_kind_is_that_of_the_branding_if_none_was_asked_for(
    conn: asyncpg.Connection,
) -> None:
    await conn.execute("UPDATE customers SET opening_balance = 0 WHERE id = 1")
    await conn.execute("""
        INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date, total)
            VALUES (1, 1, 1, 'A', 'invoice', 'issued', '2024-11-02', 5);
        INSERT INTO payments (business_id, id, invoice_id, paid_on, amount, channel, status)
            VALUES (1, 1, 1, '2024-11-03', 5, 'manual', 'settled');
    """)
    [listed] = await decided(conn, ASKED, 1)
    assert listed.to is not None
    # A statement of open items does not list what was paid.
    await conn.execute(
        "INSERT INTO branding (business_id, statement_kind) VALUES (1, 'open-items')"
    )
    [empty] = await decided(conn, ASKED, 1)
    assert empty.reason_code is ReasonCode.STATEMENT_EMPTY
    [asked_for] = await decided(conn, replace(ASKED, kind="activity"), 1)
    assert asked_for.to is not None


async def test_whoever_is_not_as_on_the_frozen_list_is_skipped(conn: asyncpg.Connection) -> None:
    frozen = {
        1: ["one@x.com"],
        2: ["more@listed.example.com", "two@listed.example.com"],
        5: ["gone@x.com"],
        6: ["six@x.com", "another@x.com"],
        77: ["deleted@x.com"],
    }
    one, two, *changed = await decided(conn, ASKED, 1, 2, 5, 6, 3, 77, frozen=frozen)
    assert emails(one) == ["one@x.com"]
    assert len(emails(two)) == 2
    assert {each.reason_code for each in changed} == {ReasonCode.AUDIENCE_CHANGED}


async def test_no_reason_names_an_address(conn: asyncpg.Connection) -> None:
    await conn.execute("UPDATE customers SET business_email = 'x@y@z.example' WHERE id = 4")
    reasons = " ".join(each.reason or "" for each in await decided(conn))
    assert "malformed" in reasons
    for part in ("x@", "z.example", "gone", "call me"):
        assert part not in reasons
