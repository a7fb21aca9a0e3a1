"""Every run ends in time, and what it finds holds no secret."""

import asyncio

import pytest

from shared.doctor.checkup import Checkup, NoSuchPart
from shared.doctor.finding import Said, Status, ok
from shared.doctor.masking import Masking
from shared.process.settings import ApiSettings, Settings


async def never() -> Said:
    await asyncio.Event().wait()
    return ok("unreachable")


async def broken() -> Said:
    raise ValueError("no answer of customer@client.example")


async def test_a_silent_check_and_a_broken_one_are_failures_and_the_next_one_runs() -> None:
    checkup = Checkup(Masking(Settings()), check=0.05)
    await checkup.check("a.silent", never())
    await checkup.check("a.broken", broken())
    checkup.note("a.well", ok("well"))
    assert [(each.status, each.found) for each in checkup.findings] == [
        (Status.FAILURE, "no result within 0.05 s"),
        (Status.FAILURE, "the check failed: ValueError: no answer of [address]"),
        (Status.OK, "well"),
    ]


async def test_a_part_that_does_not_end_is_given_up() -> None:
    checkup = Checkup(Masking(Settings()), total=0.05)

    async def silent() -> None:
        await never()

    async def well() -> None:
        checkup.note("well.a", ok("well"))

    await checkup.run({"silent": silent, "well": well})
    assert {each.check: each.status for each in checkup.findings} == {
        "silent": Status.FAILURE,
        "well.a": Status.OK,
    }


async def test_only_parts_that_there_are_can_be_chosen() -> None:
    with pytest.raises(NoSuchPart):
        await Checkup(Masking(Settings())).run({}, ["smtp"])


@pytest.mark.parametrize(
    "text",
    [
        "refused p%40ss%2Fword-7", "refused p@ss/word-7", "s" * 40, "https://u:other-secret@x.example",
        "mail to anna@client.example failed", "password=other-secret",
        "key ledgerpost_abcdefgh" + "Z" * 30,
    ],
)  # fmt: skip
def test_secrets_and_addresses_are_replaced(text: str) -> None:
    settings = ApiSettings(
        database_url="postgresql://api:p%40ss%2Fword-7@host/db", unsubscribe_secret="s" * 40
    )
    masked = Masking(settings)(text)
    for secret in ("word-7", "s" * 40, "other-secret", "anna", "Z" * 30):
        assert secret not in masked
