"""The HTTP server around the API: gunicorn with aiohttp's uvloop worker."""

import asyncio
import math
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import FrameType
from typing import Any

from aiohttp import web
from aiohttp.worker import GunicornUVLoopWebWorker
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # has none
from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # has none

from services.api.http import ops
from services.api.http.protocol import IDLE, Runner
from services.api.http.tallies import Tallies, count_in
from shared.db.login import warned
from shared.process import descriptors
from shared.process.settings import ApiSettings, SettingsError

_REQUESTS = 60  # seconds in which requests in flight may finish after the listener is closed
# Seconds for requests that are on their way when the listener is closed.
_FAREWELL = 1.0
_CLEANUP = 5  # seconds for closing everything else

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Runs `create()` in each worker until SIGTERM, then finishes the requests in flight.

    It goes on serving for DRAIN_DELAY, so that load balancers notice that it is not ready any more.
    `last_step` is the number of seconds in which a relay inside the worker may finish its steps.
    Each worker counts in one of `tallies`, or in its own memory if there are none.
    """

    def __init__(
        self,
        settings: ApiSettings,
        create: Callable[[], web.Application],
        tallies: Tallies | None,
        *,
        last_step: float,
    ) -> None:
        self._settings, self._create, self._tallies = settings, create, tallies
        self._last_step = last_step
        self._delay = settings.drain_delay.total_seconds()
        self._is_first = False
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options."""
        host, port = self._settings.api_host, self._settings.api_port
        options: dict[str, Any] = {
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": self._settings.api_workers,
            "worker_class": _Worker,
            "graceful_timeout": math.ceil(self._delay + _REQUESTS + self._last_step + _CLEANUP),
            "logger_class": _Log,
            "pre_fork": self._equip,
            "post_fork": self._settle,
            "child_exit": self._forget,
            "control_socket_disable": True,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until SIGTERM. Raises SettingsError if the address cannot be bound."""
        host, port = self._settings.api_host, self._settings.api_port
        try:
            _try_to_bind(host, port)
        except OSError as error:
            raise SettingsError(f"API_HOST, API_PORT: {error.strerror}") from None
        descriptors.raise_limit()
        super().run()

    def load(self) -> Callable[[], Awaitable[web.AppRunner]]:
        """Return a function that makes the server of a worker; called in that worker."""
        self.served = app = self._create()
        if self._is_first:
            app.cleanup_ctx.append(self._warned)
        loop = asyncio.get_event_loop()
        loop.call_soon(signal.pthread_sigmask, signal.SIG_UNBLOCK, _ENDING)

        async def runner() -> web.AppRunner:
            return Runner(
                app,
                farewell=_FAREWELL,
                keepalive_timeout=IDLE,
                access_log=None,
                shutdown_timeout=_REQUESTS * 0.95,
            )

        return runner

    def _equip(self, _: object, worker: Any) -> None:
        """Give a tally to a worker that is about to be forked."""
        worker.tally = None if self._tallies is None else self._tallies.take()

    def _settle(self, arbiter: Any, worker: Any) -> None:
        """Prepare a worker in its own process."""
        _hold_signals(arbiter)
        count_in(worker.tally)
        # The age is a serial number, so only the first worker logs what is logged once.
        self._is_first = worker.age == 1
        worker.drain_delay = self._delay

    async def _warned(self, _: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for each in self._settings.databases:
                await stack.enter_async_context(warned(each.url))
            yield

    def _forget(self, _: object, worker: Any) -> None:
        """Free the tally of a worker that has ended."""
        if self._tallies is not None and worker.tally is not None:
            self._tallies.give_back(worker.tally)


def _try_to_bind(host: str, port: int) -> None:
    """Bind the address once, which gunicorn tries for five seconds, and free it again.

    The socket does not listen, because whoever connected to it would be disconnected.
    Raises OSError if the address cannot be bound.
    """
    [family, *_, address], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


class _Worker(GunicornUVLoopWebWorker):
    """Goes on serving for `drain_delay` seconds after SIGTERM, while it reports that it stops."""

    drain_delay: float
    sockets: Any

    def run(self) -> None:
        """Serve until it has to stop."""
        # uvloop closes a socket by its number, and detaches only Python's own socket objects.
        # gunicorn's wrapper would close the number again, which may belong to another socket then.
        self.sockets = [each.sock for each in self.sockets]
        super().run()

    def handle_exit(self, _: int, __: FrameType | None) -> None:
        """Begin to stop."""
        ops.leave(self.app.served)
        self.loop.call_later(self.drain_delay, self._stop_serving)

    def _stop_serving(self) -> None:
        self.alive = False
        self._notify_waiter_done()


def _hold_signals(arbiter: Any) -> None:
    # Block SIGTERM until the worker's loop runs. It would otherwise be lost, and the arbiter, which
    # sends it only once, would wait for the whole grace period.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    # Signals between the fork and the blocking are in a queue that is not read any more.
    while not arbiter.SIG_QUEUE.empty():
        if arbiter.SIG_QUEUE.get_nowait() in _ENDING:
            sys.exit(0)


class _Log(Logger):  # type: ignore[misc]  # gunicorn has no types
    """Writes to the logs of shared/process/logs.py; each request is logged by observe()."""

    def setup(self, cfg: object) -> None:
        """Add no handlers, and pass everything on to the root logger."""
        self.cfg = cfg
        self.error_log.propagate = True
