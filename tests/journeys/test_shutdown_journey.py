"""Stopping with work in flight: begun work is finished, nothing is lost or doubled."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.faults.processes import Child
from tests.journeys.conftest import System
from tests.judge.script import Delay
from tests.roles import acting


@pytest.mark.parametrize(
    "by", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)]
)
async def test_a_mailer_told_to_stop_finishes_what_it_began(
    system: System, tmp_path: Path, by: signal.Signals
) -> None:
    system.judge.on("dot", Delay(1.5))
    mailer = {
        "DATABASE_URL": acting(system.dsn, "mailer"),
        "AMQP_URL": system.amqp,
        "SMTP_URL": f"smtp://127.0.0.1:{system.judge.port}?starttls=never",
        "MAIL_FROM": "post@ledgerpost.example",
        "MAILER_CONCURRENCY": "3",
        "MAILER_OPS_PORT": "0",
    }
    relay = {
        "DATABASE_URL": acting(system.dsn, "relay"),
        "AMQP_URL": system.amqp,
        "RELAY_OPS_PORT": "0",
        "SWEEP_INTERVAL": "1s",
    }
    running = [
        Child("relay", ("services.api", "relay"), relay, tmp_path),
        Child("mailer", ("services.mailer", "run"), mailer, tmp_path),
    ]
    try:
        sent = await system.send(other_emails=[f"r{n}@x.example" for n in range(19)])
        await system.judge.until(lambda judge: len(judge.accepted) > 0, 60)
        await system.until(
            sent["id"], lambda seen: any(r["state"] == "sending" for r in seen["recipients"])
        )
        # Both at once: while a slow relay stops, a mailer that goes on would leave none queued.
        await asyncio.gather(*(child.stop(by) for child in running))
        states = [r["state"] for r in (await system.show(sent["id"]))["recipients"]]
        assert set(states) <= {"sent", "queued", "scheduled", "deferred"}
        assert states.count("sent") == len(system.judge.accepted) > 0
        # Twelve were claimed at a time; those that had no connection yet were handed back.
        assert {"queued", "deferred"} <= set(states)

        running += [
            Child("relay-2", ("services.api", "relay"), relay, tmp_path),
            Child("mailer-2", ("services.mailer", "run"), mailer, tmp_path),
        ]
        assert (await system.settled(sent["id"], 60))["status"] == "sent"
    finally:
        for child in running:
            await child.kill()
    assert sorted(system.judge.counts().values()) == [1] * 20
