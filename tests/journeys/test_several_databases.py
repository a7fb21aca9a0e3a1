"""Businesses in two databases: one API, one relay and one mailer serve all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from provision.servers import Servers
from services.api.access import store as access
from services.api.core.refusals import SCOPES
from services.api.http.appkeys import OVERLAP
from shared.amqp import topology
from shared.db import postgres
from shared.mail.return_path import ReturnPaths
from shared.process.health import well
from shared.returns.intake import Incoming
from shared.returns.metrics import ReturnMetrics
from shared.returns.receiving import Receiver
from tests.journeys.conftest import soon
from tests.journeys.several import SECRET, Place, TwoDatabases, two_databases
from tests.peer import Peer, peer, request
from tests.servers import address, copied
from tests.services.api.api_client import NOVEMBER, REPORTS

LIST, ONE = f"{REPORTS}/{NOVEMBER}", f"{REPORTS}/client/4/{NOVEMBER}"


@pytest.fixture
async def two(
    servers: Servers, database: str, database_template: str, broker: str
) -> AsyncIterator[TwoDatabases]:
    async with (
        copied(servers, database_template) as name,
        two_databases(database, address(servers, name), broker) as both,
    ):
        yield both


async def test_the_key_chooses_the_database(two: TwoDatabases) -> None:
    await two.east.db.execute("UPDATE invoices SET total = total + 1000 WHERE business_id = 101")
    rows = {}
    for place in (two.main, two.east, two.main):
        answer = await two.api.get(ONE, key=place.key)
        assert answer.status == 200
        rows[place.name] = answer.json
    assert rows["main"]["balance"] + 3000 == rows["east"]["balance"]
    # Nobody is known by a key of the other's form.
    unknown = two.main.key[:20] + two.east.key[20:]
    assert (await two.api.get(ONE, key=unknown)).status == 401


async def test_each_mail_goes_out_once_from_its_own_database(two: TwoDatabases) -> None:
    async with two.relay(), two.mailer():
        sends = {
            place.name: [await two.send(place, other_emails=["a@x.example"]) for _ in range(3)]
            for place in (two.main, two.east)
        }
        for place in (two.main, two.east):
            for send in sends[place.name]:
                assert (await two.settled(place, send))["status"] == "sent"
    assert set(two.judge.counts().values()) == {1}
    names = {mail.send: str(mail.message["From"]) for mail in two.judge.accepted}
    assert all("East" not in names[send] for send in sends["main"])
    assert all("Kente & Co East" in names[send] for send in sends["east"])
    # A send of the other database is unknown, whatever its id.
    for place, other in ((two.main, "east"), (two.east, "main")):
        foreign = await two.api.get(f"/api/v3/sends/{sends[other][0]}", key=place.key)
        assert foreign.status == 404


async def test_a_database_that_is_away_stops_only_its_own_businesses(two: TwoDatabases) -> None:
    async with two.relay() as health, two.mailer():
        await two.settled(two.east, await two.send(two.east))
        waiting = await two.send(two.east)
        await two.east.proxy.cut()

        away = await two.api.get(ONE, key=two.east.key)
        assert away.status == 503
        new = await access.create(two.east.db, business_id=101, name="new", scopes=SCOPES)
        # It cannot be known that no database has this key.
        assert (await two.api.get(ONE, key=new.text)).status == 503
        for _ in range(20):
            assert (await two.api.get(LIST, key=two.main.key)).status == 200
            assert (await two.settled(two.main, await two.send(two.main)))["status"] == "sent"
        ready = await two.api.get("/health/ready")
        assert ready.status == 200
        assert ready.json["checks"]["postgres.main"] == "ok"
        assert ready.json["checks"]["postgres.east"] != "ok"
        report = await health.report()
        assert report["dispatcher.east"] != "ok"
        assert report["dispatcher.main"] == "ok"
        assert well(report)

        await two.east.proxy.open()
        assert (await two.settled(two.east, waiting))["status"] == "sent"
        assert (await two.api.get(ONE, key=new.text)).status == 200
    assert set(two.judge.counts().values()) == {1}


async def test_a_request_over_the_queue_waits_for_its_own_database_only(
    two: TwoDatabases,
) -> None:
    async with (
        peer(two.amqp, two.east.key) as east,
        peer(two.amqp, two.main.key) as main,
        two.relay(),
    ):
        await east.ask(request("e0"))
        assert (await east.reply())["type"].endswith("accepted.v1")
        await two.east.proxy.cut()
        for number in range(6):  # more than the relay takes at once
            await east.ask(request(f"e{number + 1}"))
        for number in range(6):
            await main.ask(request(f"m{number}"))
            reply = await main.reply(number + 1)
            assert reply["type"].endswith("accepted.v1"), reply
        assert len(east.answered) == 1
        await two.east.proxy.open()
        assert (await east.reply(7))["type"].endswith("accepted.v1")
    sends = "SELECT count(*), min(business_id), max(business_id) FROM sends"
    assert tuple(await two.main.db.fetchrow(sends)) == (6, 1, 1)
    assert tuple(await two.east.db.fetchrow(sends)) == (7, 101, 101)


async def test_a_request_over_the_queue_follows_its_key_to_another_database(
    two: TwoDatabases,
) -> None:
    async with peer(two.amqp, two.main.key) as main, two.relay():
        await main.ask(request("before"))
        assert (await main.reply())["type"].endswith("accepted.v1")
        await _move_key(two.main, two.east)
        await main.ask(request("after"))
        assert (await main.reply(2))["type"].endswith("accepted.v1")
        # A key that no database has is refused, also if it was known.
        await two.east.db.execute("UPDATE api_keys SET revoked_at = now()")
        await main.ask(request("revoked"))
        await soon(lambda: _is_buried(main))
        assert len(main.answered) == 2
    sends = "SELECT count(*) FROM sends"
    assert await two.main.db.fetchval(sends) == 1
    assert await two.east.db.fetchval(sends) == 1


async def _is_buried(asker: Peer) -> bool:
    queue = await asker.channel.declare_queue(topology.DEAD_LETTERS, passive=True)
    return queue.declaration_result.message_count == 1


async def _move_key(source: Place, target: Place) -> None:
    key = await source.db.fetchval("SELECT to_jsonb(k) - 'business_id' FROM api_keys k")
    await source.db.execute("UPDATE api_keys SET revoked_at = now()")
    await target.db.execute(
        "INSERT INTO api_keys SELECT (jsonb_populate_record(NULL::api_keys,"
        " $1::jsonb || jsonb_build_object('business_id', $2::bigint))).*",
        key,
        target.business,
    )


async def test_a_business_in_two_databases_is_refused_and_sends_nothing(
    two: TwoDatabases, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    await two.east.db.execute(
        "INSERT INTO businesses (id, owner_id, name, currency, timezone)"
        " VALUES (1, 1, 'A copy', 'GHS', 'UTC')"
    )
    overlap = two.api.app[OVERLAP]
    for name in ("main", "east"):
        await overlap.read(name)
    assert overlap.found == {1: ["main", "east"]}
    refused = await two.api.get(ONE, key=two.main.key)
    assert refused.status == 503
    assert "two databases" in refused.json["detail"]
    assert (await two.api.get(ONE, key=two.east.key)).status == 200
    assert any(each["event"] == "businesses_in_two_databases" for each in logged())

    async with two.relay(), two.mailer():
        for place in (two.main, two.east):
            await soon(lambda place=place: _paused(place))
        sent = await two.send(two.east)
        assert (await two.settled(two.east, sent))["status"] == "sent"
    assert all(mail.send == sent for mail in two.judge.accepted)

    await two.east.db.execute("DELETE FROM businesses WHERE id = 1")
    for name in ("main", "east"):
        await overlap.read(name)
    assert (await two.api.get(ONE, key=two.main.key)).status == 200


async def _paused(place: Place) -> bool:
    found: bool = await place.db.fetchval(
        "SELECT EXISTS (SELECT FROM pauses WHERE business_id = 1)"
    )
    return found


async def test_links_and_sessions_find_their_database(two: TwoDatabases) -> None:
    async with two.relay(), two.mailer():
        await two.settled(two.east, await two.send(two.east))
    [mail] = two.judge.accepted
    path = str(mail.message["List-Unsubscribe"]).strip("<>").partition(".example")[2]
    assert "Kente &amp; Co East" in (await two.api.get(path)).text
    done = await two.api.post(path, data={"List-Unsubscribe": "One-Click"})
    assert done.status == 200
    count = "SELECT count(*) FROM suppressions"
    assert await two.east.db.fetchval(count) == 1
    assert await two.main.db.fetchval(count) == 0

    for place, name in ((two.east, "Kente &amp; Co East"), (two.main, "Kente &amp; Co")):
        signed = await two.api.post("/sign-in", data={"key": place.key}, allow_redirects=False)
        assert signed.status == 303
        cookie = {"Cookie": signed.headers["Set-Cookie"].partition(";")[0]}
        seen = await two.api.get(LIST, headers=cookie | {"Accept": "text/html"})
        assert seen.status == 200
        assert name in seen.text
        await two.api.post("/sign-out", headers=cookie, allow_redirects=False)
        assert await place.db.fetchval("SELECT count(*) FROM sessions") == 0


async def test_wake_ups_go_to_the_queue_of_their_database(two: TwoDatabases) -> None:
    async with two.relay(), peer(two.amqp, None) as observer:
        for place in (two.main, two.east):
            await two.send(place)
        for name in ("main", "east"):
            queue = topology.deliveries_of(name)
            async with asyncio.timeout(180):
                while await observer.waiting(queue) != 1:
                    await asyncio.sleep(0.05)


async def test_a_returned_mail_finds_its_database(two: TwoDatabases) -> None:
    async with two.relay(), two.mailer():
        for place in (two.main, two.east):
            await two.settled(place, await two.send(place))
    paths, counted = ReturnPaths(SECRET, "bounces.example"), ReturnMetrics(CollectorRegistry())
    async with AsyncExitStack() as stack:
        pools = [
            await stack.enter_async_context(postgres.pool(url, name="returns", size=2))
            for url in two.urls("mailer").values()
        ]
        receiver = Receiver(pools, paths, counted)
        for place in (two.main, two.east):
            delivery = await place.db.fetchval("SELECT id FROM deliveries")
            bounce = Incoming(b"Subject: returned\r\n\r\ngone", "smtp", paths.address(delivery))
            await receiver.receive(bounce)
            assert await place.db.fetchval("SELECT delivery_id FROM returns") == delivery

        await two.east.proxy.cut()
        # It cannot be known that no database has it, so its sender has to come again.
        for delivery in (await two.east.db.fetchval("SELECT id FROM deliveries"), uuid4()):
            unknown = Incoming(b"Subject: other\r\n\r\ngone", "smtp", paths.address(delivery))
            with pytest.raises(postgres.UNAVAILABLE):
                await receiver.receive(unknown)
        assert await two.main.db.fetchval("SELECT count(*) FROM returns") == 1
