"""The worker runs on uvloop, whose transports differ: the gate holds there too."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop

from services.mailer.smtp.outcomes import (
    Deferred,
    Failed,
    GateLost,
    InDoubt,
    NotHandedOver,
    Outcome,
    Sent,
)
from services.mailer.smtp.pool import SessionPool
from shared.deliveries.reasons import ReasonCode
from tests.judge.certificate import self_made
from tests.judge.mail import PATIENT, Gate, envelope, smarthost
from tests.judge.script import Accept, Delay, Drop, Hang, Reset, Say
from tests.judge.server import Judge

BIG = b"z" * 76 + b"\r\n"


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("certificate")
    return self_made(folder)[1]


def on_uvloop(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "starttls"])
def test_the_table_of_states_on_uvloop(*, context: ssl.SSLContext, tls: bool) -> None:
    async def slow() -> bool:
        await asyncio.sleep(0.2)
        return True

    async def scene() -> None:
        async with Judge(tls=context if tls else None) as judge:
            sessions = SessionPool(
                smarthost(judge, tls="starttls"), 1, replace(PATIENT, block=0.5), "client.test"
            )

            async def outcome(
                recipient: str, gate: Callable[[], Awaitable[bool]] | None = None, size: int = 1
            ) -> Outcome:
                mail = envelope(recipient)
                mail = replace(mail, data=mail.data + BIG * size)
                return await sessions.hand_over(mail, gate or Gate())

            assert isinstance(await outcome("ok@x.org"), Sent)
            assert await outcome("lost@x.org", Gate(answer=False)) == GateLost()
            judge.on("rcpt", Say("550 5.1.1 no"), recipient="gone@x.org")
            assert isinstance(await outcome("gone@x.org"), Failed)
            judge.on("dot", Accept(), Drop(), recipient="doubt@x.org")
            assert isinstance(await outcome("doubt@x.org"), InDoubt)
            judge.on("dot", Say("451 4.3.0 later"), recipient="later@x.org")
            assert isinstance(await outcome("later@x.org"), Deferred)
            judge.on("body", Delay(0.05), Reset(), recipient="reset@x.org")
            assert isinstance(await outcome("reset@x.org", slow), NotHandedOver)
            assert isinstance(await outcome("big@x.org", size=50_000), Sent)
            judge.on("body", Hang(reading=False), recipient="stuck@x.org")
            gate = Gate()
            assert isinstance(await outcome("stuck@x.org", gate, size=200_000), Deferred)
            assert gate.asked == 0
            await sessions.close()
            assert [mail.recipient for mail in judge.accepted] == [
                "ok@x.org",
                "doubt@x.org",
                "big@x.org",
            ]

    on_uvloop(scene)


def test_a_connection_that_ends_with_the_gates_answer_gets_no_dot_on_uvloop() -> None:
    async def scene() -> None:
        async with Judge() as judge:
            sessions = SessionPool(smarthost(judge), 1, replace(PATIENT, gate=0.1), "client.test")

            async def gate() -> bool:
                await judge.stop()
                return True

            outcome = await sessions.hand_over(envelope(), gate)
            assert outcome == NotHandedOver(
                "at the gate: the smarthost closed the connection", code=ReasonCode.CONNECTION_LOST
            )
            assert judge.accepted == []

    on_uvloop(scene)
