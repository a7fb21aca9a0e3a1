"""The kind and the language of a send, from its request to its statement and its resend."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import FormData

from services.api.sends import store
from services.api.sends.resends import resend
from services.api.statements.store import freeze
from shared.deliveries import relay
from tests.services.api.sends.calls import Client, post, refused
from tests.services.api.sends.stored import TERMS, send

ASKED = {"statement_kind": "open-items", "locale": "pt-BR"}
LOOKS = ("statement_kind", "locale")


async def frozen(conn: asyncpg.Connection, send_id: UUID) -> Any:
    """The statement of a due send, as the relay freezes it."""
    [due] = [each for each in await relay.unfrozen(conn, 10) if each.send_id == send_id]
    await freeze(conn, due)
    content = await conn.fetchval(
        "SELECT content FROM statements s JOIN sends ON sends.statement_sha256 = s.sha256"
        " WHERE sends.id = $1",
        send_id,
    )
    return json.loads(content)


@pytest.mark.parametrize("body", [{"json": ASKED}, {"data": FormData(ASKED)}])
async def test_what_was_asked_for_is_in_the_answer_the_history_and_the_statement(
    api: Client, ledger: asyncpg.Connection, body: dict[str, Any]
) -> None:
    _, answer = await post(api, **body)
    assert {name: answer[name] for name in LOOKS} == ASKED
    assert answer["figures_sha256"] is None
    async with api.get("/api/v3/sends") as listed:
        assert (await listed.json())["data"] == [answer]
    content = await frozen(ledger, UUID(answer["id"]))
    assert (content["kind"], content["locale"]) == ("open-items", "pt-BR")


@pytest.mark.parametrize(
    ("customer", "business", "locale"),
    [(None, None, "en"), (None, "de", "de"), ("fr-CH", "de", "fr-CH")],
)
async def test_what_was_not_asked_for_is_decided_when_the_statement_is_frozen(
    ledger: asyncpg.Connection, customer: str | None, business: str | None, locale: str
) -> None:
    send_id = await send(ledger)
    before = await store.one(ledger, 1, send_id)
    assert (before.statement_kind, before.locale, before.figures_sha256) == (None, None, None)
    await ledger.execute("UPDATE customers SET locale = $1 WHERE id = 4", customer)
    await ledger.execute("UPDATE businesses SET locale = $1", business)
    await ledger.execute(
        "INSERT INTO branding (business_id, statement_kind)"
        " VALUES (1, 'activity-with-open-items'), (2, 'open-items')"
    )
    await frozen(ledger, send_id)
    after = await store.one(ledger, 1, send_id)
    assert (after.statement_kind, after.locale) == ("activity-with-open-items", locale)
    assert after.figures_sha256 is not None
    assert after.figures_sha256 != after.statement_sha256


async def test_a_resend_keeps_the_looks_and_the_figures(ledger: asyncpg.Connection) -> None:
    send_id = await send(ledger)
    await frozen(ledger, send_id)
    first = await store.one(ledger, 1, send_id)
    await ledger.execute("UPDATE customers SET locale = 'fr'")
    again = await resend(ledger, 1, send_id, None, TERMS)
    kept = ("statement_kind", "locale", "statement_sha256", "figures_sha256")
    stored = await store.one(ledger, 1, again.send_id)
    for shown in (again.send, stored):
        assert [getattr(shown, name) for name in kept] == [getattr(first, name) for name in kept]


async def test_a_wrong_look_is_refused_by_its_name(api: Client) -> None:
    assert await refused(api, json={"statement_kind": "all", "locale": "english"}) == set(LOOKS)
    assert await refused(api, data={"statement_kind": "all", "locale": "pt_BR"}) == set(LOOKS)
