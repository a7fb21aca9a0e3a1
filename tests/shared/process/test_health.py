import asyncio

from shared.process.health import Health, Unwell, well
from tests.logged import Logged


async def fine() -> None:
    pass


async def broken() -> None:
    raise ConnectionRefusedError("refused for user bob at db.internal")


async def explained() -> None:
    raise Unwell("is stopping\nwith details")


async def silent() -> None:
    raise ConnectionResetError


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_every_resource_is_asked_and_named() -> None:
    health = Health(timeout=0.05)
    for check in (fine, broken, explained, silent, hangs):
        health.register(check.__name__, check)
    report = await health.report()
    assert report == {
        "fine": "ok",
        "broken": "ConnectionRefusedError",
        "explained": "is stopping",
        "silent": "ConnectionResetError",
        "hangs": "no answer within 0.05 s",
    }
    assert not well(report)


async def test_what_the_report_hides_is_logged_when_it_changes(
    logged: Logged,
) -> None:
    health = Health()
    for check in (broken, broken, fine, broken):
        health.register("one", check)
        await health.report()
    told = [each["error"] for each in logged() if each["event"] == "resource is not well"]
    assert told == ["ConnectionRefusedError('refused for user bob at db.internal')"] * 2


async def test_no_resource_is_well_and_so_is_a_fine_one() -> None:
    health = Health()
    assert well(await health.report())
    health.register("fine", fine)
    assert well(await health.report())


async def test_the_checks_run_at_once() -> None:
    met = asyncio.Barrier(2)
    health = Health(timeout=2)
    health.register("one", met.wait)
    health.register("two", met.wait)
    assert well(await health.report())


async def test_the_check_registered_last_under_a_name_counts() -> None:
    health = Health()
    health.register("one", broken)
    health.register("one", fine)
    assert await health.report() == {"one": "ok"}


async def test_a_check_that_is_registered_meanwhile_is_asked_the_next_time() -> None:
    health = Health()

    async def slow() -> None:
        health.register("second", ok)

    async def ok() -> None:
        pass

    health.register("first", slow)
    assert await health.report() == {"first": "ok"}
    assert await health.report() == {"first": "ok", "second": "ok"}
