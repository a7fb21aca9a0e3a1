"""Erasing a customer or an address from Postgres and RabbitMQ."""

import json

import pytest

from services.api.access import store as access
from services.mailer import dead_letters
from shared.amqp import topology
from tests.commands import Ended
from tests.journeys.conftest import System, soon
from tests.peer import Peer, batch_request, peer, request
from tests.services.api.command import run

CUSTOMER = ("--business", "1", "--customer", "4")
ADDRESS = ("--business", "1", "--address", "Mate@X.example")


async def erase(system: System, *words: str, amqp: bool = True) -> Ended:
    broker = {"AMQP_URL": system.amqp} if amqp else {}
    return await run("erase", *words, "--yes", DATABASE_URL=system.dsn, **broker)


async def bury(asker: Peer, *bodies: object) -> None:
    """Send requests that are refused, and wait for their answers."""
    for number, body in enumerate(bodies, start=len(asker.answered) + 1):
        await asker.ask(body)
        await asker.reply(number)


async def named(system: System) -> list[str]:
    """The ids of the requests among the dead letters."""
    letters = await dead_letters.read(system.amqp, 99)
    return sorted(json.loads(each.body)["id"] for each in letters)


def refused(id_: str, **given: object) -> dict[str, object]:
    return request(id_, **({"unknown": 1} | given))


async def test_what_waits_is_cancelled_first_and_a_resend_is_refused(system: System) -> None:
    async with system.relay():
        late = await system.send(send_at="2027-01-01")
        refusal = await erase(system, *CUSTOMER)
        assert (refusal.status, refusal.out) == (1, "")
        assert "unfinished" in refusal.err
        erased = await erase(system, *CUSTOMER, "--cancel", amqp=False)
    assert erased.status == 0, erased.err
    assert "cancelled: 1\nsends: 1\nmails: 1\n" in erased.out
    assert "Dead letters of RabbitMQ remain" in erased.out
    shown = await system.show(late["id"])
    assert shown["status"] == "cancelled"
    assert [each["email"] for each in shown["recipients"]] == ["erased-1@erased.invalid"]
    await system.db.execute("""
        WITH kept AS (INSERT INTO statements VALUES (1, sha256('x'), '{}') RETURNING sha256)
        UPDATE sends SET statement_sha256 = kept.sha256 FROM kept
    """)
    async with system.http.post(f"/api/v3/sends/{late['id']}/resend", json={}) as again:
        assert again.status == 409
        assert "erased" in (await again.json())["detail"]


async def test_of_an_address_nothing_is_left_and_the_rest_is(system: System) -> None:
    key = {"Idempotency-Key": "k"}
    body = {"other_emails": "mate@x.example, late-mate@x.example", "send_at": "2027-01-01"}
    way, period = "/api/v3/clients/4/transactions/send", {"from": "2024-11-01", "to": "2024-11-30"}
    async with system.relay():
        async with system.http.post(way, params=period, json=body, headers=key) as first:
            assert first.status == 202
        erased = await erase(system, *ADDRESS, "--cancel")
        assert erased.status == 0, erased.err
        assert "cancelled: 1\n" in erased.out
        async with system.http.post(way, params=period, json=body, headers=key) as again:
            answer = await again.json()
    addresses = {each["email"] for each in answer["recipients"]}
    assert "erased@erased.invalid" in addresses
    assert "late-mate@x.example" in addresses
    states = {
        each["email"]: each["state"] for each in (await system.show(answer["id"]))["recipients"]
    }
    assert states.pop("erased-2@erased.invalid") == "cancelled"
    assert set(states.values()) == {"scheduled"}
    for table in ("deliveries", "idempotency_keys", "sends", "suppressions"):
        rows = await system.db.fetch(f"SELECT t::text AS row FROM {table} t")
        assert not [row for row in rows if "mate@x" in row["row"].replace("late-mate", "")]


