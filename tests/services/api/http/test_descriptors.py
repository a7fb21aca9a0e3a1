"""The API raises its limit of file descriptors, and warns before they run out."""

import asyncio
import resource
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from prometheus_client import CollectorRegistry

from services.api.http.metrics import for_a_second
from shared.process import metrics
from shared.process.descriptors import Watch
from tests.services.api.command import served

Logged = Callable[[], list[dict[str, Any]]]
LIMITED = ("sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh")
_RUN_OUT = '"event":"descriptors_run_out"'
FEW = ("sh", "-c", 'ulimit -n 128; exec "$@"', "sh")


def figure(text: str, name: str) -> float:
    [line] = [each for each in text.splitlines() if each.startswith(f"{name} ")]
    return float(line.split()[1])


async def test_the_soft_limit_is_raised_to_the_hard_one(readable: str) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with (
        served(within=LIMITED, DATABASE_URL=readable) as (_, url, _),
        aiohttp.ClientSession() as session,
        session.get(f"{url}/metrics") as answer,
    ):
        text = await answer.text()
    assert figure(text, "ledgerpost_descriptors_limit") == hard
    assert 5 < figure(text, "ledgerpost_descriptors_open") < 100


async def test_connections_that_take_all_of_them_are_told_in_the_log(readable: str) -> None:
    async with served(within=FEW, DATABASE_URL=readable) as (_, url, lines):
        parts = urlsplit(url)
        with ExitStack() as stack:
            for _ in range(140):
                made = stack.enter_context(socket.socket())
                made.settimeout(0)
                made.connect_ex((parts.hostname or "", parts.port or 0))
            async with asyncio.timeout(180):
                while not any(_RUN_OUT in line for line in lines):
                    await asyncio.sleep(0.1)
    assert len([line for line in lines if _RUN_OUT in line]) == 1


def test_the_warning_comes_once_and_has_an_end(logged: Logged) -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = limit
    registry = CollectorRegistry()
    watch = Watch(registry, lambda: used)
    watch.look()
    watch.look()
    assert figure(metrics.expose(registry).decode(), "ledgerpost_descriptors_open") == limit
    used = 1
    watch.look()
    assert [each["event"] for each in logged()] == [
        "descriptors_run_out",
        "descriptors_run_out_over",
    ]


def test_figures_are_made_once_a_second() -> None:
    made = iter([b"first", b"second"])
    text = for_a_second(lambda: next(made))
    assert [text() for _ in range(5)] == [b"first"] * 5
