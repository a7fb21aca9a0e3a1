"""Commands of operators while the whole system runs."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.deliveries import operator
from tests.journeys.conftest import System, soon
from tests.judge.script import Accept, Drop


async def ask(system: System, path: str, **body: Any) -> tuple[int, Any]:
    async with system.http.post(f"/api/v3/{path}", json=body) as response:
        return response.status, await response.json()


def first(seen: dict[str, Any]) -> dict[str, Any]:
    recipient: dict[str, Any] = seen["recipients"][0]
    return recipient


async def test_a_mail_in_doubt_is_settled_by_a_person(system: System) -> None:
    system.judge.on("dot", Accept(), Drop(), times=1)
    async with system.relay(), system.mailer():
        taken = await system.settled((await system.send())["id"])
        system.judge.on("dot", Drop(), times=1)
        lost = await system.settled((await system.send())["id"])
        assert [first(each)["state"] for each in (taken, lost)] == ["in_doubt"] * 2
        async with system.http.get("/api/v3/deliveries/in-doubt") as response:
            listed = [each["send_id"] for each in (await response.json())["data"]]
        assert listed == [taken["id"], lost["id"]]

        status, shown = await ask(
            system, f"deliveries/{first(taken)['id']}/resolve", **{"as": "sent"}
        )
        assert (status, shown["status"]) == (200, "sent")
        status, _ = await ask(system, f"deliveries/{first(lost)['id']}/resolve", **{"as": "resend"})
        assert status == 200
        assert (await system.settled(lost["id"]))["status"] == "sent"
    assert set(system.judge.counts().values()) == {1}
    assert len(system.judge.accepted) == 2


async def test_a_pause_holds_what_is_due_and_what_is_queued(system: System) -> None:
    async with system.relay():
        queued = await system.send()
        await system.until(queued["id"], lambda seen: first(seen)["state"] == "queued")
        await operator.pause(system.db, 1)
        due = await system.send()
        async with system.mailer():
            await system.until(
                queued["id"], lambda seen: first(seen)["reason"] == "paused by the operator"
            )
            await asyncio.sleep(2)
            assert first(await system.show(due["id"]))["state"] == "scheduled"
            assert first(await system.show(queued["id"]))["state"] == "deferred"
            assert system.judge.accepted == []
            await operator.resume(system.db, 1)
            for each in (queued, due):
                seen = await system.settled(each["id"])
                assert (seen["status"], first(seen)["attempts"]) == ("sent", 1)
    assert set(system.judge.counts().values()) == {1}


async def test_a_rescheduled_send_goes_out_at_its_new_time(system: System) -> None:
    async with system.relay():
        queued = await system.send()
        await system.until(queued["id"], lambda seen: first(seen)["state"] == "queued")
        at = datetime.now(UTC) + timedelta(seconds=4)
        status, moved = await ask(
            system, f"sends/{queued['id']}/reschedule", send_at=at.isoformat()
        )
        assert (status, first(moved)["state"]) == (200, "scheduled")
        far = await system.send(send_at=(datetime.now(UTC) + timedelta(days=9)).isoformat())
        async with system.mailer():
            now = datetime.now(UTC).isoformat()
            await ask(system, f"sends/{far['id']}/reschedule", send_at=now)
            assert (await system.settled(far["id"]))["status"] == "sent"
            seen = await system.settled(queued["id"])
            assert datetime.fromisoformat(first(seen)["sent_at"]) >= at
            status, _ = await ask(system, f"sends/{far['id']}/reschedule", send_at=now)
            assert status == 409
    assert set(system.judge.counts().values()) == {1}


async def test_a_resend_says_what_the_first_mail_said(system: System) -> None:
    async with system.relay(), system.mailer():
        sent = await system.settled((await system.send())["id"])
        await system.db.execute("UPDATE invoices SET total = 7 WHERE business_id = 1 AND id = 2")
        status, made = await ask(system, f"sends/{sent['id']}/resend")
        assert (status, made["resend_of"]) == (202, sent["id"])
        again = await system.settled(made["id"])
    assert again["status"] == "sent"
    assert again["statement_sha256"] == sent["statement_sha256"]
    one, two = (mail.message for mail in system.judge.accepted)
    assert one["Message-ID"] != two["Message-ID"]
    texts = [mail.get_body(("plain",)).get_content() for mail in (one, two)]
    assert "900.20" in texts[0]
    assert texts[0] == texts[1]


async def test_after_a_restore_nothing_goes_out_again_by_itself(system: System) -> None:
    async with system.relay():
        sent = await system.send()
        await system.until(sent["id"], lambda seen: first(seen)["state"] == "queued")
    # The backup was made here; what follows is forgotten with the database that was lost.
    backup = await system.db.fetchrow("SELECT * FROM deliveries")
    async with system.relay(), system.mailer():
        await system.settled(sent["id"])
    await system.db.execute(
        "UPDATE deliveries SET state = 'queued', token = $1, attempts = 0, sent_at = NULL,"
        " lease_until = now()",
        backup["token"],
    )
    await operator.quarantine(system.db)
    async with system.relay(), system.mailer():
        later = await system.send()
        assert (await system.settled(later["id"]))["status"] == "sent"

        async def swept() -> bool:
            return first(await system.show(sent["id"]))["state"] == "in_doubt"

        await soon(swept)
    assert set(system.judge.counts().values()) == {1}
