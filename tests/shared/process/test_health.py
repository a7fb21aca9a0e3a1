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
    told = [each["error"] for each in logged() if each["event"] == "resource_unwell"]
    assert told == ["ConnectionRefusedError('refused for user bob at db.internal')"] * 2


async def test_no_resource_is_well_and_so_is_a_fine_one() -> None:
    health = Health()
    assert well(await health.report())
    health.register("fine", fine)
    assert well(await health.report())


async def test_a_warning_is_shown_and_leaves_the_process_ready() -> None:
    health, said = Health(timeout=0.05), [""]

    async def warning() -> str:
        return said[0]

    async def away() -> str:
        raise ConnectionRefusedError("refused for user bob at db.internal")

    health.register("fine", fine)
    health.warn("mails", warning)
    health.warn("other", away)
    assert await health.readiness() == ({"status": "ok", "checks": {"fine": "ok"}}, True)
    said[0] = "too many"
    answer, ok = await health.readiness()
    assert (answer["status"], answer["warnings"], ok) == ("ok", {"mails": "too many"}, True)
    health.register("broken", broken)
    answer, ok = await health.readiness()
    assert (answer["status"], answer["warnings"], ok) == (
        "unavailable", {"mails": "too many"}, False,
    )  # fmt: skip


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


async def test_what_is_missing_while_a_process_starts_is_logged_only_if_it_stays_so(
    logged: Logged,
) -> None:
    health = Health()

    async def broker() -> None:
        raise Unwell("not connected yet")

    health.register("rabbitmq", broker)
    assert await health.states(quietly=True) == {"rabbitmq": "not connected yet"}
    assert logged() == []
    assert await health.states() == {"rabbitmq": "not connected yet"}
    assert [each["event"] for each in logged()] == ["resource_unwell"]
