"""Texts of any length and lists of any size stay small in a send and its answer."""

import asyncpg
import pytest

from services.api.core.refusals import InvalidInput
from tests.services.api.sends.calls import Client, post
from tests.services.api.sends.test_send_recipients import choose

MARKS = "\u0301" * 20_000 + "\u0316" * 20_000


async def test_a_stored_address_of_any_length_is_cut(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await ledger.execute(
        "UPDATE customers SET business_email = $1, business_name = $2 WHERE business_id = 1",
        f"a{MARKS}@x.example",
        MARKS,
    )
    response, send = await post(api, json={"other_emails": "b@x.example"})
    assert response.status == 202
    [skipped] = send["skipped"]
    assert len(skipped["email"]) == 254
    assert skipped["reason"] == "malformed: has more than 254 octets"


async def test_the_reason_of_a_suppression_is_cut(api: Client, ledger: asyncpg.Connection) -> None:
    names = [f"s{number}@x.example" for number in range(40)]
    await ledger.executemany(
        "INSERT INTO suppressions (business_id, email_key, reason) VALUES (1, $1, $2)",
        [(name, "漢" * 500) for name in names],
    )
    response, send = await post(api, json={"other_emails": names})
    assert response.status == 202
    assert {len(each["reason"]) for each in send["skipped"]} == {100}


def test_no_more_are_named_than_a_little_above_the_limit() -> None:
    suppressed = {f"a{number}@x.com": "x" * 500 for number in range(900)}
    assert len(choose("c@x.com", tuple(suppressed)[:49], suppressed=suppressed).skipped) == 49
    for names in (tuple(suppressed)[:50], tuple(suppressed)):
        with pytest.raises(InvalidInput, match="the limit is 25 recipients"):
            choose("c@x.com", names, suppressed=suppressed)


def test_a_refusal_that_names_who_is_skipped_is_short() -> None:
    suppressed = {f"{'a' * 60}{number}@x.com": "x" * 500 for number in range(10, 60)}
    with pytest.raises(InvalidInput) as refused:
        choose(None, tuple(suppressed), suppressed=suppressed)
    assert len(str(refused.value)) < 1_200
