"""Many mails of one business and a single one of another, on two relays and two mailers."""

from contextlib import AsyncExitStack

from services.api.core.parsing import parse
from services.api.sends.accept import accept
from services.api.sends.request import SendBody, SendRequest
from tests.journeys.conftest import System, soon
from tests.services.api.sends.stored import PERIOD, TERMS

_SENDS, _RECIPIENTS = 24, 25
OTHERS = "single@other.example"


async def _store(system: System, business: int, *others: str) -> None:
    asked = SendRequest.of(4, PERIOD, parse(SendBody, {"other_emails": list(others)}))
    await accept(system.db, business, asked, TERMS)


async def test_a_single_mail_passes_hundreds_of_another_business(system: System) -> None:
    """Though all of those were due before it: it waits behind what was on its way."""
    for _ in range(_SENDS):
        await _store(system, 1, *(f"r{number}@x.example" for number in range(_RECIPIENTS - 1)))
    async with AsyncExitStack() as running:
        for _ in range(2):
            await running.enter_async_context(system.relay())
            await running.enter_async_context(system.mailer(attach_pdf="off"))
        await soon(lambda: _accepted(system, 20))
        behind = len(system.judge.accepted)
        await _store(system, 2, OTHERS)
        await soon(lambda: _accepted(system, _SENDS * _RECIPIENTS), 60)
        place = [mail.recipient for mail in system.judge.accepted].index(OTHERS)
        assert place - behind < 300


async def test_a_single_mail_waits_for_few_turns_of_the_smarthosts_rate(system: System) -> None:
    """Though another business's backlog would fill the rate for 40 seconds."""
    for _ in range(16):
        await _store(system, 1, *(f"r{number}@x.example" for number in range(_RECIPIENTS - 1)))
    async with system.relay(), system.mailer(attach_pdf="off", smarthost_rate=10):
        await soon(lambda: _accepted(system, 10))
        behind = len(system.judge.accepted)
        await _store(system, 2, OTHERS)
        await soon(lambda: _has(system, OTHERS), 60)
        place = [mail.recipient for mail in system.judge.accepted].index(OTHERS)
    assert place - behind < 12


async def _has(system: System, recipient: str) -> bool:
    return any(mail.recipient == recipient for mail in system.judge.accepted)


async def _accepted(system: System, number: int) -> bool:
    return len(system.judge.accepted) >= number
