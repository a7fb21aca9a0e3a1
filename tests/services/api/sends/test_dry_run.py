"""A dry run answers with the send that would be made, and leaves nothing behind."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.sends import store
from services.api.statements import store as statements
from shared.deliveries import relay
from tests.services.api.sends.calls import PATHS, PERIOD, Client, post

DRY = {**PERIOD, "dry_run": "1"}
STORED = ("sends", "deliveries", "statements", "idempotency_keys", "due_recipients",
          "daily_recipients", "daily_counts")  # fmt: skip


async def rows(conn: asyncpg.Connection) -> dict[str, int]:
    return {name: await conn.fetchval(f"SELECT count(*) FROM {name}") for name in STORED}


async def dry(api: Client, **given: Any) -> Any:
    response, answer = await post(api, params={**DRY, **given.pop("params", {})}, **given)
    assert response.status == 200, answer
    return answer


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_stored_and_no_quota_or_key_is_used(
    api: Client, ledger: asyncpg.Connection, path: str
) -> None:
    before = await rows(ledger)
    await dry(api, path=path, json={}, headers={"Idempotency-Key": "order-1"})
    assert await rows(ledger) == before
    response, _ = await post(api, path=path, json={}, headers={"Idempotency-Key": "order-1"})
    assert response.status == 202
    # The key now has an answer, which a dry run neither gets nor minds.
    shown = await dry(api, path=path, headers={"Idempotency-Key": "order-1"})
    async with api.get(f"/api/v3/sends/{shown['id']}") as unknown:
        assert unknown.status == 404


async def test_it_shows_what_the_send_then_is(api: Client, ledger: asyncpg.Connection) -> None:
    await ledger.execute(
        "INSERT INTO suppressions (business_id, email_key, reason) VALUES (1, 'b@x.com', 'gone')"
    )
    body = {
        "message": "Hi",
        "other_emails": "a@x.com;b@x.com",
        "copy_to_me": 1,
        "statement_kind": "open-items",
        "locale": "ar",
    }
    shown = await dry(api, json=body)
    assert [each["email"] for each in shown["recipients"]] == [
        *("esi@customers.example.com", "a@x.com", "owner@kente.example.com")
    ]
    assert [each["reason"] for each in shown["skipped"]] == ["suppressed: gone"]
    _, send = await post(api, json=body)
    own = {"id", "recipients", "send_at", "expires_at", "created_at", "figures_sha256"}
    assert set(shown) == set(send)
    assert {name: shown[name] for name in shown.keys() - own} == {
        name: send[name] for name in shown.keys() - own
    }
    [due] = await relay.unfrozen(ledger, 10)
    await statements.freeze(ledger, due)
    frozen = await store.one(ledger, 1, UUID(send["id"]))
    assert frozen.figures_sha256 == shown["figures_sha256"]
    assert shown["statement_sha256"] is None


async def test_the_kind_and_the_language_are_those_that_the_statement_would_have(
    api: Client, ledger: asyncpg.Connection
) -> None:
    await ledger.execute("UPDATE customers SET locale = 'pt'")
    shown = await dry(api)
    assert (shown["statement_kind"], shown["locale"]) == ("activity", "pt")
    assert shown["status"] == "sending"
    later = await dry(api, json={"send_at": "2030-01-31"})
    assert (later["status"], later["send_at"]) == ("scheduled", "2030-01-31T00:00:00.000000Z")


async def test_a_word_for_the_period_is_told_as_dates(api: Client) -> None:
    response, shown = await post(api, params={"period": "2024-11", "dry_run": "1"})
    assert (shown["from"], shown["to"]) == (PERIOD["from"], PERIOD["to"])
    assert "from=2024-11-01&to=2024-11-30" in response.headers["Content-Location"]


@pytest.mark.parametrize(
    ("customer", "given", "status"),
    [
        (404, {}, 404),
        (5, {}, 422),  # nobody would receive it
        (4, {"params": {**DRY, "dry_run": "yes"}}, 422),
        (4, {"params": {**DRY, "dry_run": ""}}, 422),
        (4, {"json": {"dry_run": 1}}, 422),
        (4, {"json": {"other_emails": [f"a{n}@x.com" for n in range(25)]}}, 422),
    ],
)
async def test_it_is_refused_as_the_send_would_be(
    api: Client, ledger: asyncpg.Connection, customer: int, given: dict[str, Any], status: int
) -> None:
    response, problem = await post(api, customer, **{"params": DRY, **given})
    assert response.status == status, problem
    assert await ledger.fetchval("SELECT count(*) FROM sends") == 0


@pytest.mark.parametrize("flag", ["0", None])
async def test_without_the_flag_the_send_is_made(api: Client, flag: str | None) -> None:
    params = PERIOD if flag is None else {**PERIOD, "dry_run": flag}
    response, _ = await post(api, params=params)
    assert response.status == 202


async def test_a_statement_that_is_too_long_is_told_before_it_is_sent(
    api: Client, ledger: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "LINES_MAX", 4)
    await ledger.execute(
        "INSERT INTO invoices (business_id, id, customer_id, number, kind, status, issue_date,"
        " total) SELECT 1, n, 4, 'X' || n, 'invoice', 'issued', '2024-11-05', 1"
        " FROM generate_series(1, 4) n"
    )
    for kind in ("activity", "open-items"):
        await dry(api, json={"statement_kind": kind})
    response, problem = await post(
        api, params=DRY, json={"statement_kind": "activity-with-open-items"}
    )
    assert response.status == 422
    assert problem["errors"] == [
        {"field": "period", "message": "leads to a statement of more than 4 lines"}
    ]
    await ledger.execute("DELETE FROM invoices WHERE id > 2")
    await dry(api, json={"statement_kind": "activity-with-open-items"})
