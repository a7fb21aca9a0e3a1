"""Health as Prometheus sees it."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Gauge

from shared.process import resources, sampling
from shared.process.health import Health, Unwell
from shared.process.resources import Resources
from tests.logged import Logged


async def until(registry: CollectorRegistry, shown: dict[str, float]) -> None:
    async with asyncio.timeout(180):
        while {
            sample.labels["resource"]: sample.value
            for metric in registry.collect()
            for sample in metric.samples
        } != shown:
            await asyncio.sleep(0.01)


async def test_each_resource_is_shown_under_its_present_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "EVERY_S", 0.01)
    registry, health, down = CollectorRegistry(), Health(), asyncio.Event()

    async def smarthost() -> None:
        if down.is_set():
            raise Unwell("is away")

    async def postgres() -> None:
        """Be well."""

    health.register("smarthost", smarthost, old_name="relay")
    health.register("postgres", postgres)
    async with Resources(registry).watching(health):
        await until(registry, {"smarthost": 1, "postgres": 1})
        down.set()
        await until(registry, {"smarthost": 0, "postgres": 1})
        down.clear()
        await until(registry, {"smarthost": 1, "postgres": 1})


async def test_a_gauge_that_cannot_be_set_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    monkeypatch.setattr(sampling, "EVERY_S", 0.01)
    gauge = Gauge("looks", "Looks.", registry=CollectorRegistry())

    def fail() -> None:
        raise OSError("no such file")

    async with sampling.sampling(fail, gauge.inc), asyncio.timeout(180):
        while gauge._value.get() < 3:
            await asyncio.sleep(0.01)
    assert {each["event"] for each in logged()} == {"gauge_not_set"}