async def test_a_batch_of_an_erased_address_is_not_made_again_by_a_copy_of_its_request(
    system: System, asker: Peer
) -> None:
    asked = batch_request("b", other_emails="mate@x.example", send_at="2027-01-01")

    async def published() -> bool:
        told = "SELECT count(*) FROM request_answers WHERE published_at IS NOT NULL"
        return bool(await system.db.fetchval(told) == 1)

    async with system.relay():
        await asker.ask(asked)
        first = await asker.reply()
        await soon(published)
        erased = await erase(system, *ADDRESS, "--cancel")
        assert erased.status == 0, erased.err
        await asker.ask(asked)
        again = await asker.reply(2)
    assert (again["id"], again["data"]["id"]) == (first["id"], first["data"]["id"])
    assert again["data"]["other_emails"] == ["erased@erased.invalid"]
    assert await system.db.fetchval("SELECT count(*) FROM batches") == 1


@pytest.fixture
async def buried(system: System, asker: Peer) -> Peer:
    """Refused requests of two businesses and of a stranger, some about customer 4."""
    other = await access.create(
        system.db, business_id=2, name="other", scopes=["transactions:send"]
    )
    async with system.relay():
        await bury(
            asker,
            refused("own"),
            refused("mate", customer_id=5, other_emails="mate@x.example"),
            json.dumps(refused("escaped", customer_id=5, other_emails="mate@x.example"))
            .replace("mate@", "m\\u0061te@")
            .encode(),
            refused("late", customer_id=5, other_emails="late-mate@x.example"),
            refused("forty", customer_id=40),
            refused("long", message="x" * 70_000),
        )
        async with peer(system.amqp, other.text) as stranger:
            await bury(stranger, refused("other", other_emails="mate@x.example"))
        async with peer(system.amqp, None) as stranger:
            await stranger.ask(refused("unknown", other_emails="mate@x.example"))
        await asker.dead(8)
    return asker


async def test_dead_letters_of_an_address_are_removed(system: System, buried: Peer) -> None:
    before = await buried.waiting(topology.DEAD_LETTERS)
    erased = await erase(system, *ADDRESS)
    assert erased.status == 0, erased.err
    assert "dead letters: 2\n" in erased.out
    assert "1 dead letters name the erased data, but their key is unknown" in erased.out
    assert await buried.waiting(topology.DEAD_LETTERS) == before - 2
    left = [each.body for each in await dead_letters.read(system.amqp, 99)]
    assert not [body for body in left if b'"mate"' in body or b'"escaped"' in body]


async def test_dead_letters_of_a_customer_are_removed_even_if_they_are_cut(
    system: System, buried: Peer
) -> None:
    await system.db.execute("UPDATE api_keys SET revoked_at = now() WHERE business_id = 1")
    erased = await erase(system, *CUSTOMER)
    assert erased.status == 0, erased.err
    assert "dead letters: 2\n" in erased.out
    assert await named(system) == ["escaped", "forty", "late", "mate", "other", "unknown"]


async def test_nothing_is_erased_while_rabbitmq_is_away(system: System) -> None:
    await system.db.execute(
        "INSERT INTO suppressions VALUES (1, 'mate@x.example', 'no such mailbox', now())"
    )
    words = ("erase", *ADDRESS, "--yes")
    away = await run(*words, DATABASE_URL=system.dsn, AMQP_URL="amqp://127.0.0.1:1")
    assert away.status == 1
    assert "RabbitMQ: " in away.err
    assert "nothing was erased" in away.err
    assert await system.db.fetchval("SELECT count(*) FROM suppressions") == 1


@pytest.mark.parametrize("words", [(), (*CUSTOMER, "--address", "a@x.com"), ("--address", "none")])
async def test_who_is_erased_has_to_be_said(words: tuple[str, ...]) -> None:
    wrong = await run("erase", "--business", "1", *words, "--yes")
    assert wrong.status == 2
    assert "--address" in wrong.err
